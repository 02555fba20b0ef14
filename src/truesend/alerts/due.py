"""The warning before the hour: scheduled mail that would not leave, told while there is time to repair its mailbox.

Once for a mailbox and the trouble it is in, to whoever wrote the mail and to whoever can help; who was told of the
trouble itself within the same hours is not told again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Min, QuerySet

from truesend import clock
from truesend.alerts import post, texts
from truesend.alerts.models import Letter
from truesend.connections.causes import Who
from truesend.connections.describe import Description, described_all, people_for
from truesend.connections.models import Connection
from truesend.organizations.models import Member
from truesend.sending import readiness
from truesend.sending.models import Delivery, DeliveryStatus

BEFORE = timedelta(hours=3)


def look() -> None:
    """Warn of what is due soon in a mailbox that cannot send."""
    now = clock.now()
    first = dict(_soon(now).order_by().values_list("connection_id").annotate(first=Min("due_at")))
    if not first:
        return
    for one in described_all(Connection.objects.filter(pk__in=first, disconnected_at=None)):
        if not readiness.can_send(one) and readiness.limited_until(one) is None:
            _warn(one, first[one.connection.pk], now)


def _soon(now: datetime) -> QuerySet[Delivery]:
    """What was written for an hour that comes soon."""
    return Delivery.objects.filter(
        status=DeliveryStatus.QUEUED, due_at__gt=now, due_at__lte=now + BEFORE, late_after__isnull=False
    )


def _warn(one: Description, first: datetime, now: datetime) -> None:
    send = one.verdict.capability("send")
    since = send.proof.at if send is not None and send.proof is not None else now
    about = f"due {one.connection.pk} {since:%Y-%m-%dT%H:%M:%S}"
    if Letter.objects.filter(kind=Letter.Kind.DUE, about=about).exists():
        return
    mine = _soon(now).filter(connection=one.connection).order_by()
    active = mine.filter(email__member__in=Member.objects.active())
    writers = active.values_list("email__member__user__email")
    helpers = [person["email"] for person in people_for(Who.HOLDER, one.connection)]
    told = Letter.objects.filter(
        kind=Letter.Kind.BROKEN,
        about__startswith=str(one.connection.pk),
        planned_at__gt=clock.real_now() - BEFORE,
    )
    knows = set(told.values_list("address", flat=True))
    addresses = [*(address for (address,) in writers.distinct()), *helpers]
    count = mine.values("email_id").distinct().count()
    with transaction.atomic():
        post.plan(
            Letter.Kind.DUE,
            about,
            [each for each in addresses if each not in knows],
            texts.due(one, first, count=count),
        )
