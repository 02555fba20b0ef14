"""Keap's sending: what is refused, what arrives and with which mark, and what its switches change."""

from __future__ import annotations

import base64
import re
import uuid
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

import pytest
import requests
from tests.sandbox.keap_client import ADA, KeapClient, Tokens, encoded
from tests.sandbox_process import Sandbox

BOB, CY = "bob@example.org", "cy@example.org"


@pytest.fixture
def tokens(sandbox: Sandbox, keap: KeapClient) -> Tokens:
    sandbox.account(ADA, "keap", name="Ada King", tenants=["xy123"], from_addresses=["sales@example.com"])
    return keap.connect()


def _mail(sandbox: Sandbox, to: str = BOB) -> Message:
    (item,) = sandbox.messages(to=to)
    return message_from_bytes(item["raw"].encode(), policy=default)


def _text(mail: Message, kind: str = "text/html") -> str:
    part = next(part for part in mail.walk() if part.get_content_type() == kind)
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode()


def _file(name: str = "a.pdf", size: int = 10) -> dict[str, str]:
    return {"file_name": name, "file_data": base64.b64encode(b"x" * size).decode()}


def test_a_mail_arrives_as_from_the_user_byte_for_byte(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    html = '<p>Grüße\n\t<a href="https://example.com/?a=1&amp;b=2">hier</a></p>\r\n<!-- note -->\n'
    bob = keap.contact(tokens, BOB, given_name="Bob", family_name="Smith")
    answer = keap.send(
        tokens, bob, subject="Schöne Grüße", html_content=encoded(html), plain_content=encoded("Grüße\n")
    )
    assert (answer.status_code, answer.content) == (202, b"")
    mail = _mail(sandbox)
    assert (mail["From"], mail["To"]) == ("Ada King <ada@example.com>", "Bob Smith <bob@example.org>")
    assert mail["Subject"] == "Schöne Grüße"
    assert _text(mail) == html
    assert _text(mail, "text/plain") == "Grüße\n"
    (item,) = sandbox.messages()
    assert (item["provider"], item["from"], item["delivery"]) == ("keap", ADA, None)


def test_the_mark_is_the_last_comment_and_counts_per_recipient(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    mark, earlier = str(uuid.uuid4()), str(uuid.uuid4())
    html = f"<p>Hi</p><blockquote><!-- truesend:delivery={earlier} --></blockquote>"
    html += f"<!-- truesend:delivery={mark} -->"
    bob, cy = keap.contact(tokens, BOB), keap.contact(tokens, CY)
    assert keap.send(tokens, bob, cy, bob, html_content=encoded(html)).status_code == 202
    (item,) = sandbox.messages(delivery=mark)
    assert (item["delivery"], item["count"], len(item["arrivals"])) == (mark, 1, 2)
    assert item["to"] == [BOB, CY]
    assert keap.send(tokens, cy, html_content=encoded(html)).status_code == 202
    (item,) = sandbox.messages(delivery=mark)
    assert (item["count"], len(item["arrivals"])) == (2, 3)
    assert [item["count"] for item in sandbox.messages(to=BOB)] == [1]
    assert [item["count"] for item in sandbox.messages(to=CY)] == [2]
    assert sandbox.messages(delivery=earlier) == []


def test_a_reply_that_quotes_the_mark_does_not_bear_it(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    mark = str(uuid.uuid4())
    keap.send(tokens, keap.contact(tokens, BOB), html_content=encoded(f"Hi<!-- truesend:delivery={mark} -->"))
    (item,) = sandbox.messages(delivery=mark)
    done = sandbox.act(item["id"], "reply")
    assert done["delivered_to"] == [ADA]
    (item,) = sandbox.messages(delivery=mark)
    assert item["count"] == 1
    assert [item["delivery"] for item in sandbox.messages(to=ADA)] == [None]


@pytest.mark.parametrize("strip", [False, True])
def test_comments_are_kept_or_stripped(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens, strip: bool
) -> None:
    sandbox.switch("keap", html_comments="strip" if strip else "keep")
    html = "<p>Hi</p><!-- truesend:delivery=1 -->"
    keap.send(tokens, keap.contact(tokens, BOB), html_content=encoded(html))
    (item,) = sandbox.messages()
    assert item["delivery"] == (None if strip else "1")
    assert _text(_mail(sandbox)) == ("<p>Hi</p>" if strip else html)


def test_merge_fields_are_filled_in_or_not(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    html = "~Contact.FirstName~ ~Contact.Email~ ~Owner.LastName~ ~Contact.Shoe~ ~nothing~"
    bob = keap.contact(tokens, BOB, given_name="Bob")
    keap.send(tokens, bob, html_content=encoded(html), subject="For ~Contact.FirstName~")
    assert _text(_mail(sandbox)) == "Bob bob@example.org King ~Contact.Shoe~ ~nothing~"
    assert _mail(sandbox)["Subject"] == "For Bob"
    sandbox.switch("keap", merge_fields=False)
    keap.send(tokens, keap.contact(tokens, CY, given_name="Cy"), html_content=encoded(html))
    assert _text(_mail(sandbox, CY)) == html


def test_sender_is_exactly_one_of_a_user_and_a_known_address(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    bob, user = keap.contact(tokens, BOB), keap.user(tokens)
    assert keap.send(tokens, bob, user_id=user, from_address="sales@example.com").status_code == 400
    assert keap.send(tokens, bob, from_address=None, user_id=None).status_code == 400
    assert keap.send(tokens, bob, from_address="stranger@example.com").status_code == 400
    assert keap.send(tokens, bob, user_id="999999").status_code == 400
    assert sandbox.messages() == []
    assert keap.send(tokens, bob, from_address="Sales@example.com").status_code == 202
    assert [item["from"] for item in sandbox.messages()] == ["sales@example.com"]
    sandbox.switch("keap", unknown_sender="accept")
    assert keap.send(tokens, bob, user_id="999999").status_code == 202
    assert len(sandbox.messages()) == 1, "accepted, and nothing leaves"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": None}, "subject"),
        ({"contacts": None}, "contacts"),
        ({"contacts": "1"}, "contacts"),
        ({"html_content": 7}, "html_content"),
        ({"address_field": "email"}, "address_field"),
        ({"attachments": [_file("a.exe")]}, "attachment type is invalid"),
        ({"attachments": [_file("pdf")]}, "attachment type is invalid"),
        ({"attachments": [_file(size=1_048_577)]}, "1MB"),
        ({"attachments": [_file(f"{number}.pdf") for number in range(11)]}, "10"),
        ({"attachments": [{"file_name": "a.pdf"}]}, "file_data"),
        ({"attachments": [{"file_name": "a.pdf", "file_data": "?"}]}, "Base64"),
        ({"attachments": "a.pdf"}, "attachments"),
    ],
    ids=str,
)
def test_what_is_refused_sends_nothing(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens, change: dict[str, Any], words: str
) -> None:
    answer = keap.send(tokens, keap.contact(tokens, BOB), **change)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert sandbox.messages() == []


def test_attachments_travel_up_to_the_limit(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    files = [_file("Übersicht.PDF", 1_048_576), *(_file(f"{number}.png") for number in range(9))]
    assert keap.send(tokens, keap.contact(tokens, BOB), attachments=files).status_code == 202
    parts = [part for part in _mail(sandbox).walk() if part.get_filename()]
    assert [part.get_filename() for part in parts] == [
        "Übersicht.PDF",
        *(f"{number}.png" for number in range(9)),
    ]
    data = parts[0].get_payload(decode=True)
    assert isinstance(data, bytes)
    assert (parts[0].get_content_type(), len(data)) == ("application/pdf", 1_048_576)


@pytest.mark.parametrize("path", ["v2/emails:send", "v1/emails/queue"])
def test_a_send_to_nobody_asks_and_sends_nothing(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens, path: str
) -> None:
    sender: int | str = keap.user(tokens)
    body: dict[str, Any] = {
        "contacts": [],
        "subject": "x",
        "user_id": int(sender) if path.startswith("v1") else sender,
    }
    assert keap.api("POST", path, tokens, json=body).status_code == 400
    sandbox.account(ADA, "keap", admin_block=True)
    assert keap.api("POST", path, tokens, json=body).status_code == 403, "permission comes first"
    sandbox.fault("any", "revoke_grant", "keap", account=ADA)
    assert keap.api("POST", path, tokens, json=body).status_code == 401, "and the token before it"
    assert [call["status"] for call in sandbox.calls(operation="send.check")] == [400, 403, 401]
    assert sandbox.messages() == []


def test_a_send_to_nobody_may_be_accepted(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    sandbox.switch("keap", empty_contacts="accept")
    assert keap.send(tokens).status_code == 202
    assert sandbox.messages() == []


def test_unknown_contacts_are_skipped_or_refused(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    bob = keap.contact(tokens, BOB)
    stranger = keap.contact(keap.connect("eve@example.com"), CY)
    assert keap.send(tokens, "999999", stranger, bob).status_code == 202
    assert [item["to"] for item in sandbox.messages()] == [[BOB]]
    sandbox.switch("keap", unknown_contacts="refuse")
    assert keap.send(tokens, bob, stranger).status_code == 400
    assert len(sandbox.messages()) == 1


def test_the_address_field_chooses_among_a_contacts_addresses(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    two = [{"email": BOB, "field": "EMAIL1"}, {"email": CY, "field": "EMAIL2"}]
    bob = keap.contact(tokens, BOB, email_addresses=two)
    for field in ("EmailAddress2", "EmailAddress3", "_Other"):
        assert keap.send(tokens, bob, address_field=field).status_code == 202
    assert [item["to"] for item in sandbox.messages()] == [[CY]]


@pytest.mark.parametrize(
    ("status", "switches", "arrives"),
    [
        ("NON_MARKETABLE", {}, True),
        ("LIST_UNSUBSCRIBE", {}, True),
        ("NON_MARKETABLE", {"non_marketable_recipients": "drop"}, False),
        ("SINGLE_OPT_IN", {"non_marketable_recipients": "drop"}, True),
        ("HARD_BOUNCE", {}, False),
        ("HARD_BOUNCE", {"blocked_recipients": "deliver"}, True),
    ],
)
def test_who_has_not_opted_in_gets_it_or_not_without_a_word(
    sandbox: Sandbox,
    keap: KeapClient,
    tokens: Tokens,
    status: str,
    switches: dict[str, str],
    arrives: bool,
) -> None:
    bob = keap.contact(tokens, BOB)
    sandbox.control("POST", "keap/addresses", {"tenant": "xy123", "email": BOB, "status": status})
    sandbox.switch("keap", **switches)
    assert keap.send(tokens, bob).status_code == 202
    assert len(sandbox.messages()) == arrives
    assert len(keap.api("GET", "v2/emails", tokens).json()["emails"]) == arrives


def test_content_that_is_no_base64(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    bob = keap.contact(tokens, BOB)
    assert keap.send(tokens, bob, html_content="<p>raw</p>").status_code == 202
    assert _text(_mail(sandbox)) == "&lt;p&gt;raw&lt;/p&gt;", "people see the markup"
    sandbox.switch("keap", raw_content="refuse")
    assert keap.send(tokens, bob, html_content="<p>raw</p>").status_code == 400


def test_v1_sends_with_numbers(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    body = {
        "contacts": [int(keap.contact(tokens, BOB))],
        "user_id": int(keap.user(tokens)),
        "subject": "v1",
        "plain_content": encoded("Hi"),
    }
    answer = keap.api("POST", "v1/emails/queue", tokens, json=body)
    assert (answer.status_code, answer.content) == (202, b"")
    assert _text(_mail(sandbox), "text/plain") == "Hi"
    assert keap.api("POST", "v1/emails/queue", tokens, json={**body, "user_id": "x"}).status_code == 400


@pytest.mark.parametrize(("status", "known"), [("5.1.1", "HARD_BOUNCE"), ("4.2.2", "BOUNCE")])
def test_a_bounce_shows_as_the_status_of_the_address_alone(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens, status: str, known: str
) -> None:
    keap.send(tokens, keap.contact(tokens, BOB))
    (item,) = sandbox.messages()
    assert sandbox.act(item["id"], "bounce", status=status)["delivered_to"] == []
    answer = keap.api("GET", f"v2/emailAddresses/{BOB}/status", tokens)
    assert answer.json()["status"] == known
    assert sandbox.messages(to=ADA) == []


def test_keap_may_wrap_links_look_for_openings_and_add_a_way_out(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    sandbox.switch("keap", wrap_links=True, own_pixel=True, unsubscribe_footer=True)
    target = f"{keap.url}/healthz?a=1&b=2"
    html = (
        f"<body><a class='x' href='{target.replace('&', '&amp;')}'>go</a></body><!-- truesend:delivery=1 -->"
    )
    keap.send(tokens, keap.contact(tokens, BOB), html_content=encoded(html))
    (item,) = sandbox.messages()
    assert item["delivery"] == "1"
    text = _text(_mail(sandbox))
    assert target not in text
    (clicked,) = sandbox.act(item["id"], "click", link=0)["requests"]
    assert (clicked["status"], clicked["location"]) == (302, target)
    (opened,) = sandbox.act(item["id"], "open")["requests"]
    assert (opened["status"], opened["content_type"]) == (200, "image/gif")
    email = keap.api("GET", "v2/emails", tokens).json()["emails"][0]
    assert email["clicked_time"]
    assert email["opened_time"]
    assert keap.api("GET", f"v2/emails/{email['id']}", tokens).json()["html_content"] == encoded(html)
    found = re.search(r'href="([^"]+/unsubscribe/[^"]+)"', text)
    assert found
    assert "Unsubscribe bob@example.org?" in requests.get(found[1], timeout=10).text
    status = f"v2/emailAddresses/{BOB}/status"
    before = keap.api("GET", status, tokens).json()
    assert (before["status"], "last_click_time" in before) == ("NON_MARKETABLE", True)
    assert requests.post(found[1], timeout=10).status_code == 200
    assert keap.api("GET", status, tokens).json()["status"] == "MANUAL"


def test_a_page_lists_what_a_person_has_sent(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    keap.send(tokens, keap.contact(tokens, BOB), subject="<b>Hello</b>")
    page = requests.get(f"{keap.url}/keap/sent?user={ADA}", timeout=10).text
    assert "&lt;b&gt;Hello&lt;/b&gt;" in page
    assert BOB in page
    assert BOB not in requests.get(f"{keap.url}/keap/sent?user={ADA}&app=zz999", timeout=10).text
    assert requests.get(f"{keap.url}/keap/sent?user=x@example.com", timeout=10).status_code == 404
