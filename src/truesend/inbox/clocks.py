"""What is known of recipients' clocks: the offset of the newest answer of each to somebody of the organization."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from uuid import UUID

from truesend.inbox.models import Arrival
from truesend.sending.addresses import AddressError, parse
from truesend.sending.models import Email

# Of mail to more people the first so many are asked for: a summary needs no more.
MOST = 500


def of_emails(emails: Sequence[Email]) -> dict[UUID, dict[str, int]]:
    """By email of one organization what is known: minutes east of UTC by address in lower case, in its order."""
    wanted = {one.pk: _addresses([*one.to, *one.cc, *one.bcc]) for one in emails}
    every = {address for addresses in wanted.values() for address in addresses}
    found = _offsets(emails[0].organization_id, every) if every else {}
    return {pk: {one: found[one] for one in people if one in found} for pk, people in wanted.items()}


def of_email(email: Email) -> dict[str, int]:
    """The same of one email."""
    return of_emails([email])[email.pk]


def _offsets(organization_id: UUID, wanted: Collection[str]) -> dict[str, int]:
    rows = (
        Arrival.objects.filter(
            connection__organization=organization_id,
            kind=Arrival.Kind.REPLY,
            sender__in=list(wanted),
            utc_offset__isnull=False,
        )
        .order_by("sender", "-at")
        .distinct("sender")
        .values_list("sender", "utc_offset")
    )
    return {sender: offset for sender, offset in rows if offset is not None}


def _addresses(people: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(one for one in map(_address, islice(people, MOST)) if one))


def _address(text: str) -> str:
    try:
        return parse(text).address.lower()
    except AddressError:
        return ""
