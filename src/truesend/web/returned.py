"""What came back, on an email's page: notes on bounces and delays, and the names of those who answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from truesend.sending import correcting
from truesend.sending.addresses import AddressError, parse
from truesend.sending.models import Email, EmailStatus
from truesend.tracking.troubles import Failure, Trouble

# So many are told one by one; the timeline has all of them.
_MOST = 3


def notes(
    trouble: Trouble | None, people: int, again: Sequence[Failure] = (), url: str = ""
) -> list[dict[str, Any]]:
    """A note to each of the newest failures, and one of how many more there are.

    ``again``: whom :func:`to_write_again` found. One button, on the first note about any of them, writes to all.
    """
    if trouble is None:
        return []
    told = [_note(one, people) for one in trouble.failures[:_MOST]]
    more = len(trouble.failures) - _MOST
    if more > 0:
        rest = {"title": f"{more:,} more did not arrive.", "sentence": "The timeline names them."}
        told.append({**rest, "state": "bad", "words": "", "fix": None, "who": ""})
    if again:
        fix = {"label": _label(again, people), "url": url, "method": "post"}
        first = next((n for n, one in enumerate(trouble.failures[:_MOST]) if one in again), len(told) - 1)
        told[first]["fix"] = fix
    return told


def _note(one: Failure, people: int) -> dict[str, Any]:
    return {
        "title": _title(one.kind, one.recipient if people > 1 else None),
        "sentence": one.reason,
        "state": "bad" if one.bounced else "warn",
        "words": "",
        "fix": None,
        "who": "",
    }


def _label(again: Sequence[Failure], people: int) -> str:
    if len(again) > 1:
        return f"Write to {len(again):,} people again"
    return "Correct the address" if people == 1 and again[0].hard else "Write again"


def to_write_again(email: Email, trouble: Trouble | None, *, was_before: bool = True) -> tuple[Failure, ...]:
    """Those at whom it bounced, whom a second mail may reach, and who got none yet.

    Where an address does not exist, nothing sent there arrives: it is left out, unless it is the only one, and can be
    corrected in the draft. Of an email that left in part, what did not leave has its own button. ``was_before``:
    whether somebody was, as far as is known; where nobody was, nothing is asked.
    """
    if trouble is None or not trouble.bounced or email.status != EmailStatus.SENT:
        return ()
    alone = people_of(email) == 1
    found = [one for one in trouble.failures if one.bounced and one.recipient and (alone or not one.hard)]
    if not found or not was_before:
        return tuple(found)
    done = correcting.written_again(email)
    return () if alone and done else tuple(one for one in found if (one.recipient or "").lower() not in done)


def people_of(email: Email) -> int:
    """To how many people it went."""
    return len(email.to) + len(email.cc) + len(email.bcc)


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
