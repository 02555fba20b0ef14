"""How much the files of a member's drafts may hold together: what is sent needs its files, a draft only may need them.

Nothing else stands in a disk's way: an email's files are 25 MB at most, but drafts are as many as somebody likes.
What belongs to nothing is never stored: pieces and the row of their file are written in one transaction, and a foreign
key without which the database takes no piece; a draft that is deleted takes its files with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Sum

from truesend import env
from truesend.organizations.models import Member
from truesend.sending.models import Attachment, EmailStatus

_MB = 1024 * 1024


@dataclass(frozen=True)
class Storage:
    """Bytes that the files of a member's drafts hold, and may hold."""

    used: int
    most: int

    def refusal(self, name: str, size: int) -> str:
        """Why a file of so many bytes does not fit beside the others, as a sentence; empty where it does."""
        if self.used + size <= self.most:
            return ""
        already = f", and are {_words(self.used)} already" if self.used else ""
        return (
            f"“{name}” does not fit: the files of all your drafts may be {_words(self.most)} together{already}. "
            "Delete drafts that you no longer need (My Emails, Draft) or files of them, then attach it again."
        )


def of(member: Member) -> Storage:
    """As it is now. Uploads under way are not in it: each looks again at its end, with :func:`alone`."""
    drafts = Attachment.objects.filter(email__member=member, email__status=EmailStatus.DRAFT)
    used = drafts.aggregate(total=Sum("size"))["total"]
    return Storage(int(used or 0), env.number("DRAFT_STORAGE_MB") * _MB)


def alone(member_id: UUID) -> None:
    """Let one upload of a member at a time look and store, until the transaction ends: they fill no place twice."""
    # A weaker lock than others have on the row: rows that refer to the member can be written meanwhile.
    Member.objects.select_for_update(no_key=True).only("pk").get(pk=member_id)


def _words(size: int) -> str:
    return f"{size / _MB:.1f} MB".replace(".0 MB", " MB")
