"""What people, lists and programs write is not taken for a bounce; automatic replies are told, with their day."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.inbox_mails import ordinary
from tests.inbox_mails.cases import as_html, parted
from tests.inbox_mails.replies import REPLIES, Reply

from truesend.inbox.incoming import Kind
from truesend.inbox.reading import read

NEWSLETTERS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "newsletters"


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: reply.name)
def test_an_automatic_reply_is_told_with_its_day(reply: Reply) -> None:
    told = read(reply.raw.encode())

    assert told.kind is Kind.AUTO_REPLY
    assert told.return_date == reply.back


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: reply.name)
def test_its_day_is_told_in_html_too(reply: Reply) -> None:
    raw = parted(
        ("text/html; charset=utf-8", as_html(reply.text)), sender="bo.berg@example.org", subject=reply.subject
    )
    told = read(raw.replace("MIME-Version", f"{reply.headers}MIME-Version", 1).encode())

    assert (told.kind, told.return_date) == (Kind.AUTO_REPLY, reply.back)


@pytest.mark.parametrize(
    "raw", [raw for _, raw in ordinary.mails()], ids=[name for name, _ in ordinary.mails()]
)
def test_an_ordinary_mail_is_nothing_else(raw: str) -> None:
    assert read(raw.encode()).kind is Kind.OTHER
    assert read(raw.replace("\n", "\r\n").encode()).kind is Kind.OTHER


def test_none_of_them_is_taken_for_a_bounce(capsys: pytest.CaptureFixture[str]) -> None:
    pages = sorted(NEWSLETTERS.rglob("*.html")) if NEWSLETTERS.exists() else []
    letters = [
        parted(
            ("text/html; charset=utf-8", page.read_text(encoding="utf-8", errors="replace")),
            sender=sender,
            subject=page.stem,
        )
        for page in pages
        for sender in ("News <news@service.example>", "no-reply@service.example")
    ]
    raws = [*letters, *(raw for _, raw in ordinary.mails()), *(reply.raw for reply in REPLIES)]
    wrong = [raw[:200] for raw in raws if read(raw.encode()).kind in {Kind.BOUNCE, Kind.DELAY}]
    with capsys.disabled():
        print(
            f"\n{len(raws)} mails that are no bounces, {len(letters)} of them newsletters: {len(wrong)} taken for one"
        )

    assert wrong == []
    assert len(raws) >= 200
