"""What the provider's own answers can be at a consent's end: a cause on the screen, nothing half-connected."""

from __future__ import annotations

import json

import pytest
from tests.consents import SEND, approved, come_back, is_untouched, next_consent_works, notice
from tests.stack import Stack

_TOKEN = {
    "access_token": "ya29.abcdefgh",
    "expires_in": 3599,
    "scope": f"openid {SEND}",
    "token_type": "Bearer",
}


def answer(body: object, status: int = 200, **more: object) -> dict[str, object]:
    """A fault: this answer in place of the provider's."""
    return {"kind": "status", "status": status, "body": body, **more}


def token(**changed: object) -> dict[str, object]:
    """A token answer with something odd in it."""
    return answer({**_TOKEN, **changed})


def raw_json(text: str) -> dict[str, object]:
    """An answer that says it is JSON."""
    return {"kind": "garbage", "content_type": "application/json", "body": text}


ODD_TOKENS: dict[str, tuple[str, dict[str, object]]] = {
    "html": ("provider_garbage", {"kind": "garbage", "body": "<html><h1>502 Bad Gateway</h1></html>"}),
    "empty_200": ("provider_garbage", answer("")),
    "half_a_json": ("provider_garbage", raw_json('{"access_to')),
    "a_list": ("provider_garbage", answer("[1, 2]")),
    "a_number": ("provider_garbage", answer("5")),
    "null": ("provider_garbage", raw_json("null")),
    "no_token": ("provider_garbage", answer({})),
    "token_a_number": ("provider_garbage", token(access_token=7)),
    "token_with_nul": ("provider_garbage", token(access_token="a\x00b")),
    "token_surrogate": ("provider_garbage", token(access_token="\ud800")),
    "lifetime_words": ("provider_garbage", token(expires_in="soon")),
    "lifetime_endless": ("provider_garbage", raw_json(json.dumps({**_TOKEN, "expires_in": float("inf")}))),
    "no_id_token": ("identity_unverified", answer(_TOKEN)),
    "id_token_garbage": ("identity_unverified", token(id_token="a.b.c")),
    "id_token_a_list": ("identity_unverified", token(id_token=["x"])),
    "error_500": ("provider_error", {"kind": "outage", "status": 500}),
    "error_503": ("provider_error", {"kind": "outage"}),
    "error_418": ("provider_garbage", answer("teapot\x00", 418)),
    "error_unknown": (
        "provider_refused",
        answer({"error": "flux_\x00", "error_description": "out of \ud800"}, 400),
    ),
    "error_in_200": ("provider_refused", answer({"error": "odd", "error_description": "no"})),
    "error_not_text": ("provider_garbage", answer({"error": {"code": 400}}, 400)),
    "dropped": ("provider_cut_off", {"kind": "drop_before"}),
    "lost": ("provider_cut_off", {"kind": "lost_answer"}),
    "redirected": ("provider_garbage", answer("", 307, headers={"Location": "http://localhost:1/"})),
    "wrong_redirect": ("redirect_mismatch", answer({"error": "redirect_uri_mismatch"}, 400)),
    "wrong_secret": ("client_secret_wrong", {"kind": "client_secret_expired"}),
    "admin_block": ("admin_policy", {"kind": "admin_block"}),
}


@pytest.mark.parametrize("name", ODD_TOKENS)
def test_an_odd_token_endpoint(stack: Stack, name: str) -> None:
    cause, fault = ODD_TOKENS[name]
    ana = stack.person()
    genuine = approved(ana)
    body = {"provider": "google", "operation": "token.code", "account": ana.email, "times": 1, **fault}
    stack.sandbox.control("POST", "faults", body)
    page = come_back(ana, **genuine)
    assert f"cause={cause}" in page.url, page.url
    said = notice(page)
    assert said.startswith("Not connected."), said
    assert "Nothing was connected." in said
    assert "by ourselves" not in said  # of a consent that failed nothing goes on by itself
    is_untouched(ana)
    next_consent_works(ana)


# A sound public key that signed nothing here (RFC 7517, appendix A.1).
_ANOTHER_KEY = {
    "kty": "RSA",
    "kid": "x",
    "alg": "RS256",
    "e": "AQAB",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF"
    "V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zg"
    "dAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur"
    "-kEgU8awapJzKnqDKgw",
}
ODD_KEYS: dict[str, tuple[str, dict[str, object]]] = {
    "html": ("provider_garbage", {"kind": "garbage"}),
    "empty_200": ("provider_garbage", answer("")),
    "keys_a_text": ("provider_garbage", answer({"keys": "none"})),
    "keys_of_numbers": ("provider_garbage", answer({"keys": [1, 2]})),
    "key_broken": ("provider_garbage", answer({"keys": [{"kty": "RSA", "n": "?", "e": "?"}]})),
    "another_key": ("identity_unverified", answer({"keys": [_ANOTHER_KEY]})),
    "error_500": ("provider_error", {"kind": "outage", "status": 500}),
    "dropped": ("provider_cut_off", {"kind": "drop_before"}),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("another_key", marks=pytest.mark.produces("identity_unverified")),
        *(one for one in ODD_KEYS if one != "another_key"),
    ],
)
def test_odd_signing_keys(stack: Stack, name: str) -> None:
    cause, fault = ODD_KEYS[name]
    ana = stack.person()
    genuine = approved(ana)
    body = {"provider": "google", "operation": "jwks", "times": 1, **fault}
    stack.sandbox.control("POST", "faults", body)
    page = come_back(ana, **genuine)
    assert f"cause={cause}" in page.url, page.url
    assert "Nothing was connected." in notice(page)
    is_untouched(ana)
    next_consent_works(ana)


def test_words_of_a_refusal_are_shown_without_secrets(stack: Stack) -> None:
    ana = stack.person()
    genuine = approved(ana)
    body = {"error": "strange", "error_description": "client_secret=abcdef123456 <b>was</b> not liked"}
    stack.sandbox.fault("token.code", "status", status=400, body=body, account=ana.email, times=1)
    page = come_back(ana, **genuine)
    assert "strange: client_secret=[removed] <b>was</b> not liked" in notice(page)
    assert "<b>was</b>" not in page.text
    assert "abcdef123456" not in page.text
