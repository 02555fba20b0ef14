"""Putting addresses on an organization's list, asking whether they are on it, and letting them in again.

Every change is one guarded statement, so that it is the same whoever does it at once and however often.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from truesend import clock, live_events
from truesend.paging import read_cursor, write_cursor
from truesend.suppression.addresses import digest_of, key_of, keys_of
from truesend.suppression.models import Reason, Suppression

LONGEST_SOURCE = 500

# A reason whose end came after it is history: a bounce that is read twice, a link whose use was told late.
_ADD = """
INSERT INTO suppression_suppression
       (id, organization_id, key, domain, address, reason, source, email, delivery, at, by)
SELECT given.id, %(organization)s, given.key, split_part(given.key, '@', 2), given.address, given.reason,
       given.source, %(email)s, %(delivery)s, given.at, %(by)s
  FROM unnest(%(ids)s::uuid[], %(keys)s::text[], %(digests)s::text[], %(addresses)s::text[], %(reasons)s::text[],
              %(sources)s::text[], %(times)s::timestamptz[])
       AS given(id, key, digest, address, reason, source, at)
 WHERE NOT EXISTS (SELECT FROM suppression_suppression AS over
                    WHERE over.organization_id = %(organization)s AND over.key = given.key
                      AND over.reason = given.reason AND over.allowed_at >= given.at)
   AND NOT EXISTS (SELECT FROM suppression_suppression AS hashed
                    WHERE hashed.organization_id = %(organization)s AND hashed.key = given.digest
                      AND hashed.reason = given.reason AND hashed.allowed_at IS NULL)
ON CONFLICT (organization_id, key, reason) WHERE allowed_at IS NULL DO NOTHING
RETURNING key
"""
_RANKS = {reason: rank for rank, reason in enumerate(Reason.values)}


@dataclass(frozen=True, slots=True)
class New:
    """An address to be put on a list; ``at`` is since when the reason holds, now where it is not given."""

    address: str
    reason: str
    source: str = ""
    at: datetime | None = None


class ConfirmationNeeded(Exception):
    """The person asked for it: who lets them in again has to say that they know."""

    def __init__(self, asked: Suppression) -> None:
        super().__init__("asked by the person")
        self.asked = asked


def suppress(
    organization_id: UUID,
    address: str,
    *,
    reason: str,
    source: str = "",
    at: datetime | None = None,
    email: UUID | None = None,
    delivery: UUID | None = None,
    by: str = "",
) -> bool:
    """Put an address on the organization's list for a reason of :class:`~.models.Reason`; True where that is new.

    Safe to repeat, and by several at once. ``at`` is when the reason came about (a bounce's own time): one that is
    older than the address's last "Allow again" changes nothing. ``source`` says where it comes from, for people.
    """
    new = [New(address, reason, source, at)]
    return bool(suppress_all(organization_id, new, email=email, delivery=delivery, by=by))


def suppress_all(
    organization_id: UUID,
    given: Sequence[New],
    *,
    email: UUID | None = None,
    delivery: UUID | None = None,
    by: str = "",
) -> set[str]:
    """Many at once: the keys (:func:`~.addresses.key_of`) that are new."""
    now = clock.now()
    # In one order, so that two who add the same never wait for each other in a circle.
    unique = {(key_of(one.address), one.reason): one for one in given}
    rows = sorted(unique.items(), key=lambda item: item[0])
    values = {
        "organization": organization_id,
        "email": email,
        "delivery": delivery,
        "by": by[:254],
        "ids": [uuid4() for _ in rows],
        "keys": [key for (key, _), _ in rows],
        "digests": [digest_of(organization_id, key) for (key, _), _ in rows],
        "addresses": [one.address.strip() for _, one in rows],
        "reasons": [Reason(one.reason).value for _, one in rows],
        "sources": [one.source[:LONGEST_SOURCE] for _, one in rows],
        "times": [one.at or now for _, one in rows],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ADD, values)
        added = {row[0] for row in cursor.fetchall()}
        if added:
            _tell(organization_id)
    return added


def suppressed(organization_id: UUID, addresses: Iterable[str]) -> dict[str, Suppression]:
    """Those of ``addresses``, as they were given, that are on the organization's list: the reason that says most.

    One query, however many there are.
    """
    asked = {address: keys_of(organization_id, address) for address in addresses}
    if not asked:
        return {}
    keys = list({key for both in asked.values() for key in both})
    strongest: dict[str, Suppression] = {}
    for one in Suppression.objects.filter(organization=organization_id, key__in=keys, allowed_at=None):
        known = strongest.get(one.key)
        if known is None or _RANKS[one.reason] < _RANKS[known.reason]:
            strongest[one.key] = one
    found: dict[str, Suppression] = {}
    for address, both in asked.items():
        here = [strongest[key] for key in both if key in strongest]
        if here:
            found[address] = min(here, key=lambda one: _RANKS[one.reason])
    return found


def reasons_of(organization_id: UUID, address: str) -> list[Suppression]:
    """Every reason for which an address is on the list now, what says most first."""
    found = _open(organization_id, address)
    return sorted(found, key=lambda one: _RANKS[one.reason])


def allow(organization_id: UUID, address: str, *, by: str, confirmed: bool = False) -> int:
    """Let an address in again, whatever it was on the list for; how many reasons end.

    ``by`` is who does it. Raises :class:`ConfirmationNeeded` where the person asked and that is not ``confirmed``;
    then nothing has changed.
    """
    return _allow(organization_id, _open(organization_id, address), by, confirmed=confirmed)


def allow_row(row: Suppression, *, by: str, confirmed: bool = False) -> int:
    """The same for the address of a row of the list, which may be somebody's who was forgotten."""
    return _allow(row.organization_id, _same(row).filter(allowed_at=None), by, confirmed=confirmed)


def _allow(organization_id: UUID, rows: QuerySet[Suppression], by: str, *, confirmed: bool) -> int:
    with transaction.atomic():
        asked = rows.filter(reason=Reason.ASKED).select_for_update().first()
        if asked is not None and not confirmed:
            raise ConfirmationNeeded(asked)
        known = Q() if confirmed else ~Q(reason=Reason.ASKED)
        count = rows.filter(known).update(allowed_at=clock.now(), allowed_by=by[:254])
        if count:
            _tell(organization_id)
    return count


def spells(row: Suppression) -> tuple[list[Suppression], list[Suppression]]:
    """(why the address of a row is on the list now, when it was before), the newest first."""
    rows = list(_same(row).order_by("-at", "-id"))
    return [one for one in rows if one.allowed_at is None], [
        one for one in rows if one.allowed_at is not None
    ]


def _same(row: Suppression) -> QuerySet[Suppression]:
    return Suppression.objects.filter(organization=row.organization_id, key=row.key)


def history(organization_id: UUID, address: str) -> list[Suppression]:
    """All times in which an address was on the list, the newest first."""
    both = keys_of(organization_id, address)
    return list(Suppression.objects.filter(organization=organization_id, key__in=both).order_by("-at", "-id"))


def page(
    organization_id: UUID, *, words: str = "", reason: str = "", cursor: str = "", size: int
) -> tuple[list[Suppression], str | None]:
    """(one page of the list, newest first, the cursor of the next or None).

    ``words`` begin an address, or its domain, or are one of somebody who was forgotten. Raises ``CursorError``.
    """
    rows = _listed(organization_id, words, reason)
    if cursor:
        at, row_id = read_cursor(cursor)
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=row_id))
    found = list(rows.order_by("-at", "-id")[: size + 1])
    more = len(found) > size
    return found[:size], write_cursor(found[size - 1].at, found[size - 1].pk) if more else None


def count(organization_id: UUID, *, words: str = "", reason: str = "") -> int:
    """How many there are in all of what :func:`page` shows."""
    return _listed(organization_id, words, reason).count()


def _listed(organization_id: UUID, words: str, reason: str) -> QuerySet[Suppression]:
    rows = Suppression.objects.filter(organization=organization_id, allowed_at=None)
    if reason:
        rows = rows.filter(reason=reason)
    sought = words.strip().lower().replace("\x00", "")
    if sought.startswith("@"):
        return rows.filter(domain__startswith=sought[1:])
    if "@" in sought:
        key, digest = keys_of(organization_id, sought)
        return rows.filter(Q(key__startswith=sought) | Q(key=key) | Q(key=digest))
    if sought:
        return rows.filter(Q(key__startswith=sought, domain__gt="") | Q(domain__startswith=sought))
    return rows


def _open(organization_id: UUID, address: str) -> QuerySet[Suppression]:
    both = keys_of(organization_id, address)
    return Suppression.objects.filter(organization=organization_id, key__in=both, allowed_at=None)


def _tell(organization_id: UUID) -> None:
    live_events.publish(organization_id, "account", [organization_id])
