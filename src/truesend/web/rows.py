"""An email in one line: what the list shows of it, and the same words at the head of its page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import UUIDField, Value
from django.utils.html import format_html

from truesend.connections.describe import Description
from truesend.organizations.finding import Lately
from truesend.providers import registry
from truesend.sending import reconcile
from truesend.sending.addresses import AddressError, parse
from truesend.sending.explain import reason
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, EmailStatus
from truesend.sending.problems import Problem, problems_of
from truesend.sending.states import PAUSED
from truesend.tracking import query
from truesend.tracking.query import Told
from truesend.tracking.troubles import Trouble, troubles_of
from truesend.web import statuses
from truesend.web.copies import Copies
from truesend.web.folders import sent_folder
from truesend.web.hours import local
from truesend.web.templatetags.look import moment

# Headline word of tracking -> state of the look; the others are good news.
_STATES = {"Cannot know": "eye", "Only machines": "bot"}
# Words that have a moment.
_SEEN = frozenset({"Opened", "Clicked", "Answered"})
_TROUBLED = frozenset(
    {EmailStatus.QUEUED, EmailStatus.HELD, EmailStatus.PAUSED, EmailStatus.PARTLY, EmailStatus.FAILED}
)
# Of others every copy stands alike.
_APART = _TROUBLED | {EmailStatus.SENDING, EmailStatus.UNKNOWN}
_TWICE = "It had arrived after all: somebody may have it twice."
_ABOUT_TO = "It had arrived after all: Cancel it, or somebody gets it twice."
_UNTRACKED = "Sent without tracking: whether it was opened cannot be known."


@dataclass(frozen=True)
class Aftermath:
    """What came after: by email, what was sent in its place, and a warning where a copy may be there twice."""

    corrections: Mapping[UUID, Email]
    twice: Mapping[UUID, str]


def aftermath(emails: Sequence[Email]) -> Aftermath:
    """One query for all of them; of several corrections the newest that was sent."""
    sent = Email.objects.filter(corrects__in=emails).exclude(status=EmailStatus.DRAFT)
    later = sent.values_list("corrects", "pk", "subject", "created_at")
    late = Attempt.objects.filter(delivery__email__in=emails, arrived_at__isnull=False)
    late = late.exclude(delivery__status__in=(DeliveryStatus.CANCELLED, DeliveryStatus.REFUSED))
    told = late.values_list("delivery__email_id", Value(None, UUIDField()), "delivery__status", "arrived_at")
    newest: dict[UUID, Email] = {}
    twice: dict[UUID, str] = {}
    both: Iterable[Any] = later.union(told, all=True)
    for email_id, correction, text, _ in sorted(both, key=lambda one: one[3]):
        if correction is not None:
            newest[email_id] = Email(pk=correction, subject=text)
        elif twice.get(email_id) != _ABOUT_TO:
            twice[email_id] = _ABOUT_TO if text == DeliveryStatus.QUEUED else _TWICE
    return Aftermath(newest, twice)


def aftermath_of(email: Email, found: Copies, attempts: Sequence[Attempt]) -> Aftermath:
    """The same of one email whose rows are read already: a query only where something was written again."""
    gone = {DeliveryStatus.CANCELLED, DeliveryStatus.REFUSED}
    corrections: Mapping[UUID, Email] = {}
    if found.written_again:
        corrections = aftermath([email]).corrections
    late = {one.delivery_id for one in attempts if one.arrived_at is not None}
    there = {one.status for one in found.rows if one.pk in late and one.status not in gone}
    twice = {email.pk: _ABOUT_TO if DeliveryStatus.QUEUED in there else _TWICE} if there else {}
    return Aftermath(corrections, twice)


def rows(emails: list[Email], mailboxes: Mapping[UUID, Description] | None = None) -> list[dict[str, Any]]:
    """The rows of the list, with six queries for all of them; copies are read only where they stand differently."""
    copies: dict[UUID, list[Delivery]] = defaultdict(list)
    apart = [one for one in emails if one.status in _APART]
    if apart:
        for one in Delivery.objects.filter(email__in=apart).defer("links").order_by("position"):
            copies[one.email_id].append(one)
    troubled = [one for one in apart if one.status in _TROUBLED]
    tries = Attempt.objects.filter(delivery__email__in=[one.pk for one in troubled]).order_by("number")
    problems = problems_of(troubled, copies, tries, mailboxes) if troubled else {}
    ids = [one.pk for one in emails]
    told, returned, after = query.told_of(ids), troubles_of(ids), aftermath(emails)
    return [
        _row(
            email, copies[email.pk], told.get(email.pk), problems.get(email.pk), after, returned.get(email.pk)
        )
        for email in emails
    ]


def summary(lately: Lately) -> str:
    """One sentence above the list: what became of the emails of the last days; empty where there is none."""
    if not lately.sent:
        return ""
    of = f"your newest {lately.sent:,} emails" if lately.cut else f"{lately.sent:,} emails"
    told = [
        f"{number:,} {word}"
        for number, word in ((lately.answered, "answered"), (lately.clicked, "clicked"))
        if number
    ]
    rest = f", {' and '.join(told)}" if told else ""
    if lately.sent == 1:
        return ""
    return f"{lately.opened:,} of {of} of the last 7 days were opened by a person{rest}."


def _row(
    email: Email,
    copies: Sequence[Delivery],
    told: Told | None,
    problem: Problem | None,
    after: Aftermath,
    returned: Trouble | None,
) -> dict[str, Any]:
    word, state, text = headline(email, copies, told, problem, after, returned)
    draft = email.status == EmailStatus.DRAFT
    return {
        "id": str(email.pk),
        "url": f"/emails/new?draft={email.pk}" if draft else "",
        "to_label": people([*email.to, *email.cc, *email.bcc]),
        "subject": email.subject,
        "status_word": word,
        "state": state,
        "detail": text,
        "local_detail": format_html("{}, {}", text.removesuffix("."), moment(told.best.at, "clock"))
        if told is not None and word in _SEEN
        else local(text, problem.due_at if problem is not None else None),
        "time": email.updated_at if draft else email.created_at,
    }


def headline(
    email: Email,
    copies: Sequence[Delivery],
    told: Told | None,
    problem: Problem | None,
    after: Aftermath,
    returned: Trouble | None,
) -> tuple[str, str, str]:
    """(word, state, sentence): a problem first, also one that came back, else the strongest signal, else the status."""
    word, state, text = statuses.EMAIL[email.status]
    several = len(email.to) + len(email.cc) + len(email.bcc)
    if email.pk in after.twice:
        return word, "warn", after.twice[email.pk]
    # Where it reached others, what became of it there goes on to be told.
    if email.pk in after.corrections and (email.status != EmailStatus.SENT or several == 1):
        return word, "none", f"Sent again as “{after.corrections[email.pk].subject or '(no subject)'}”."
    if email.status == EmailStatus.UNKNOWN:
        return word, state, _unknown_in_short(email, copies)
    if email.status == EmailStatus.HELD and not _waits_for_somebody(copies):
        state = statuses.HELD_FOR_A_WHILE.state
    if email.status == EmailStatus.SENDING and len(copies) > 1:
        done = sum(one.status == DeliveryStatus.ACCEPTED for one in copies)
        word = f"{word} {done} / {len(copies)}"
    if problem is not None:
        return word, state, _in_short(problem.sentence)
    if email.status in {EmailStatus.SENT, EmailStatus.PARTLY, EmailStatus.SENDING}:
        apart = several if email.separate_copies else 1
        if returned is not None and email.status != EmailStatus.SENDING:
            return returned.word, "bad" if returned.bounced else "warn", returned.sentence(several)
        strongest = query.headline(told, copies=apart, people=several if apart == 1 else 1)
        if strongest is not None and email.status == EmailStatus.PARTLY:
            return word, state, f"{strongest.word}: {strongest.sentence[:1].lower()}{strongest.sentence[1:]}."
        if strongest is not None:
            return strongest.word, _STATES.get(strongest.word, "ok"), f"{strongest.sentence}."
    if email.status == EmailStatus.SENT and not email.track:
        text = _UNTRACKED
    return word, state, text


def _in_short(sentence: str) -> str:
    """That nothing was sent the word beside it says already; what may be cut off at the end is what matters less."""
    rest = sentence.partition(". ")[2] or sentence
    why, found, when = rest.partition(" It goes by itself ")
    return (
        f"Goes by itself {when.removesuffix('.').removesuffix('; nothing to do')}. {why}" if found else rest
    )


def _unknown_in_short(email: Email, copies: Sequence[Delivery]) -> str:
    unknown = [one for one in copies if one.status == DeliveryStatus.UNKNOWN]
    looks = email.connection is not None and reconcile.can_look(email.connection)
    folder = sent_folder(email.connection, email.member_id)
    if any(one.look_at is None or not looks for one in unknown):
        return f"Needs you: is it in {folder}?"
    why = reason(email.problem, _provider_name(email))
    return f"{why[:1].upper()}{why[1:]}. Looking in {folder}."


def _waits_for_somebody(copies: Sequence[Delivery]) -> bool:
    return any(one.held_cause not in {"", PAUSED} and one.due_at is None for one in copies)


def _provider_name(email: Email) -> str:
    return registry.provider(email.connection.provider).name if email.connection else "The provider"


def people(addresses: list[str]) -> str:
    """“Ines Moreau”, “Ines Moreau, Tom Okafor”, “3 people”."""
    shown = []
    for text in addresses[:2]:
        try:
            one = parse(text)
        except AddressError:
            shown.append(text[:60])
        else:
            shown.append(one.name or one.address)
    return f"{len(addresses)} people" if len(addresses) > 2 else ", ".join(shown)
