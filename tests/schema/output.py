# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks schemas/sgctl.schema.json and schemas/tests.schema.json against what sgctl prints and reads, without a daemon."""
import json
import os
import subprocess
import tempfile
import tempfile

import jsonschema


def validator(top, file, pointer=""):
    """A validator of a schema that refers to the files beside it."""
    base = f"file://{os.path.join(top, 'schemas')}/"
    resolver = jsonschema.RefResolver(base, {})
    return jsonschema.Draft202012Validator({"$ref": f"{base}{file}#{pointer}"}, resolver=resolver)


def check_output(check, top, name, *command, socket="/nonexistent/api.sock", stream="stdout"):
    """What `sgctl COMMAND --json` prints fits the definition of that name."""
    run = subprocess.run([os.path.join(top, ".build", "sgctl"), *command, "--json"], capture_output=True, check=False,
                         env={**os.environ, "TAPGUARD_SOCKET": socket})
    label = f"sgctl {' '.join(os.path.basename(word) for word in command)} --json"
    try:
        document = json.loads(getattr(run, stream))
    except ValueError:
        check(label, False, f"not JSON: {run.stdout[:80]!r} {run.stderr[:80]!r}")
        return
    errors = [f"{error.json_path}: {error.message[:120]}"
              for error in validator(top, "sgctl.schema.json", f"/$defs/{name}").iter_errors(document)]
    check(label, not errors, "; ".join(errors[:3]))


def check_baseline(check, top, policy):
    """What --write-baseline writes fits its definition."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "baseline.json")
        subprocess.run([os.path.join(top, ".build", "sgctl"), "lint", policy, "--write-baseline", path], capture_output=True, check=True)
        with open(path, encoding="utf-8") as stream:
            document = json.load(stream)
    errors = [error.message[:120] for error in validator(top, "sgctl.schema.json", "/$defs/lint-baseline").iter_errors(document)]
    check("lint --write-baseline", document["findings"] and not errors, "; ".join(errors[:3]))


def trace(interface, direction, protocol, source, destination):
    return ("trace", "--interface", interface, "--direction", direction, "--protocol", protocol, "--src", source, "--dst", destination)


def check_outputs(check, top):
    policy = os.path.join(top, "schemas", "examples", "three-tier.json")
    data = os.path.join(top, "tests", "golden", "sgctl")
    check_output(check, top, "show-services", "show", "services")
    check_output(check, top, "validate", "validate", policy)
    check_output(check, top, "validate", "validate", "/nonexistent.json")
    check_output(check, top, "graph", "graph", policy)
    check_output(check, top, "graph", "graph", "--nodes", "2", os.path.join(data, "graph.json"))
    check_output(check, top, "lint", "lint", policy)
    check_output(check, top, "lint", "lint", os.path.join(data, "lint-bad.json"))
    check_output(check, top, "errors", "lint", "/nonexistent.json")
    check_baseline(check, top, os.path.join(data, "lint-bad.json"))
    check_output(check, top, "errors", "show", "status")
    check_transfers(check, top)
    for packet in (("web-1", "ingress", "tcp", "198.51.100.7:40000", "10.77.0.11:443"),
                   ("web-1", "ingress", "tcp", "198.51.100.7:40000", "10.77.0.11:444"),
                   ("db-1", "egress", "udp", "[fd77::13]:5353", "[fd77::12]:53"),
                   ("app-1", "egress", "icmpv6", "fd77::99", "fd77::11"),
                   ("app-1", "ingress", "icmp", "10.77.0.14", "10.77.0.12")):
        check_output(check, top, "trace", *trace(*packet), "--policy", policy)
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "web.pcap")
        subprocess.run(["python3", os.path.join(data, "make-capture.py"), capture], check=True)
        check_output(check, top, "trace-pcap", "trace", "--interface", "web-1", "--pcap", capture, "--policy", policy)
    check_output(check, top, "trace", "trace", "--interface", "web-1", "--direction", "in", "--frame", "525400770011 020000000001 88cc", "--policy", policy)
    check_output(check, top, "test", "test", os.path.join(data, "reachability.json"), "--policy", policy)
    check_output(check, top, "test", "test", os.path.join(data, "reachability-wrong.json"), "--policy", policy)


def check_transfers(check, top):
    """Imports are policies, exports documents of AWS, and both have a report of one shape."""
    data = os.path.join(top, "tests", "data")
    policy = os.path.join(top, "schemas", "examples", "three-tier.json")
    for source, file in (("aws", "aws/composed/odd_shapes_8sg.json"), ("aws", "import/aws-strange.json"), ("aws", "import/aws-interfaces.json"),
                         ("terraform", "import/terraform-state.json"), ("neutron", "import/neutron.json")):
        command = ("import", source, os.path.join(data, file))
        check_output(check, top, "import-report", *command, stream="stderr")
        run = subprocess.run([os.path.join(top, ".build", "sgctl"), *command], capture_output=True, check=False)
        errors = [error.message[:120] for error in validator(top, "policy.schema.json").iter_errors(json.loads(run.stdout))]
        check(f"sgctl import {source} {os.path.basename(file)} fits policy.schema.json", not errors, "; ".join(errors[:3]))
    check_output(check, top, "export-aws", "export", "aws", policy)
    check_output(check, top, "import-report", "export", "aws", policy, stream="stderr")


def check_test_files(check, top):
    tests = validator(top, "tests.schema.json")
    with open(os.path.join(top, "tests", "golden", "sgctl", "reachability.json"), encoding="utf-8") as stream:
        good = json.load(stream)
    errors = [f"{error.json_path}: {error.message[:120]}" for error in tests.iter_errors(good)]
    check("tests.schema.json accepts reachability.json", not errors, "; ".join(errors))
    packet = {"interface": "web-1", "direction": "ingress", "protocol": "tcp", "src": "10.0.0.1", "dst": "10.77.0.11:443"}
    check("tests.schema.json accepts a bare array", tests.is_valid([{**packet, "expect": "deny"}]))
    for wrong in ({}, {"tests": []}, {"version": 2, "tests": []}, [3], [packet], [{**packet, "expect": "maybe"}],
                  [{**packet, "expect": "deny", "color": 1}], [{**packet, "expect": "deny", "reason": "mood"}]):
        check(f"tests.schema.json refuses {json.dumps(wrong)[-60:]}", not tests.is_valid(wrong))


def check_all(check, top):
    check_outputs(check, top)
    check_test_files(check, top)
