"""What a look found, written at once: the cursor, each mail once, its signals, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection as database
from django.db import transaction
from django.db.models import Case, F, Value, When

from truesend import clock, live_events
from truesend.connections import proofs
from truesend.connections.causes import cause
from truesend.connections.models import Connection, LedgerKind, Proof
from truesend.inbox import asking
from truesend.inbox.matching import RULES, Letter, Match, Said
from truesend.inbox.models import Arrival, Mailbox
from truesend.providers.contract import Evidence
from truesend.sending import wake
from truesend.sending.models import Delivery
from truesend.suppression.listing import suppress
from truesend.tracking.telling import Told, tell

BOUNCE_CALL = "inbox.bounce"
# The card of a connection says how long ago it was read; that alone is worth a look at it every so often.
_SHOWN_EVERY = timedelta(minutes=10)
_ARRIVED = """
INSERT INTO inbox_arrival
    (id, connection_id, delivery_id, provider_message_id, message_id, kind, about_sender, sender, at, found_at,
     utc_offset)
SELECT %s, %s, d.id, %s, %s, %s, %s, %s, %s, %s,
       CASE WHEN EXISTS (SELECT FROM tracking_forgotten f WHERE f.delivery = d.id) THEN NULL ELSE %s::smallint END
  FROM (SELECT %s::uuid) AS d (id)
ON CONFLICT DO NOTHING RETURNING id
"""


@dataclass(frozen=True)
class Found:
    """One thing that came back: ``number`` is the provider's id of it, ``stops`` why the mailbox may not send."""

    number: str
    kind: str
    delivery: UUID
    at: datetime
    said: tuple[Said, ...]
    message_id: str = ""
    sender: str = ""
    stops: str = ""
    words: str = ""
    utc_offset: int | None = None


def found_of(number: str, letter: Letter, match: Match) -> Found:
    """A mail that belongs to a delivery."""
    return Found(
        number=number,
        kind=match.said[0].kind,
        delivery=match.copy.id,
        at=letter.at,
        said=match.said,
        message_id=letter.message_id,
        sender=letter.sender,
        stops=letter.stops,
        words=letter.words,
        utc_offset=letter.utc_offset if _is_own(letter, match.said[0]) else None,
    )


def _is_own(letter: Letter, said: Said) -> bool:
    """Whether a recipient answered by themselves: what their clock shows goes when they are forgotten."""
    return said.kind == Arrival.Kind.REPLY and (said.recipient or "").lower() == letter.sender


@dataclass(frozen=True)
class Look:
    """A look that was answered: when it began, where the next one begins and when, and the newest thing it was told."""

    began: datetime
    cursor: str
    due_at: datetime
    newest: datetime | None


def record(connection: Connection, mailbox: Mailbox, look: Look, found: Sequence[Found]) -> bool:
    """Write a look and what it found; False where somebody else has moved the cursor meanwhile."""
    with transaction.atomic():
        if not _move(mailbox, look):
            return False
        proofs.record(
            connection,
            [Evidence("grant", True, asking.CALL), Evidence("read", True, asking.CALL)],
            kind=LedgerKind.PROBE,
            trigger="inbox",
            at=look.began,
            briefly=True,
            quietly=not found and _is_fresh(connection, look.began),
        )
        for one in found:
            _keep(connection, one)
    return True


def _move(mailbox: Mailbox, look: Look) -> bool:
    """The guarded UPDATE that moves the cursor from where this look began."""
    told = {}
    if look.newest is not None:
        told["event_at"] = max(filter(None, (mailbox.event_at, min(look.newest, look.began))))
    # Somebody who was told of something new while we looked has made the next look due: it stays so.
    due_at = Case(When(due_at=mailbox.due_at, then=Value(look.due_at)), default=F("due_at"))
    moved = Mailbox.objects.filter(pk=mailbox.pk, cursor=mailbox.cursor).update(
        cursor=look.cursor, read_at=look.began, misses=0, due_at=due_at, **told
    )
    return moved == 1


def _is_fresh(connection: Connection, began: datetime) -> bool:
    """Whether pages show a good reading of a moment ago already."""
    known = {one.ok: one.at for one in Proof.objects.filter(connection=connection, check_name="read")}
    good = known.get(True)
    return good is not None and began - good < _SHOWN_EVERY and known.get(False, good) <= good


def _keep(connection: Connection, found: Found) -> None:
    """One thing, unless it is kept already."""
    row = (
        uuid4(),
        connection.pk,
        found.number[:1000],
        found.message_id[:998],
        Arrival.Kind(found.kind).value,
        bool(found.stops),
        found.sender[:320],
        found.at,
        clock.now(),
        found.utc_offset,
        found.delivery,
    )
    with database.cursor() as cursor:
        cursor.execute(_ARRIVED, row)
        if cursor.fetchone() is None:
            return
    delivery = Delivery.objects.select_related("email", "connection").get(pk=found.delivery)
    organization, email = delivery.email.organization_id, delivery.email_id
    ids = tell([_signal(organization, email, found, one) for one in found.said])
    for one in found.said:
        if one.suppress and one.recipient is not None:
            suppress(
                organization,
                one.recipient,
                reason=one.suppress,
                source=one.reason,
                at=found.at,
                email=email,
                delivery=found.delivery,
            )
    live_events.publish(organization, "signal", ids)
    live_events.publish(organization, "email", [email])
    if found.stops:
        _stop(delivery, found)


def _signal(organization: UUID, email: UUID, found: Found, said: Said) -> Told:
    return Told(
        organization=organization,
        email=email,
        delivery=found.delivery,
        kind=said.kind,
        klass="person" if said.person else "unknown",
        confidence=said.confidence,
        reason=said.reason,
        rule=said.rule,
        rules_version=RULES,
        at=found.at,
        recipient=said.recipient,
    )


def _stop(delivery: Delivery, found: Found) -> None:
    """The provider lets the mailbox not send: a failed send, dated now, since others were accepted meanwhile.

    What is due meets a closed gate; no recipient is to blame. Of a block long over nothing follows.
    """
    now = clock.now()
    until = found.at + (cause(found.stops).lasts or timedelta(hours=24))
    if until <= now:
        return
    evidence = Evidence("send", False, BOUNCE_CALL, found.stops, found.words, until=until)
    proofs.record(
        delivery.connection, [evidence], kind=LedgerKind.SEND, trigger="inbox", ref=str(delivery.pk), at=now
    )
    wake.mailbox(delivery.connection_id)
