"""Every refusal of the API as a script meets it: what to do and who can stand in each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.test import RequestFactory
from tests import factors
from tests.bad_input import connection_of, is_problem, post
from tests.stack import Person, Stack

from truesend import refusals
from truesend.refusals import REFUSALS
from truesend.web.views import errors

NOBODYS = "00000000-0000-4000-8000-000000000000"
# Answered only when something here is broken or full: their own tests and the two below see to them.
BROKEN = {"bad_request", "server_error", "busy", "database"}


@pytest.fixture(scope="module")
def ana(stack: Stack) -> Person:
    person = stack.person("ana")
    person.connect()
    return person


@pytest.fixture(scope="module")
def sent(ana: Person) -> dict[str, Any]:
    return ana.email_when(ana.send(connection_of(ana))["id"], "sent")


def lost(ana: Person, stack: Stack) -> dict[str, Any]:
    """An email of which nobody knows whether it left."""
    stack.sandbox.fault("send", "lost_answer", account=ana.email, times=1)
    return ana.email_when(ana.send(connection_of(ana))["id"], "unknown", 30)


def page_of(email: dict[str, Any]) -> str:
    return f"/emails/{email['id']}"


def resolve(ana: Person, email: dict[str, Any], outcome: str, *, resend: bool = False) -> requests.Response:
    delivery = email["deliveries"][0]["id"]
    return ana.api("POST", f"deliveries/{delivery}/resolve", {"outcome": outcome, "resend": resend})


def a_key_for_two(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    key = {"Idempotency_Key": f"key of {ana.email}"}
    draft = {"connection": connection_of(ana), "to": ["ines@globex.example"], "subject": "One"}
    first = ana.api("POST", "emails", draft, **key).json()
    return ana.api("POST", "emails", {**draft, "subject": "Two"}, **key), page_of(first)


def a_shared_one(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    owner = stack.person("olga", "Shared")
    shared = owner.connect(query="capabilities=send&kind=organization")
    answer = stack.member_of(owner).api("POST", f"connections/{shared['id']}/verify")
    assert [one["email"] for one in answer.json()["who"]] == [owner.email]
    return answer, f"/connections/{shared['id']}/ask"


def undone_too_late(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    waiting = ana.send(connection_of(ana), send_at="2099-01-01T00:00:00Z")
    answer = ana.api("POST", f"emails/{waiting['id']}/undo")
    assert answer.json()["fix"]["label"] == "Cancel"
    return answer, page_of(waiting)


def an_hour_that_passed(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    waiting = ana.send(connection_of(ana), send_at="2099-01-01T00:00:00Z")
    answer = ana.api("POST", f"emails/{waiting['id']}/reschedule", {"send_at": "2020-01-01T00:00:00Z"})
    return answer, page_of(waiting)


def nothing_paused(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    waiting = ana.send(connection_of(ana), send_at="2099-01-01T00:00:00Z")
    return ana.api("POST", f"emails/{waiting['id']}/resume"), page_of(waiting)


def an_answer_to_nothing(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    waiting = ana.send(connection_of(ana), send_at="2099-01-01T00:00:00Z")
    return _answered(ana, waiting), page_of(waiting)


def an_answer_to_several(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    both = ["lea@globex.example", "tom@globex.example"]
    sent = ana.send(connection_of(ana), to=both, separate_copies=True)
    stack.sandbox.advance(30)
    ana.email_when(sent["id"], "sent", 30)
    return _answered(ana, sent, ["max@globex.example"]), page_of(sent)


def _answered(ana: Person, email: dict[str, Any], to: Any = ("ines@globex.example",)) -> requests.Response:
    body = {
        "connection": connection_of(ana),
        "to": list(to),
        "subject": "Re: x",
        "reply_to_email": email["id"],
    }
    return ana.api("POST", "emails", body)


def looked_too_early(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    email = lost(ana, stack)
    answer = resolve(ana, email, "not_sent")
    assert answer.json()["fix"]["label"] in answer.json()["sentence"]
    return answer, page_of(email)


def contradicted(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    email = lost(ana, stack)
    return resolve(ana, email, "sent", resend=True), page_of(email)


Ask = Callable[[Person, Stack], tuple[requests.Response, str]]


def back_in(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    ana.api("POST", "suppressions", {"address": "ines@globex.example", "reason": "asked"})
    return ana.api("DELETE", "suppressions/ines@globex.example"), "/settings/suppression"


def a_manager_without_a_second_factor(ana: Person, stack: Stack) -> tuple[requests.Response, str]:
    owner = stack.person(organization=f"Factors {ana.email}")
    factors.verify(stack, owner)
    factors.add_app(owner)
    manager = stack.member_of(owner, "manager")
    assert manager.bearer
    owner.post(f"{factors.PAGE}/required", {"required": "on"})
    return manager.api("GET", "me"), factors.PAGE


ASKED: dict[str, list[Ask]] = {
    "second_factor_required": [a_manager_without_a_second_factor],
    "asked_by_them": [back_in],
    "hour_passed": [an_hour_that_passed],
    "not_paused": [nothing_paused],
    "reply_to_nothing": [an_answer_to_nothing],
    "reply_ambiguous": [an_answer_to_several],
    "no_address": [
        lambda ana, stack: (ana.api("POST", "suppressions", {"address": "ines"}), refusals.READ_HERE)
    ],
    "contradiction": [contradicted],
    "forbidden": [a_shared_one],
    "idempotency_mismatch": [a_key_for_two],
    "invalid": [
        lambda ana, stack: (post(ana, b"[]"), refusals.READ_HERE),
        lambda ana, stack: (ana.api("POST", "emails", {"trak": 1}), refusals.READ_HERE),
    ],
    "method_not_allowed": [
        lambda ana, stack: (ana.api("DELETE", "emails"), refusals.READ_HERE),
        lambda ana, stack: (ana.api("POST", "events"), refusals.READ_HERE),
    ],
    "not_found": [
        lambda ana, stack: (ana.api("GET", "nothing"), refusals.READ_HERE),
        lambda ana, stack: (ana.api("GET", f"emails/{NOBODYS}"), "/emails"),
        lambda ana, stack: (ana.api("GET", "emails/x"), "/emails"),
        lambda ana, stack: (ana.api("GET", f"connections/{NOBODYS}"), "/integration"),
        lambda ana, stack: (ana.api("GET", "emails?cursor=x"), "/api/v1/emails"),
        lambda ana, stack: (
            ana.api("POST", f"deliveries/{NOBODYS}/resolve", {"outcome": "sent", "resend": False}),
            "/emails",
        ),
    ],
    "not_ready": [lambda ana, stack: (ana.api("POST", "emails", {}), "/integration")],
    "not_signed_in": [
        lambda ana, stack: (requests.get(f"{stack.url}/api/v1/me", timeout=20), "/account"),
        lambda ana, stack: (requests.get(f"{stack.url}/api/v1/events", timeout=20), "/account"),
    ],
    "too_early": [looked_too_early],
    "too_large": [lambda ana, stack: (post(ana, b" " * (41 * 1024 * 1024)), refusals.READ_HERE)],
    "too_late": [undone_too_late],
}
# Of an email that was sent.
SETTLED = {"not_held": "release", "too_late": "cancel"}


def test_no_refusal_is_left_out() -> None:
    assert {*ASKED, *SETTLED, "not_unknown", *BROKEN} == set(REFUSALS)


def told(answer: requests.Response, code: str) -> dict[str, Any]:
    body = is_problem(answer, REFUSALS[code].status, code)
    assert body["fix"]["label"], body
    assert body["who"], body
    return body


@pytest.mark.parametrize(
    ("code", "ask"), [(code, ask) for code, asks in sorted(ASKED.items()) for ask in asks]
)
def test_what_to_do_and_who_can_stand_in_it(ana: Person, stack: Stack, code: str, ask: Ask) -> None:
    answer, url = ask(ana, stack)
    body = told(answer, code)
    assert body["fix"]["url"] == url
    # The table's own words are for callers whom nobody knows, and for what happens before they are known.
    if body["status"] == 409:
        assert body["who"] == [{"name": ana.api("GET", "me").json()["name"], "email": ana.email}]


def test_an_email_that_was_sent(ana: Person, sent: dict[str, Any]) -> None:
    for code, path in SETTLED.items():
        body = told(ana.api("POST", f"emails/{sent['id']}/{path}"), code)
        assert body["fix"] == {"label": "See what became of it", "url": page_of(sent)}
    body = told(resolve(ana, sent, "sent"), "not_unknown")
    assert body["fix"]["url"] == page_of(sent)
    assert [one["email"] for one in body["who"]] == [ana.email]


def test_a_fix_leads_to_a_page_that_is_there(ana: Person) -> None:
    for url in sorted({refusal.url for refusal in REFUSALS.values()}):
        assert ana.get(url).status_code == 200, url


def test_what_django_and_the_door_word_themselves() -> None:
    request = RequestFactory().post("/api/v1/connections/7/verify")
    for code, page in (
        ("bad_request", errors.bad_request),
        ("forbidden", errors.forbidden),
        ("not_found", errors.not_found),
        ("server_error", errors.server_error),
        ("busy", errors.busy),
    ):
        answer = requests.Response()
        answer.status_code, made = REFUSALS[code].status, page(request)
        assert made.status_code == answer.status_code
        answer._content, answer.headers["content-type"] = made.content, made.headers["Content-Type"]
        told(answer, code)
