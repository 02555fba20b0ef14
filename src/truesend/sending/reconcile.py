"""What became of a send that nobody answered for: looked up in Sent, or asked of a person.

UNKNOWN and found: accepted. Proved absent: not sent, queued again by itself. Neither: a person says it, once. Nothing
here ever decides by guess, and nothing judges absence before no byte can leave and the provider had its quiet time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from truesend import clock
from truesend.connections import proofs, tokens
from truesend.connections.causes import at_time
from truesend.connections.describe import with_facts
from truesend.connections.models import Connection, LedgerKind
from truesend.organizations import installation
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Capability, Evidence, SentCopy, Traces
from truesend.providers.errors import Outcome, ProviderError
from truesend.sending import clearing, wake
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, SettledBy
from truesend.sending.settle import refresh_email

log = logging.getLogger("truesend.sending")

# A mailbox is read once for so many of its unknown deliveries.
_AT_ONCE = 100
# More than a mailbox sends in a day.
_MOST_KNOWN = 10_000
# Clocks differ, here and at the provider.
_MARGIN = timedelta(minutes=5)
_SOON, _LATEST, _LATE = timedelta(seconds=15), timedelta(minutes=15), timedelta(hours=1)
# A mailbox that could not be read for so long is not waited for: a person is asked, and the look goes on no more.
_GIVE_UP = timedelta(days=3)
# After a restore a person lets go what is proved absent: it was due long ago.
RESTORED = "restored"


def due(most: int) -> list[UUID]:
    """Connections with an unknown delivery that is to be looked up now, the longest waiting first."""
    now = clock.now()
    soon = Delivery.objects.filter(look_at__lte=now).order_by("look_at")
    late = Delivery.objects.filter(look_late_at__lte=now, status=DeliveryStatus.UNKNOWN).order_by(
        "look_late_at"
    )
    found: dict[UUID, None] = {}
    for rows in (soon, late):
        found |= dict.fromkeys(rows.values_list("connection_id", flat=True)[: most * 10])
    return list(found)[:most]


def can_look(connection: Connection) -> bool:
    """Whether Truesend may read this mailbox's Sent."""
    adapter = registry.provider(connection.provider)
    return connection.disconnected_at is None and Capability.READ in adapter.granted(
        connection.granted_scopes
    )


def looks_late(connection: Connection) -> bool:
    """Whether what its member is asked about is looked for besides: its Sent proves nothing absent, and may be late."""
    return can_look(connection) and not registry.provider(connection.provider).proves_absence


def would_answer(connection: Connection) -> bool:
    """Whether the permission to read, not given, would let Truesend look by itself."""
    adapter = registry.provider(connection.provider)
    return (
        Capability.READ in adapter.capabilities
        and connection.disconnected_at is None
        and Capability.READ not in adapter.granted(connection.granted_scopes)
    )


def look_again(connection_id: UUID) -> int:
    """Look up everything unknown in a mailbox now: the permission to read was just given. How many there are."""
    unknown = Delivery.objects.filter(connection_id=connection_id, status=DeliveryStatus.UNKNOWN)
    return unknown.update(look_at=clock.now())


def look_up(connection_id: UUID) -> None:
    """Look for what is unknown in one mailbox, once."""
    began, real = clock.now(), clock.real_now()
    connection = with_facts(Connection.objects.filter(pk=connection_id)).first()
    if connection is None or not installation.may_act():
        return
    unknown = Delivery.objects.filter(connection=connection, status=DeliveryStatus.UNKNOWN)
    waiting = list(
        unknown.filter(Q(look_at__lte=began) | Q(look_late_at__lte=began))
        .select_related("connection")
        .order_by("look_at")[:_AT_ONCE]
    )
    pairs = [(one, attempt) for one in waiting if (attempt := _open_attempt(one)) is not None]
    if not pairs:
        return
    if not can_look(connection):
        _ask(pairs)
        unknown.filter(look_late_at__lte=began).update(look_late_at=None)
        return
    soon, late = _soon_and_late(pairs)
    try:
        traces = _read(connection, pairs)
    except ProviderError as error:
        log.info("A mailbox could not be read to look for an email (%s); it is looked at again.", error.cause)
        _later(soon, began)
        _once_more(late, began)
        return
    proves = registry.provider(connection.provider).proves_absence
    for delivery, attempt in pairs:
        copy = traces.found.get(str(delivery.pk))
        if copy is not None:
            _found(delivery, attempt, copy)
        elif delivery.look_at is None:
            _once_more([(delivery, attempt)], began)
        elif not _is_over(delivery, attempt, began, real):
            _later([(delivery, attempt)], began)
        elif (traces.complete or str(delivery.pk) in traces.absent) and proves:
            _absent(delivery, attempt)
        else:
            _ask([(delivery, attempt)])
            if not proves:
                _once_more([(delivery, attempt)], began)


Pair = tuple[Delivery, Attempt]


def _open_attempt(delivery: Delivery) -> Attempt | None:
    return Attempt.objects.filter(delivery=delivery, outcome=Outcome.UNKNOWN).order_by("-number").first()


def _is_over(delivery: Delivery, attempt: Attempt, began: datetime, real: datetime) -> bool:
    """Whether, when the reading began, no byte could leave any more and the quiet time was over."""
    return (delivery.ask_from is None or began >= delivery.ask_from) and (
        attempt.over_at is None or real >= attempt.over_at
    )


def _read(connection: Connection, pairs: Sequence[Pair]) -> Traces:
    """Read Sent for all of them; the answer also proves reading, or its failure."""
    adapter = registry.provider(connection.provider)
    access = tokens.access_token(connection, trigger="look_up")
    first = min((attempt for _, attempt in pairs), key=lambda one: one.started_at)
    try:
        traces = adapter.traces(
            access,
            [str(delivery.pk) for delivery, _ in pairs],
            since=first.started_at - _MARGIN,
            position=first.position,
            references={
                str(delivery.pk): attempt.reference for delivery, attempt in pairs if attempt.reference
            },
            known=_known(connection, first.started_at - _MARGIN),
        )
    except ProviderError as error:
        evidence = Evidence("read", False, "sent.list", error.cause, error.words, until=error.retry_at)
        proofs.record(connection, [evidence], kind=LedgerKind.PROBE, trigger="look_up")
        raise
    evidence = Evidence("read", True, "sent.list")
    proofs.record(connection, [evidence], kind=LedgerKind.PROBE, trigger="look_up")
    return traces


def _known(connection: Connection, since: datetime) -> list[str]:
    """The ids of what was accepted since, the newest: the other copies of a mailing, for the most part."""
    accepted = Delivery.objects.filter(
        connection=connection, status=DeliveryStatus.ACCEPTED, sent_at__gte=since
    ).exclude(provider_message_id="")
    return list(accepted.order_by("-sent_at").values_list("provider_message_id", flat=True)[:_MOST_KNOWN])


def _soon_and_late(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Those that are being looked up, and those whose member has been asked already."""
    return [one for one in pairs if one[0].look_at is not None], [
        one for one in pairs if one[0].look_at is None
    ]


def _once_more(pairs: Sequence[Pair], now: datetime) -> None:
    """Look again though a person was asked, ever more rarely: what shows late is found all the same."""
    for delivery, attempt in pairs:
        waited = now - (attempt.finished_at or attempt.started_at)
        at = now + min(max(_LATEST / 3, waited / 2), _LATE) if waited <= _GIVE_UP else None
        Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.UNKNOWN).update(look_late_at=at)


def _later(pairs: Sequence[Pair], now: datetime) -> None:
    """Look again: soon at first, at the moment that decides, and ever more rarely after it."""
    for delivery, attempt in pairs:
        waited = now - (attempt.finished_at or attempt.started_at)  # a backup may be older than that
        if waited > _GIVE_UP:
            _ask([(delivery, attempt)])
            continue
        at = now + min(max(_SOON, waited / 2), _LATEST)
        decides = decides_at(delivery, attempt, now)
        if now < decides:
            at = min(at, decides)
        Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.UNKNOWN).update(look_at=at)


def decides_at(delivery: Delivery, attempt: Attempt, now: datetime) -> datetime:
    """From when absence can be believed: by the look that decides, and from a person who says it."""
    return max(filter(None, (delivery.ask_from, _soon_over(attempt, now))), default=now)


def _soon_over(attempt: Attempt, now: datetime) -> datetime | None:
    """When no byte of it can leave any more, on the clock that can be moved."""
    return now + (attempt.over_at - clock.real_now()) if attempt.over_at is not None else None


def _ask(pairs: Sequence[Pair]) -> None:
    """Nothing more to look at: the email's page asks its member."""
    for delivery, _ in pairs:
        with transaction.atomic():
            changed = Delivery.objects.filter(
                pk=delivery.pk, status=DeliveryStatus.UNKNOWN, look_at__isnull=False
            ).update(look_at=None)
            if changed:
                refresh_email(delivery.email_id)


def _found(delivery: Delivery, attempt: Attempt, copy: SentCopy) -> bool:
    """It was sent, and there it is."""
    ids = {
        "provider_message_id": copy.message_id[:255],
        "provider_thread_id": copy.thread_id[:255],
        "message_id": copy.internet_message_id[:998],
    }
    proved = Evidence("send", True, "sent.list")
    return _conclude(delivery, attempt, Outcome.ACCEPTED, SettledBy.SENT, proved=proved, **ids)


def _absent(delivery: Delivery, attempt: Attempt) -> bool:
    """It is proved that nothing was sent: it goes by itself, or after a restore when somebody lets it."""
    if attempt.cause == RESTORED:
        return _conclude(delivery, attempt, Outcome.NOT_SENT, SettledBy.SENT, held_cause=RESTORED)
    return _conclude(delivery, attempt, Outcome.NOT_SENT, SettledBy.SENT, due_at=clock.now())


_SETTLED = {"look_at": None, "look_late_at": None, "ask_from": None}


class NotUnknown(Exception):
    """There is nothing to answer: it is known what became of it."""


class TooEarly(Exception):
    """It may still arrive in Sent until ``at``."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"It may still arrive in Sent. Look again {at_time(at, clock.now())}.")
        self.at = at


def resolve(delivery: Delivery, member: Member, *, sent: bool, resend: bool = False) -> None:
    """A person has looked: it is in Sent, or it is not and is sent again (or given up).

    Raises :class:`NotUnknown`, and :class:`TooEarly` where "it is not there" cannot be believed yet.
    """
    attempt = _open_attempt(delivery)
    if delivery.status != DeliveryStatus.UNKNOWN or attempt is None:
        raise NotUnknown
    now, real = clock.now(), clock.real_now()
    if not sent and not _is_over(delivery, attempt, now, real):
        raise TooEarly(decides_at(delivery, attempt, now))
    by = SettledBy.PERSON
    who = member.user.email
    if sent:
        done = _conclude(delivery, attempt, Outcome.ACCEPTED, by, who=who)
    elif resend:
        # Whoever says this of one copy means this copy, whatever was said of the email.
        Email.objects.filter(pk=delivery.email_id).update(halt="")
        # They know the hour, so that it has passed keeps nothing back.
        done = _conclude(delivery, attempt, Outcome.NOT_SENT, by, who=who, due_at=now, late_after=None)
    else:
        done = _conclude(delivery, attempt, Outcome.NOT_SENT, by, who=who, status=DeliveryStatus.CANCELLED)
    if not done:
        raise NotUnknown


def _conclude(
    delivery: Delivery,
    attempt: Attempt,
    outcome: Outcome,
    by: SettledBy,
    *,
    who: str = "",
    proved: Evidence | None = None,
    **fields: object,
) -> bool:
    """Write what an unknown turned out to be, guarded: the first truth stands."""
    now = clock.now()
    accepted = outcome is Outcome.ACCEPTED
    told: Mapping[str, object] = clearing.after(attempt, delivery.connection.provider, now)
    if accepted:
        told = {"status": DeliveryStatus.ACCEPTED, "sent_at": attempt.started_at}
    with transaction.atomic():
        unknown = Attempt.objects.filter(pk=attempt.pk, outcome=Outcome.UNKNOWN)
        if unknown.update(outcome=outcome, settled_at=now, settled_by=by) != 1:
            return False
        Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.UNKNOWN).update(
            **_SETTLED | {"status": DeliveryStatus.QUEUED, **told, **fields}
        )
        connection, ref = delivery.connection, str(delivery.pk)
        trigger = who or "look_up"
        if proved is not None:
            proofs.record(connection, [proved], kind=LedgerKind.SEND, trigger=trigger, ref=ref, at=now)
        else:
            result = "settled_sent" if accepted else "settled_not_sent"
            proofs.note(connection, LedgerKind.SEND, trigger=trigger, result=result, ref=ref)
        refresh_email(delivery.email_id, problem="")
        if not accepted:
            wake.mailbox(delivery.connection_id)
    return True
