"""What Keap knows of addresses: a bounce, an opt-out and a complaint show as the address's status, and nowhere else.

Keap takes reports of undelivered mail itself; the list of statuses takes many addresses at once (specification of
``listEmailAddressStatuses``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from truesend.providers.contract import AddressState, Request
from truesend.providers.keap import api, people

# Addresses in one address of a request.
AT_ONCE = 50
_K = AddressState.Kind
_WORDS = people.STATE_WORDS
# Not all that must not be written to bounced: what Keap locked or switched off says nothing of a mail.
_KINDS: Mapping[str, AddressState.Kind] = {
    "HARD_BOUNCE": _K.HARD_BOUNCE,
    "INVALID": _K.HARD_BOUNCE,
    "DEACTIVATED": _K.SOFT_BOUNCE,
    "BOUNCE": _K.SOFT_BOUNCE,
    "LIST_UNSUBSCRIBE": _K.OPTED_OUT,
    "MANUAL": _K.OPTED_OUT,
    "ADMIN": _K.OPTED_OUT,
    "SYSTEM": _K.OPTED_OUT,
    "SPAM": _K.COMPLAINED,
    "FEEDBACK": _K.COMPLAINED,
}


def request(addresses: Collection[str], secret: str) -> Request:
    """The statuses of these addresses, of those statuses that say something."""
    filters = f"emails=={','.join(addresses)};statuses=={','.join(_KINDS)}"
    query = urlencode({"filter": filters, "page_size": str(max(1, len(addresses)))})
    return api.get(f"/v2/emailAddresses?{query}", "addresses.list", secret)


def read(body: Mapping[str, Any]) -> Iterator[AddressState]:
    """The addresses of an answer that something speaks against."""
    for one in api.listed(body, "email_addresses"):
        address, status = api.text(one.get("email")), api.text(one.get("status")).upper()
        if "@" in address and status in _KINDS:
            yield AddressState(address, _KINDS[status], f"{_WORDS.get(status, 'it bounced')} ({status})")


def of(addresses: Collection[str], secret: str) -> list[AddressState]:
    """What is known of these; one call to fifty. Without any, the list is asked all the same: that proves reading."""
    listed, found = list(addresses), []
    for start in range(0, max(1, len(listed)), AT_ONCE):
        some = listed[start : start + AT_ONCE] or [people.NOBODY]
        wanted = {one.lower() for one in some}
        states = read(api.ask(request(some, secret), secret))
        # What a filter that is not understood would answer is everything.
        found += [one for one in states if one.address.lower() in wanted]
    return found
