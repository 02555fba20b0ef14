"""What is wrong with a request, in plain words instead of the validator's. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# The validator's type of an error -> what is said of the field.
_SAID = {
    "missing": "is missing",
    "extra_forbidden": "is no field of this request",
    "string_type": "must be a text",
    "string_unicode": "contains half a character",
    "list_type": "must be a list",
    "bool_type": "must be true or false",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "none_required": "must be null: this is not possible yet",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a whole number",
    "timezone_aware": "must name its time zone, such as 2026-11-22T10:00:00Z",
}
_LONGEST_NAME = 60


def fields(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """``[{"field", "message"}]``; a field's name is shortened, since anything can stand there."""
    return [{"field": _field(one["loc"]), "message": _message(one)} for one in errors]


def sentence(told: Sequence[Mapping[str, str]]) -> str:
    """The first few of them in one sentence."""
    text = "; ".join(f"{one['field']} {one['message']}" for one in told[:5])
    more = len(told) - 5
    return f"The request cannot be read: {text}{f'; and {more} more' if more > 0 else ''}."


def _field(place: Sequence[Any]) -> str:
    # The framework puts where the field came from (body, header) and its own parameter's name in front.
    parts = [str(part) for part in place]
    named = parts[2:] if len(parts) > 2 and parts[0] == "body" else parts[1:] or parts
    name = ".".join(named)
    shown = "".join(c if c.isprintable() else "�" for c in name)
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…"


def _message(error: Mapping[str, Any]) -> str:
    kind, context = str(error.get("type", "")), error.get("ctx") or {}
    if kind == "string_pattern_mismatch" and "key" in str(error["loc"][-1]).lower():
        return "may hold letters, digits and signs of ASCII, without spaces at its ends"
    if kind in _SAID:
        return _SAID[kind]
    if kind == "value_error":
        return str(error.get("msg", "")).removeprefix("Value error, ")
    if kind in {"too_long", "string_too_long"}:
        of = "entries" if context.get("field_type") == "List" else "characters"
        return f"may have {context.get('max_length', 0):,} {of} at most"
    if kind in {"too_short", "string_too_short"}:
        return "must not be empty"
    if kind == "greater_than_equal":
        return f"must be {context.get('ge')} or more"
    if kind == "less_than_equal":
        return f"may be {context.get('le')} at most"
    if kind.startswith("datetime"):
        return "must be a time such as 2026-11-22T10:00:00Z"
    if kind in {"literal_error", "enum"}:
        return f"must be {context.get('expected')}"
    return f"is not right: {error.get('msg', '')}"
