"""Sending through the whole stack: outcomes, faults, what arrives, and what a second try does."""

from __future__ import annotations

import base64
import email
import email.policy
import re
import time
from email.message import EmailMessage
from typing import Any

import pytest
from tests.stack import Person, Stack, until


@pytest.fixture
def ana(stack: Stack) -> Person:
    """A member with a connected account."""
    person = stack.person()
    person.connect()
    return person


def connection_of(person: Person) -> str:
    return str(person.api("GET", "connections").json()["items"][0]["id"])


def arrived(stack: Stack, delivery: str) -> EmailMessage:
    (message,) = stack.sandbox.messages(delivery=delivery)
    assert message["count"] == 1
    parsed = email.message_from_string(message["raw"], policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def attempts(found: dict[str, Any]) -> list[dict[str, Any]]:
    return list(found["deliveries"][0]["attempts"])


def test_what_arrives_is_what_was_written(stack: Stack, ana: Person) -> None:
    html = (
        "<!-- keep -->\r\n<P STYLE='color:red'>Grüße, 你好 &amp; "
        '<a href="mailto:a@b.example">mail</a>\n\n</P>\n<br/>'
    )
    content = base64.b64encode(b"%PDF-\x00\xff").decode()
    sent = ana.send(
        connection_of(ana),
        to=["Zoë Ångström <zoe@globex.example>", "tom@globex.example"],
        cc=["Lena <lena@globex.example>"],
        bcc=["hidden@globex.example"],
        subject="Grüße – Ärger; Bcc: evil@globex.example",
        html=html,
        attachments=[
            {"name": "Preisübersicht 2026.pdf", "type": "application/pdf", "content_base64": content}
        ],
    )
    found = ana.email_when(sent["id"], "sent")
    delivery = found["deliveries"][0]
    assert [(one["address"], one["type"]) for one in delivery["recipients"]] == [
        ("zoe@globex.example", "to"),
        ("tom@globex.example", "to"),
        ("lena@globex.example", "cc"),
        ("hidden@globex.example", "bcc"),
    ]
    message = arrived(stack, delivery["id"])
    assert message["Subject"] == "Grüße – Ärger; Bcc: evil@globex.example"
    assert message["X-Truesend-Delivery"] == delivery["id"]
    assert message["Bcc"] is None
    assert [one.addr_spec for one in message["To"].addresses] == ["zoe@globex.example", "tom@globex.example"]
    assert message["To"].addresses[0].display_name == "Zoë Ångström"
    body = message.get_body(("html",))
    assert body is not None
    received = body.get_payload(decode=True)
    assert isinstance(received, bytes)
    pixel_at = received.index(b"<img ")
    assert received[:pixel_at].decode() == html  # byte-exact but for the pixel at the end
    (file,) = message.iter_attachments()
    assert file.get_filename() == "Preisübersicht 2026.pdf"
    assert file.get_content() == b"%PDF-\x00\xff"
    to_hidden = stack.sandbox.messages(to="hidden@globex.example", delivery=delivery["id"])
    assert len(to_hidden) == 1


def test_untracked_mail_carries_no_pixel_and_no_changed_link(stack: Stack, ana: Person) -> None:
    html = '<p><a href="https://example.com/?a=1&amp;b=2">x</a></p>'
    found = ana.email_when(ana.send(connection_of(ana), html=html, track=False)["id"], "sent")
    body = arrived(stack, found["deliveries"][0]["id"]).get_body(("html",))
    assert body is not None
    assert body.get_payload(decode=True) == html.encode()


def test_separate_copies_are_one_delivery_each_and_show_nobody_else(stack: Stack, ana: Person) -> None:
    to = [f"r{number}@globex.example" for number in range(5)]
    found = ana.email_when(ana.send(connection_of(ana), to=to, separate_copies=True)["id"], "sent")
    assert len(found["deliveries"]) == 5
    for delivery, address in zip(found["deliveries"], to, strict=True):
        message = arrived(stack, delivery["id"])
        assert [one.addr_spec for one in message["To"].addresses] == [address]


def test_large_mail_goes_by_the_upload_endpoint(stack: Stack, ana: Person) -> None:
    content = base64.b64encode(bytes(range(256)) * 4 * 6000).decode()
    files = [{"name": "big.bin", "type": "application/octet-stream", "content_base64": content}]
    found = ana.email_when(ana.send(connection_of(ana), attachments=files)["id"], "sent", 40)
    (file,) = arrived(stack, found["deliveries"][0]["id"]).iter_attachments()
    assert len(file.get_content()) == 256 * 4 * 6000


@pytest.mark.parametrize(
    ("fault", "status", "outcome", "arrivals"),
    [
        ({"kind": "lost_answer"}, "unknown", "UNKNOWN", 1),
        ({"kind": "drop_before"}, "unknown", "UNKNOWN", 0),
        ({"kind": "garbage", "status": 200, "body": "<html>Welcome to the hotel</html>"}, "unknown", "UNKNOWN", 0),
        ({"kind": "garbage", "status": 200, "body": ""}, "unknown", "UNKNOWN", 0),
        ({"kind": "status", "status": 503, "body": "busy"}, "unknown", "UNKNOWN", 0),
        ({"kind": "status", "status": 408, "body": ""}, "unknown", "UNKNOWN", 0),
        (
            {
                "kind": "status",
                "status": 400,
                "body": {
                    "error": {
                        "code": 400,
                        "message": "Invalid To header",
                        "errors": [{"message": "Invalid To header", "domain": "global", "reason": "invalidArgument"}],
                        "status": "INVALID_ARGUMENT",
                    }
                },
            },
            "failed",
            "NOT_SENT",
            0,
        ),
    ],
    ids=["lost-answer", "dropped", "html-200", "empty-200", "503", "408", "refused"],
)  # fmt: skip
def test_the_outcome_follows_from_where_the_answer_came(
    stack: Stack, ana: Person, fault: dict[str, Any], status: str, outcome: str, arrivals: int
) -> None:
    fault = {**fault, "times": 1, "account": ana.email}
    stack.sandbox.fault("send", fault.pop("kind"), **fault)
    sent = ana.send(connection_of(ana))
    found = ana.email_when(sent["id"], status)
    assert [one["outcome"] for one in attempts(found)] == [outcome]
    time.sleep(2.5)  # the waker has come by twice: nothing is sent again by guess
    assert attempts(ana.api("GET", f"emails/{sent['id']}").json()) == attempts(found)
    delivery = found["deliveries"][0]["id"]
    assert sum(one["count"] for one in stack.sandbox.messages(delivery=delivery)) == arrivals
    page = ana.get(f"/emails/{sent['id']}").text
    assert ("Not sent" if status == "failed" else "Unknown") in page


def test_an_access_token_that_ends_early_is_renewed_and_the_mail_sent_once(stack: Stack, ana: Person) -> None:
    stack.sandbox.fault("send", "expire_access", account=ana.email, times=1)
    found = ana.email_when(ana.send(connection_of(ana))["id"], "sent")
    assert [one["outcome"] for one in attempts(found)] == ["NOT_SENT", "ACCEPTED"]
    arrived(stack, found["deliveries"][0]["id"])
    assert ana.connection(connection_of(ana))["verdict"] == "working"


def test_a_throttled_mailbox_waits_for_the_time_in_the_text(stack: Stack, ana: Person) -> None:
    stack.sandbox.fault("send", "throttle", account=ana.email, times=1, retry_after=4)
    sent = ana.send(connection_of(ana))
    waiting = until(
        lambda: ana.api("GET", f"emails/{sent['id']}").json(),
        lambda one: one["deliveries"][0]["attempts"],
        20,
    )
    assert waiting["status"] in {"queued", "sending"}
    found = ana.email_when(sent["id"], "sent", 30)
    assert [one["outcome"] for one in attempts(found)] == ["NOT_SENT", "ACCEPTED"]


def test_a_dead_grant_holds_mail_visibly_until_reconnected_and_released(stack: Stack, ana: Person) -> None:
    stack.sandbox.fault("send", "revoke_grant", account=ana.email, times=1)
    connection = connection_of(ana)
    sent = ana.send(connection)
    held = ana.email_when(sent["id"], "held", 30)
    assert held["problem"] in {"grant_revoked", "access_refused"}
    shown = ana.connection(connection)
    assert shown["verdict"] == "broken"
    assert shown["fix"]["label"] == "Reconnect"
    assert [one["email"] for one in shown["who"]] == [ana.email]
    refused = ana.api("POST", "emails", {"connection": connection, "to": ["x@y.example"], "subject": "no"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
    assert [gate["ok"] for gate in refused.json()["gates"]].count(False) == 1

    stack.sandbox.consent(ana.email)
    answer = ana.get(shown["fix"]["url"])
    assert f"connected={connection}" in answer.url
    page = ana.get(f"/emails/{sent['id']}").text
    assert "Send now" in page
    assert "Reconnect" not in page
    assert ana.post(f"/emails/{sent['id']}/release").status_code == 200
    found = ana.email_when(sent["id"], "sent", 20)
    arrived(stack, found["deliveries"][0]["id"])


def test_an_idempotency_key_makes_one_email(stack: Stack, ana: Person) -> None:
    body = {"connection": connection_of(ana), "to": ["a@globex.example"], "subject": "once"}
    first = ana.api("POST", "emails", body, Idempotency_Key="k1")
    again = ana.api("POST", "emails", body, Idempotency_Key="k1")
    other = ana.api("POST", "emails", {**body, "subject": "other"}, Idempotency_Key="k1")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["id"] == again.json()["id"]
    assert other.json()["code"] == "idempotency_mismatch"


def test_one_mailbox_sends_one_after_the_other(stack: Stack, ana: Person) -> None:
    connection = connection_of(ana)
    ids = [ana.send(connection, subject=f"n{number}")["id"] for number in range(8)]
    for one in ids:
        ana.email_when(one, "sent", 30)
    calls = [call for call in stack.sandbox.calls(operation="send") if call["account"] == ana.email]
    spans = sorted((call["at"], call["ms"]) for call in calls)
    assert len(spans) == 8


def test_readiness_lists_every_gate_in_order_also_after_a_failure(stack: Stack) -> None:
    tom = stack.person("tom")
    answer = tom.api("POST", "readiness", {"to": ["not an address"]}).json()
    assert answer["ready"] is False
    assert [gate["name"] for gate in answer["gates"]] == [
        "installation",
        "role",
        "account",
        "connection",
        "capability",
        "limits",
        "budget",
        "recipients",
        "content",
    ]
    closed = {gate["name"]: gate for gate in answer["gates"] if not gate["ok"]}
    assert set(closed) == {"connection", "capability", "recipients", "content"}
    assert closed["connection"]["fix"] == {"label": "Connect", "url": "/integration"}
    for gate in closed.values():
        assert gate["cause"]
        assert gate["sentence"].endswith(".")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"to": "a@b.example"}',
        b'{"to": ["a\\u0000@b.example"]}',
        b'{"to": ["a@b.example"], "subject": "\\ud800"}',
        b'{"attachments": [{"name": "x", "content_base64": "%%%"}]}',
        b'{"send_at": "tomorrow"}',
        b'{"send_at": "2026-11-22T10:00:00"}',
        b'{"undo_seconds": -1}',
        b'{"html": "<img src=\'cid:map\'>"}',
        b'{"attachments": [{"name": "a", "content_base64": "", "content_id": "a"},'
        b' {"name": "b", "content_base64": "", "content_id": "a"}]}',
        b'{"connection": "nonsense", "to": ["a@b.example"]}',
        b"\xff\xfe",
        b'{"to": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_a_bad_body_gets_a_clear_answer_and_stores_nothing(stack: Stack, ana: Person, body: bytes) -> None:
    import requests

    headers = {"Authorization": f"Bearer {ana.bearer}", "Content-Type": "application/json"}
    before = len(ana.api("GET", "emails").json()["items"])
    answer = requests.post(f"{stack.url}/api/v1/emails", data=body, headers=headers, timeout=20)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"code", "cause", "sentence", "fix", "who"} <= set(answer.json())
    assert len(ana.api("GET", "emails").json()["items"]) == before


def test_cancel_and_undo_stop_what_has_not_left(stack: Stack, ana: Person) -> None:
    sent = ana.send(connection_of(ana), undo_seconds=30)
    assert sent["undo_until"] is not None
    cancelled = ana.api("POST", f"emails/{sent['id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert stack.sandbox.messages(delivery=sent["deliveries"][0]["id"]) == []
    done = ana.email_when(ana.send(connection_of(ana))["id"], "sent")
    assert ana.api("POST", f"emails/{done['id']}/cancel").status_code == 409


def test_mail_for_later_waits_for_its_hour(stack: Stack, ana: Person) -> None:
    from datetime import UTC, datetime, timedelta

    at = datetime.now(UTC) + timedelta(days=30)
    sent = ana.send(connection_of(ana), send_at=at.isoformat())
    assert sent["status"] == "scheduled"
    assert ana.api("POST", f"emails/{sent['id']}/cancel").status_code == 200


def test_a_daily_limit_ends_by_itself_and_the_mail_goes_out(stack: Stack, ana: Person) -> None:
    connection = connection_of(ana)
    stack.sandbox.fault("send", "daily_limit", account=ana.email, times=1)
    # Both are queued before the first of them meets the limit.
    first, second = (ana.send(connection, undo_seconds=4) for _ in range(2))
    until(
        lambda: [ana.api("GET", f"emails/{one['id']}").json()["problem"] for one in (first, second)],
        lambda problems: problems == ["daily_limit", "daily_limit"],
        20,
    )
    shown = ana.connection(connection)
    assert (shown["verdict"], shown["cause"], shown["who"]) == ("attention", "daily_limit", [])
    # One that comes later is taken, and keeps the same hour.
    later = ana.send(connection)
    assert (later["status"], later["problem"]) == ("held", "daily_limit")
    copy = later["deliveries"][0]
    assert (copy["held_cause"], copy["attempts"]) == ("daily_limit", [])
    assert copy["due_at"] == ana.api("GET", f"emails/{second['id']}").json()["deliveries"][0]["due_at"]
    detail = later["problem_detail"]
    assert (detail["fix"], detail["who"]) == (None, [])
    assert re.search(
        r"It goes by itself (on \d+ \w+ )?at \d\d:\d\d UTC; nothing to do\.$", detail["sentence"]
    )
    stopped = ana.send(connection)
    cancelled = ana.api("POST", f"emails/{stopped['id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    # What is to prove the connection now is of no use tomorrow.
    test = ana.api("POST", f"connections/{connection}/test-email")
    assert (test.status_code, test.json()["cause"]) == (409, "daily_limit")
    stack.sandbox.advance(25 * 3600)
    for one in (first, second, later):
        found = ana.email_when(one["id"], "sent", 30)
        arrived(stack, found["deliveries"][0]["id"])
    assert ana.connection(connection)["verdict"] == "working"


def test_somebody_elses_draft_is_nobodys(stack: Stack, ana: Person) -> None:
    from uuid import uuid4

    draft, eve = uuid4(), stack.person("eve", "Elsewhere")
    body = {"to": "a@globex.example", "cc": "", "bcc": "", "subject": "mine", "html": "", "connection": ""}
    headers = {"X-CSRFToken": ana.jar.cookies["csrftoken"], "Accept": "application/json"}
    saved = ana.jar.post(f"{stack.url}/emails/drafts/{draft}", json=body, headers=headers, timeout=20)
    assert saved.status_code == 200
    headers["X-CSRFToken"] = eve.jar.cookies["csrftoken"]
    taken = eve.jar.post(f"{stack.url}/emails/drafts/{draft}", json=body, headers=headers, timeout=20)
    assert taken.status_code == 404
    assert "mine" in ana.get(f"/emails/new?draft={draft}").text


def test_odd_html_is_sent_and_stops_nobody(stack: Stack, ana: Person) -> None:
    connection = connection_of(ana)
    odd = ["<a " * 100_000, "<p>Hi</p><![ endif]><p>x</p>", "<!--" * 50_000, "<script" * 50_000]
    sent = [ana.send(connection, html=html)["id"] for html in [*odd, "<p>behind them</p>"]]
    for one in sent:
        ana.email_when(one, "sent", 30)


def test_plain_text_carries_addresses_not_tokens(stack: Stack, ana: Person) -> None:
    found = ana.email_when(ana.send(connection_of(ana))["id"], "sent")
    body = arrived(stack, found["deliveries"][0]["id"]).get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Hello, new price list (https://example.com/prices)"


def test_what_was_refused_can_be_edited_and_sent_again(stack: Stack, ana: Person) -> None:
    body = {"error": {"code": 400, "message": "Invalid To header", "errors": [{"reason": "invalidArgument"}]}}
    stack.sandbox.fault("send", "status", account=ana.email, times=1, status=400, body=body)
    found = ana.email_when(ana.send(connection_of(ana), subject="Once more")["id"], "failed")
    page = ana.get(f"/emails/{found['id']}").text
    assert "Edit the email" in page
    draft = ana.post(f"/emails/{found['id']}/again")
    assert "/emails/new?draft=" in draft.url
    assert 'value="Once more"' in draft.text


def test_a_large_email_names_everybody_and_folds_its_copies(stack: Stack, ana: Person) -> None:
    to = [f"r{number}@globex.example" for number in range(30)]
    found = ana.email_when(ana.send(connection_of(ana), to=to, separate_copies=True)["id"], "sent", 40)
    page = ana.get(f"/emails/{found['id']}").text
    assert "30 of 30 copies." in page
    assert page.count("Accepted by Google") == 1
    assert all(address in page for address in to)


def test_an_emails_page_lists_its_files(stack: Stack, ana: Person) -> None:
    files = [{"name": "Größe.pdf", "type": "application/pdf", "content_base64": "aGVsbG8="}]
    found = ana.email_when(ana.send(connection_of(ana), attachments=files)["id"], "sent")
    page = ana.get(f"/emails/{found['id']}").text
    link = re.search(rf'href="(/emails/{found["id"]}/attachments/[\w-]+)"[^>]*>Größe.pdf<', page)
    assert link is not None
    assert ana.get(link[1]).content == b"hello"


def test_half_a_character_in_a_draft_is_refused_in_words(stack: Stack, ana: Person) -> None:
    from uuid import uuid4

    headers = {"X-CSRFToken": ana.jar.cookies["csrftoken"], "Content-Type": "application/json"}
    for subject in ("\\ud800", "\\u0000"):
        body = f'{{"to": "", "subject": "{subject}"}}'
        answer = ana.jar.post(f"{stack.url}/emails/drafts/{uuid4()}", data=body, headers=headers, timeout=20)
        assert answer.status_code == 400
        assert answer.json()["sentence"] == "The text contains a character that cannot be stored."
