"""What a look found, written at once: the cursor, each mail once, its signals, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection as database
from django.db import transaction

from truesend import clock, live_events
from truesend.connections import proofs
from truesend.connections.causes import cause
from truesend.connections.models import Connection, LedgerKind, Proof
from truesend.inbox.matching import RULES, Letter, Match, Said
from truesend.inbox.models import Arrival, Mailbox
from truesend.providers.contract import Evidence, InboxPage
from truesend.sending import wake
from truesend.sending.models import Delivery
from truesend.suppression.listing import suppress
from truesend.tracking.telling import Told, tell

CALL = "inbox"
BOUNCE_CALL = "inbox.bounce"
# The card of a connection says how long ago it was read; that alone is worth a look at it every so often.
_SHOWN_EVERY = timedelta(minutes=10)
_ARRIVED = """
INSERT INTO inbox_arrival
    (id, connection_id, delivery_id, provider_message_id, message_id, kind, about_sender, sender, at, found_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING id
"""


def record(
    connection: Connection,
    mailbox: Mailbox,
    page: InboxPage,
    matched: Sequence[tuple[str, Letter, Match]],
    *,
    began: datetime,
    due_at: datetime,
) -> bool:
    """Write a page and what was found in it; False where somebody else has moved the cursor meanwhile.

    ``matched``: the provider's id of each mail that concerns us, the mail, and what it says.
    """
    with transaction.atomic():
        if not _move(mailbox, page, began, due_at):
            return False
        quietly = not matched and _is_fresh(connection, began)
        good = [Evidence("grant", True, CALL), Evidence("read", True, CALL)]
        proofs.record(
            connection,
            good,
            kind=LedgerKind.PROBE,
            trigger="inbox",
            at=began,
            briefly=True,
            quietly=quietly,
        )
        for number, letter, match in matched:
            _keep(connection, number, letter, match)
    return True


def _move(mailbox: Mailbox, page: InboxPage, began: datetime, due_at: datetime) -> bool:
    """The guarded UPDATE that moves the cursor from where this look began."""
    newest = max((one.at for one in page.received if one.at is not None), default=None)
    told = (
        {"event_at": max(filter(None, (mailbox.event_at, min(newest, began))))} if newest is not None else {}
    )
    moved = Mailbox.objects.filter(pk=mailbox.pk, cursor=mailbox.cursor).update(
        cursor=page.cursor, read_at=began, misses=0, due_at=due_at, **told
    )
    return moved == 1


def _is_fresh(connection: Connection, began: datetime) -> bool:
    """Whether pages show a good reading of a moment ago already."""
    known = {one.ok: one.at for one in Proof.objects.filter(connection=connection, check_name="read")}
    good = known.get(True)
    return good is not None and began - good < _SHOWN_EVERY and known.get(False, good) <= good


def _keep(connection: Connection, number: str, letter: Letter, match: Match) -> None:
    """One mail, unless it is kept already."""
    copy, kind = match.copy, Arrival.Kind(match.said[0].kind)
    row = (
        uuid4(),
        connection.pk,
        copy.id,
        number[:1000],
        letter.message_id[:998],
        kind.value,
        bool(letter.stops),
        letter.sender[:320],
        letter.at,
        clock.now(),
    )
    with database.cursor() as cursor:
        cursor.execute(_ARRIVED, row)
        if cursor.fetchone() is None:
            return
    delivery = Delivery.objects.select_related("email", "connection").get(pk=copy.id)
    organization, email = delivery.email.organization_id, delivery.email_id
    ids = tell([_signal(organization, email, copy.id, letter, one) for one in match.said])
    for one in match.said:
        if one.hard and one.recipient is not None:
            suppress(
                organization,
                one.recipient,
                reason="hard_bounce",
                source=one.reason,
                at=letter.at,
                email=email,
                delivery=copy.id,
            )
    live_events.publish(organization, "signal", ids)
    live_events.publish(organization, "email", [email])
    if letter.stops:
        _stop(delivery, letter)


def _signal(organization: UUID, email: UUID, delivery: UUID, letter: Letter, said: Said) -> Told:
    return Told(
        organization=organization,
        email=email,
        delivery=delivery,
        kind=said.kind,
        klass="person" if said.person else "unknown",
        confidence=said.confidence,
        reason=said.reason,
        rule=said.rule,
        rules_version=RULES,
        at=letter.at,
        recipient=said.recipient,
    )


def _stop(delivery: Delivery, letter: Letter) -> None:
    """The provider lets the mailbox not send: a failed send, dated now, since others were accepted meanwhile.

    What is due meets a closed gate; no recipient is to blame. Of a block long over nothing follows.
    """
    now = clock.now()
    until = letter.at + (cause(letter.stops).lasts or timedelta(hours=24))
    if until <= now:
        return
    evidence = Evidence("send", False, BOUNCE_CALL, letter.stops, letter.words, until=until)
    proofs.record(
        delivery.connection, [evidence], kind=LedgerKind.SEND, trigger="inbox", ref=str(delivery.pk), at=now
    )
    wake.mailbox(delivery.connection_id)
