"""What persons did just now, and what came back undelivered: signals worth telling somebody at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from truesend.tracking.models import Signal
from truesend.tracking.query import COUNTS_FROM

KINDS = (Signal.Kind.OPEN, Signal.Kind.CLICK, Signal.Kind.REPLY)
_BY_A_PERSON = Q(klass=Signal.Klass.PERSON) & (
    Q(kind=Signal.Kind.CLICK) | Q(kind=Signal.Kind.OPEN, confidence__gte=COUNTS_FROM)
)
_COUNTS = (Q(kind__in=(Signal.Kind.REPLY, Signal.Kind.BOUNCE)) | _BY_A_PERSON) & Q(struck=False)


def telling(organization: UUID, ids: Iterable[int], since: datetime) -> list[Signal]:
    """Those of the signals that a person made since then and that count, newest first; by their ids, one query."""
    found = Signal.objects.filter(_COUNTS, pk__in=list(ids), organization=organization, at__gte=since)
    return list(found.order_by("-at", "-id"))


def copies_since(emails: Iterable[UUID], since: datetime) -> dict[tuple[UUID, str], int]:
    """In how many copies of each email that happened since then, by email and kind; one query."""
    found = Signal.objects.filter(_COUNTS, email__in=list(emails), at__gte=since).values("email", "kind")
    return {
        (one["email"], one["kind"]): one["copies"]
        for one in found.annotate(copies=Count("delivery", distinct=True))
    }
