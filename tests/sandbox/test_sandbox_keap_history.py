"""Keap's history of mails in both APIs, and the records that send nothing."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from tests.sandbox.keap_client import ADA, KeapClient, Tokens, encoded
from tests.sandbox_process import Sandbox

BOB, CY = "bob@example.org", "cy@example.org"


@pytest.fixture
def tokens(sandbox: Sandbox, keap: KeapClient) -> Tokens:
    sandbox.account(ADA, "keap", tenants=["xy123"])
    return keap.connect()


@pytest.fixture
def sent(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> dict[str, str]:
    """Four mails, a minute apart: address → the contact's id."""
    people = {BOB: keap.contact(tokens, BOB), CY: keap.contact(tokens, CY)}
    for number, email in enumerate((BOB, CY, BOB, CY)):
        assert keap.send(tokens, people[email], subject=str(number)).status_code == 202
        sandbox.advance(60)
    return people


def _v2(keap: KeapClient, tokens: Tokens, **params: str) -> list[str]:
    body = keap.api("GET", "v2/emails", tokens, params=params).json()
    return [email["subject"] for email in body["emails"]]


def _v1(keap: KeapClient, tokens: Tokens, path: str = "v1/emails", **params: str) -> list[str]:
    body = keap.api("GET", path, tokens, params=params).json()
    return [email["subject"] for email in body["emails"]]


def test_v2_lists_by_contact_address_and_time(keap: KeapClient, tokens: Tokens, sent: dict[str, str]) -> None:
    newest = "created_time desc"
    assert _v2(keap, tokens, order_by=newest) == ["3", "2", "1", "0"]
    assert _v2(keap, tokens, order_by="created_time asc") == ["0", "1", "2", "3"]
    assert _v2(keap, tokens, filter=f"contact_id=={sent[BOB]}", order_by=newest) == ["2", "0"]
    assert _v2(keap, tokens, filter=f"email=={CY};contact_id=={sent[BOB]}") == []
    listed = keap.api("GET", "v2/emails", tokens, params={"filter": f"email=={CY}", "order_by": newest})
    moment = listed.json()["emails"][1]["sent_time"]
    assert _v2(keap, tokens, filter=f"start_created_time=={moment}", order_by=newest) == ["3", "2", "1"]
    assert _v2(keap, tokens, filter=f"end_created_time=={moment}", order_by=newest) == ["1", "0"]
    assert len(_v2(keap, tokens, email=BOB)) == 4, "an unknown parameter is ignored"
    for wrong in ({"filter": "subject==1"}, {"filter": "start_created_time==now"}, {"order_by": "id"}):
        assert keap.api("GET", "v2/emails", tokens, params=wrong).status_code == 400


def test_v2_pages_by_token(keap: KeapClient, tokens: Tokens, sent: dict[str, str]) -> None:
    assert sent
    seen, params = [], {"page_size": "3", "order_by": "created_time desc"}
    while True:
        body = keap.api("GET", "v2/emails", tokens, params=params).json()
        seen.append([email["subject"] for email in body["emails"]])
        if "next_page_token" not in body:
            break
        params["page_token"] = body["next_page_token"]
    assert seen == [["3", "2", "1"], ["0"]]


def test_v1_lists_newest_first_by_contact_address_and_day_of_sending(
    keap: KeapClient, tokens: Tokens, sent: dict[str, str]
) -> None:
    assert _v1(keap, tokens) == ["3", "2", "1", "0"]
    assert _v1(keap, tokens, contact_id=sent[BOB]) == ["2", "0"]
    assert _v1(keap, tokens, email=CY) == ["3", "1"]
    assert _v1(keap, tokens, f"v1/contacts/{sent[CY]}/emails", limit="1", offset="1") == ["1"]
    assert keap.api("GET", "v1/contacts/999999/emails", tokens).status_code == 404
    second = keap.api("GET", "v1/emails?limit=1&offset=1", tokens).json()
    assert second["count"] == 4
    moment = second["emails"][0]["sent_date"]
    assert _v1(keap, tokens, since_sent_date=moment) == ["3", "2"]
    assert _v1(keap, tokens, since_sent_date="2020-01-01", until_sent_date=moment) == ["2", "1", "0"]
    assert keap.api("GET", "v1/emails", tokens, params={"until_sent_date": moment}).status_code == 400


def test_a_mail_is_read_with_its_content(keap: KeapClient, tokens: Tokens) -> None:
    html = "<p>Hi</p><!-- truesend:delivery=1 -->"
    bob = keap.contact(tokens, BOB)
    keap.send(tokens, bob, html_content=encoded(html), plain_content=encoded("Hi"))
    number = keap.api("GET", "v2/emails", tokens).json()["emails"][0]["id"]
    v2 = keap.api("GET", f"v2/emails/{number}", tokens).json()
    v1 = keap.api("GET", f"v1/emails/{number}", tokens).json()
    assert v2["html_content"] == v1["html_content"] == encoded(html)
    assert v2["plain_content"] == v1["plain_content"] == encoded("Hi")
    assert (v2["contact_id"], v1["contact_id"]) == (bob, int(bob))
    assert (v2["sent_to_address"], v2["sent_from_address"]) == (BOB, ADA)
    assert v2["original_provider"] == "INFUSIONSOFT"
    assert "html_content" not in keap.api("GET", "v2/emails", tokens).json()["emails"][0]
    stranger = keap.connect("eve@example.com")
    for path in (f"v2/emails/{number}", f"v1/emails/{number}"):
        assert keap.api("GET", path, stranger).status_code == 404
        assert keap.api("DELETE", path, stranger).status_code == 404
    assert _v2(keap, stranger) == []
    assert keap.api("DELETE", f"v2/emails/{number}", tokens).status_code == 204
    assert keap.api("GET", f"v2/emails/{number}", tokens).status_code == 404


def test_the_history_may_be_late(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    sandbox.switch("keap", history_delay=300)
    keap.send(tokens, keap.contact(tokens, BOB))
    assert (_v2(keap, tokens), _v1(keap, tokens)) == ([], [])
    assert len(sandbox.messages()) == 1
    sandbox.advance(301)
    assert len(_v2(keap, tokens)) == len(_v1(keap, tokens)) == 1


@pytest.mark.parametrize(("kept", "listed", "content"), [("record", 1, False), ("nothing", 0, False)])
def test_the_history_may_keep_less(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens, kept: str, listed: int, content: bool
) -> None:
    sandbox.switch("keap", send_history=kept)
    keap.send(tokens, keap.contact(tokens, BOB))
    emails = keap.api("GET", "v2/emails", tokens).json()["emails"]
    assert len(emails) == listed
    for email in emails:
        one = keap.api("GET", f"v2/emails/{email['id']}", tokens).json()
        assert ("html_content" in one) is content


def _record(**more: Any) -> dict[str, Any]:
    return {
        "sent_to_address": BOB,
        "subject": "elsewhere",
        "sent_from_address": "ada@gmail.com",
        "sent_time": "2026-01-02T03:04:05Z",
        "html_content": encoded("<p>Hi</p>"),
        "original_provider": "GOOGLE",
        "original_provider_id": "abc",
        "sent_to_cc_address_list": [CY],
        **more,
    }


def test_a_record_sends_nothing(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    bob = keap.contact(tokens, BOB)
    made = keap.api("POST", "v2/emails", tokens, json=_record(contact_id=bob))
    assert made.status_code == 201
    assert made.json()["html_content"] == encoded("<p>Hi</p>")
    assert sandbox.messages() == []
    assert sandbox.calls(operation="send") == []
    v1 = keap.api("GET", f"v1/emails/{made.json()['id']}", tokens).json()
    assert (v1["sent_to_cc_addresses"], v1["sent_date"]) == (CY, "2026-01-02T03:04:05.000Z")
    assert keap.api("POST", "v2/emails", tokens, json=_record()).status_code == 400, "the id is taken"
    free = {**_record(), "original_provider_id": None}
    assert keap.api("POST", "v2/emails", tokens, json={k: v for k, v in free.items() if v}).status_code == 201


@pytest.mark.parametrize(("answer", "status"), [("refuse", 400), ("conflict", 409)])
def test_an_id_is_recorded_once(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens, answer: str, status: int
) -> None:
    sandbox.switch("keap", taken_record=answer)
    bob = keap.contact(tokens, BOB)
    assert keap.api("POST", "v2/emails", tokens, json=_record(contact_id=bob)).status_code == 201
    assert keap.api("POST", "v2/emails", tokens, json=_record(contact_id=bob)).status_code == status
    other = _record(contact_id=bob, original_provider="MICROSOFT")
    assert keap.api("POST", "v2/emails", tokens, json=other).status_code == 201, "of another provider"
    listed = keap.api("GET", "v2/emails", tokens, params={"filter": f"contact_id=={bob}"}).json()["emails"]
    assert [one["original_provider_id"] for one in listed] == ["abc", "abc"]


def test_records_are_seen_in_the_sandbox(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    keap.send(tokens, keap.contact(tokens, BOB))
    keap.api("POST", "v2/emails", tokens, json=_record())
    (one,) = sandbox.control("GET", f"keap/records?account={ADA}")["items"]
    assert (one["to_address"], one["html"], one["tenant"]) == (BOB, "<p>Hi</p>", "xy123")
    assert one["data"]["sent_to_cc_address_list"] == [CY]
    assert sandbox.control("GET", "keap/records?tenant=other1")["items"] == []
    page = requests.get(f"{keap.url}/keap/records", params={"user": ADA}, timeout=10).text
    assert "elsewhere" in page
    assert BOB in page


@pytest.mark.parametrize("kind", ["throttle", "outage", "lost_answer"])
def test_faults_meet_records(sandbox: Sandbox, keap: KeapClient, tokens: Tokens, kind: str) -> None:
    sandbox.fault("emails.create", kind, provider="keap", account=ADA, times=1)
    if kind == "lost_answer":
        with pytest.raises(requests.ConnectionError):
            keap.api("POST", "v2/emails", tokens, json=_record())
    else:
        answer = keap.api("POST", "v2/emails", tokens, json=_record())
        assert answer.status_code == (429 if kind == "throttle" else 503)
    made = sandbox.control("GET", f"keap/records?account={ADA}")["items"]
    assert len(made) == (1 if kind == "lost_answer" else 0)


@pytest.mark.parametrize(
    "change",
    [
        {"sent_to_address": None},
        {"sent_to_address": "x"},
        {"sent_time": "soon"},
        {"original_provider": "YAHOO"},
        {"contact_id": "999999"},
        {"html_content": "<p>"},
        {"sent_to_cc_address_list": CY},
        {"sent_to_cc_address_list": [7]},
        {"original_provider_id": ["x"]},
    ],
    ids=str,
)
def test_a_wrong_record_is_refused(keap: KeapClient, tokens: Tokens, change: dict[str, Any]) -> None:
    body = {name: value for name, value in _record(**change).items() if value is not None}
    assert keap.api("POST", "v2/emails", tokens, json=body).status_code == 400
    assert _v2(keap, tokens) == []


def test_v1_records_too(keap: KeapClient, tokens: Tokens) -> None:
    bob = keap.contact(tokens, BOB)
    body = {
        "sent_to_address": BOB,
        "subject": "elsewhere",
        "sent_date": "2026-01-02T03:04:05Z",
        "sent_to_cc_addresses": f"{CY}, dee@example.org",
        "original_provider": "GOOGLE",
    }
    made = keap.api("POST", f"v1/contacts/{bob}/emails", tokens, json=body)
    assert (made.status_code, made.json()["contact_id"]) == (201, int(bob))
    assert made.json()["sent_to_cc_addresses"] == f"{CY},dee@example.org"
    assert keap.api("POST", "v1/emails", tokens, json=body).status_code == 201
    assert keap.api("DELETE", f"v1/emails/{made.json()['id']}", tokens).status_code == 204
    assert keap.api("POST", "v1/emails", tokens, json={"subject": "x"}).status_code == 400
