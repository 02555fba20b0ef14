"""An email's page in words: its status in a sentence, its copies, its timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.html import format_html

from truesend import clock
from truesend.organizations import installation
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending.explain import Help
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, EmailStatus, Recipient
from truesend.tracking import query
from truesend.tracking.models import Signal
from truesend.tracking.rewrite import CLIPPED_SENTENCE, CLIPPED_TITLE
from truesend.web import settled, statuses, undoing
from truesend.web.obstacles import obstacles
from truesend.web.preview import is_clipped
from truesend.web.questions import questions
from truesend.web.rows import aftermath, headline, people
from truesend.web.templatetags.look import moment

_CERTAIN = 0.95
# What of an email can be written again: nothing that may have left.
WRITTEN_AGAIN = (DeliveryStatus.REFUSED, DeliveryStatus.CANCELLED)
# Copies listed by name; above it only their number.
_MOST_COPIES = 100
# What waits longer than this has a reason worth telling.
_A_MOMENT = timedelta(seconds=5)


def page(member: Member, email: Email) -> dict[str, Any]:
    """Everything the email's page says to its member."""
    deliveries = list(Delivery.objects.filter(email=email).defer("links").order_by("position"))
    signals = query.signals_of([one.pk for one in deliveries])
    after = aftermath([email])
    word, state, text = headline(email, deliveries, query.told_of([email.pk]).get(email.pk), None, after)
    connection = email.connection
    assert connection is not None
    name = registry.provider(connection.provider).name
    labels = _labels(deliveries) if len(deliveries) > 1 else {}
    asked = questions(member, connection, deliveries, labels)
    attempts = list(Attempt.objects.filter(delivery__in=deliveries).order_by("number"))
    notes = obstacles(member, email, deliveries, attempts)
    again = f"/emails/{email.pk}/again"
    edit = {"label": Help.AGAIN.value, "url": again, "method": "post"}
    offered = any(note["fix"] == edit for note in notes)
    undo = undoing.of_email(email)
    told_by_notes = bool(asked or notes or undo)
    stopped = sum(one.status in WRITTEN_AGAIN for one in deliveries)
    if not offered and 0 < stopped < len(deliveries):
        notes.append(_stopped(stopped, len(deliveries), again))
    if (corrected := after.corrections.get(email.pk)) is not None:
        # One press more would begin a third one.
        notes = [
            _corrected(corrected),
            *(_done(one) if one["fix"] == edit else one for one in notes),
        ]
    if is_clipped(email):
        notes.append(_clipped())
    pending = {DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN}
    return {
        "email": {
            "id": str(email.pk),
            "subject": email.subject,
            "to_label": people([*email.to, *email.cc, *email.bcc]),
            "from_label": connection.address,
            "provider_name": name,
            "status_word": word,
            "state": state,
            "status_sentence": "" if told_by_notes else _status_sentence(email, deliveries, text),
            "created_at": email.created_at,
            "recipients": _recipients(email),
        },
        "timeline": _timeline(email, signals, settled.lines(deliveries, attempts, name, labels)),
        "nothing": statuses.NOTHING[email.status],
        "questions": asked,
        "notes": notes,
        "copies": _copies(deliveries, name, labels),
        "undo": undo,
        "pending": any(one.status in pending for one in deliveries),
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


def _corrected(email: Email) -> dict[str, Any]:
    """A note on what was written again and sent in this one's place."""
    return {
        "title": f"Sent again as “{email.subject or '(no subject)'}”.",
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
    if due is not None and due < clock.now() - _A_MOMENT and email.status == EmailStatus.QUEUED:
        return format_html("It was due at {} and waits for its turn.", moment(due, "point"))
    if due is None or due <= clock.now() + _A_MOMENT:
        return text
    hour = moment(clock.minute_after(due), "point")
    if email.status == EmailStatus.SCHEDULED:
        return format_html("Waits for its hour: {}.", hour)
    return format_html("Its turn comes at {}.", hour)


def _copies(deliveries: Sequence[Delivery], provider: str, labels: dict[UUID, str]) -> dict[str, Any] | None:
    """Each copy's state, the ones with a problem first; ``None`` where there is one copy only."""
    if len(deliveries) < 2:
        return None
    order = ("unknown", "refused", "queued", "sending", "cancelled", "accepted")
    told = [(one, _copy_status(one)) for one in deliveries]
    counts = Counter(status.word for _, status in told)
    told.sort(key=lambda pair: (not pair[0].held_cause, order.index(pair[0].status)))
    return {
        "summary": ", ".join(f"{count} {word.lower()}" for word, count in counts.most_common()),
        "rows": [
            {
                "id": str(one.pk),
                "to": labels.get(one.pk, ""),
                "word": status.word,
                "state": status.state,
                "sentence": status.sentence.replace("{provider}", provider),
                "at": one.sent_at or _leaves_at(one),
            }
            for one, status in told[:_MOST_COPIES]
        ],
        "more": max(0, len(told) - _MOST_COPIES),
    }


def _copy_status(one: Delivery) -> statuses.Status:
    if one.held_cause:
        return statuses.HELD_FOR_A_WHILE if one.due_at else statuses.HELD
    return statuses.DELIVERY[one.status]


def _leaves_at(one: Delivery) -> datetime | None:
    """The hour of a copy that does not leave in a moment."""
    late = one.due_at is not None and one.due_at > clock.now() + _A_MOMENT
    return clock.minute_after(one.due_at) if one.due_at is not None and late else None


def _recipients(email: Email) -> list[tuple[str, list[str]]]:
    """Everybody by header, where the line above cannot name them all; bcc is for the sender's eyes only."""
    groups = [
        (label, list(people)) for label, people in (("To", email.to), ("Cc", email.cc), ("Bcc", email.bcc))
    ]
    named = [group for group in groups if group[1]]
    return named if len(named) > 1 or sum(len(people) for _, people in named) > 2 else []


def _timeline(email: Email, signals: list[Signal], tries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # Whom it concerns needs saying only where there are several.
    several = len(email.to) + len(email.cc) + len(email.bcc) > 1
    told = [*(_signal(one, several) for one in signals), *tries]
    return sorted(told, key=lambda one: one["at"], reverse=True)


def _labels(deliveries: list[Delivery]) -> dict[UUID, str]:
    found = Recipient.objects.filter(delivery__in=deliveries, position=0)
    return {one.delivery_id: one.name or one.address for one in found}


def _signal(one: Signal, several: bool) -> dict[str, Any]:
    icon, state, title = _shown(one)
    times = f" {one.count} times." if one.count > 1 else ""
    who = f" {one.recipient}." if several and one.recipient else ""
    struck = "You struck it: not counted. " if one.struck else ""
    return {
        "icon": icon,
        "state": "mute" if one.struck else state,
        "title": title,
        "confidence_label": "certain"
        if one.confidence >= _CERTAIN
        else f"{one.confidence:.0%}".replace("%", " %"),
        "sentence": f"{struck}{one.reason}{times}{who}",
        "at": one.at,
        "signal": str(one.pk),
        "struck": one.struck,
        # A machine's fetch counts nowhere as it is.
        "button": "Unstrike" if one.struck else "Strike" if query.rank(one) >= query.DOUBT else "",
    }


def _shown(one: Signal) -> tuple[str, str, str]:
    """(icon, state, title) of an open or a click."""
    click = one.kind == Signal.Kind.CLICK
    if one.klass in {Signal.Klass.SCANNER, Signal.Klass.PREFETCH}:
        return "bot", "mute", f"Fetched {_link(one)}" if click else "Fetched the pictures"
    if one.klass == Signal.Klass.PROXY:
        return "eye", "mute", "Pictures loaded ahead"
    if one.klass == Signal.Klass.SELF:
        return ("link" if click else "eye"), "mute", f"You followed {_link(one)}" if click else "You looked"
    if one.klass == Signal.Klass.UNKNOWN:
        return (
            ("link" if click else "eye"),
            "mute",
            f"Perhaps clicked {_link(one)}" if click else "Perhaps opened",
        )
    return ("link", "ok", f"Clicked {_link(one)}") if click else ("eye", "ok", "Opened")


def _link(one: Signal) -> str:
    return f"“{one.link_label or one.link_target or 'a link'}”"
