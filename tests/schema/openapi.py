# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks the form of schemas/api.openapi.json: sound schemas, references that lead somewhere, operations that say enough."""
import re

import jsonschema

METHODS = ("get", "put", "post", "patch", "delete")


def references(value):
    """Every "$ref" inside a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def follow(document, reference, load):
    """What a reference names, in this document or in a file beside it; KeyError when there is no such thing."""
    file, _, pointer = reference.partition("#")
    target = load(file) if file else document
    for step in pointer.split("/")[1:]:
        target = target[step.replace("~1", "/").replace("~0", "~")]
    return target


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method], item.get("parameters", []) + item[method].get("parameters", [])


def leads_somewhere(document, reference, load):
    try:
        follow(document, reference, load)
    except (KeyError, OSError):
        return False
    return True


def check_form(check, document, load):
    check("openapi: version 3.1", document["openapi"].startswith("3.1."))
    for name, schema in document["components"]["schemas"].items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
            check(f"openapi: {name} is a schema", True)
        except jsonschema.SchemaError as error:
            check(f"openapi: {name} is a schema", False, error.message)
        check(f"openapi: {name} is described", "description" in schema)
        for field, inner in schema.get("properties", {}).items():
            check(f"openapi: {name}.{field} says something", "description" in inner or "$ref" in inner)
    used = set(references(document))
    lost = [reference for reference in sorted(used) if not leads_somewhere(document, reference, load)]
    check("openapi: every reference leads somewhere", not lost, ", ".join(lost))
    idle = [name for name in document["components"]["schemas"] if f"#/components/schemas/{name}" not in used]
    check("openapi: every schema is used", not idle, ", ".join(idle))
    names = [operation["operationId"] for _, _, operation, _ in operations(document)]
    check("openapi: operations have names of their own", len(set(names)) == len(names))
    for path, method, operation, parameters in operations(document):
        place = f"openapi: {method} {path}"
        check(f"{place} says what it does", bool(operation.get("summary")) and "default" in operation["responses"])
        declared = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        check(f"{place} declares its path parameters", declared == set(re.findall(r"{(\w+)}", path)))
        check(f"{place} describes its parameters", all("description" in parameter for parameter in parameters))
