"""The copies of an email where each person got one of their own: where each stands, and who opened and clicked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from truesend import clock
from truesend.sending.models import Delivery, DeliveryStatus, Recipient
from truesend.tracking.models import CopyTally
from truesend.web import statuses

PAGE = 100
# What waits longer than this has a reason worth telling.
A_MOMENT = timedelta(seconds=5)
# What an accepted copy's signals come to, by level (:func:`truesend.tracking.query.rank`).
_SEEN = {
    6: ("Answered", "ok"),
    5: ("Clicked", "ok"),
    4: ("Opened", "ok"),
    3: ("Cannot know", "eye"),
    2: ("Only machines", "bot"),
}
# What needs somebody first; else as they were written.
_ORDER = ("unknown", "refused", "queued", "sending", "cancelled", "accepted")


def labels_of(deliveries: Sequence[Delivery]) -> dict[UUID, str]:
    """By copy, the name of its first recipient, else the address; one query."""
    found = Recipient.objects.filter(delivery__in=[one.pk for one in deliveries], position=0)
    return {copy: name or address for copy, name, address in found.values_list("delivery", "name", "address")}


def copies(
    deliveries: Sequence[Delivery], provider: str, labels: Mapping[UUID, str], page: int = 1
) -> dict[str, Any] | None:
    """{summary, rows [{id, to, word, state, sentence, at}], count, page, pages}, those with a problem first.

    ``None`` where there is one copy only. ``deliveries`` are all of them, ``labels`` by copy. One query.
    """
    if len(deliveries) < 2:
        return None
    told = sorted(deliveries, key=lambda one: (not one.held_cause, _ORDER.index(one.status), one.position))
    counts = Counter(_status(one).word for one in told)
    pages = -(-len(told) // PAGE)
    page = min(page, pages)
    shown = told[(page - 1) * PAGE : page * PAGE]
    tallies = CopyTally.objects.filter(delivery__in=[one.pk for one in shown], level__gt=0)
    levels = dict(tallies.values_list("delivery", "level"))
    return {
        "summary": ", ".join(f"{count:,} {word.lower()}" for word, count in counts.most_common()),
        "rows": [_row(one, provider, labels.get(one.pk, ""), levels.get(one.pk, 0)) for one in shown],
        "count": len(told),
        "page": page,
        "pages": pages,
    }


def _row(one: Delivery, provider: str, to: str, level: int) -> dict[str, Any]:
    status = _status(one)
    word, state = status.word, status.state
    if one.status == DeliveryStatus.ACCEPTED:
        word, state = _SEEN.get(level, (word, state))
    return {
        "id": str(one.pk),
        "to": to,
        "word": word,
        "state": state,
        "sentence": status.sentence.replace("{provider}", provider),
        "at": one.sent_at or _leaves_at(one),
    }


def _status(one: Delivery) -> statuses.Status:
    if one.held_cause:
        return statuses.HELD_FOR_A_WHILE if one.due_at else statuses.HELD
    return statuses.DELIVERY[DeliveryStatus(one.status)]


def _leaves_at(one: Delivery) -> datetime | None:
    """The hour of a copy that does not leave in a moment."""
    late = one.due_at is not None and one.due_at > clock.now() + A_MOMENT
    return clock.minute_after(one.due_at) if one.due_at is not None and late else None
