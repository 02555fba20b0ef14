"""What came back where no mailbox can be read: the provider's own word of the addresses that were written to.

Such a provider takes reports itself and shows what became of an address. So those written to in the last day are asked
about at every look, and of the last two weeks some more each time, round and round.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Max, QuerySet

from truesend import clock
from truesend.connections.models import Connection
from truesend.inbox import asking, mailboxes, recording
from truesend.inbox.matching import Said
from truesend.inbox.models import Arrival, Mailbox
from truesend.inbox.recording import Found, Look
from truesend.providers import registry
from truesend.providers.contract import AddressState
from truesend.sending.models import Delivery, DeliveryStatus, Recipient
from truesend.tracking.models import Forgotten

_FRESH, _LONGEST = timedelta(days=1), timedelta(days=14)
# What one call asks about.
AT_ONCE = 50
_KINDS = {
    AddressState.Kind.HARD_BOUNCE: (Arrival.Kind.BOUNCE, "bounce_hard", "hard_bounce", 1.0),
    # Nobody says since when it stands there: it may be of an earlier mail.
    AddressState.Kind.SOFT_BOUNCE: (Arrival.Kind.BOUNCE, "bounce_soft", "", 0.7),
    AddressState.Kind.OPTED_OUT: (Arrival.Kind.UNSUBSCRIBE, "opted_out", "asked", 1.0),
    AddressState.Kind.COMPLAINED: (Arrival.Kind.UNSUBSCRIBE, "complained", "asked", 1.0),
}


def look(connection: Connection) -> None:
    """Ask once. A failure is recorded, not raised."""
    mailbox = Mailbox.objects.filter(pk=connection.pk).first()
    if mailbox is None:
        return
    adapter = registry.provider(connection.provider)
    began = clock.now()
    asked, cursor = _asked(connection, mailbox.cursor, began)
    told = asking.answered(connection, mailbox, began, lambda access: adapter.address_states(access, asked))
    if told is None:
        return
    found = _found(connection, told, began)
    following = mailboxes.after_look(connection, began)
    recording.record(connection, mailbox, Look(began, cursor, following, began if found else None), found)


def _written_to(connection: Connection) -> QuerySet[Recipient]:
    return Recipient.objects.filter(
        delivery__connection=connection,
        delivery__status=DeliveryStatus.ACCEPTED,
        delivery__sent_at__isnull=False,
    )


def _asked(connection: Connection, cursor: str, now: datetime) -> tuple[list[str], str]:
    """Whom to ask about: the newest, and the next older ones behind ``cursor``, the time of a send; the next cursor."""
    latest = _written_to(connection).values("address").annotate(at=Max("delivery__sent_at"))
    newest = list(latest.filter(at__gte=now - _FRESH).order_by("-at").values_list("address", "at")[:AT_ONCE])
    edge = newest[-1][1] if len(newest) == AT_ONCE else now - _FRESH
    before = _moment(cursor) or edge
    rest = latest.filter(at__lt=min(before, edge), at__gte=now - _LONGEST).order_by("-at")
    older = list(rest.values_list("address", "at")[:AT_ONCE])
    following = older[-1][1].isoformat() if len(older) == AT_ONCE else ""
    return list(dict.fromkeys(address for address, _ in (*newest, *older))), following


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _found(connection: Connection, told: Iterable[AddressState], now: datetime) -> list[Found]:
    """What is said of each address, of the newest mail that went there."""
    found = []
    for one in told:
        kind, rule, reason, confidence = _KINDS[one.kind]
        sent = Delivery.objects.filter(
            connection=connection, status=DeliveryStatus.ACCEPTED, recipients__address__iexact=one.address
        )
        delivery = sent.order_by("-sent_at").first()
        if delivery is None or Forgotten.objects.filter(pk=delivery.pk).exists():
            continue
        recipient = Recipient.objects.filter(delivery=delivery, address__iexact=one.address).first()
        assert recipient is not None
        name = registry.provider(connection.provider).name
        said = Said(
            kind.value,
            recipient.address,
            f"{name} says of {recipient.address}: {one.words}.",
            rule,
            confidence=confidence,
            suppress=reason,
        )
        # A soft bounce is told once to an address, whatever is sent there later.
        whose = "" if one.kind is AddressState.Kind.SOFT_BOUNCE else str(delivery.pk)
        number = f"{one.kind}:{recipient.address.lower()}:{whose}"
        found.append(Found(number=number, kind=kind.value, delivery=delivery.pk, at=now, said=(said,)))
    return found
