# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies made from valid ones by one small change, always the same ones."""
import copy
import json
import os

# Codes of sgctl validate for what a schema cannot tell.
BEYOND_SCHEMA = {
    "unknown-group", "unknown-prefix-list", "unknown-network", "unknown-service", "network-peer", "external-group",
    "duplicate-key", "duplicate-id", "duplicate-address", "duplicate-device", "host-bits", "limit",
}

# Values that fields get instead of their own, chosen to lie on both sides of each border of the format.
VALUES = [
    None, True, False, 0, 1, -1, 2, 255, 256, 4094, 4095, 65535, 65536, 1.5, "", "x", " ", "any", "all", "0", "tcp", "TCP",
    "6", "icmp", "icmpv6", "echo-request", "packet-too-big", "sg-web", "sg-", "blue:sg-web", "pl-office", "pl-",
    "10.0.0.1", "10.0.0.0/8", "10.0.0.0/33", "010.0.0.1", "10.0.0", "fd00::1", "fd00::/64", "fd00::/129", "::ffff:10.0.0.1",
    "::", "52:54:00:00:00:01", "01:00:5e:00:00:01", "00:00:00:00:00:00", "52-54-00-00-00-01", "80-90", "90-", "-90", "080-90",
    "1-65536", "auto", "tap0", "tap/0", "a-device-name-too-long", "ssh", [], {}, [[]], [{}], ["any"], [22], [{"cidr": "any"}],
    {"type": 8}, {"code": 0}, {"type": 8, "code": 256}, {"x-note": 1}, {"unknown": 1},
]
# Fields that objects get in addition.
FIELDS = {
    "unknown": 1, "x-note": {"any": ["thing"]}, "$schema": "policy.schema.json", "description": "words", "labels": {"a": "b"},
    "external": True, "ports": [80], "icmp": {"type": 8}, "protocol": "udp", "service": "ssh", "from": ["any"], "to": ["any"],
    "entries": ["10.0.0.0/8"], "cidr": "10.0.0.0/8", "group": "sg-default", "device": "tap9", "id": "an-id",
}


def walk(value, path=()):
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from walk(inner, (*path, key))


def changed(document, path, change):
    """A copy of document in which change(container, key) was applied at path."""
    result = copy.deepcopy(document)
    container = result
    for key in path[:-1]:
        container = container[key]
    change(container, path[-1])
    return result


def shape(path):
    """Where in the format a path lies: ids and positions do not matter."""
    return tuple("#" if isinstance(key, int) or (index and path[index - 1] in
                 ("groups", "prefix_lists", "interfaces", "services", "networks", "labels")) else key
                 for index, key in enumerate(path))


def of_document(name, document, seen):
    """Yields (name, what was changed, document). seen holds the places of the format that were tried already."""
    for path, value in walk(document):
        place = "/".join(str(key) for key in path)
        if path and isinstance(path[-1], str) and (shape(path), "delete") not in seen:
            seen.add((shape(path), "delete"))
            yield name, f"without {place}", changed(document, path, lambda container, key: container.pop(key))
        kind = type(value).__name__
        if path and (shape(path), kind) not in seen:
            seen.add((shape(path), kind))
            for other in VALUES:
                yield (name, f"{place} = {json.dumps(other)}",
                       changed(document, path, lambda container, key, other=other: container.__setitem__(key, other)))
        if isinstance(value, dict) and (shape(path), "add") not in seen:
            seen.add((shape(path), "add"))
            for field, content in FIELDS.items():
                if field not in value:
                    result = copy.deepcopy(document)
                    container = result
                    for key in path:
                        container = container[key]
                    container[field] = content
                    yield name, f"{place} with {field}", result


def of_files(files):
    seen = set()
    for file in files:
        with open(file, encoding="utf-8") as stream:
            document = json.load(stream)
        yield from of_document(os.path.basename(file), document, seen)
