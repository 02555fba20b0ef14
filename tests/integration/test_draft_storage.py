"""What a member's drafts may hold, on real rows: looked at first, while a file grows, and at its end."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connections, transaction
from django.test import Client
from tests import rows

from truesend.organizations.models import Member
from truesend.sending import attachments, storage
from truesend.sending.models import Attachment, AttachmentPiece, Email, EmailStatus

pytestmark = pytest.mark.django_db(transaction=True)
MB = 1024 * 1024


@pytest.fixture(autouse=True)
def _two_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_DRAFT_STORAGE_MB", "2")


@pytest.fixture
def ana() -> Member:
    return rows.member()


def attach(
    person: Member, size: int, draft: UUID | None = None, *, announced: int | None = None
) -> Attachment:
    content = io.BytesIO(b"x" * size)
    return attachments.attach(
        person, draft or uuid4(), name="plan.pdf", content_type="", read=content.read, announced=announced
    )


def test_drafts_together_hold_so_much_and_no_more(ana: Member) -> None:
    first = attach(ana, MB)
    attach(ana, MB - 10)
    assert storage.of(ana) == storage.Storage(2 * MB - 10, 2 * MB)
    attach(ana, 10)
    with pytest.raises(attachments.Refused) as refused:
        attach(ana, 1)
    assert str(refused.value) == (
        "“plan.pdf” does not fit: the files of all your drafts may be 2 MB together, and are 2 MB already. "
        "Delete drafts that you no longer need (My Emails, Draft) or files of them, then attach it again."
    )
    attach(rows.member("ben"), MB)  # everybody has their own
    Email.objects.get(pk=first.email_id).delete()
    attach(ana, MB)


def test_what_was_sent_counts_no_more(ana: Member) -> None:
    sent = attach(ana, 2 * MB)
    connection = rows.mailbox(ana)
    Email.objects.filter(pk=sent.email_id).update(status=EmailStatus.QUEUED, connection=connection)
    assert storage.of(ana).used == 0
    attach(ana, 2 * MB)


def test_what_is_announced_too_large_is_not_read_and_begins_no_draft(ana: Member) -> None:
    def read(size: int) -> bytes:
        raise AssertionError("read")

    draft = uuid4()
    with pytest.raises(attachments.Refused, match="does not fit"):
        attachments.attach(ana, draft, name="plan.pdf", content_type="", read=read, announced=2 * MB + 1)
    assert not Email.objects.filter(pk=draft).exists()


@pytest.mark.parametrize("announced", [None, 10])
def test_what_grows_too_large_is_read_no_further_and_leaves_nothing(
    ana: Member, announced: int | None
) -> None:
    asked: list[int] = []

    def endless(size: int) -> bytes:
        asked.append(size)
        return b"x" * size

    with pytest.raises(attachments.Refused, match="may be 2 MB together"):
        attachments.attach(ana, uuid4(), name="plan.pdf", content_type="", read=endless, announced=announced)
    assert sum(asked) == 2 * MB + attachments.PIECE_BYTES
    assert not Attachment.objects.exists()
    assert not AttachmentPiece.objects.exists()


def test_two_at_once_do_not_fill_the_same_place(ana: Member) -> None:
    both_read = Barrier(2, timeout=20)

    def one(_: int) -> str:
        content = io.BytesIO(b"x" * (MB + 1))

        def read(size: int) -> bytes:
            stretch = content.read(size)
            if not stretch:
                both_read.wait()
            return stretch

        try:
            attachments.attach(ana, uuid4(), name="plan.pdf", content_type="", read=read)
        except attachments.Refused:
            return "refused"
        finally:
            connections.close_all()
        return "stored"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == ["refused", "stored"]
    assert storage.of(ana).used == MB + 1


def test_an_upload_that_breaks_off_leaves_no_piece(ana: Member) -> None:
    stretches = iter([b"x" * attachments.PIECE_BYTES] * 3)

    def broken(size: int) -> bytes:
        try:
            return next(stretches)
        except StopIteration:
            raise OSError("the connection is gone") from None

    with pytest.raises(OSError, match="gone"):
        attachments.attach(ana, uuid4(), name="plan.pdf", content_type="", read=broken)
    assert not AttachmentPiece.objects.exists()


def test_the_database_takes_no_piece_that_belongs_to_nothing(ana: Member) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AttachmentPiece.objects.create(attachment_id=uuid4(), position=0, content=b"x")
    file = attach(ana, MB)
    Email.objects.get(pk=file.email_id).delete()
    assert not AttachmentPiece.objects.exists()


def test_the_page_says_so_with_and_without_scripts(ana: Member) -> None:
    client = Client(HTTP_HOST="localhost:8000")
    client.force_login(ana.user)
    attach(ana, 2 * MB)
    draft = uuid4()
    refused = client.post(
        f"/emails/drafts/{draft}/attachments",
        data=b"x",
        content_type="application/octet-stream",
        headers={"X-File-Name": "a%20b.txt"},
    )
    assert refused.status_code == 413
    assert refused.json()["sentence"].startswith("“a b.txt” does not fit: the files of all your drafts")
    form = {"subject": "Kept", "action": "save", "files": io.BytesIO(b"x")}
    page = client.post(f"/emails/drafts/{draft}/send", form, follow=True)
    assert "Delete drafts that you no longer need" in page.content.decode()
    assert Email.objects.get(pk=draft).subject == "Kept"
