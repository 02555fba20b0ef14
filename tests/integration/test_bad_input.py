"""Bad input over the API: a clear answer to each, nothing lost, nothing stored by half."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from tests.bad_input import arrived, connection_of, draft_of, html_of, is_problem, post, stored
from tests.stack import Person, Stack

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def ana(stack: Stack) -> Person:
    """A member with a connected account."""
    person = stack.person()
    person.connect()
    return person


# -- size -------------------------------------------------------------------------------------------------------


def test_five_megabytes_of_html_arrive_whole(stack: Stack, ana: Person) -> None:
    link = '<a href="https://example.com/?a=1&amp;b=2">prices</a>'
    filler = "<p>Grüße, 你好</p>\r\n"
    html = link + filler * ((5 * MEGABYTE - len(link)) // len(filler))
    sent = ana.send(connection_of(ana), html=html)
    message = arrived(stack, ana.email_when(sent["id"], "sent", 60))
    received = html_of(message)
    rewritten = re.sub(r'(?<=href=")http://[^"]*/t/c/[^"]*', "https://example.com/?a=1&amp;b=2", received)
    # Byte for byte, outside the link and the pixel, which a mail of this size has at its beginning.
    pixel, found, rest = rewritten.partition('border:0">')
    assert found
    assert pixel.startswith("<img ")
    assert rest == html


def test_more_html_is_refused_in_words(ana: Person) -> None:
    before = stored(ana)
    body = is_problem(post(ana, json.dumps(draft_of(ana, html="x" * (5 * MEGABYTE + 1)))), 422, "invalid")
    assert body["sentence"] == "The request cannot be read: html may have 5,242,880 characters at most."
    assert stored(ana) == before


@pytest.mark.parametrize(
    ("megabytes", "cause", "said"),
    [
        (25.5, "attachments_too_large", "Attachments may be 25 MB in all."),
        (
            24.9,
            "message_too_large",
            "Encoded for its way, the email is larger than the 35 MB the provider takes.",
        ),
    ],
)
def test_attachments_beyond_what_can_be_carried(ana: Person, megabytes: float, cause: str, said: str) -> None:
    before = stored(ana)
    content = base64.b64encode(b"\xff" * int(megabytes * MEGABYTE)).decode()
    files = [{"name": "big.bin", "content_base64": content}]
    answer = post(ana, json.dumps(draft_of(ana, attachments=files, html="x" * MEGABYTE)))
    body = is_problem(answer, 409, "not_ready")
    assert (body["cause"], body["sentence"]) == (cause, said)
    assert stored(ana) == before


def test_a_body_beyond_every_limit_is_refused_before_it_is_read(ana: Person) -> None:
    before = stored(ana)
    body = is_problem(post(ana, b'{"html": "' + b"x" * (41 * MEGABYTE) + b'"}'), 413, "too_large")
    assert body["sentence"] == "Attachments may be 25 MB in all; this is more than fits."
    assert stored(ana) == before


# -- encodings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"subject": "\xff\xfe"}', "send a JSON object"),
        (b'{"subject": "\xc3"}', "send a JSON object"),
        ('{"subject": "Grüße"}'.encode("latin-1"), "send a JSON object"),
        (b'{"subject": "\\ud800"}', "subject contains half a character"),
        (b'{"html": "a\\udfffb"}', "html contains half a character"),
        (b'{"to": ["\\ud800@x.example"]}', "to.0 contains half a character"),
        (b'{"subject": "a\\u0000b"}', "subject contains a NUL character"),
        (b'{"text": "a\\u0000b"}', "text contains a NUL character"),
        (b'{"attachments": [{"name": "a\\u0000", "content_base64": ""}]}', "name contains a NUL character"),
        (b'{"\\ud800": 1}', "contains half a character"),
        (b"[" * 200_000, "send a JSON object"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "send a JSON object"),
        (b'{"html": ' + b"[" * 900 + b"]" * 900 + b"}", "html must be a text"),
        (b'{"undo_seconds": ' + b"9" * 5_000 + b"}", "send a JSON object"),
        (b'{"undo_seconds": 1e999}', "undo_seconds must be a whole number"),
        (b'{"undo_seconds": NaN}', "undo_seconds must be a whole number"),
        (b'{"undo_seconds": 99999999999999999999}', "undo_seconds may be 3600 at most"),
        (b'{"send_at": "9999-12-31T23:59:59-23:59"}', "send_at must lie before the year 2100"),
        (b'{"send_at": 1e300}', "send_at is not a time"),
        (b'{"' + b"k" * MEGABYTE + b'": 1}', "is no field of this request"),
        (b'"text"', "send a JSON object"),
        (b"null", "send a JSON object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_broken_bodies_are_refused_in_words(ana: Person, body: bytes, said: str) -> None:
    before = stored(ana)
    answer = post(ana, body)
    assert said in is_problem(answer, 422, "invalid")["sentence"]
    assert stored(ana) == before


def test_a_time_before_every_calendar_has_passed(ana: Person) -> None:
    draft = {"connection": connection_of(ana), "to": ["ines@globex.example"], "subject": "x"}
    refused = ana.api("POST", "emails", {**draft, "send_at": "0001-01-01T00:00:00+23:59"})
    assert (refused.status_code, refused.json()["code"]) == (409, "hour_passed")


# -- attachments ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([{"name": "x", "content_base64": "%%%"}], "attachments.0.content_base64 is not base64"),
        ([{"name": "x", "content_base64": "YQ"}], "attachments.0.content_base64 is not base64"),
        ([{"name": "x", "content_base64": "YQ==\r\nX: y"}], "attachments.0.content_base64 is not base64"),
        ([{"name": "x", "content_base64": ["YQ=="]}], "attachments.0.content_base64"),
        ([{"name": "x", "content_base64": ""}] * 1000, "attachments may have 100 entries at most"),
        (
            [{"name": "n" * 10_240, "content_base64": ""}],
            "attachments.0.name may have 255 characters at most",
        ),
        (
            [{"name": "x", "type": "text/html\r\nX: y", "content_base64": ""}],
            "attachments.0.type must be a media type",
        ),
        ([{"name": "x", "type": "text", "content_base64": ""}], "attachments.0.type must be a media type"),
        ([{"content_base64": ""}], "attachments.0.name is missing"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_attachments_that_are_none(ana: Person, files: list[dict[str, Any]], said: str) -> None:
    before = stored(ana)
    answer = post(ana, json.dumps(draft_of(ana, attachments=files)))
    assert said in is_problem(answer, 422, "invalid")["sentence"]
    assert stored(ana) == before


@pytest.mark.parametrize(
    "claimed",
    ["message/rfc822", "multipart/mixed; boundary=x", "multipart/alternative", "text/html; charset=x"],
)
def test_a_file_is_never_read_as_a_part_of_the_mail(stack: Stack, ana: Person, claimed: str) -> None:
    content = b"Subject: inner\r\nContent-Type: text/html\r\n\r\n<p>inner</p>"
    files = [{"name": "mail.eml", "type": claimed, "content_base64": base64.b64encode(content).decode()}]
    sent = ana.send(connection_of(ana), attachments=files)
    message = arrived(stack, ana.email_when(sent["id"], "sent", 30))
    (file,) = message.iter_attachments()
    assert file.get_payload(decode=True) == content
    assert file.get_filename() == "mail.eml"
    assert file.get_content_type() in {"application/octet-stream", "text/html"}


def test_an_empty_file_arrives_empty(stack: Stack, ana: Person) -> None:
    sent = ana.send(connection_of(ana), attachments=[{"name": "empty.txt", "content_base64": ""}])
    (file,) = arrived(stack, ana.email_when(sent["id"], "sent", 30)).iter_attachments()
    assert file.get_payload(decode=True) == b""


# -- recipients -------------------------------------------------------------------------------------------------


def test_five_hundred_people_and_one_more(stack: Stack, ana: Person) -> None:
    people = [f"p{number}@globex.example" for number in range(501)]
    again = [one.upper() for one in people[:3]]
    sent = ana.send(connection_of(ana), to=people[:300], cc=people[300:400] + again, bcc=people[400:500])
    found = ana.email_when(sent["id"], "sent", 60)
    assert [one["address"] for one in found["deliveries"][0]["recipients"]] == people[:500]
    before = stored(ana)
    body = is_problem(post(ana, json.dumps(draft_of(ana, to=people))), 409, "not_ready")
    assert body["cause"] == "too_many_recipients"
    assert body["sentence"] == "501 people in one email; 500 is the most. Write to fewer at a time."
    assert stored(ana) == before


def test_every_entry_that_cannot_be_used_is_named(ana: Person) -> None:
    wrong = ["Ruiz", "müller@globex.example", "a b@globex.example", "Team: x@globex.example;", "ana@globex"]
    body = is_problem(post(ana, json.dumps(draft_of(ana, to=wrong))), 409, "not_ready")
    assert body["cause"] == "recipient_invalid"
    assert body["sentence"] == (
        "“Ruiz” has no @; where it is part of a name, put the name in quotation marks. “müller@globex.example” has "
        "letters before the @ that mail providers do not carry. “a b@globex.example” has a space inside the address. "
        "And 2 more."
    )


def test_a_domain_with_letters_travels_in_its_ascii_form(stack: Stack, ana: Person) -> None:
    sent = ana.send(connection_of(ana), to=["Jürgen Müller <info@müller.example>"])
    message = arrived(stack, ana.email_when(sent["id"], "sent", 30))
    (one,) = message["To"].addresses
    assert (one.addr_spec, one.display_name) == ("info@xn--mller-kva.example", "Jürgen Müller")


# -- Idempotency-Key --------------------------------------------------------------------------------------------


def test_a_key_with_another_body_leaves_the_first_mail_alone(stack: Stack, ana: Person) -> None:
    key, body = uuid4().hex, draft_of(ana)
    first = ana.api("POST", "emails", body, Idempotency_Key=key)
    before = stored(ana)
    for other in (
        {**body, "subject": "Other"},
        {**body, "to": ["tom@globex.example"]},
        {**body, "undo_seconds": 1},
    ):
        refused = is_problem(
            ana.api("POST", "emails", other, Idempotency_Key=key), 409, "idempotency_mismatch"
        )
        assert refused["sentence"].startswith("This Idempotency-Key was used for another email.")
    assert stored(ana) == before
    found = ana.email_when(first.json()["id"], "sent", 30)
    assert arrived(stack, found)["Subject"] == "Offer"
    again = ana.api("POST", "emails", body, Idempotency_Key=key)
    assert (again.status_code, again.json()["id"], again.json()["status"]) == (200, found["id"], "sent")


def test_another_members_key_is_another_key(stack: Stack, ana: Person) -> None:
    tom = stack.person("tom")
    tom.connect()
    key = uuid4().hex
    mine = ana.api("POST", "emails", draft_of(ana), Idempotency_Key=key)
    theirs = tom.api("POST", "emails", draft_of(tom), Idempotency_Key=key)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


def test_a_refused_request_uses_up_no_key(ana: Person) -> None:
    key = uuid4().hex
    is_problem(ana.api("POST", "emails", draft_of(ana, to=[]), Idempotency_Key=key), 409, "not_ready")
    assert ana.api("POST", "emails", draft_of(ana), Idempotency_Key=key).status_code == 201


def test_twenty_requests_at_once_with_one_key_make_one_email(stack: Stack, ana: Person) -> None:
    key, body, before = uuid4().hex, draft_of(ana, subject="Once"), stored(ana)
    ana.bearer  # noqa: B018
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ana.api("POST", "emails", body, Idempotency_Key=key), range(20)))
    assert sorted(one.status_code for one in answers) == [200] * 19 + [201]
    assert len({one.json()["id"] for one in answers}) == 1
    assert stored(ana) in {before + 1, 50}  # a page of the list holds fifty
    arrived(stack, ana.email_when(answers[0].json()["id"], "sent", 30))


def test_of_twenty_bodies_at_once_under_one_key_one_wins(ana: Person) -> None:
    key = uuid4().hex
    bodies = [draft_of(ana, subject=f"Body {number}") for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda one: ana.api("POST", "emails", one, Idempotency_Key=key), bodies))
    assert sorted(one.status_code for one in answers) == [201] + [409] * 19
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"idempotency_mismatch"}
