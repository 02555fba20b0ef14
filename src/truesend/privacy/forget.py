"""Forgetting a recipient: what tracking knows of them goes, and nothing more is learned of the mail they have.

The suppression list keeps that somebody asked not to be written to, as a digest that names nobody.

The emails stay what they are, letters of whoever wrote them, with the address on them, as in the mailbox's Sent. Links
in them go on working. In a thread that several people share nobody can tell whose opens and clicks they are, so all of
its opens and clicks go.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from truesend import clock, live_events
from truesend.organizations.models import Organization
from truesend.sending.addresses import AddressError, parse
from truesend.suppression import forgetting
from truesend.tracking.classifier import lock_all

log = logging.getLogger("truesend.privacy")

STEP = 200
"""Deliveries of one transaction."""

_DELIVERIES = """
SELECT DISTINCT d.id, d.email_id, (SELECT count(*) FROM sending_recipient AS o WHERE o.delivery_id = d.id) > 1
  FROM sending_recipient AS r
  JOIN sending_delivery AS d ON d.id = r.delivery_id
  JOIN sending_email AS e ON e.id = d.email_id
 WHERE r.address = ANY(%s) AND e.organization_id = %s AND e.status <> 'draft'
 ORDER BY d.id
"""
# The index is on the address as it was written: every spelling that occurs is asked for by itself.
_SPELLINGS = "SELECT DISTINCT address FROM sending_recipient WHERE lower(address) = %s"
_COUNT = """
SELECT (SELECT count(*) FROM tracking_signal WHERE delivery = ANY(%(ids)s)),
       (SELECT coalesce(sum(count), 0) FROM tracking_hit WHERE delivery = ANY(%(ids)s)),
       (SELECT count(*) FROM tracking_forgotten WHERE delivery = ANY(%(ids)s))
"""
_MARK = """
INSERT INTO tracking_forgotten (delivery, organization, at)
SELECT one, %s, %s FROM unnest(%s::uuid[]) AS one ON CONFLICT (delivery) DO NOTHING
"""
_DELETE_SIGNALS = "DELETE FROM tracking_signal WHERE delivery = ANY(%s) RETURNING id"
_DELETE_HITS = "DELETE FROM tracking_hit WHERE delivery = ANY(%s)"
# What a CRM was told of them, or was to be told, is known and told no more; what stands there is its owner's.
_DELETE_RECORDINGS = """
DELETE FROM crm_recording AS one USING sending_recipient AS r
 WHERE r.id = one.recipient_id AND one.delivery_id = ANY(%s) AND lower(r.address) = %s
"""
_DELETE_ARRIVALS = "DELETE FROM inbox_arrival WHERE delivery_id = ANY(%s)"


class NoAddress(ValueError):
    """What was typed is no address; the message says why."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a recipient in one organization: counts.

    ``shared``: copies that others got in the same thread. ``forgotten``: copies whose tracking is erased already.
    """

    address: str
    emails: int
    copies: int
    shared: int
    signals: int
    requests: int
    forgotten: int
    # Whether the suppression list names them, now or in its history.
    listed: bool = False

    @property
    def is_tracked(self) -> bool:
        """Whether there is anything left to forget."""
        return self.forgotten < self.copies


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased; ``copies``: of so many nothing is learned any more."""

    address: str
    emails: int
    copies: int
    signals: int
    requests: int


def address_of(text: str) -> str:
    """The address in what was typed, in lower case. Raises :class:`NoAddress`."""
    try:
        return parse(text).address.lower()
    except AddressError as error:
        raise NoAddress(str(error)) from None


def known(organization: UUID, text: str) -> Known:
    """What is kept of the recipient ``text``. Raises :class:`NoAddress`."""
    address = address_of(text)
    found = _deliveries(organization, address)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"ids": [delivery for delivery, _, _ in found]})
        signals, requests, forgotten = cursor.fetchone()
    return Known(
        address=address,
        emails=len({email for _, email, _ in found}),
        copies=len(found),
        shared=sum(shared for _, _, shared in found),
        signals=signals,
        requests=requests,
        forgotten=forgotten,
        listed=forgetting.is_known(organization, address),
    )


def forget(organization: UUID, text: str, by: str) -> Forgotten:
    """Erase what tracking knows of the recipient ``text``, in steps; doing it again goes on with what is left.

    ``by`` says in the log who did it; the address does not stand there. Raises :class:`NoAddress`.
    """
    address = address_of(text)
    found = _deliveries(organization, address)
    signals = requests = 0
    for start in range(0, len(found), STEP):
        erased = _erase(organization, address, found[start : start + STEP])
        signals, requests = signals + erased[0], requests + erased[1]
    forgetting.forget(organization, address)
    done = Forgotten(address, len({email for _, email, _ in found}), len(found), signals, requests)
    log.warning(
        "A recipient was forgotten in organization %s by %s: emails %d, signals %d, requests %d.",
        organization, by, done.emails, done.signals, done.requests,
    )  # fmt: skip
    return done


def organization_named(name: str) -> UUID:
    """The one organization of that name. Raises ``LookupError`` with a sentence."""
    found = list(Organization.objects.filter(name=name)[:2])
    if not found:
        raise LookupError(f"No organization is called {name}.")
    if len(found) > 1:
        raise LookupError(
            f"Several organizations are called {name}; an owner can do it in the organization’s settings."
        )
    return found[0].pk


def _deliveries(organization: UUID, address: str) -> list[tuple[UUID, UUID, bool]]:
    """``(delivery, email, whether others got the same copy)`` of everything that was sent to the address."""
    with connection.cursor() as cursor:
        cursor.execute(_SPELLINGS, [address])
        spellings = [row[0] for row in cursor.fetchall()]
        cursor.execute(_DELIVERIES, [spellings, organization])
        return list(cursor.fetchall())


def _erase(organization: UUID, address: str, found: list[tuple[UUID, UUID, bool]]) -> tuple[int, int]:
    """Signals and requests that are gone, in one transaction that the classifier waits for."""
    ids = [delivery for delivery, _, _ in found]
    with transaction.atomic():
        lock_all(ids)
        with connection.cursor() as cursor:
            cursor.execute(_MARK, [organization, clock.now(), ids])
            cursor.execute(_COUNT, {"ids": ids})
            requests = cursor.fetchone()[1]
            cursor.execute(_DELETE_SIGNALS, [ids])
            signals = [row[0] for row in cursor.fetchall()]
            cursor.execute(_DELETE_HITS, [ids])
            cursor.execute(_DELETE_ARRIVALS, [ids])
            cursor.execute(_DELETE_RECORDINGS, [ids, address])
        live_events.publish(organization, "signal", signals)
        live_events.publish(organization, "email", {email for _, email, _ in found})
    return len(signals), int(requests)
