"""What leaves is read back by the standard library's parser: every field as it was written, every line in bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses
from typing import Any
from uuid import UUID

import pytest

from truesend.sending.addresses import Mailbox
from truesend.sending.compose import MARK_HEADER, File, Letter, compose

DELIVERY = UUID(int=7)
PLAIN: dict[str, Any] = {
    "delivery": DELIVERY,
    "sender": Mailbox("ana@northwind.example", "Ana Ruiz"),
    "to": [Mailbox("bea@customers.example", "Bea")],
    "cc": [],
    "bcc": [],
    "subject": "Offer",
    "html": "<p>Hello</p>",
    "text": "Hello\n",
    "files": [],
    "date": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
}
NAMES = (
    "",
    "Bea",
    "Bea, Inc.",
    'Bea "the bee" \\ Ruiz',
    "Beà Ruíz",
    "Ruíz, Beà (Sales) <not@an.address>",
    "=?utf-8?q?not_encoded?=",
    "J. R. O'Neill-Smith",
    "株式会社のとても長い名前" * 6,
    "a" * 190,
    "word " * 39,
    "🐝" * 50,
)
SUBJECTS = (
    "",
    "Offer",
    "An offer " * 40,
    "Angebot für Beà, gültig bis März",
    "=?utf-8?q?as_it_stands?=",
    "🐝" * 200,
    "x" * 5000,
    "Line\r\nBcc: everybody@else.example",
    "one two\tthree\u2028four",
    "50 % off? = yes",
)


def letter(**changes: Any) -> tuple[EmailMessage, bytes]:
    """A composed letter, parsed; what every letter must keep to is asserted."""
    raw = compose(Letter(**{**PLAIN, **changes}))
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    read = message_from_bytes(raw, policy=default)
    assert isinstance(read, EmailMessage)
    assert [part.defects for part in read.walk() if part.defects] == []
    assert read[MARK_HEADER] == str(DELIVERY)
    assert read["Date"].datetime == PLAIN["date"]
    return read, raw


def people(raw: bytes, header: str) -> list[tuple[str, str]]:
    """By the older parser: the newer one keeps the space between two encoded words of a name (RFC 2047, 6.2)."""
    found = getaddresses([message_from_bytes(raw)[header]])
    return [(str(make_header(decode_header(name))), address) for name, address in found]


def shown(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@pytest.mark.parametrize("name", NAMES)
def test_names_come_back(name: str) -> None:
    _, raw = letter(
        sender=Mailbox("ana@northwind.example", name), to=[Mailbox("bea@customers.example", name)]
    )
    assert people(raw, "From") == [(shown(name), "ana@northwind.example")]
    assert people(raw, "To") == [(shown(name), "bea@customers.example")]
    head = raw.partition(b"\r\n\r\n")[0]
    assert all(len(word) <= 75 for word in head.split() if word.startswith(b"=?"))


def test_many_people_come_back_in_order() -> None:
    several = [Mailbox(f"person-{number}@customers.example", name) for number, name in enumerate(NAMES * 40)]
    _, raw = letter(to=several, cc=several[:3], bcc=several[:2])
    for header, wanted in (("To", several), ("Cc", several[:3]), ("Bcc", several[:2])):
        assert people(raw, header) == [(shown(one.name), one.address) for one in wanted]
    long = [line for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n") if len(line) > 77]
    assert all(b"a" * 190 in line for line in long)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subjects_come_back_and_smuggle_nothing(subject: str) -> None:
    read, _ = letter(subject=subject)
    assert read["Subject"] == shown(subject)
    assert read.keys() == ["From", "To", "Subject", "Date", MARK_HEADER, "MIME-Version", "Content-Type"]


@pytest.mark.parametrize(
    "address", ["ana.ruiz+a@x.example", '"ana ruiz"@x.example', "a b@x.example", "ana..r@x.example"]
)
def test_odd_addresses_are_quoted(address: str) -> None:
    read, _ = letter(to=[Mailbox(address.replace('"', ""), "Ana")])
    (one,) = read["To"].addresses
    assert f"{one.username}@{one.domain}" == address.replace('"', "")


@pytest.mark.parametrize(
    "address",
    ["", "ana", "@x.example", "ana@", "ana@x.example\r\nBcc: b@x.example", "a\nb@x.example", "anä@x.example"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a header"):
        letter(to=[Mailbox(address, "Ana")])


@pytest.mark.parametrize(
    "html", ["<p>Hello</p>", "<p>Grüße 🐝</p>\r\n<p>\n\r</p>", "x" * 300_000, "=_ --boundary\r\n--", " "]
)
def test_html_is_carried_byte_for_byte(html: str) -> None:
    read, raw = letter(html=html)
    assert read.get_content_type() == "multipart/alternative"
    plain, part = read.iter_parts()
    assert (plain.get_content_type(), part.get_content_type()) == ("text/plain", "text/html")
    assert part.get_payload(decode=True) == html.encode()
    assert part.get_content_charset() == "utf-8"
    assert max(map(len, raw.split(b"\r\n"))) <= 100


@pytest.mark.parametrize(
    ("text", "coding"),
    [
        ("Hello\n", "7bit"),
        ("Hello", "7bit"),
        ("one\r\ntwo\rthree\nfour", "7bit"),
        ("", "7bit"),
        ("Grüße", "base64"),
        ("x" * 201, "base64"),
        (".\nFrom me\n", "7bit"),
    ],
)
def test_text_comes_back(text: str, coding: str) -> None:
    read, _ = letter(text=text, html="")
    assert read.get_content_type() == "text/plain"
    assert read["Content-Transfer-Encoding"] == coding
    wanted = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    assert read.get_content().replace("\r\n", "\n").rstrip("\n") == wanted


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a b.pdf", "application/pdf"),
        ("é.pdf", ""),
        ('q"uote\\.txt', "text/plain"),
        ("rés" * 80, "image/png"),
        ("x" * 250, "image/png"),
        ("a\r\nX-Evil: 1", "application/pdf"),
        ("", "application/zip"),
    ],
)
def test_files_come_back(name: str, kind: str) -> None:
    content = bytes(range(256)) * 50
    read, _ = letter(files=[File(name, kind, content), File("b.bin", "application/octet-stream", b"")])
    assert read.get_content_type() == "multipart/mixed"
    body, first, second = read.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    assert first.get_filename() == (shown(name) or "attachment")
    assert first.get_content_type() == (kind or "application/octet-stream")
    assert first.get_payload(decode=True) == content
    assert second.get_payload(decode=True) == b""
    assert first.get("X-Evil") is None


def test_pictures_belong_to_the_html_that_shows_them() -> None:
    html = '<p><img src="cid:a.b@truesend"></p>'
    files = [
        File("a.png", "image/png", b"picture", "a.b@truesend"),
        File("b.pdf", "application/pdf", b"file"),
    ]
    read, _ = letter(html=html, files=files)
    body, beside = read.iter_parts()
    text, related = body.iter_parts()
    shown, picture = related.iter_parts()
    assert [one.get_content_type() for one in (body, related)] == [
        "multipart/alternative",
        "multipart/related",
    ]
    assert text.get_content_type() == "text/plain"
    assert shown.get_content() == html
    assert (picture["Content-ID"], picture.get_content_disposition()) == ("<a.b@truesend>", "inline")
    assert picture.get_payload(decode=True) == b"picture"
    assert beside.get_filename() == "b.pdf"
    alone, _ = letter(html=html, files=files[:1])
    assert alone.get_content_type() == "multipart/alternative"


def test_an_answer_names_what_it_answers() -> None:
    numbers = [f"<{number}{'x' * 60}@mail.example>" for number in range(4)]
    read, _ = letter(references=numbers)
    assert read["In-Reply-To"] == numbers[-1]
    assert read["References"].split() == numbers
    first, _ = letter()
    assert first["In-Reply-To"] is first["References"] is None
