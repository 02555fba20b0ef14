"""Every state of an email and of one of its copies: a word, how it is drawn, and a sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from truesend.sending.models import DeliveryStatus, EmailStatus


class Status(NamedTuple):
    """``state`` is the look's: ok, warn, bad, none or accent."""

    word: str
    state: str
    sentence: str


_E, _D = EmailStatus, DeliveryStatus

EMAIL: Mapping[str, Status] = {
    _E.DRAFT: Status("Draft", "none", "Not sent yet."),
    _E.SCHEDULED: Status("Scheduled", "accent", "Waits for its hour."),
    _E.QUEUED: Status("Queued", "accent", "Leaves when its turn comes, mostly at once."),
    _E.SENDING: Status("Sending", "accent", "On its way."),
    _E.SENT: Status("Sent", "ok", "No opening known yet."),
    _E.PARTLY: Status("Partly sent", "warn", "Some copies were accepted, some were not."),
    _E.UNKNOWN: Status("Unknown", "warn", "It may or may not have been sent. It is not sent again by guess."),
    _E.HELD: Status("Held", "bad", "It waits; nothing is lost."),
    _E.PAUSED: Status("Paused", "warn", "It waits until somebody lets it go on."),
    _E.FAILED: Status("Not sent", "bad", "It was refused, and nothing left."),
    _E.CANCELLED: Status("Cancelled", "none", "It was stopped before it left."),
}

DELIVERY: Mapping[str, Status] = {
    _D.QUEUED: Status("Queued", "accent", "Leaves when its turn comes."),
    _D.SENDING: Status("Sending", "accent", "Handed over right now."),
    _D.ACCEPTED: Status("Accepted", "ok", "{provider} has taken it over."),
    _D.UNKNOWN: Status("Unknown", "warn", "It may or may not have been sent."),
    _D.REFUSED: Status("Not sent", "bad", "It was refused, and nothing left."),
    _D.CANCELLED: Status("Cancelled", "none", "It was stopped before it left."),
}
# Where there is nothing to tell of an email yet: no try has ended and nobody has looked.
NOTHING: Mapping[str, str] = {
    _E.DRAFT: "It was not sent yet.",
    _E.SCHEDULED: "Nothing was tried yet. This page shows what happens, as it happens.",
    _E.QUEUED: "Nothing was tried yet. This page shows what happens, as it happens.",
    _E.SENDING: "It is being handed over; what comes of it shows here.",
    _E.SENT: "It was sent; how, is not known any more.",
    _E.PARTLY: "What came of each copy stands above.",
    _E.UNKNOWN: "What came of it is not known yet; it shows here.",
    _E.HELD: "Nothing was tried. What happens once it goes shows here.",
    _E.PAUSED: "Nothing was tried. What happens once it goes on shows here.",
    _E.FAILED: "Nothing was tried, and nothing left.",
    _E.CANCELLED: "Nothing was tried before it was stopped.",
}
# A queued copy that something keeps back.
HELD = Status("Held", "bad", "It waits for somebody; nothing is lost.")
PAUSED = Status("Paused", "warn", "It waits for “Resume”.")
HELD_FOR_A_WHILE = Status("Held", "warn", "It goes by itself when the limit ends.")
