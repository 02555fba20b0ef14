"""The copies of an email where each person got one of their own: where each stands, and who opened and clicked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce, NullIf

from truesend import clock
from truesend.crm.models import Recording
from truesend.sending.models import Delivery, DeliveryStatus, Email, EmailStatus, Recipient
from truesend.sending.states import PAUSED
from truesend.tracking.models import CopyTally
from truesend.tracking.troubles import Failure, Trouble
from truesend.web import statuses

# On a page of their own, and where they stand among other things.
PAGE, FIRST = 100, 20
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


@dataclass(frozen=True, slots=True)
class Copies:
    """All copies of an email, in their order, with what a page says of them.

    ``labels`` is the name of each one's first recipient, else the address, and empty where there is one copy only;
    ``levels`` what the signals of each come to (:func:`truesend.tracking.query.rank`); ``links`` the tracked ones.
    ``returned``: what did not arrive of a copy. ``recorded``: a contact was, or is to be, told of one of them.
    ``written_again``: another email was sent in place of some of them.
    """

    rows: list[Delivery]
    labels: Mapping[UUID, str]
    levels: Mapping[UUID, int]
    links: Sequence[Mapping[str, Any]]
    returned: Mapping[UUID, Failure]
    recorded: bool = False
    written_again: bool = False


def copies_of(email: Email, trouble: Trouble | None = None) -> Copies:
    """One query; another one where the first copy has not left and others have."""
    first = Recipient.objects.filter(delivery=OuterRef("pk"), position=0)
    name = first.values_list(Coalesce(NullIf("name", Value("")), "address"))
    level = CopyTally.objects.filter(delivery=OuterRef("pk")).values("level")
    found = Delivery.objects.filter(email=email).defer("links").order_by("position")
    rows = list(
        found.annotate(
            told_to=Subquery(name),
            told_level=Subquery(level),
            told_crm=Exists(Recording.objects.filter(delivery=OuterRef("pk"))),
            told_again=Exists(Email.objects.filter(corrects=email).exclude(status=EmailStatus.DRAFT)),
            told_links=Case(When(position=0, then=F("links"))),
        )
    )
    links: Sequence[Mapping[str, Any]] = rows[0].told_links or () if rows else ()
    left = DeliveryStatus.ACCEPTED
    if email.track and rows and rows[0].status != left and any(one.status == left for one in rows):
        sent = Delivery.objects.filter(email=email).exclude(links=[])
        links = sent.order_by("position").values_list("links", flat=True).first() or ()
    return Copies(
        [*rows],
        {one.pk: one.told_to or "" for one in rows} if len(rows) > 1 else {},
        {one.pk: one.told_level or 0 for one in rows},
        links,
        {one.delivery: one for one in trouble.failures} if trouble is not None else {},
        any(one.told_crm for one in rows),
        bool(rows) and rows[0].told_again,
    )


def listed(found: Copies, provider: str, page: int = 1, size: int = PAGE) -> dict[str, Any] | None:
    """{summary, rows [{id, to, word, state, sentence, at}], count, page, pages}, those with a problem first.

    ``None`` where there is one copy only. A page has ``size`` of them.
    """
    if len(found.rows) < 2:
        return None
    told = sorted(
        found.rows,
        key=lambda one: (
            not one.held_cause,
            one.pk not in found.returned,
            _ORDER.index(one.status),
            one.position,
        ),
    )
    counts = Counter(_status(one).word for one in told)
    pages = -(-len(told) // size)
    page = min(page, pages)
    return {
        "summary": ", ".join(f"{count:,} {word.lower()}" for word, count in counts.most_common()),
        "rows": [
            _row(one, provider, found.labels[one.pk], found.levels[one.pk], found.returned.get(one.pk))
            for one in told[(page - 1) * size : page * size]
        ],
        "count": len(told),
        "page": page,
        "pages": pages,
    }


def _row(one: Delivery, provider: str, to: str, level: int, returned: Failure | None) -> dict[str, Any]:
    status = _status(one)
    word, state = status.word, status.state
    sentence = status.sentence.replace("{provider}", provider)
    if one.status == DeliveryStatus.ACCEPTED:
        word, state = _SEEN.get(level, (word, state))
        if returned is not None:
            word, state = ("Bounced", "bad") if returned.bounced else ("Delayed", "warn")
            sentence = returned.reason
    return {
        "id": str(one.pk),
        "to": to,
        "word": word,
        "state": state,
        "sentence": sentence,
        "at": one.sent_at or _leaves_at(one),
        "can_reply": one.status == DeliveryStatus.ACCEPTED,
    }


def _status(one: Delivery) -> statuses.Status:
    if one.held_cause == PAUSED:
        return statuses.PAUSED
    if one.held_cause:
        return statuses.HELD_FOR_A_WHILE if one.due_at else statuses.HELD
    return statuses.DELIVERY[DeliveryStatus(one.status)]


def _leaves_at(one: Delivery) -> datetime | None:
    """The hour of a copy that does not leave in a moment."""
    late = one.due_at is not None and one.due_at > clock.now() + A_MOMENT
    return clock.minute_after(one.due_at) if one.due_at is not None and late else None
