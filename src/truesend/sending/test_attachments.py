"""Names and types of files as they come in and as they are kept."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truesend.sending.attachments import UNKNOWN_TYPE, clean_name, clean_type
from truesend.sending.sizes import size_words


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("Angebot für Grüße 見積書 😀.pdf", "Angebot für Grüße 見積書 😀.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\report.docx", "report.docx"),
        ("a\r\nBcc: eve@evil.example\r\n.txt", "a Bcc: eve@evil.example .txt"),
        ("nul\x00byte\x7f.txt", "nul byte .txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("half\ud83d.txt", "half.txt"),
        (".gitignore", ".gitignore"),
        ("dots...", "dots"),
        ("", "attachment"),
        ("..", "attachment"),
        ("/", "attachment"),
        ("\u202e\u2066", "attachment"),
        ('quote"; filename="other.exe', 'quote"; filename="other.exe'),
        ("e\u0301te.txt", "éte.txt"),
    ],
)
def test_names(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


def test_a_long_name_keeps_its_ending() -> None:
    kept = clean_name("ü" * 300 + ".pdf")
    assert kept.endswith("ü….pdf")
    assert len(kept.encode()) <= 180
    assert len(clean_name("x" * 300 + "." + "y" * 50).encode()) <= 180


@given(st.text(max_size=300))
def test_any_name_is_one_line_that_can_be_stored_and_sent(name: str) -> None:
    kept = clean_name(name)
    assert kept
    assert kept == clean_name(kept)
    assert "/" not in kept
    assert "\\" not in kept
    assert len(kept.encode()) <= 180
    assert kept.splitlines() == [kept]
    message = EmailMessage(policy=policy.SMTP)
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename=kept)
    (part,) = message_from_bytes(message.as_bytes(), policy=policy.default).iter_attachments()
    assert part.get_content_type() == "application/pdf"


@pytest.mark.parametrize(
    ("given_type", "kept"),
    [
        ("application/pdf", "application/pdf"),
        ("Text/HTML; charset=utf-8", "text/html"),
        ("application/vnd.ms-excel.sheet.macroEnabled.12", "application/vnd.ms-excel.sheet.macroenabled.12"),
        ("", UNKNOWN_TYPE),
        ("pdf", UNKNOWN_TYPE),
        ("text/", UNKNOWN_TYPE),
        ("text/html\r\nX-Evil: 1", UNKNOWN_TYPE),
        ("multipart/mixed", UNKNOWN_TYPE),
        ("message/rfc822", UNKNOWN_TYPE),
        ("a/" + "b" * 200, UNKNOWN_TYPE),
        ("téxt/plain", UNKNOWN_TYPE),
    ],
)
def test_types(given_type: str, kept: str) -> None:
    assert clean_type(given_type) == kept


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1 KB"),
        (26214400, "25 MB"),
        (2621440, "2.5 MB"),
        # A byte too many for a limit is not said to be the limit.
        (1048577, "1.01 MB"),
        (26214401, "25.01 MB"),
    ],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert size_words(size) == words
