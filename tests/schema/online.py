# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds schemas/api.openapi.json and schemas/sgctl.schema.json against the real rulesd: every operation, every --json."""
import json
import os

import openapi
import output
import rulesd

EXAMPLE = "schemas/examples/three-tier.json"
TAPS = ("tap-web", "tap-app", "tap-db", "tap-bastion", "tap-extra")


class Session:
    """Requests to a rulesd, each held against the operation that describes it."""

    def __init__(self, check, top, daemon, document):
        self.check, self.top, self.daemon, self.document = check, top, daemon, document
        self.tried = set()

    def problem(self, path, method, status, headers, text):
        """What the description of the operation does not say of the answer; empty when it says it all."""
        response = self.document["paths"][path][method]["responses"].get(str(status))
        if response is None:
            return f"status {status} is not described: {text[:200]}"
        if "ETag" in response.get("headers", {}) and not headers.get("ETag", "").startswith('"'):
            return "no ETag"
        if "application/json" not in response["content"]:
            return "" if "json" not in headers["Content-Type"] else "JSON where text is described"
        pointer = "/".join(["", "paths", path.replace("/", "~1"), method, "responses", str(status), "content", "application~1json", "schema"])
        errors = output.validator(self.top, "api.openapi.json", pointer).iter_errors(json.loads(text))
        return "; ".join(f"{error.json_path}: {error.message[:160]}" for error in errors)

    def ask(self, method, path, expected, body=None, query="", headers=None, **parameters):
        """Returns the answer's JSON, or its text."""
        self.tried.add((path, method.lower()))
        status, answered, text = self.daemon.request(method, path.format(**parameters) + query, body, headers)
        label = f"{method} {path.format(**parameters)}{query} is {expected}"
        problem = self.problem(path, method.lower(), status, answered, text)
        self.check(label, status == expected and not problem, problem or f"{status}: {text[:200]}")
        return json.loads(text) if "json" in answered.get("Content-Type", "") else text


def two_networks():
    texts = {network: {"version": 1, "network": network, "interfaces": {f"{network}-1": {"addresses": ["10.0.0.1"]}}}
             for network in ("blue", "red")}
    return {"files": [{"name": f"{network}.json", "text": json.dumps(text)} for network, text in texts.items()]}


def policies(session, policy):
    session.ask("GET", "/v1/status", 200)
    session.ask("PUT", "/v1/policy", 400, "{")
    session.ask("PUT", "/v1/policy", 422, {"version": 1, "groups": {"sg-a": {"ingress": [{}]}}})
    session.ask("PUT", "/v1/policy", 422, {"files": [{"name": "a.json", "text": "{\"version\": 2}"}]})
    session.ask("PUT", "/v1/policy", 200, policy, "?dry_run=1")
    session.ask("PUT", "/v1/policy", 200, {"version": 1})
    session.ask("PUT", "/v1/policy", 412, policy, headers={"If-Match": '"123456"'})
    session.ask("PUT", "/v1/policy", 200, {"files": [{"name": "a.json", "text": json.dumps(policy)}]}, "?existing=keep")
    session.ask("GET", "/v1/policy", 200)
    session.ask("POST", "/v1/confirm", 404)
    session.ask("PUT", "/v1/policy", 400, policy, "?confirm=0")
    session.ask("PUT", "/v1/policy", 200, two_networks())
    files = session.ask("GET", "/v1/policy", 200)
    session.check("a policy of two networks is two files", [json.loads(file["text"]).get("network") for file in files["files"]] ==
                  ["blue", "red"], str(files)[:200])
    same = session.ask("PUT", "/v1/policy", 200, files)
    session.check("GET's answer put back changes nothing", same["changed"] is False, str(same))
    session.ask("PUT", "/v1/policy", 200, policy, "?confirm=600")
    session.ask("GET", "/v1/status", 200)
    session.ask("PUT", "/v1/policy", 409, {"version": 1})
    session.ask("POST", "/v1/confirm", 200)


def interfaces(session):
    path = "/v1/interfaces/{id}"
    extra = {"device": "tap-extra", "addresses": ["10.77.0.50"], "groups": ["sg-web"], "mac": "52:54:00:77:00:50"}
    session.ask("PUT", path, 201, extra, "?wait=5", id="extra")
    session.ask("PUT", path, 200, {**extra, "addresses": ["10.77.0.51"]}, "?wait=5", id="extra")
    session.ask("PUT", path, 202, {"device": "no-such-tap", "addresses": ["10.77.0.60"]}, "?allow_waiting=1", id="later")
    session.ask("PUT", path, 404, {"device": "no-such-tap2", "addresses": ["10.77.0.61"]}, id="never")
    session.ask("PUT", path, 409, extra, id="web-1")
    session.ask("PUT", path, 422, {**extra, "groups": ["sg-nobody"]}, id="extra2")
    session.ask("GET", path, 200, id="extra")
    session.ask("GET", path, 404, id="nobody")
    listed = session.ask("GET", "/v1/interfaces", 200)
    session.check("all interfaces are listed", {"web-1", "app-1", "db-1", "bastion-1", "extra", "later"} ==
                  {interface["id"] for interface in listed}, str([interface["id"] for interface in listed]))


def traffic(session):
    """A flow and a drop, so that flows and counters have something to say."""
    daemon = session.daemon
    web, database = daemon.taps["tap-web"], daemon.taps["tap-db"]
    os.write(web, rulesd.udp_frame("52:54:00:77:00:11", "10.77.0.11", "192.0.2.53", 40000, 53))
    os.write(database, rulesd.udp_frame("52:54:00:77:00:13", "10.77.0.13", "192.0.2.53", 40000, 53))
    flows = session.ask("GET", "/v1/flows", 200)
    session.check("the flow is listed", [("web-1", "egress", "udp", 53, "sg-web/default-egress")] ==
                  [(flow["interface"], flow["direction"], flow["protocol"], flow["dport"], flow["rule"]) for flow in flows], str(flows))
    session.ask("GET", "/v1/flows", 200, query="?interface=web-1&protocol=udp&dport=53")
    stats = session.ask("GET", "/v1/stats", 200)
    drops = {entry["interface"]: entry["drops"] for entry in stats}
    session.check("the drop is counted", drops.get("db-1", {}).get("no_rule") == 1, str(drops))
    session.ask("GET", "/v1/stats", 200, query="?interface=web-1")
    for method in ("GET", "POST"):
        answer = session.ask(method, "/v1/verify", 200)
        session.check(f"{method} /v1/verify finds no difference", answer["differences"] == [] and answer["found"] == 0, str(answer))


def lists(session):
    for path in ("/v1/groups", "/v1/rules", "/v1/prefix-lists", "/v1/services", "/v1/generations"):
        answer = session.ask("GET", path, 200)
        session.check(f"{path} lists something", isinstance(answer, list) and answer)
    ping = [service for service in session.ask("GET", "/v1/services", 200) if service["name"] == "ping"]
    session.check("ping is an echo request", [{"type": "echo-request"}] * 2 == [match["icmp"] for match in ping[0]["matches"]])
    session.ask("GET", "/v1/members", 200, query="?group=sg-web")
    session.ask("GET", "/v1/members", 404, query="?group=sg-nobody")
    metrics = session.ask("GET", "/metrics", 200)
    session.check("metrics are Prometheus text", isinstance(metrics, str) and "# TYPE " in metrics)


def traces(session):
    packet = {"interface": "web-1", "direction": "ingress", "protocol": "tcp", "src": "192.0.2.1:40000", "dst": "10.77.0.11:443"}
    session.ask("POST", "/v1/trace", 200, packet)
    session.ask("POST", "/v1/trace", 200, {**packet, "dst": "10.77.0.11:444"})
    session.ask("POST", "/v1/trace", 404, {**packet, "interface": "nobody"})


def not_yet(session):
    session.ask("GET", "/v1/events", 404, query="?interface=nobody")
    session.ask("POST", "/v1/flows", 501, [])


def sgctl(session):
    for name, *command in (("show-status", "show", "status"), ("show-groups", "show", "groups"), ("show-rules", "show", "rules"),
                           ("show-interfaces", "show", "interfaces"), ("show-prefix-lists", "show", "prefix-lists"),
                           ("show-members", "show", "members", "sg-web"), ("show-generations", "show", "generations"),
                           ("flows", "flows"), ("stats", "stats"), ("verify", "verify"), ("flush-flows", "flush", "flows"),
                           ("apply", "apply", os.path.join(session.top, EXAMPLE)), ("graph", "graph"), ("export-aws", "export", "aws"),
                           ("top", "top", "--batch", "1", "--seconds", "1"),
                           ("top", "top", "--batch", "1", "--seconds", "1", "--view", "flows"),
                           ("plan", "plan", os.path.join(session.top, EXAMPLE)),
                           ("plan", "apply", "--dry-run", os.path.join(session.top, "schemas", "examples", "web-server.json")),
                           ("trace", *output.trace("db-1", "egress", "tcp", "10.77.0.13:1", "10.77.0.12:80"))):
        output.check_output(session.check, session.top, name, *command, socket=session.daemon.socket)


def ends(session):
    session.ask("POST", "/v1/rollback", 422, {})  # the policy before has no sg-web, which extra carries
    session.ask("DELETE", "/v1/flows", 200, query="?interface=web-1")
    session.ask("DELETE", "/v1/interfaces/{id}", 200, id="extra")
    session.ask("DELETE", "/v1/interfaces/{id}", 404, id="extra")
    session.ask("POST", "/v1/rollback", 200, {})
    output.check_output(session.check, session.top, "apply", "rollback", socket=session.daemon.socket)
    output.check_output(session.check, session.top, "apply", "patch", os.path.join(session.top, EXAMPLE), socket=session.daemon.socket)
    patch = {"version": 1, "prefix_lists": {"pl-more": {"entries": ["192.0.2.0/24"]}}}
    session.check("a patch changes something", session.ask("PATCH", "/v1/policy", 200, patch)["changed"] is True)
    session.ask("PATCH", "/v1/policy", 200, {"files": [{"name": "a.json", "text": json.dumps(patch)}]}, "?dry_run=1")
    session.ask("PATCH", "/v1/policy", 200, {"version": 1, "prefix_lists": {"pl-more": None}})
    session.ask("PATCH", "/v1/policy", 422, {"version": 1, "prefix_lists": {"pl-more": None}})
    session.ask("POST", "/v1/rollback", 404, {"generation": 123456})


def obstacle(top):
    """Why it cannot run here, or None."""
    if os.geteuid() != 0:
        return "not root"
    if not os.access(os.path.join(top, ".build", "rulesd"), os.X_OK):
        return ".build/rulesd is not built"
    return None


def check_all(check, top, document):
    with open(os.path.join(top, EXAMPLE), encoding="utf-8") as stream:
        policy = json.load(stream)
    daemon = rulesd.Rulesd(top, TAPS)
    try:
        daemon.start()
        session = Session(check, top, daemon, document)
        policies(session, policy)
        interfaces(session)
        traffic(session)
        lists(session)
        traces(session)
        not_yet(session)
        sgctl(session)
        ends(session)
        described = {(path, method) for path, method, _, _ in openapi.operations(document)}
        check("every operation was tried", described == session.tried, str(described ^ session.tried))
    finally:
        daemon.close()
