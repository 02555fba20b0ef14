"""Stripe's errors: `{"error": {type, message, code?, param?}}`. The texts are general knowledge (stripe.md §8, §10)."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        parts = {"code": code, "message": message, "param": param, "type": kind, **more}
        self.body = {"error": {name: value for name, value in parts.items() if value is not None}}


_NOUNS = {
    "checkout.session": "checkout.session",
    "billing_portal.session": "billing_portal.session",
    "payment_method": "PaymentMethod",
}


def missing(kind: str, identifier: str, param: str = "id") -> Refusal:
    """404 for an object named in the address, 400 for one named in a parameter."""
    noun = _NOUNS.get(kind, kind)
    return Refusal(
        f"No such {noun}: '{identifier}'",
        status=404 if param == "id" else 400,
        code="resource_missing",
        param=param,
    )


def wanted(param: str) -> Refusal:
    """400 for a parameter that must be there."""
    return Refusal(f"Missing required param: {param}.", code="parameter_missing", param=param)


def unknown(param: str) -> Refusal:
    """400 for a parameter the address does not take."""
    return Refusal(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def invalid(param: str, sentence: str, code: str | None = None) -> Refusal:
    """400 for a value that is none of those allowed."""
    return Refusal(sentence, code=code, param=param)


def no_key() -> Refusal:
    """401 without a key."""
    return Refusal("You did not provide an API key: it goes into the Authorization header.", status=401)


def wrong_key(key: str) -> Refusal:
    """401 for a key that is none; most of it hidden, as Stripe does."""
    hidden = key if len(key) <= 12 else f"{key[:8]}{'*' * (len(key) - 12)}{key[-4:]}"
    return Refusal(f"Invalid API Key provided: {hidden}", status=401)


def declined() -> Refusal:
    """402 of a card."""
    return Refusal(
        "Your card was declined.",
        status=402,
        kind="card_error",
        code="card_declined",
        decline_code="generic_decline",
    )


def other_request(key: str) -> Refusal:
    """400 for an Idempotency-Key that was used for something else."""
    return Refusal(
        "Keys for idempotent requests can only be used with the same parameters they were first used with."
        f" Use another key than '{key}' for another request.",
        kind="idempotency_error",
    )
