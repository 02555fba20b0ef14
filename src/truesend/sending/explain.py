"""What is in an email's way, in words: what happened to *this* email, what comes next, and who can do what.

One pure function for the API and the page. Every sentence begins with what a sender wants to know first: nothing was
sent, nothing was sent yet, or we do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from truesend.connections.causes import Action, Severity, Who, at_time, cause, core
from truesend.sending.models import DeliveryStatus
from truesend.sending.readiness import opens_by_itself

# What left a send open, in the middle of a sentence.
OPEN: Mapping[str, str] = {
    "provider_timeout": "{provider} did not answer in time",
    "provider_cut_off": "the connection to {provider} broke before an answer came",
    "provider_error": "{provider} had a fault while it took the email",
    "provider_garbage": "{provider}’s answer was not one we can read",
    "worker_lost": "our worker ended before {provider} had answered",
    "restored": "an older backup was restored, which cannot tell what was sent since",
}
_RESTORED, _OVERDUE, _REMOVED = "restored", "overdue", "member_removed"
# Sooner than this there is no time worth naming.
_MOMENT = timedelta(seconds=15)


class Help(StrEnum):
    """The button that helps an email."""

    NONE = ""
    RELEASE = "Send now"
    AGAIN = "Edit the email"
    ELSEWHERE = "Choose another account"
    ANSWER = "Say whether it was sent"
    # The button of the cause itself: Reconnect, Contact support.
    CAUSE = "cause"


@dataclass(frozen=True)
class Facts:
    """What is known of one copy, or of several that stand alike.

    ``cause`` is what keeps it, refused it or left it open; ``provider`` is its name and ``words`` are its own.
    ``scheduled`` says that it waits for its hour.
    ``can_look`` says that Sent can be read, ``can_send`` that the mailbox may send just now. ``sent_name`` is what
    Sent is called there; ``proves`` says that it shows all there is, so that what is not in it was not sent.
    """

    status: str
    cause: str
    provider: str
    address: str
    words: str = ""
    held: bool = False
    due_at: datetime | None = None
    look_at: datetime | None = None
    ask_from: datetime | None = None
    can_look: bool = False
    can_send: bool = True
    scheduled: bool = False
    # The hour for which what is held goes back into its schedule by itself.
    hour: datetime | None = None
    sent_name: str = "Sent folder"
    proves: bool = True
    copies: int = 1
    of: int = 1


# The account works; what holds it is this email's own.
_OF_THE_EMAIL = frozenset({"files_need_reading", "sender_gone", "sender_needs_reading"})


@dataclass(frozen=True)
class Explanation:
    """``who`` can press ``help``; nobody where it goes by itself."""

    cause: str
    sentence: str
    help: Help
    who: Who


def reason(code: str, provider: str) -> str:
    """What left a send open, as half a sentence: “… did not answer in time”."""
    return OPEN.get(code, "{provider} gave no clear answer").replace("{provider}", provider)


def explain(facts: Facts, now: datetime) -> Explanation | None:
    """What is in the way; None where nothing is."""
    told = _explained(facts, now)
    if told is None or facts.of == 1:
        return told
    sentence = f"{facts.copies} of {facts.of} copies: {told.sentence[:1].lower()}{told.sentence[1:]}"
    return Explanation(told.cause, sentence, told.help, told.who)


def _explained(facts: Facts, now: datetime) -> Explanation | None:
    if facts.status == DeliveryStatus.UNKNOWN:
        return _unknown(facts, now)
    if not facts.cause:
        return None
    if facts.status == DeliveryStatus.REFUSED:
        sentence = f"Nothing was sent. {core(facts.cause, facts.provider, facts.words)}"
        return Explanation(facts.cause, sentence, Help.AGAIN, Who.MEMBER)
    if facts.status == DeliveryStatus.QUEUED:
        return _waiting(facts, facts.due_at, now) if facts.due_at is not None else _held(facts, now)
    return None


def _unknown(facts: Facts, now: datetime) -> Explanation:
    """Looked up by itself where Sent can be read; else a person looks."""
    known = f"We do not know whether it was sent: {reason(facts.cause, facts.provider)}."
    decides = facts.ask_from if facts.ask_from is not None and facts.ask_from > now else None
    if facts.look_at is not None and facts.can_look and not facts.proves:
        by = f" until {at_time(decides, now).removeprefix('at ')}" if decides else ""
        sentence = f"{known} We look for it in the {facts.sent_name} by ourselves{by}; then we ask you."
        return Explanation(facts.cause, sentence, Help.NONE, Who.NOBODY)
    if facts.look_at is not None and facts.can_look:
        then = (
            f"if it is not there {at_time(decides, now)}"
            if decides
            else "if it is proved that it is not there"
        )
        goes = "it is held for you" if facts.cause == _RESTORED else "it is sent again"
        sentence = f"{known} We look for it in the {facts.sent_name} by ourselves; {then}, {goes}."
        return Explanation(facts.cause, sentence, Help.NONE, Who.NOBODY)
    folder = f"Look into the {facts.sent_name} of {facts.address}"
    if decides:
        asked = f"{folder}: it can still arrive there until {at_time(decides, now).removeprefix('at ')}."
    else:
        asked = f"{folder} and say whether it is there."
    return Explanation(
        facts.cause, f"{known} {asked} It is not sent again by guess.", Help.ANSWER, Who.MEMBER
    )


def _waiting(facts: Facts, due_at: datetime, now: datetime) -> Explanation:
    """It goes by itself, and when; or it would not, as things stand."""
    if facts.scheduled and not facts.can_send and not opens_by_itself(facts.cause):
        return _would_not_leave(facts)
    said = core(facts.cause, facts.provider, facts.words)
    when = at_time(due_at, now) if due_at - now > _MOMENT else "in a moment"
    # Only who runs the installation can raise its limit; everything else passes by itself.
    who = Who.OPERATOR if cause(facts.cause).who is Who.OPERATOR else Who.NOBODY
    help_ = Help.CAUSE if who is Who.OPERATOR else Help.NONE
    rest = "; nothing to do" if who is Who.NOBODY and opens_by_itself(facts.cause) else ""
    return Explanation(
        facts.cause, f"Nothing was sent yet. {said} It goes by itself {when}{rest}.", help_, who
    )


def _would_not_leave(facts: Facts) -> Explanation:
    """There is time to repair what keeps it from leaving at its hour."""
    found = cause(facts.cause)
    said = core(facts.cause, facts.provider, facts.words)
    sentence = (
        f"It will not leave at its hour as things stand. {said} Repaired before then, it goes by itself."
    )
    return Explanation(facts.cause, sentence, Help.CAUSE, found.who)


def _held(facts: Facts, now: datetime) -> Explanation:
    """It waits for a person: first for what repairs the cause, then for “Send now”."""
    if facts.cause == _RESTORED:
        sentence = "Nothing was sent, as Sent shows. It was due before the backup; send it if it still holds."
        return Explanation(facts.cause, sentence, Help.RELEASE, Who.MEMBER)
    if facts.can_send and facts.cause == _OVERDUE:
        sentence = (
            "Nothing was sent. Its hour passed while it could not leave, and nothing leaves late unasked: "
            "send it now, choose another hour, or cancel it."
        )
        return Explanation(facts.cause, sentence, Help.RELEASE, Who.MEMBER)
    if facts.cause == _REMOVED:
        said = core(facts.cause, facts.provider, facts.words)
        ways, helps = "let it go", Help.RELEASE
        if not facts.can_send:
            ways, helps = "choose another account", Help.ELSEWHERE
        sentence = (
            f"Nothing was sent. {said} It is yours now, and nothing leaves by itself: {ways}, or cancel it."
        )
        return Explanation(facts.cause, sentence, helps, Who.MEMBER)
    if facts.cause in _OF_THE_EMAIL:
        said = core(facts.cause, facts.provider, facts.words)
        sentence = (
            f"Nothing was sent. {said} It waits here; once that is mended you can let it go, or cancel it."
        )
        return Explanation(facts.cause, sentence, Help.RELEASE, Who.MEMBER)
    if facts.can_send:
        sentence = "Nothing was sent. What stood in its way is gone; it waits here until somebody lets it go."
        return Explanation(facts.cause, sentence, Help.RELEASE, Who.MEMBER)
    found = cause(facts.cause)
    said = core(facts.cause, facts.provider, facts.words)
    elsewhere = found.who in {Who.PROVIDER_ADMIN, Who.OPERATOR} and found.severity is Severity.BROKEN
    goes = f"it goes by itself {at_time(facts.hour, now)}" if facts.hour is not None else ""
    if elsewhere and found.meanwhile:
        then = f"{found.meanwhile} {f'In time for it, {goes}' if goes else 'Then you can let this email go'}."
    elif found.action is Action.REACTIVATE:
        then = "It waits here; after that you can let it go."
    elif found.action is Action.ALLOW:
        then = "It waits here; once the address is allowed again you can let it go."
    elif found.action is Action.RECONNECT:
        then = f"It waits here; {f'reconnected before, {goes}' if goes else 'after reconnecting you can let it go'}."
    else:
        then = f"It waits here; {f'if that is over before, {goes}' if goes else 'once that is over you can let it go'}."
    return Explanation(facts.cause, f"Nothing was sent. {said} {then}", Help.CAUSE, found.who)
