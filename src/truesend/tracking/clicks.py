"""Which links of an email were clicked, by whom: the place of each click."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, Sum

from truesend.tracking.models import Signal

_COUNTS = Q(klass=Signal.Klass.PERSON, struck=False)
_DOUBT = Q(klass=Signal.Klass.UNKNOWN, struck=False)


@dataclass(frozen=True, slots=True)
class LinkClicks:
    """Clicks on one link: ``times`` by persons, in ``copies`` of the email; whether others may have been by one, and
    whether anything else, a machine or the sender, followed it. Struck ones count nowhere.
    """

    times: int
    copies: int
    doubtful: bool
    others: bool


def clicks_of(email: UUID) -> dict[int, LinkClicks]:
    """By the number of the link, those that anything followed; one query."""
    found = (
        Signal.objects.filter(email=email, kind=Signal.Kind.CLICK, link__isnull=False)
        .values("link")
        .annotate(
            times=Sum("count", filter=_COUNTS, default=0),
            copies=Count("delivery", filter=_COUNTS, distinct=True),
            doubtful=Count("id", filter=_DOUBT),
            others=Count("id", filter=~_COUNTS & ~_DOUBT & Q(struck=False)),
        )
    )
    return {
        one["link"]: LinkClicks(one["times"], one["copies"], one["doubtful"] > 0, one["others"] > 0)
        for one in found
        if one["link"] is not None
    }
