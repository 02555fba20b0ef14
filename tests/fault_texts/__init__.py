"""What is said of every fault kind on every operation where it makes sense: cause, sentence, button, person.

One table to a provider. Times read `<time>`, the mailbox's address `<mailbox>`; people are `holder`, `operator` or
named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Said:
    """A cause in words: by whom it is said is up to the test."""

    cause: str | None
    sentence: str = ""
    fix: str = ""
    who: str = ""


@dataclass(frozen=True)
class Case:
    """A fault met by an operation, and what is said then; ``email`` is (status, what is in its way).

    ``kind`` is one of the sandbox's faults with ``more`` of its parameters, or `account`: then ``more`` are fields of
    the account. ``also`` are faults beside it: (operation, kind, parameters). ``personal``: an account of a person's
    own. ``reads``: its mailbox may be read, as it must where the operation reads.
    """

    operation: str
    kind: str
    more: dict[str, Any] = field(default_factory=dict)
    email: tuple[str, Said] | None = None
    connection: tuple[str, Said] | None = None
    gate: Said | None = None
    name: str = ""
    also: tuple[tuple[str, str, dict[str, Any]], ...] = ()
    personal: bool = False
    reads: bool = False

    def __str__(self) -> str:
        verified = "verified-" if self.email is None else ""
        return f"{verified}{self.operation}-{self.name or self.kind}"


SENT = ("sent", Said(None))
WORKING = ("working", Said(None, "Verified by an accepted send; renews by itself."))
UNTRIED = (
    "unproven",
    Said("not_tried", "Permission given, not tried yet.", "Send me a test email", "holder"),
)
# Tried, and nothing said of the connection.
_TRIED = "Permission given; tried at <time>, this email was refused."
REFUSED = ("unproven", Said("tried_unproven", _TRIED, "Send me a test email", "holder"))
CLEARS = "It was a send; the next one that is accepted clears this."
AGAIN = "We ask again by ourselves."
MINUTE = "Nothing is lost; reconnecting takes a minute."
RECONNECT = "It waits here; after reconnecting you can let it go."
OVER = "It waits here; once that is over you can let it go."
LET_GO = "Then you can let this email go."
STAYS = "Your connection stays; once it is corrected, it goes on by itself."
LATER = "Nothing was sent yet. {} It goes by itself {}."
TEST, VERIFY = "Send me a test email", "Verify now"


def after_a_send(cause: str, text: str, who: str = "") -> tuple[str, Said]:
    """The connection after a send that nothing but another one contradicts."""
    return "attention", Said(cause, f"{text} {CLEARS}", TEST, who)


def after_a_fault(cause: str, text: str) -> tuple[str, Said]:
    """The connection after a fault of the moment: what met it is asked again, with nothing to send."""
    return "attention", Said(cause, f"{text} {AGAIN}", VERIFY)


def held(
    cause: str, text: str, then: str = RECONNECT, fix: str = "Reconnect", who: str = "holder"
) -> tuple[str, Said]:
    """The email that waits for somebody."""
    return "held", Said(cause, f"Nothing was sent. {text} {then}", fix, who)


def broken(cause: str, text: str, fix: str = "Reconnect", who: str = "holder") -> tuple[str, Said]:
    """The connection that needs somebody."""
    return "broken", Said(cause, text, fix, who)


def refused(cause: str, text: str) -> tuple[str, Said]:
    """The email that was refused."""
    return "failed", Said(cause, f"Nothing was sent. {text}", "Edit the email", "holder")


def waiting(cause: str, text: str, when: str = "at <time>") -> tuple[str, Said]:
    """The email that goes by itself."""
    return "queued", Said(cause, LATER.format(text, when))


def shut(
    cause: str, text: str, meanwhile: str, *, then: str = "", fix: str = "Reconnect", who: str = "holder"
) -> dict[str, Any]:
    """What is said everywhere of a connection that needs somebody: the email is held until they let it go."""
    return {
        "email": held(cause, text, then or f"{meanwhile} {LET_GO}", fix, who),
        "connection": broken(cause, f"{text} {meanwhile}", fix, who),
        "gate": Said(cause, f"{text} {meanwhile}", fix, who),
    }


def for_the_moment(cause: str, text: str) -> dict[str, Any]:
    """What came before the send failed for the moment: the email goes by itself."""
    return {"email": waiting(cause, text), "connection": after_a_fault(cause, text)}
