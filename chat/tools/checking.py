"""Arguments against a tool's JSON Schema. A reference in a schema never makes the hub fetch anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

#: Characters of what is wrong that the model is told.
LONGEST = 500


def wrong_with(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What is wrong with the arguments; empty where nothing is, or where the schema itself is no schema."""
    plain = dict(schema)
    try:
        Draft202012Validator.check_schema(plain)
        # the library's own registry would fetch what a "$ref" names
        validator = Draft202012Validator(plain, registry=Registry())
        error: ValidationError | None = best_match(validator.iter_errors(dict(arguments)))
    except (SchemaError, Unresolvable, RecursionError):
        return ""
    if error is None:
        return ""
    where = ".".join(str(step) for step in error.absolute_path)
    return f"{where}: {error.message}"[:LONGEST] if where else error.message[:LONGEST]
