"""What came back, on an email's page: notes on bounces and delays, and the names of those who answered."""

from __future__ import annotations

from typing import Any

from truesend.sending.addresses import AddressError, parse
from truesend.sending.models import Email
from truesend.tracking.troubles import Trouble

# So many are told one by one; the timeline has all of them.
_MOST = 3


def notes(trouble: Trouble | None, people: int) -> list[dict[str, Any]]:
    """A note to each of the newest failures, and one of how many more there are."""
    if trouble is None:
        return []
    told = [
        {
            "title": _title(one.kind, one.recipient if people > 1 else None),
            "sentence": one.reason,
            "state": "bad" if one.bounced else "warn",
            "words": "",
            "fix": None,
            "who": "",
        }
        for one in trouble.failures[:_MOST]
    ]
    more = len(trouble.failures) - _MOST
    if more > 0:
        rest = {"title": f"{more:,} more did not arrive.", "sentence": "The timeline names them."}
        told.append({**rest, "state": "bad", "words": "", "fix": None, "who": ""})
    return told


def _title(kind: str, recipient: str | None) -> str:
    whose = f" at {recipient}" if recipient else ""
    return f"It bounced{whose}." if kind == "bounce" else f"It is delayed{whose}."


def names(email: Email) -> dict[str, str]:
    """What the recipients are called, by their address in lower case; whoever has no name is left out."""
    found = {}
    for text in (*email.to, *email.cc, *email.bcc):
        try:
            one = parse(text)
        except AddressError:
            continue
        if one.name:
            found[one.address.lower()] = one.name
    return found
