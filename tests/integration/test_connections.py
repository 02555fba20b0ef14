"""Connections in use: they renew by themselves, break with their true cause, and heal."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.connections import ledger, proved, when
from tests.stack import Person, Stack, until


def renewed_since(before: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    """Whether a connection, read again, has been renewed since."""
    return lambda one: one["last_refresh_at"] not in (None, before["last_refresh_at"])


def reconnect(person: Person, connection: dict[str, Any], url: str | None = None) -> dict[str, Any]:
    """By the connection's own fix, or by the address of Reconnect."""
    person.stack.sandbox.consent(connection["address"])
    page = person.get(url or f"/oauth/google/start?capabilities=send&connection={connection['id']}")
    assert f"connected={connection['id']}" in page.url, page.url
    return person.connection(connection["id"])


def test_unproven_until_an_accepted_send_since_the_last_consent(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()
    assert (connection["verdict"], connection["cause"]) == ("unproven", "not_tried")
    # An address that can be opened: the card on it has the button.
    path = f"/integration#connection-{connection['id']}"
    assert connection["fix"] == {"label": "Send me a test email", "url": path}
    page = ana.get("/integration").text
    assert f'id="connection-{connection["id"]}"' in page
    assert f'action="/connections/{connection["id"]}/test-email"' in page
    assert connection["who"] == [{"name": ana.email, "email": ana.email}]
    # Asking who we are proves the grant, and nothing of sending.
    verified = ana.api("POST", f"connections/{connection['id']}/verify").json()
    assert (verified["verdict"], verified["cause"]) == ("unproven", "not_tried")
    assert verified["verified_at"] > connection["verified_at"]
    ana.email_when(ana.send(connection["id"])["id"], "sent")
    working = when(ana, connection["id"], lambda one: one["verdict"] == "working")
    assert (working["cause"], working["fix"], working["who"]) == (None, None, [])
    send = working["capabilities"][0]
    assert (send["name"], send["proof"]["call"], send["proof"]["result"]) == ("send", "send", "ok")
    again = reconnect(ana, connection)
    assert (again["verdict"], again["cause"]) == ("unproven", "not_tried")


def test_the_test_email_of_the_connect_page(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect(query="capabilities=send&kind=personal&test_email=1")
    when(ana, connection["id"], lambda one: one["verdict"] == "working")
    (message,) = [one for one in stack.sandbox.messages(to=ana.email) if one["provider"] == "google"]
    assert (message["to"], message["count"]) == ([ana.email], 1)
    assert ana.api("GET", "emails").json()["items"] == []  # no member wrote it


def test_without_asking_nothing_is_sent(stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    until(
        lambda: stack.sandbox.calls(operation="send.check", account=ana.email), bool, 15
    )  # which sends nothing
    assert stack.sandbox.calls(operation="send", account=ana.email) == []
    assert {one["provider"] for one in stack.sandbox.messages(to=ana.email)} <= {"system"}


def test_it_renews_by_itself_and_stays_working(stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    for _ in range(3):
        before = ana.connection(connection["id"])
        stack.sandbox.advance(3000)
        after = when(
            ana,
            connection["id"],
            renewed_since(before),
        )
        assert after["verdict"] == "working"
        assert after["next_refresh_at"] > after["last_refresh_at"]
    assert ana.email_when(ana.send(connection["id"])["id"], "sent")


def test_an_access_token_that_dies_early(stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    stack.sandbox.fault("userinfo", "expire_access", account=ana.email)
    after = ana.api("POST", f"connections/{connection['id']}/verify").json()
    assert (after["verdict"], after["cause"]) == ("working", None)
    assert [entry["kind"] for entry in ledger(ana, connection["id"])][:2] == ["probe", "refresh"]


DEATHS: dict[str, tuple[str, dict[str, Any]]] = {
    "revoked": ("grant_revoked", {"kind": "revoke_grant"}),
    "expired": ("grant_revoked", {"kind": "expire_grant", "cause": "unused"}),
    "testing": ("grant_revoked", {"kind": "expire_grant", "cause": "testing"}),
    "rapt": ("session_policy", {"kind": "expire_grant", "cause": "rapt"}),
    "deleted": ("account_gone", {"kind": "expire_grant", "cause": "deleted"}),
    "password": ("grant_revoked", {"kind": "password_changed"}),
}


@pytest.mark.parametrize("name", DEATHS)
def test_a_dead_grant_is_broken_and_reconnecting_heals(stack: Stack, name: str) -> None:
    cause, fault = DEATHS[name]
    ana = stack.person()
    connection = proved(ana)
    body = {"provider": "google", "account": ana.email, "operation": "token.refresh", **fault}
    stack.sandbox.control("POST", "faults", body)
    stack.sandbox.advance(3600)
    broken = when(ana, connection["id"], lambda one: one["verdict"] == "broken")
    assert broken["cause"] == cause
    assert broken["fix"]["label"] == "Reconnect"
    assert f"connection={connection['id']}" in broken["fix"]["url"]
    if cause == "account_gone":
        assert broken["who"] == [{"name": "the Google administrator of northwind.example", "email": ""}]
    else:
        assert [one["email"] for one in broken["who"]] == [ana.email]
    assert broken["next_refresh_at"] is None  # nothing but a consent helps
    page = ana.get("/integration").text
    assert broken["sentence"] in page.replace("&#x27;", "'")
    assert "Cannot send" in page
    answer = ana.api(
        "POST", "emails", {"connection": connection["id"], "to": ["a@b.example"], "subject": "x"}
    )
    assert (answer.status_code, answer.json()["code"], answer.json()["cause"]) == (409, "not_ready", cause)
    refreshes = len(stack.sandbox.calls(operation="token.refresh", account=ana.email))
    time.sleep(2.5)
    assert len(stack.sandbox.calls(operation="token.refresh", account=ana.email)) == refreshes
    healed = reconnect(ana, connection, broken["fix"]["url"])
    assert (healed["verdict"], healed["cause"]) == ("unproven", "not_tried")
    ana.email_when(ana.send(connection["id"])["id"], "sent")
    when(ana, connection["id"], lambda one: one["verdict"] == "working")
    kinds = [(entry["kind"], entry["result"]) for entry in ledger(ana, connection["id"])]
    assert ("refresh", cause) in kinds
    assert kinds.count(("consent", "ok")) == 2  # the history goes on in the same row


REPAIRED_ELSEWHERE = {
    "client_secret_expired": ("client_secret_wrong", "Contact support"),
    "admin_block": ("admin_policy", "Reconnect"),
}


@pytest.mark.parametrize("kind", REPAIRED_ELSEWHERE)
def test_what_somebody_else_must_repair_heals_by_itself_once_they_did(stack: Stack, kind: str) -> None:
    cause, label = REPAIRED_ELSEWHERE[kind]
    ana = stack.person()
    connection = proved(ana)
    number = stack.sandbox.fault("token.refresh", kind, account=ana.email)
    stack.sandbox.advance(3600)
    broken = when(ana, connection["id"], lambda one: one["verdict"] == "broken")
    assert (broken["cause"], broken["fix"]["label"]) == (cause, label)
    assert broken["who"], broken
    stack.sandbox.control("DELETE", f"faults/{number}")
    stack.sandbox.advance(1200)  # it asks again every quarter of an hour
    healed = when(ana, connection["id"], lambda one: one["verdict"] == "working")
    assert healed["last_refresh_at"] > broken["verified_at"]


@pytest.mark.parametrize("kind", REPAIRED_ELSEWHERE)
def test_verify_asks_for_a_new_key_where_that_is_what_was_refused(stack: Stack, kind: str) -> None:
    ana = stack.person()
    connection = proved(ana)
    number = stack.sandbox.fault("token.refresh", kind, account=ana.email)
    stack.sandbox.advance(3000)  # the key at hand has minutes to live, and works
    told = when(ana, connection["id"], lambda one: one["verdict"] in {"broken", "attention"})
    assert told["cause"] == REPAIRED_ELSEWHERE[kind][0]
    again = ana.api("POST", f"connections/{connection['id']}/verify").json()
    assert (again["verdict"], again["cause"]) == (told["verdict"], told["cause"])
    stack.sandbox.control("DELETE", f"faults/{number}")
    healed = ana.api("POST", f"connections/{connection['id']}/verify").json()
    assert (healed["verdict"], healed["cause"]) == ("working", None)


TRANSIENT: dict[str, tuple[str, dict[str, Any]]] = {
    "error": ("provider_error", {"kind": "status", "status": 500, "body": "oops"}),
    "outage": ("provider_error", {"kind": "outage"}),
    "garbage": ("provider_garbage", {"kind": "garbage"}),
    "empty": ("provider_garbage", {"kind": "status", "status": 200, "body": ""}),
    "dropped": ("provider_cut_off", {"kind": "drop_before"}),
    "lost": ("provider_cut_off", {"kind": "lost_answer"}),
    "odd_refusal": ("provider_refused", {"kind": "status", "status": 400, "body": {"error": "flux"}}),
}


@pytest.mark.parametrize("name", TRANSIENT)
def test_a_passing_failure_of_the_token_endpoint_heals_by_itself(stack: Stack, name: str) -> None:
    cause, fault = TRANSIENT[name]
    ana = stack.person()
    connection = proved(ana)
    body = {"provider": "google", "account": ana.email, "operation": "token.refresh", **fault}
    number = stack.sandbox.control("POST", "faults", body)["id"]
    stack.sandbox.advance(3000)
    odd = when(ana, connection["id"], lambda one: one["verdict"] == "attention")
    assert odd["cause"] == cause
    assert odd["next_refresh_at"] is not None
    # The key has minutes to live and none is lost: mail still goes out.
    assert ana.email_when(ana.send(connection["id"])["id"], "sent")
    stack.sandbox.control("DELETE", f"faults/{number}")
    stack.sandbox.advance(150)
    healed = when(ana, connection["id"], lambda one: one["verdict"] == "working")
    assert healed["cause"] is None


def test_many_who_need_a_new_key_at_once_make_one_renewal(stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    stack.sandbox.fault("token.refresh", "slow", ms=700, account=ana.email, times=1)
    before = len(stack.sandbox.calls(operation="token.refresh", account=ana.email))
    stack.sandbox.fault("userinfo", "expire_access", account=ana.email, times=1)
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda _: ana.api("POST", f"connections/{connection['id']}/verify"), range(6))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert ana.connection(connection["id"])["verdict"] == "working"
    assert len(stack.sandbox.calls(operation="token.refresh", account=ana.email)) == before + 1


@pytest.mark.alone
def test_many_who_meet_a_failing_renewal_share_its_answer(stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    number = stack.sandbox.fault("token.refresh", "slow", ms=700, account=ana.email)
    stack.sandbox.fault("token.refresh", "outage", account=ana.email)
    stack.sandbox.fault("userinfo", "expire_access", account=ana.email, times=1)
    before = len(stack.sandbox.calls(operation="token.refresh", account=ana.email))
    began = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: ana.api("POST", f"connections/{connection['id']}/verify"), range(6)))
    assert number
    # Not one after the other, each with a call and a wait of its own.
    assert time.monotonic() - began < 3
    assert len(stack.sandbox.calls(operation="token.refresh", account=ana.email)) <= before + 2


def test_a_consent_for_the_same_account_goes_on_in_the_same_row(stack: Stack) -> None:
    ana = stack.person()
    first = proved(ana)
    second = ana.connect()
    assert second["id"] == first["id"]
    assert len(ana.api("GET", "connections").json()["items"]) == 1
    ana.api("POST", f"connections/{first['id']}/disconnect")
    third = ana.connect()
    assert (third["id"], third["verdict"]) == (first["id"], "unproven")
    assert [e["kind"] for e in ledger(ana, first["id"]) if e["kind"] in {"consent", "disconnect"}] == [
        "consent",
        "disconnect",
        "consent",
        "consent",
    ]


# -- disconnecting ----------------------------------------------------------------------------------------------


def test_disconnecting_shows_its_consequences_first(stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    path = f"/connections/{connection['id']}/disconnect"
    page = ana.get(path)
    assert page.status_code == 200
    assert "What happens then" in page.text
    assert "The permission is withdrawn at the provider." in page.text
    assert ana.connection(connection["id"])["verdict"] == "working"
    assert ana.post(path).url.endswith("/integration")
    gone = ana.connection(connection["id"])
    assert (gone["verdict"], gone["cause"]) == ("disconnected", "disconnected")
    assert [call["status"] for call in stack.sandbox.calls(operation="revoke", account=ana.email)] == [200]
    # The second press is fine, and asks the provider nothing.
    assert ana.post(path).status_code == 200
    assert ana.api("POST", f"connections/{connection['id']}/disconnect").status_code == 200
    assert len(stack.sandbox.calls(operation="revoke", account=ana.email)) == 1
    assert ana.get("/integration").status_code == 200
    answer = ana.api(
        "POST", "emails", {"connection": connection["id"], "to": ["a@b.example"], "subject": "x"}
    )
    assert (answer.status_code, answer.json()["cause"]) == (409, "disconnected")
    assert ana.api("POST", f"connections/{connection['id']}/verify").json()["verdict"] == "disconnected"


def test_two_presses_at_once(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()
    with ThreadPoolExecutor(4) as pool:
        path = f"connections/{connection['id']}/disconnect"
        statuses = [one.status_code for one in pool.map(lambda _: ana.api("POST", path), range(4))]
    assert statuses == [200, 200, 200, 200]
    assert len(stack.sandbox.calls(operation="revoke", account=ana.email)) == 1
    assert [e["kind"] for e in ledger(ana, connection["id"])].count("disconnect") == 1


def test_the_permission_stays_while_another_member_uses_the_account(stack: Stack) -> None:
    ana = stack.person()
    ben = stack.person("ben")
    shared = f"shared-{ana.email}"
    hers, his = proved(ana, account=shared), proved(ben, account=shared)
    page = ana.get(f"/connections/{hers['id']}/disconnect").text
    assert "The permission at the provider stays" in page
    ana.post(f"/connections/{hers['id']}/disconnect")
    assert stack.sandbox.calls(operation="revoke", account=shared) == []
    verified = ben.api("POST", f"connections/{his['id']}/verify").json()
    assert verified["verdict"] == "working"
    stack.sandbox.advance(3000)
    when(ben, his["id"], lambda one: one["last_refresh_at"] is not None and one["verdict"] == "working")
    ben.post(f"/connections/{his['id']}/disconnect")
    assert [call["status"] for call in stack.sandbox.calls(operation="revoke", account=shared)] == [200]


@pytest.mark.parametrize("kind", ["outage", "garbage", "drop_before"])
def test_disconnecting_works_while_the_provider_does_not(stack: Stack, kind: str) -> None:
    ana = stack.person()
    connection = ana.connect()
    stack.sandbox.fault("revoke", kind, account=ana.email, times=1)
    assert ana.post(f"/connections/{connection['id']}/disconnect").status_code == 200
    assert ana.connection(connection["id"])["verdict"] == ("disconnected")
    newest = [e for e in ledger(ana, connection["id"]) if e["kind"] == "disconnect"]
    results = {entry["result"] for entry in newest}
    assert "ok" in results
    if kind != "garbage":  # a 200 of any shape is Google's yes
        assert results & {"provider_error", "provider_cut_off"}


# -- verify -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fault", "cause"),
    [
        ("html", {"kind": "garbage"}, "provider_garbage"),
        ("empty", {"kind": "status", "status": 200, "body": ""}, "provider_garbage"),
        ("wrong_shape", {"kind": "status", "status": 200, "body": [1]}, "provider_garbage"),
        ("error", {"kind": "outage"}, "provider_error"),
        ("nul", {"kind": "status", "status": 404, "body": "\x00\x01"}, "provider_garbage"),
        ("dropped", {"kind": "drop_before"}, "provider_cut_off"),
    ],
)
def test_verifying_at_a_provider_that_answers_oddly(
    stack: Stack, name: str, fault: dict[str, Any], cause: str
) -> None:
    ana = stack.person()
    connection = proved(ana)
    body = {"provider": "google", "account": ana.email, "operation": "userinfo", "times": 1, **fault}
    stack.sandbox.control("POST", "faults", body)
    page = ana.post(f"/connections/{connection['id']}/verify")
    assert page.status_code == 200
    odd = ana.connection(connection["id"])
    assert (odd["verdict"], odd["cause"], odd["fix"]["label"]) == ("attention", cause, "Verify now")
    assert "We ask again by ourselves." in odd["sentence"]
    # Attention for a passing fault does not stop sending, and the next good answer clears it.
    assert ana.api("POST", f"connections/{connection['id']}/verify").json()["verdict"] == "working"
    assert name


def test_every_card_names_its_one_action_once(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()
    page = ana.get("/integration").text
    card = page.split(f'id="connection-{connection["id"]}"')[1].split("</article>")[0]
    buttons = re.findall(r"<button[^>]*>([^<]+)</button>", card)
    assert sorted(buttons) == [
        "Disconnect",
        "Reset this connection",
        "See replies and bounces",
        "Send me a test email",
        "Share with everyone",
        "Verify now",
    ]
    assert "Permission given, not tried yet." in card


def test_is_connected_is_news_for_ten_minutes_and_only_while_it_is(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()
    path = f"/integration?connected={connection['id']}"
    assert f"{ana.email} is connected." in ana.get(path).text
    stack.sandbox.advance(11 * 60)
    assert f"{ana.email} is connected." not in ana.get(path).text
    again = ana.connect()
    assert f"{ana.email} is connected." in ana.get(path).text
    ana.api("POST", f"connections/{again['id']}/disconnect")
    assert f"{ana.email} is connected." not in ana.get(path).text


def test_several_connections_are_counted(stack: Stack) -> None:
    ana = stack.person()
    proved(ana)
    page = ana.get("/integration").text
    assert "one is connected; you can add more" in page
    for number in (1, 2):
        ana.connect(f"ana{number}-{ana.email}")
    page = ana.get("/integration").text
    assert "three are connected; you can add more" in page
    assert "One works, two are not proved yet." in page
    assert "2 of 3 not proved yet" in ana.get("/partials/health").text
