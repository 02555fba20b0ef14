"""Letting held mail go where a gate is shut, and taking one email back from several places at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import requests
from tests.stack import Person, Stack


def held_by(stack: Stack, ana: Person, connection: str, kind: str, **more: Any) -> str:
    """An email that a fault met while sending holds."""
    stack.sandbox.fault("send", kind, account=ana.email, times=1, **more)
    email: str = ana.send(connection)["id"]
    ana.email_when(email, "held", 30)
    return email


def release(ana: Person, email: str) -> requests.Response:
    return ana.api("POST", f"emails/{email}/release")


def is_not_ready(ana: Person, connection: str, email: str) -> None:
    """The answer is that of a new email from there, and nothing has changed."""
    before = ana.api("GET", f"emails/{email}").json()
    answer = release(ana, email)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "not_ready"), body
    draft = {"connection": connection, "to": ["ines@globex.example"], "subject": "Proposal"}
    new = ana.api("POST", "emails", draft).json()
    assert (body["gates"], body["cause"], body["fix"]) == (new["gates"], new["cause"], new["fix"])
    assert [gate["name"] for gate in body["gates"] if not gate["ok"]] == ["capability"]
    assert ana.api("GET", f"emails/{email}").json() == before
    page = ana.post(f"/emails/{email}/release").text
    assert f"Not sent. {body['sentence']}".replace("'", "&#x27;") in page


def test_a_revoked_grant_lets_nothing_go(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    email = held_by(stack, ana, connection, "revoke_grant")
    is_not_ready(ana, connection, email)
    stack.sandbox.consent(ana.email)
    ana.get(ana.connection(connection)["fix"]["url"])
    assert release(ana, email).status_code == 200
    ana.email_when(email, "sent")
    assert release(ana, email).json()["code"] == "not_held"


def test_an_administrator_lets_nothing_go(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    message = "The domain administrators have disabled Gmail apps."
    reasons = [{"message": message, "domain": "global", "reason": "domainPolicy"}]
    body = {"error": {"code": 403, "message": message, "errors": reasons}}
    is_not_ready(ana, connection, held_by(stack, ana, connection, "status", status=403, body=body))


def test_a_limit_that_ends_by_itself_refuses_nobody(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    email = held_by(stack, ana, connection, "daily_limit", retry_after=3600)
    assert release(ana, email).status_code == 200


def test_undo_from_four_places_at_once_is_one_undo(stack: Stack) -> None:
    ana = stack.person()
    connection, bearer = ana.connect()["id"], ana.bearer
    together = Barrier(4)

    def undo(email: str) -> tuple[int, str]:
        with requests.Session() as own:
            own.headers["Authorization"] = f"Bearer {bearer}"
            own.get(f"{stack.url}/api/v1/me", timeout=20)
            together.wait(20)
            answer = own.post(f"{stack.url}/api/v1/emails/{email}/undo", timeout=20)
            return answer.status_code, answer.json().get("status", answer.text)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(8):
            email = ana.send(connection, undo_seconds=60)["id"]
            assert list(pool.map(undo, [email] * 4)) == [(200, "draft")] * 4
            assert undo_once_more(ana, email) == (200, "draft")


def undo_once_more(ana: Person, email: str) -> tuple[int, str]:
    answer = ana.api("POST", f"emails/{email}/undo")
    return answer.status_code, answer.json()["status"]
