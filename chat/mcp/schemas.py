"""JSON Schemas that strangers wrote, made safe to check arguments against."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

#: Characters of one schema.
LONGEST = 20_000


def usable_schema(schema: object) -> dict[str, Any] | None:
    """The schema without what could hang the hub; None where it is none, or is no object's."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        return None
    try:
        plain = without_patterns(dict(schema))
        if len(json.dumps(plain)) > LONGEST:
            return None
        Draft202012Validator.check_schema(plain)
    except (SchemaError, RecursionError, ValueError, TypeError):
        return None
    return dict(plain)


def without_patterns(value: Any) -> Any:
    """The same without regular expressions: a hostile one takes years. A property may be called "pattern"."""
    if isinstance(value, Mapping):
        return {
            key: without_patterns(inner)
            for key, inner in value.items()
            if key != "patternProperties" and not (key == "pattern" and isinstance(inner, str))
        }
    if isinstance(value, list):
        return [without_patterns(inner) for inner in value]
    return value
