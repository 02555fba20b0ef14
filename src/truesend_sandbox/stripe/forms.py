"""The brackets of Stripe's forms: `items[0][price]=x&expand[]=y` as nested objects and lists."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from truesend_sandbox.stripe.errors import Refusal, invalid

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_DEEP = 8

Params = dict[str, Any]


def decode(text: str) -> Params:
    """The form as an object; a value is always text. Raises `Refusal` for what no form of Stripe's is.

    A list stands as an object whose names are numbers, until `list_of` asks for it: `metadata[0]=x` has no list.
    """
    found: Params = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        match = _NAME.fullmatch(name)
        if match is None:
            raise invalid(name, f"Invalid parameter name: {name}")
        path = [match[1], *_PART.findall(match[2])]
        if len(path) > _DEEP:
            raise invalid(name, f"Invalid parameter name: {name}")
        _place(found, path, value, name)
    return found


def _place(found: Params, path: list[str], value: str, name: str) -> None:
    at = found
    for number, part in enumerate(path[:-1]):
        at = at.setdefault(part or _element(at, path[number + 1]), {})
        if not isinstance(at, dict):
            raise invalid(name, f"Invalid parameter: {name} is given twice, in two forms.")
    last = path[-1] or str(len(at))
    if isinstance(at.get(last), dict):
        raise invalid(name, f"Invalid parameter: {name} is given twice, in two forms.")
    at[last] = value


def _element(at: Params, inside: str) -> str:
    """Which element `[]` means: the last one, or a new one where that has the name already."""
    last = at.get(str(len(at) - 1))
    is_new = not isinstance(last, dict) or inside in last
    return str(len(at) if is_new else len(at) - 1)


def flag(params: Params, name: str, default: bool) -> bool:
    """`true` or `false`. Raises `Refusal` for anything else."""
    text = params.get(name)
    if text is None:
        return default
    if text not in ("true", "false"):
        raise invalid(name, f"Invalid boolean: {text}")
    return bool(text == "true")


def whole(params: Params, name: str, *, least: int, most: int) -> int | None:
    """A whole number, None where it is not given. Raises `Refusal`."""
    text = params.get(name)
    if text is None or text == "":
        return None
    if not isinstance(text, str) or not re.fullmatch(r"-?\d{1,12}", text):
        raise invalid(name, f"Invalid integer: {text}", "parameter_invalid_integer")
    if not least <= int(text) <= most:
        raise invalid(name, f"This value must be between {least} and {most}.", "parameter_invalid_integer")
    return int(text)


def one_of(params: Params, name: str, choices: tuple[str, ...], default: str) -> str:
    """A word of a few. Raises `Refusal`."""
    text = params.get(name, default)
    if text not in choices:
        raise invalid(name, f"Invalid {name}: must be one of {', '.join(choices)}")
    return str(text)


def text(params: Params, name: str, most: int = 5000) -> str | None:
    """Text; empty means none, as everywhere in Stripe's forms. Raises `Refusal`."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise invalid(name, f"Invalid string: {name}")
    if len(value) > most:
        raise invalid(name, f"Invalid string: {name} must be at most {most} characters.")
    return value


def hash_of(params: Params, name: str) -> Params:
    """An object, empty where it is not given. Raises `Refusal`."""
    value = params.get(name)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise invalid(name, f"Invalid object: {name}")
    return value


def list_of(params: Params, name: str) -> list[Any]:
    """A list, empty where it is not given. Raises `Refusal`."""
    value = params.get(name)
    if value is None or value == "":
        return []
    if not isinstance(value, dict) or not all(part.isdecimal() and len(part) < 7 for part in value):
        raise invalid(name, f"Invalid array: {name}")
    return [value[part] for part in sorted(value, key=int)]


def metadata(params: Params, old: dict[str, str], name: str = "metadata") -> dict[str, str]:
    """Metadata after a change: a name with an empty value goes, an empty object clears all. Raises `Refusal`."""
    if params.get(name) == "":
        return {}
    made = dict(old)
    for key, value in hash_of(params, name).items():
        if not isinstance(value, str) or len(key) > 40 or len(value) > 500:
            raise Refusal("Metadata is of names up to 40 and texts up to 500 characters.", param=name)
        if value == "":
            made.pop(key, None)
        else:
            made[key] = value
    if len(made) > 50:
        raise Refusal("Metadata can have at most 50 keys.", param=name)
    return made
