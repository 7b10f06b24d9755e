# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks schemas/patch.schema.json against policy.schema.json: a policy is a patch that adds its objects."""
import copy

import jsonschema

import output

SECTIONS = ("groups", "prefix_lists", "interfaces", "services", "networks")


def has_section_remarks(document):
    """Remarks of sections ("x-...", "$schema") mean nothing in a patch and are refused."""
    sections = [document.get(name) for name in SECTIONS] if isinstance(document, dict) else []
    return any(key.startswith("x-") or key == "$schema" for section in sections if isinstance(section, dict) for key in section)


def has_nulls(document):
    sections = [document.get(name) for name in SECTIONS] if isinstance(document, dict) else []
    return any(value is None for section in sections if isinstance(section, dict) for value in section.values())


def check_documents(check, policy, patch, documents):
    """Documents of policies and their small changes, some of them wrong: as patches they are as right or as wrong."""
    differ = []
    refused = 0
    for name, document in documents:
        by_policy, by_patch = policy.is_valid(document), patch.is_valid(document)
        refused += not by_patch
        if by_policy and has_section_remarks(document):
            by_policy = False
        elif has_nulls(document):
            continue
        if by_policy != by_patch:
            differ.append(f"{name}: {'only a patch' if by_patch else 'only a policy'}")
    check("a policy is a patch", not differ, "\n    ".join(["", *differ[:10]]))
    check("a fair part of them is wrong", len(documents) / 10 < refused < len(documents) * 9 / 10,
          f"{refused} of {len(documents)}")


def check_removals(check, patch, documents):
    """null in place of each object; anywhere else it stays wrong."""
    wrong = []
    for name, document in documents:
        if not patch.is_valid(document):
            continue
        for section in SECTIONS:
            for key in document.get(section, {}):
                changed = copy.deepcopy(document)
                changed[section][key] = None
                if patch.is_valid(changed) != (section != "networks" or key != "default"):
                    wrong.append(f"{name}: /{section}/{key}: null")
            if section in document and patch.is_valid({**document, section: None}):
                wrong.append(f"{name}: /{section}: null is accepted")
    check("null removes objects and nothing else", not wrong, "\n    ".join(["", *wrong[:10]]))


def check_all(check, top, schema, policy, documents):
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
        check("patch.schema.json is JSON Schema 2020-12", True)
    except jsonschema.SchemaError as error:
        check("patch.schema.json is JSON Schema 2020-12", False, error.message)
    patch = output.validator(top, "patch.schema.json")
    for name, field in schema["properties"].items():
        check(f"patch.schema.json: {name} is described", "description" in field or "$ref" in field)
    check("an empty patch", patch.is_valid({"version": 1}) and not patch.is_valid({}))
    documents = list(documents)
    check_documents(check, policy, patch, documents)
    check_removals(check, patch, documents)
