"""What was broken and is repaired is shown so by “Verify now”, whatever else fails meanwhile; and it is so when used.

A table of (provider, cause, the call that meets it, what it breaks). Each stands alone and beside every other call of a
probe that is away, and each verdict is held against a process that uses the connection and asks no gate of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from tests.connections import proved
from tests.stack import Person, Stack
from tests.storms.asking import Oracle

from truesend.connections import causes
from truesend.connections.causes import Severity


def _google(status: int, reason: str) -> dict[str, Any]:
    error = {"code": status, "message": "No.", "errors": [{"reason": reason}]}
    return {"kind": "status", "status": status, "body": {"error": error}}


def _graph(status: int, code: str) -> dict[str, Any]:
    return {"kind": "status", "status": status, "body": {"error": {"code": code, "message": "No."}}}


def _entra(number: int) -> dict[str, Any]:
    told = f"AADSTS{number}: No."
    body = {"error": "x", "error_codes": [number], "error_description": told}
    return {"kind": "status", "status": 400, "body": body}


def _keap(status: int, words: str) -> dict[str, Any]:
    return {"kind": "status", "status": status, "body": {"code": status, "message": words, "status": "Error"}}


_ANYWHERE: dict[str, dict[str, Any]] = {
    "provider_error": {"kind": "outage"},
    "provider_garbage": {"kind": "garbage"},
    "provider_cut_off": {"kind": "drop_before"},
    "throttled": {"kind": "throttle", "retry_after": 600},
}
# What a call of the mailbox is answered, by its cause.
_OF_A_CALL: dict[str, dict[str, dict[str, Any]]] = {
    "google": {
        "admin_policy": {"kind": "admin_block"},
        "scope_missing": _google(403, "insufficientPermissions"),
        "mailbox_missing": _google(400, "failedPrecondition"),
        "api_disabled": _google(403, "accessNotConfigured"),
        "access_refused": _google(401, "authError"),
        "provider_refused": _google(403, "unheardOf"),
        **_ANYWHERE,
    },
    "microsoft": {
        "scope_missing": _graph(403, "ErrorAccessDenied"),
        "mailbox_missing": _graph(404, "MailboxNotEnabledForRESTAPI"),
        "account_gone": _graph(404, "ErrorInvalidUser"),
        "access_refused": _graph(401, "InvalidAuthenticationToken"),
        "provider_refused": _graph(403, "UnheardOf"),
        **_ANYWHERE,
    },
    "keap": {
        "admin_policy": {"kind": "admin_block"},
        "mailbox_missing": _keap(400, "The user_id is not one of this app."),
        "access_refused": _keap(401, "Unauthorized"),
        "provider_refused": _keap(402, "Unheard of."),
        **_ANYWHERE,
    },
}
# The same of a renewal; what ends a grant is not among them, since nothing but a consent repairs that.
_OF_A_RENEWAL: dict[str, dict[str, dict[str, Any]]] = {
    "google": {
        "admin_policy": {"kind": "admin_block"},
        "client_secret_wrong": {"kind": "client_secret_expired"},
        "provider_error": {"kind": "outage"},
    },
    "microsoft": {
        "admin_policy": {"kind": "admin_block"},
        "client_secret_expired": {"kind": "client_secret_expired"},
        "account_gone": _entra(50057),
        "mfa_required": _entra(50076),
        "tenant_unknown": _entra(90002),
        "client_unknown": _entra(700016),
        "provider_error": {"kind": "outage"},
    },
    "keap": {
        "client_secret_wrong": {"kind": "client_secret_expired"},
        "provider_error": {"kind": "outage"},
    },
}
# The calls of a probe, by what they are asked for; of a send and its check they are the same.
_CALLS: dict[tuple[str, str], dict[str, str]] = {
    ("google", "send"): {"grant": "userinfo", "send": "send"},
    ("google", "send,read"): {"read": "read", "send": "send"},
    ("microsoft", "send"): {"grant": "me", "send": "send"},
    ("microsoft", "send,read"): {"read": "read", "send": "send"},
    ("keap", "send"): {"grant": "userinfo", "read": "read", "contacts": "contacts.list", "send": "send"},
}
_RENEWAL = "token.refresh"


@dataclass(frozen=True)
class Row:
    """One cause that a call meets, and what it keeps from working."""

    provider: str
    asked: str
    operation: str
    capability: str
    cause: str
    fault: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.provider}-{self.asked.replace(',', '+')}-{self.operation}-{self.cause}"

    def neighbours(self) -> list[str]:
        """The other calls of a probe, that of a renewal first; none beside what only wants attention."""
        if causes.cause(self.cause).severity is not Severity.BROKEN:
            return []
        calls = _CALLS[self.provider, self.asked].values()
        return [one for one in (_RENEWAL, *calls) if one != self.operation]


def _rows() -> list[Row]:
    rows = []
    for (provider, asked), calls in _CALLS.items():
        for what, operation in calls.items():
            for cause, fault in _OF_A_CALL[provider].items():
                # Who asks who we are is told nothing by a policy for mail.
                if (operation, cause) != ("userinfo", "admin_policy") or provider == "keap":
                    rows.append(
                        Row(provider, asked, operation, "send" if what == "grant" else what, cause, fault)
                    )
        rows += [
            Row(provider, asked, _RENEWAL, "send", cause, fault)
            for cause, fault in _OF_A_RENEWAL[provider].items()
        ]
    return rows


@pytest.fixture(scope="module")
def oracle(stack: Stack) -> Iterator[Oracle]:
    """Uses a connection whatever we show of it."""
    process = Oracle(stack)
    yield process
    process.close()


@pytest.fixture(scope="module")
def people(stack: Stack) -> dict[tuple[str, str], tuple[Person, str]]:
    """A person and a connection that works, for each of the ways to be connected."""
    made = {}
    for provider, asked in _CALLS:
        person = stack.person()
        query = f"capabilities={asked}&kind=personal"
        made[provider, asked] = (person, str(proved(person, provider=provider, query=query)["id"]))
    return made


def verified(ana: Person, connection: str) -> dict[str, Any]:
    answer = ana.api("POST", f"connections/{connection}/verify")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def capability(told: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in told["capabilities"] if one["name"] == name]
    return dict(found)


def is_true(oracle: Oracle, connection: str, told: dict[str, Any]) -> None:
    """What is shown working works, what is shown broken fails: each capability, used."""
    for one in told["capabilities"]:
        if one["verdict"] in {"working", "broken"}:
            works, words = oracle.works(connection, one["name"], renew=one["verdict"] == "broken", quiet=True)
            assert works == (one["verdict"] == "working"), (one, words)


@pytest.mark.parametrize("row", _rows(), ids=str)
def test_what_is_repaired_is_shown_by_verify_whatever_else_is_away(
    stack: Stack, oracle: Oracle, people: dict[tuple[str, str], tuple[Person, str]], row: Row
) -> None:
    ana, connection = people[row.provider, row.asked]

    @contextmanager
    def fault(operation: str, **kind: Any) -> Iterator[None]:
        number = stack.sandbox.fault(operation, provider=row.provider, account=ana.email, **kind)
        try:
            yield
        finally:
            stack.sandbox.control("DELETE", f"faults/{number}")

    assert verified(ana, connection)["verdict"] == "working"
    for neighbour in (None, *row.neighbours()):
        with fault(row.operation, **row.fault):
            if row.operation == _RENEWAL:
                # Nothing else makes every probe renew.
                stack.sandbox.fault("any", "expire_access", row.provider, account=ana.email, times=1)
            told = verified(ana, connection)
            broken = capability(told, row.capability)
            assert broken["verdict"] in {"broken", "attention"}, (neighbour, told)
            is_true(oracle, connection, told)
        if neighbour is not None:
            with fault(neighbour, kind="outage"):
                told = verified(ana, connection)
                found = capability(told, row.capability)
                assert found["verdict"] in {"working", "attention"}, (neighbour, told)
                is_true(oracle, connection, told)
        told = verified(ana, connection)
        assert (told["verdict"], told["cause"]) == ("working", None), (neighbour, told)
        is_true(oracle, connection, told)


@pytest.mark.parametrize(("provider", "cause"), [("google", "admin_policy"), ("microsoft", "scope_missing")])
def test_a_mail_that_met_what_is_repaired_goes_on_while_nobody_says_who_we_are(
    stack: Stack, oracle: Oracle, provider: str, cause: str
) -> None:
    """A failed send stands; its calls are asked though the one before them fails, which at Keap is one of them."""
    ana = stack.person()
    connection = str(proved(ana, provider=provider)["id"])
    refused = _OF_A_CALL[provider][cause]
    stack.sandbox.fault("send", provider=provider, account=ana.email, times=1, **refused)
    made = ana.email_when(ana.send(connection)["id"], "held")
    told = ana.connection(connection)
    assert (told["verdict"], told["cause"]) == ("broken", cause)
    who = _CALLS[provider, "send"]["grant"]
    away = stack.sandbox.fault(who, "outage", provider, account=ana.email)
    told = verified(ana, connection)
    assert (told["verdict"], told["cause"]) == ("attention", "provider_error")
    assert oracle.works(connection, "send", quiet=True)[0]
    assert ana.api("POST", f"emails/{made['id']}/release").ok
    ana.email_when(made["id"], "sent")
    stack.sandbox.control("DELETE", f"faults/{away}")
    assert verified(ana, connection)["verdict"] == "working"


def test_who_we_are_is_refused_and_the_rest_goes_on(
    stack: Stack, oracle: Oracle, people: dict[tuple[str, str], tuple[Person, str]]
) -> None:
    """One call that refuses a key is no end of it for those that take it, at the first look as at the next."""
    ana, connection = people["keap", "send"]
    number = stack.sandbox.fault("identity", "admin_block", "keap", account=ana.email)
    for _ in range(2):
        told = verified(ana, connection)
        assert [capability(told, name)["verdict"] for name in ("send", "read", "contacts")] == [
            "broken",
            "attention",
            "attention",
        ]
        is_true(oracle, connection, told)
    stack.sandbox.control("DELETE", f"faults/{number}")
    assert verified(ana, connection)["verdict"] == "working"
