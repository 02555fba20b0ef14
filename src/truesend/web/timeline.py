"""An email's page in words: its status in a sentence, its copies, its timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.html import format_html

from truesend import clock
from truesend.connections.describe import account_label, describe, with_facts
from truesend.connections.models import Connection
from truesend.organizations import installation
from truesend.providers import registry
from truesend.sending.explain import Help
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, EmailStatus
from truesend.tracking.history import Place, history_of, place_of
from truesend.tracking.rewrite import CLIPPED_SENTENCE, CLIPPED_TITLE
from truesend.tracking.troubles import troubles_of
from truesend.web import (
    conversations,
    forgotten,
    left_out,
    progress,
    recorded,
    returned,
    scheduling,
    settled,
    statuses,
    their_hours,
    undoing,
)
from truesend.web.copies import A_MOMENT, FIRST, copies_of, listed
from truesend.web.entries import Whose, entries
from truesend.web.facts import PageFacts
from truesend.web.obstacles import obstacles
from truesend.web.places import told
from truesend.web.preview import is_clipped
from truesend.web.questions import questions
from truesend.web.rows import aftermath_of, headline, people
from truesend.web.templatetags.look import moment

# What of an email can be written again: nothing that may have left.
WRITTEN_AGAIN = (DeliveryStatus.REFUSED, DeliveryStatus.CANCELLED)
# What leaves at an hour, or when somebody lets it go.
_WAITS = (EmailStatus.SCHEDULED, EmailStatus.HELD)
# Entries of the timeline at first, and how many more "Show older" brings; beyond the most, it leads to a page of them.
PAGE, MOST = 100, 500
# Of separate copies to more people nobody reads a line of names.
_NAMED = 50


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the timeline is shown: how many entries, older than a place in it (``None``: the newest)."""

    size: int = PAGE
    before: Place | None = None

    @property
    def query(self) -> str:
        """As the query of an address; empty for what is shown anyway."""
        asked = {"before": str(self.before or ""), "shown": str(self.size if self.size > PAGE else "")}
        found = urlencode({key: value for key, value in asked.items() if value})
        return f"?{found}" if found else ""


def part_of(asked: Mapping[str, str]) -> Part:
    """The part that an address asks for; what cannot be read asks for nothing."""
    shown = asked.get("shown", "")
    size = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 6 else PAGE
    return Part(min(max(size, PAGE), MOST), place_of(asked.get("before", "")))


def page(facts: PageFacts, email: Email, part: Part | None = None) -> dict[str, Any]:
    """Everything the email's page says to its member."""
    member = email.member = facts.member
    part = part or Part()
    history = history_of(email.pk, part.size, part.before)
    found = copies_of(email, history.trouble)
    deliveries, labels = found.rows, found.labels
    attempts = list(Attempt.objects.filter(delivery__email=email).order_by("number"))
    after = aftermath_of(email, found, attempts)
    word, state, text = headline(email, deliveries, history.told, None, after, history.trouble)
    connection = email.connection
    assert connection is not None
    # A mailbox that was shared once may be one's own again, and not this member's.
    described = facts.mailboxes.get(connection.pk) or describe(
        with_facts(Connection.objects.filter(pk=connection.pk)).get()
    )
    name = registry.provider(connection.provider).name
    asked = questions(member, described, deliveries, attempts, labels)
    people_count = len(email.to) + len(email.cc) + len(email.bcc)
    notes = obstacles(member, email, deliveries, attempts, described)
    bounced = returned.to_write_again(email, history.trouble, was_before=found.written_again)
    notes += returned.notes(history.trouble, people_count, bounced, f"/emails/{email.pk}/again?of=bounced")
    if email.track and not history.told:
        notes += forgotten.notes(deliveries)
    again = f"/emails/{email.pk}/again"
    edit = {"label": Help.AGAIN.value, "url": again, "method": "post"}
    offered = any(note["fix"] == edit for note in notes)
    undo = undoing.of_email(email)
    told_by_notes = bool(asked or notes or undo)
    out = left_out.of_email(email, deliveries)
    notes += left_out.notes(out)
    told_to_crm = recorded.of_email(email) if found.recorded else []
    notes += recorded.notes(member, told_to_crm, f"/emails/{email.pk}")
    kept = {one.delivery for one in out}
    stopped = sum(one.status in WRITTEN_AGAIN and one.pk not in kept for one in deliveries)
    if not offered and 0 < stopped < len(deliveries):
        notes.append(_stopped(stopped, len(deliveries), again))
    if (corrected := after.corrections.get(email.pk)) is not None:
        # One press more would begin a third one.
        notes = [
            _corrected(corrected, to_some=email.status == EmailStatus.SENT and people_count > 1),
            *(_done(one) if one["fix"] == edit else one for one in notes),
        ]
    if is_clipped(email):
        notes.append(_clipped())
    whose = Whose(labels, people_count, len(found.links), returned.names(email))
    # What is to be recorded stands above the acceptance of the same moment.
    tries = [*recorded.lines(told_to_crm), *settled.lines(deliveries, attempts, name, labels)]
    pending = {DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN}
    return {
        "email": {
            "id": str(email.pk),
            "subject": email.subject,
            "to_label": people([*email.to, *email.cc, *email.bcc]),
            "from_label": account_label(connection),
            "provider_name": name,
            "status_word": word,
            "state": state,
            # A note that it will not leave at its hour leaves open which hour that is.
            "status_sentence": ""
            if told_by_notes and email.status != EmailStatus.SCHEDULED
            else _status_sentence(email, deliveries, text),
            "created_at": email.created_at,
            "recipients": _recipients(email),
        },
        "timeline": entries(history, tries, whose, part.before),
        "part": {
            "query": part.query,
            "newest": part.before is not None,
            "older": _older(part, history.older),
        },
        "links": told(found.links, history.clicks, len(deliveries), people_count) if found.links else None,
        "nothing": statuses.NOTHING[email.status],
        "questions": asked,
        "notes": notes,
        "progress": progress.shown(email.status, deliveries),
        "copies": listed(found, name, size=FIRST),
        "undo": undo,
        "pending": any(one.status in pending for one in deliveries) or recorded.is_pending(told_to_crm),
        "can_reply": conversations.can_answer(deliveries),
        "later": scheduling.panel(member, email.send_at, email=email) if email.status in _WAITS else None,
        "can_cancel": any(one.status == DeliveryStatus.QUEUED for one in deliveries),
        "can_edit": not offered and stopped == len(deliveries) > 0,
    }


def _clipped() -> dict[str, Any]:
    """A note on a mail of which people may see the beginning alone."""
    return {
        "title": CLIPPED_TITLE,
        "sentence": CLIPPED_SENTENCE,
        "state": "warn",
        "words": "",
        "fix": None,
        "who": "",
    }


def _done(note: dict[str, Any]) -> dict[str, Any]:
    """A note on what was refused, once it asks nothing of anybody any more."""
    return {**note, "fix": None, "who": ""}


def _corrected(email: Email, *, to_some: bool) -> dict[str, Any]:
    """A note on what was written again and sent in this one's place, or only to those whom it did not reach."""
    name = f"“{email.subject or '(no subject)'}”"
    return {
        "title": f"Whom it did not reach was written to again: {name}."
        if to_some
        else f"Sent again as {name}.",
        "sentence": "What became of it stands there.",
        "state": "ok",
        "words": "",
        "fix": {"label": "Open the new email", "url": f"/emails/{email.pk}", "method": "get"},
        "who": "",
    }


def _stopped(copies: int, of: int, again: str) -> dict[str, Any]:
    """A note on the copies that did not leave where others did, or still may."""
    were, those = ("was", "that person") if copies == 1 else ("were", "those people")
    return {
        "title": f"{copies} of {of} copies {were} stopped before {'it' if copies == 1 else 'they'} left.",
        "sentence": f"Edit the email to write to {those} alone; the others get nothing twice.",
        "state": "warn",
        "words": "",
        "fix": {"label": Help.AGAIN.value, "url": again, "method": "post"},
        "who": "",
    }


def _status_sentence(email: Email, deliveries: Sequence[Delivery], text: str) -> str:
    """The status in a sentence; what waits says until when, and for what."""
    waiting = [one.due_at for one in deliveries if one.status == DeliveryStatus.QUEUED and one.due_at]
    due = min(waiting, default=None)
    if due is not None and not (standing := installation.standing()).adopted:
        return standing.sentence
    if due is not None and due < clock.now() - A_MOMENT and email.status == EmailStatus.QUEUED:
        return format_html("It was due at {} and waits for its turn.", moment(due, "point"))
    if due is None or due <= clock.now() + A_MOMENT:
        return text
    hour = moment(clock.minute_after(due), "point")
    if email.status == EmailStatus.SCHEDULED:
        return format_html("Waits for its hour: {}. {}", hour, their_hours.of(email, due))
    return format_html("Its turn comes at {}.", hour)


def every_copy(email: Email, asked: str) -> dict[str, Any] | None:
    """Context of emails/copies.html; ``None`` where there is one copy only. ``asked`` is the page's number."""
    assert email.connection is not None
    name = registry.provider(email.connection.provider).name
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    found = listed(copies_of(email, troubles_of([email.pk]).get(email.pk)), name, max(1, number))
    return {"email": {"id": str(email.pk), "subject": email.subject}, "copies": found} if found else None


def _older(part: Part, place: Place | None) -> dict[str, Any] | None:
    """How to get at older entries: more of them below, or from a certain length on a page of their own."""
    if place is None:
        return None
    grows = part.size + PAGE <= MOST
    following = Part(part.size + PAGE, part.before) if grows else Part(PAGE, place)
    return {"grows": grows, "query": following.query}


def _recipients(email: Email) -> list[tuple[str, list[str]]]:
    """Everybody by header, where the line above cannot name them all; bcc is for the sender's eyes only."""
    groups = [
        (label, list(people)) for label, people in (("To", email.to), ("Cc", email.cc), ("Bcc", email.bcc))
    ]
    named = [group for group in groups if group[1]]
    if email.separate_copies and sum(len(people) for _, people in named) > _NAMED:
        return []  # each has a copy, and stands there
    return named if len(named) > 1 or sum(len(people) for _, people in named) > 2 else []
