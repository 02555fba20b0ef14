"""An email in words: its row in the list, its status in a sentence, its timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from truesend.connections.causes import sentence
from truesend.connections.describe import describe, fix_for, who_can
from truesend.providers import registry
from truesend.providers.errors import Outcome
from truesend.sending import readiness
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, EmailStatus, Recipient
from truesend.tracking import query
from truesend.tracking.models import Signal
from truesend.web.gate import names

# status -> (word, state of the look, sentence)
STATUS: dict[str, tuple[str, str, str]] = {
    EmailStatus.DRAFT: ("Draft", "none", "Not sent yet."),
    EmailStatus.SCHEDULED: ("Scheduled", "accent", "Waits for its hour."),
    EmailStatus.QUEUED: ("Queued", "accent", "Leaves in a moment."),
    EmailStatus.SENDING: ("Sending", "accent", "On its way."),
    EmailStatus.SENT: ("Sent", "ok", "No opening known yet."),
    EmailStatus.PARTLY: ("Partly sent", "warn", "Some copies were accepted, some were not."),
    EmailStatus.UNKNOWN: (
        "Unknown",
        "warn",
        "It may or may not have been sent. It is not sent again by guess.",
    ),
    EmailStatus.HELD: ("Held", "bad", "It waits; nothing is lost."),
    EmailStatus.PAUSED: ("Paused", "warn", "It waits."),
    EmailStatus.FAILED: ("Not sent", "bad", "It was refused."),
    EmailStatus.CANCELLED: ("Cancelled", "none", "It was stopped before it left."),
}


# What left a send open, in the middle of a sentence.
_OPEN = {
    "provider_timeout": "{provider} did not answer in time",
    "provider_cut_off": "the connection to {provider} broke before an answer came",
    "provider_error": "{provider} had a fault while it took the email",
    "provider_garbage": "{provider}’s answer was not one we can read",
    "worker_lost": "our worker ended before {provider} had answered",
    "restored": "an older backup was restored, which cannot tell what was sent since",
}
_OPEN_TITLES = {
    "provider_timeout": "{provider} never answered",
    "provider_cut_off": "The connection broke",
    "worker_lost": "Our worker ended midway",
    "restored": "A backup was restored",
}
# Above so many copies the accepted ones are one line; and so many tries that failed are shown at most.
_FOLD_ABOVE, _MOST_ATTEMPTS = 10, 100
_PROBLEM_TITLES = {
    EmailStatus.HELD: "It waits; nothing is lost.",
    EmailStatus.UNKNOWN: "It is not sent again by guess.",
    EmailStatus.FAILED: "It was not sent.",
    EmailStatus.PARTLY: "Some copies did not leave.",
    EmailStatus.QUEUED: "It is tried again.",
}
# Headline word of tracking -> state of the look; the others are good news.
_STATES = {"Cannot know": "eye", "Only machines": "bot"}
_CERTAIN = 0.95


def rows(emails: list[Email]) -> list[dict[str, Any]]:
    """The rows of the list, with two queries for all of them."""
    owners = dict(Delivery.objects.filter(email__in=emails).values_list("pk", "email_id"))
    signals: dict[UUID, list[Signal]] = defaultdict(list)
    for one in query.signals_of(list(owners)):
        signals[owners[one.delivery]].append(one)
    return [_row(email, signals[email.pk]) for email in emails]


def _row(email: Email, signals: list[Signal]) -> dict[str, Any]:
    word, state, text = headline(email, signals)
    draft = email.status == EmailStatus.DRAFT
    return {
        "id": str(email.pk),
        "url": f"/emails/new?draft={email.pk}" if draft else "",
        "to_label": people([*email.to, *email.cc, *email.bcc]),
        "subject": email.subject,
        "status_word": word,
        "state": state,
        "detail": text,
        "time": email.updated_at if draft else email.created_at,
    }


def headline(email: Email, signals: Iterable[Signal]) -> tuple[str, str, str]:
    """(word, state, sentence): a problem first, else the strongest signal, else the status."""
    word, state, text = STATUS[email.status]
    if email.problem and email.status not in {EmailStatus.SENT, EmailStatus.CANCELLED}:
        return word, state, _problem_sentence(email)
    if email.status in {EmailStatus.SENT, EmailStatus.PARTLY, EmailStatus.SENDING}:
        strongest = query.headline(list(signals))
        if strongest is not None:
            return strongest.word, _STATES.get(strongest.word, "ok"), f"{strongest.sentence}."
    return word, state, text


def _problem_sentence(email: Email, words: str = "") -> str:
    name = registry.provider(email.connection.provider).name if email.connection else "The provider"
    if email.status == EmailStatus.UNKNOWN:
        return _open_sentence(email.problem, name)
    return sentence(email.problem, name, words)


def _open_sentence(code: str, provider: str) -> str:
    reason = _OPEN.get(code, "{provider} gave no clear answer").replace("{provider}", provider)
    return f"It may or may not have been sent: {reason}."


def people(addresses: list[str]) -> str:
    """“Ines Moreau”, “Ines Moreau, Tom Okafor”, “3 people”."""
    from truesend.sending.addresses import AddressError, parse

    shown = []
    for text in addresses[:2]:
        try:
            one = parse(text)
        except AddressError:
            shown.append(text[:60])
        else:
            shown.append(one.name or one.address)
    return f"{len(addresses)} people" if len(addresses) > 2 else ", ".join(shown)


def page(email: Email) -> dict[str, Any]:
    """Everything the email's page says."""
    deliveries = list(Delivery.objects.filter(email=email).order_by("position"))
    signals = query.signals_of([one.pk for one in deliveries])
    word, state, text = headline(email, signals)
    connection = email.connection
    assert connection is not None
    name = registry.provider(connection.provider).name
    return {
        "email": {
            "id": str(email.pk),
            "subject": email.subject,
            "to_label": people([*email.to, *email.cc, *email.bcc]),
            "from_label": connection.address,
            "provider_name": name,
            "status_word": word,
            "state": state,
            "status_sentence": text if not email.problem else "",
            "created_at": email.created_at,
            "recipients": _recipients(email),
        },
        "timeline": _timeline(email, deliveries, signals, name),
        "problem": _problem(email),
        "can_cancel": any(one.status == DeliveryStatus.QUEUED for one in deliveries),
    }


def _recipients(email: Email) -> list[tuple[str, list[str]]]:
    """Everybody by header, where the line above cannot name them all; bcc is for the sender's eyes only."""
    groups = [
        (label, list(people)) for label, people in (("To", email.to), ("Cc", email.cc), ("Bcc", email.bcc))
    ]
    named = [group for group in groups if group[1]]
    return named if len(named) > 1 or sum(len(people) for _, people in named) > 2 else []


def _problem(email: Email) -> dict[str, Any] | None:
    if not email.problem or email.status in {EmailStatus.SENT, EmailStatus.CANCELLED}:
        return None
    connection = email.connection
    assert connection is not None
    fix = fix_for(email.problem, connection)
    if email.status == EmailStatus.HELD and readiness.can_send(describe(connection)):
        # What held it is gone.
        fix = {"label": "Send now", "url": f"/emails/{email.pk}/release"}
    elif email.status == EmailStatus.FAILED and not email.attachments.exists():
        fix = {"label": "Edit the email", "url": f"/emails/{email.pk}/again"}
    elif fix is not None and not fix["url"].startswith(("/oauth/", "/account")):
        fix = None
    last = Attempt.objects.filter(delivery__email=email).exclude(words="").order_by("-started_at").first()
    words = last.words if last is not None and last.cause == email.problem else ""
    text = _problem_sentence(email, words)
    if email.status == EmailStatus.UNKNOWN:
        text += " Look into your Sent folder."
    return {
        "title": _PROBLEM_TITLES.get(EmailStatus(email.status), "Not yet."),
        "sentence": text,
        "state": "warn" if email.status in {EmailStatus.UNKNOWN, EmailStatus.QUEUED} else "bad",
        # Where a connection broke the words are our own, and said already.
        "words": "" if words in text or email.problem in _OPEN else words,
        "fix": {**fix, "method": "post" if fix["url"].startswith("/emails/") else "get"} if fix else None,
        "who": names(who_can(email.problem, connection)),
    }


def _timeline(
    email: Email, deliveries: list[Delivery], signals: list[Signal], provider: str
) -> list[dict[str, Any]]:
    # Whom it concerns needs saying only where there are several.
    several = len(email.to) + len(email.cc) + len(email.bcc) > 1
    told = [_signal(one, several) for one in signals]
    labels = _labels(deliveries) if len(deliveries) > 1 else {}
    attempts = Attempt.objects.filter(delivery__in=deliveries).exclude(outcome="")
    if len(deliveries) > _FOLD_ABOVE:
        told += _folded(deliveries, provider)
        attempts = attempts.exclude(outcome=Outcome.ACCEPTED)
    for attempt in attempts.order_by("-started_at")[:_MOST_ATTEMPTS]:
        told.append(_attempt(attempt, provider, labels.get(attempt.delivery_id, "")))
    return sorted(told, key=lambda one: one["at"], reverse=True)


def _folded(deliveries: list[Delivery], provider: str) -> list[dict[str, Any]]:
    """One line for the accepted copies of a large email."""
    times = [one.sent_at for one in deliveries if one.status == DeliveryStatus.ACCEPTED and one.sent_at]
    if not times:
        return []
    line = {
        "icon": "send",
        "state": "ok",
        "title": f"Accepted by {provider}",
        "confidence_label": None,
        "sentence": f"{len(times)} of {len(deliveries)} copies.",
        "at": max(times),
    }
    return [line]


def _said(attempt: Attempt, provider: str) -> str:
    """The provider's own words, where there were any: of a broken connection the words are ours."""
    return (
        f" {provider} said “{attempt.words}”." if attempt.words and attempt.cause not in _OPEN_TITLES else ""
    )


def _labels(deliveries: list[Delivery]) -> dict[UUID, str]:
    found = Recipient.objects.filter(delivery__in=deliveries, position=0)
    return {one.delivery_id: one.name or one.address for one in found}


def _signal(one: Signal, several: bool) -> dict[str, Any]:
    icon, state, title = _shown(one)
    times = f" {one.count} times." if one.count > 1 else ""
    who = f" {one.recipient}." if several and one.recipient else ""
    return {
        "icon": icon,
        "state": state,
        "title": title,
        "confidence_label": "certain"
        if one.confidence >= _CERTAIN
        else f"{one.confidence:.0%}".replace("%", " %"),
        "sentence": f"{one.reason}{times}{who}",
        "at": one.at,
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


def _attempt(attempt: Attempt, provider: str, to: str) -> dict[str, Any]:
    at = attempt.finished_at or attempt.started_at
    tail = f" To {to}." if to else ""
    if attempt.outcome == Outcome.ACCEPTED:
        tries = "First try" if attempt.number == 1 else f"Try {attempt.number}"
        took = f", {attempt.milliseconds} ms" if attempt.milliseconds is not None else ""
        return {
            "icon": "send",
            "state": "ok",
            "title": f"Accepted by {provider}",
            "confidence_label": None,
            "sentence": f"{tries}{took}.{tail}",
            "at": at,
        }
    unknown = attempt.outcome == Outcome.UNKNOWN
    return {
        "icon": "warn" if unknown else "bad",
        "state": "warn" if unknown else "bad",
        "title": _OPEN_TITLES.get(attempt.cause, "No clear answer from {provider}").format(provider=provider)
        if unknown
        else "Not accepted",
        "confidence_label": None,
        "sentence": (
            _open_sentence(attempt.cause, provider) + _said(attempt, provider)
            if unknown
            else sentence(attempt.cause, provider, attempt.words)
        )
        + tail,
        "at": at,
    }
