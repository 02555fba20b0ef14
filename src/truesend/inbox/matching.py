"""To which delivery a mail that came in belongs, and what it says of it. Pure.

A delivery is known by our mark in a returned original, by its Message-ID in ``In-Reply-To`` or ``References``, and by
the provider's thread, in this order: some providers write Message-IDs anew, and some programs leave references out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

RULES = "inbox-1"
# Clocks differ; what came before a mail was sent does not answer it.
_MARGIN = timedelta(minutes=2)
_FORWARD = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|enc|i|vs|fs|pd|doorst|转发|転送)\s*[:：]",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"\s*(?:[\w.]{1,6}(?:\[\d+\])?\s*[:：]\s*)+")


@dataclass(frozen=True)
class Person:
    """A recipient of a delivery."""

    address: str
    name: str = ""


@dataclass(frozen=True)
class Copy:
    """One delivery, as far as an answer to it can be known by. ``address`` is the mailbox it was sent from."""

    id: UUID
    address: str
    message_id: str
    thread_id: str
    sent_at: datetime
    subject: str
    recipients: tuple[Person, ...]


@dataclass(frozen=True)
class Failed:
    """A recipient that a report names; ``sentence`` is what it says of them, ``hard`` whether it is for good."""

    address: str
    hard: bool = False
    sentence: str = ""


@dataclass(frozen=True)
class Letter:
    """A mail that came in. ``kind``: `bounce`, `delay`, `auto_reply` or `other`; ``mark`` is our own in its headers.

    ``returned_marks`` and ``returned_ids`` are the mark and the Message-ID of an original that it brings back.
    ``is_receipt``: a program's word that it arrived or was read, which answers nothing. ``stops``: why the provider
    did not let the mailbox send, as the cause of a connection; empty where the report speaks of recipients; ``words``
    are the report's own.
    """

    kind: str
    at: datetime
    sender: str
    sender_name: str = ""
    subject: str = ""
    message_id: str = ""
    thread_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    mark: str = ""
    own: bool = False
    is_receipt: bool = False
    stops: str = ""
    words: str = ""
    failed: tuple[Failed, ...] = ()
    returned_marks: tuple[str, ...] = ()
    returned_ids: tuple[str, ...] = ()
    returns: date | None = None
    # Minutes east of UTC on the writer's clock.
    utc_offset: int | None = None


@dataclass(frozen=True)
class Home:
    """The mailbox it came into: its own addresses, and those of every mailbox of the organization, in lower case."""

    own: frozenset[str]
    inside: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class Said:
    """One thing that a mail says of a delivery. ``recipient`` is None where nobody can know which of several.

    ``suppress`` is the reason for which nothing more is to be sent there; empty where nothing speaks against it.
    """

    kind: str
    recipient: str | None
    reason: str
    rule: str
    confidence: float = 1.0
    suppress: str = ""
    person: bool = False


@dataclass(frozen=True)
class Match:
    """What a mail says, and of which delivery."""

    copy: Copy
    said: tuple[Said, ...]


def match(letter: Letter, home: Home, copies: Sequence[Copy]) -> Match | None:
    """Whose mail it is to and what it says; None where it concerns nothing of ours."""
    if letter.own or letter.mark:
        return None  # a copy of what was sent
    if letter.kind in {"bounce", "delay"}:
        return _report(letter, copies)
    if letter.is_receipt or letter.sender in home.own or not letter.sender:
        return None
    found = _answered(letter, copies)
    if found is None:
        return None
    copy, how = found
    if letter.sender in home.inside and not _only_inside(letter.sender, copy, home):
        return None  # a colleague in the same thread
    said = _auto_reply(letter, copy) if letter.kind == "auto_reply" else _reply(letter, copy, how)
    return Match(copy, (said,))


def _only_inside(sender: str, copy: Copy, home: Home) -> bool:
    """Whether it was written to one's own people alone, and this is one of them."""
    people = {one.address.lower() for one in copy.recipients}
    return sender in people and people <= home.inside


def _answered(letter: Letter, copies: Sequence[Copy]) -> tuple[Copy, str] | None:
    """The delivery that it answers, and by what that is known: `references` or `thread`."""
    by_id = {one.message_id: one for one in copies if one.message_id}
    # The nearest comes last in References (RFC 5322, 3.6.4).
    for number in (*letter.in_reply_to, *reversed(letter.references)):
        if number in by_id:
            return by_id[number], "references"
    for mark in letter.returned_marks:
        for one in copies:
            if str(one.id) == mark:
                return one, "mark"
    thread = [
        one
        for one in copies
        if letter.thread_id and one.thread_id == letter.thread_id and one.sent_at <= letter.at + _MARGIN
    ]
    if not thread:
        return None
    # Of several, that which went to whoever writes, then the newest.
    return max(thread, key=lambda one: (_is_recipient(letter.sender, one), one.sent_at)), "thread"


def _is_recipient(address: str, copy: Copy) -> bool:
    return any(one.address.lower() == address for one in copy.recipients)


def _reply(letter: Letter, copy: Copy, how: str) -> Said:
    """A person's answer: whose, and what is unusual about it."""
    recipient, told, rule, doubt = _who(letter, copy)
    notes = [told]
    if _FORWARD.match(letter.subject):
        notes.append("It forwards the conversation.")
    elif letter.subject and plain(letter.subject) != plain(copy.subject):
        notes.append("Its subject was changed.")
    if how == "thread":
        notes.append("It names no mail that it answers; it is in the same conversation.")
        rule, doubt = f"{rule}_thread", doubt + 0.1
    return Said("reply", recipient, " ".join(notes), rule, confidence=round(1.0 - doubt, 2), person=True)


def _who(letter: Letter, copy: Copy) -> tuple[str | None, str, str, float]:
    """(recipient, sentence, rule, doubt) of who answers."""
    for one in copy.recipients:
        if one.address.lower() == letter.sender:
            return one.address, f"A mail from {letter.sender} answers this one.", "reply", 0.0
    alone = copy.recipients[0].address if len(copy.recipients) == 1 else None
    named = [one for one in copy.recipients if _same_name(one.name, letter.sender_name)]
    if len(named) == 1:
        told = f"An answer from another address of {named[0].name}: {letter.sender}."
        return named[0].address, told, "reply_other_address", 0.0
    told = f"An answer from another address, {letter.sender}, which it was not sent to."
    return alone, told, "reply_other_person", 0.1


def _same_name(one: str, other: str) -> bool:
    """Whether two names are one, whatever their order (“Moreau, Ines”)."""
    words, others = (sorted(re.findall(r"\w+", text.lower())) for text in (one, other))
    return len(words) > 1 and words == others


def _auto_reply(letter: Letter, copy: Copy) -> Said:
    """A program's answer, with the day on which somebody is back where it says one."""
    recipient, _, _, _ = _who(letter, copy)
    told = f"An automatic answer from {letter.sender}."
    if letter.returns is not None:
        told = f"{told} Back on {letter.returns.day} {letter.returns:%B %Y}."
    return Said("auto_reply", recipient, told, "auto_reply")


def _report(letter: Letter, copies: Sequence[Copy]) -> Match | None:
    """A bounce or a delay: of each recipient that it names."""
    copy = _reported(letter, copies)
    if copy is None:
        return None
    if letter.stops:
        sentence = next((one.sentence for one in letter.failed if one.sentence), "")
        told = sentence or "The provider did not let the mailbox send."
        return Match(copy, (Said(letter.kind, _one(copy), told, "bounce_of_the_sender"),))
    people = {one.address.lower(): one.address for one in copy.recipients}
    said: dict[str | None, Said] = {}
    for one in letter.failed:
        recipient = people.get(one.address.lower()) or _one(copy)
        told = one.sentence or _plain_sentence(letter.kind, recipient or one.address)
        # Where a mailbox passes mail on, another address than ours failed: that says nothing of ours.
        passed_on = bool(one.address) and one.address.lower() not in people
        if passed_on:
            told = f"{told} It had been passed on to {one.address}."
        said.setdefault(
            recipient,
            Said(
                letter.kind,
                recipient,
                told,
                f"{letter.kind}_{'hard' if one.hard else 'soft'}" if letter.kind == "bounce" else letter.kind,
                suppress="hard_bounce" if one.hard and letter.kind == "bounce" and not passed_on else "",
            ),
        )
    if not said:
        recipient = _one(copy)
        told = _plain_sentence(letter.kind, recipient or "one of its recipients")
        said[recipient] = Said(letter.kind, recipient, told, f"{letter.kind}_unnamed", confidence=0.8)
    return Match(copy, tuple(said.values()))


def _reported(letter: Letter, copies: Sequence[Copy]) -> Copy | None:
    by_mark = {str(one.id): one for one in copies}
    for mark in letter.returned_marks:
        if mark in by_mark:
            return by_mark[mark]
    by_id = {one.message_id: one for one in copies if one.message_id}
    for number in (*letter.returned_ids, *letter.in_reply_to, *reversed(letter.references)):
        if number in by_id:
            return by_id[number]
    thread = [one for one in copies if letter.thread_id and one.thread_id == letter.thread_id]
    named = {one.address.lower() for one in letter.failed}
    told = [one for one in thread if named & {person.address.lower() for person in one.recipients}]
    return max(told, key=lambda one: one.sent_at, default=None)


def _one(copy: Copy) -> str | None:
    return copy.recipients[0].address if len(copy.recipients) == 1 else None


def _plain_sentence(kind: str, who: str) -> str:
    if kind == "delay":
        return f"Not delivered to {who} yet; it is still being tried."
    return f"Could not be delivered to {who}."


def plain(subject: str) -> str:
    """A subject without “Re:” and its kin, in lower case."""
    return " ".join(_PREFIX.sub("", subject, count=1).lower().split())


def keys(letters: Iterable[Letter]) -> tuple[set[str], set[str], set[str]]:
    """(Message-IDs, threads, marks) by which the deliveries of these letters can be found."""
    ids: set[str] = set()
    threads: set[str] = set()
    marks: set[str] = set()
    for one in letters:
        ids.update(one.in_reply_to, one.references, one.returned_ids)
        threads |= {one.thread_id} - {""}
        marks.update(one.returned_marks)
    return ids, threads, marks
