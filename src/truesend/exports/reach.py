"""What an export reads: a member's own, or everything of their organization, a stretch at a time.

Each query names the organization. A stretch is read by what an index orders, so that a large one costs no more than
its own rows, and nothing is held longer than it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from truesend.connections.models import Connection
from truesend.organizations.models import Member
from truesend.sending.models import Attachment, Delivery, Email
from truesend.tracking.models import Signal
from truesend.writing.models import Signature, Template

M = TypeVar("M", bound=Model)

EMAILS = 50
"""Emails of one stretch: each may have a body of a megabyte."""

ROWS = 500
"""Of other tables."""


@dataclass(frozen=True)
class Reach:
    """Whose things: those of ``member_id``, or where it is ``None`` everybody's of the organization."""

    organization_id: UUID
    member_id: UUID | None

    @property
    def is_whole(self) -> bool:
        """Whether it is everything of the organization."""
        return self.member_id is None

    def emails(self) -> QuerySet[Email]:
        """Emails: one's own, as My Emails shows them."""
        return self._mine(Email.objects.filter(organization=self.organization_id))

    def connections(self) -> QuerySet[Connection]:
        """Accounts that were connected: of a member, those they connected."""
        return self._mine(Connection.objects.filter(organization=self.organization_id))

    def templates(self) -> QuerySet[Template]:
        """Templates and snippets: of a member, those they made."""
        return self._mine(Template.objects.filter(organization=self.organization_id, deleted_at=None))

    def signatures(self) -> QuerySet[Signature]:
        """Signatures."""
        return self._mine(Signature.objects.filter(member__organization=self.organization_id))

    def members(self) -> QuerySet[Member]:
        """Members, those who were removed too."""
        rows = Member.objects.filter(organization=self.organization_id)
        return rows if self.member_id is None else rows.filter(pk=self.member_id)

    def _mine(self, rows: QuerySet[M]) -> QuerySet[M]:
        return rows if self.is_whole else rows.filter(member=self.member_id)

    def stretches(self, *fields: str) -> Iterator[list[Email]]:
        """All emails, newest first, some at a time; with ``fields`` only those are read."""
        rows = self.emails().order_by("-created_at", "pk")
        rows = rows.only("id", "created_at", *fields) if fields else rows
        following = rows
        while found := list(following[:EMAILS]):
            yield found
            last = found[-1]
            following = rows.filter(
                Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__gt=last.pk)
            )

    def deliveries(self) -> Iterator[list[Delivery]]:
        """All copies, email by email."""
        for emails in self.stretches("subject"):
            known = {one.pk: one for one in emails}
            for found in by_key(Delivery.objects.filter(email__in=known)):
                for one in found:
                    one.email = known[one.email_id]
                yield found

    def signals(self) -> Iterator[list[Signal]]:
        """All opens, clicks and the like, email by email."""
        for emails in self.stretches("subject"):
            ids = [one.pk for one in emails]
            yield from by_key(Signal.objects.filter(organization=self.organization_id, email__in=ids))

    def attachments(self) -> Iterator[Attachment]:
        """All files, email by email."""
        for emails in self.stretches("subject"):
            rows = Attachment.objects.filter(email__in=[one.pk for one in emails])
            yield from rows.order_by("email", "position")


def by_key(rows: QuerySet[M], most: int = ROWS) -> Iterator[list[M]]:
    """All rows in the order of their key, some at a time."""
    rows = rows.order_by("pk")
    following = rows
    while found := list(following[:most]):
        yield found
        following = rows.filter(pk__gt=found[-1].pk)


def values(rows: QuerySet[Any], *fields: str) -> list[dict[str, Any]]:
    """The fields of a short table, oldest first."""
    return list(rows.values(*fields))
