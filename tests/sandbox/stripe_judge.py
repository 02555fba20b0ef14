"""Stripe's own library and fixtures as judges of what the sandbox answers.

The library declares every field's type; here a field it does not declare is an invention, one it says is always there
must be, and a word must be one of those it lists. Stripe's fixtures say which fields an object has at all.
"""

from __future__ import annotations

import json
import types
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe._list_object import ListObject
from stripe._stripe_object import StripeObject, UntypedStripeObject

FIXTURES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "stripe-fixtures-subset.json"
AVAILABLE = FIXTURES.exists()

CLASSES: dict[str, type[StripeObject]] = {
    "billing_portal.configuration": stripe.billing_portal.Configuration,
    "billing_portal.session": stripe.billing_portal.Session,
    "checkout.session": stripe.checkout.Session,
    "customer": stripe.Customer,
    "event": stripe.Event,
    "invoice": stripe.Invoice,
    "payment_method": stripe.PaymentMethod,
    "price": stripe.Price,
    "product": stripe.Product,
    "subscription": stripe.Subscription,
}


# What Stripe's fixtures have and its library does not declare: known here too where the fixtures are not at hand.
UNDECLARED = {"invoice": {"subscription"}}


@cache
def _fixtures() -> dict[str, Any]:
    if not AVAILABLE:
        return {}
    found: dict[str, Any] = json.loads(FIXTURES.read_text())["resources"]
    return found


def judge(answer: Any) -> None:
    """Fail where an object, or a list of them, is not what Stripe's library and fixtures say."""
    plain = answer.to_dict() if isinstance(answer, StripeObject) else answer
    value = json.loads(json.dumps(plain, default=str))  # the library makes decimals of text
    wrong: list[str] = []
    for one in value["data"] if value["object"] == "list" else [value]:
        if one["object"] in CLASSES:
            wrong += _object(one, CLASSES[one["object"]], one["object"])
        if one["object"] == "event":
            judge(one["data"]["object"])
    assert wrong == [], wrong


def _object(value: Any, kind: type[StripeObject], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path} is no object: {value!r}"]
    if value.get("deleted"):
        return []
    declared = {
        name: hint for name, hint in kind.__annotations__.items() if str(get_origin(hint)) != str(ClassVar)
    }
    called = str(getattr(kind, "OBJECT_NAME", ""))
    fixture = _fixtures().get(called, {})
    known = {*declared, *fixture, *UNDECLARED.get(called, ())}
    wrong = [f"{path}.{name} is an invention" for name in value if name not in known]
    wrong += [f"{path}.{name} of the fixtures is missing" for name in fixture if name not in value]
    for name, hint in declared.items():
        if name in value:
            wrong += _value(value[name], hint, f"{path}.{name}")
        elif type(None) not in get_args(hint):
            wrong.append(f"{path}.{name} is missing")
    return wrong


def _value(value: Any, hint: Any, path: str) -> list[str]:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _union(value, get_args(hint), path)
    if isinstance(hint, str | ForwardRef):
        name = hint if isinstance(hint, str) else hint.__forward_arg__
        return (
            _object(value, getattr(stripe, name), path) if hasattr(stripe, name) else [f"{path}: no {name}"]
        )
    if origin is Literal:
        return [] if value in get_args(hint) else [f"{path} is {value!r}, which is none of its words"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [
            line
            for number, one in enumerate(value)
            for line in _value(one, get_args(hint)[0], f"{path}.{number}")
        ]
    if origin is ListObject:
        assert value["object"] == "list", path
        return _value(value["data"], list[get_args(hint)[0]], path)  # type: ignore[misc]
    if hint is Any:
        return []
    if origin is UntypedStripeObject or (isinstance(hint, type) and issubclass(hint, UntypedStripeObject)):
        return [] if isinstance(value, dict) else [f"{path} is no object"]
    if isinstance(hint, type) and issubclass(hint, StripeObject):
        return _object(value, hint, path)
    if hint is Decimal:
        return [] if isinstance(value, str) else [f"{path} is no decimal written as text"]
    right = isinstance(value, hint) and not (hint is int and isinstance(value, bool))
    return [] if right else [f"{path} is {value!r}, not {hint.__name__}"]


def _union(value: Any, choices: tuple[Any, ...], path: str) -> list[str]:
    if value is None and type(None) in choices:
        return []
    # Words that a later version may add are declared as any text; the sandbox says only those listed.
    listed = any(get_origin(choice) is Literal for choice in choices)
    left = [choice for choice in choices if choice is not type(None) and not (listed and choice is str)]
    found = [_value(value, choice, path) for choice in left]
    return [] if any(not lines for lines in found) else min(found, key=len)
