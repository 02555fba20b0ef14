"""Notices of what people do with a member's emails, as it happens: a line to each email and kind, in words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from truesend import clock
from truesend.alerts.asks import ACCOUNT
from truesend.alerts.asks import told as told_of_asks
from truesend.alerts.models import Ask
from truesend.organizations.access import emails_of
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending.models import Email, Recipient
from truesend.tracking.models import Signal
from truesend.tracking.recent import copies_since, telling

MOST_IDS = 100
# Older is no news: history may be judged again, and a page may have slept.
FRESH = timedelta(minutes=10)
# What happens within this time to the same email is told in one number.
TOGETHER = timedelta(minutes=2)
# So many emails are told one by one; the others as a number.
_MOST = 3
_VERBS = {
    Signal.Kind.OPEN: "opened",
    Signal.Kind.CLICK: "clicked",
    Signal.Kind.REPLY: "answered",
    Signal.Kind.BOUNCE: "did not get",
}


def ids_of(text: str) -> list[int]:
    """The ids in “12,15”, the last ones of too many; what is no id is left out."""
    found = [int(one) for one in text.split(",") if re.fullmatch(r"[0-9]{1,18}", one)]
    return found[-MOST_IDS:]


def news(member: Member, ids: Iterable[int]) -> list[dict[str, Any]]:
    """[{key, kind, text, url, ids}] of those signals that a person made and that count, and of bounces, newest first.

    ``key`` stays the same for an email and a kind; ``ids`` are those of ``ids`` that it tells. What is struck, a
    machine's, the sender's own or another member's is told nowhere. Four short queries.
    """
    now = clock.now()
    found = telling(member.organization_id, ids, now - FRESH)
    if not found:
        return []
    own = emails_of(member).filter(pk__in={one.email for one in found}, is_test=False)
    emails = {one.pk: one for one in own.only("subject", "to", "cc", "bcc")}
    groups: dict[tuple[UUID, str], list[Signal]] = defaultdict(list)
    for one in found:
        if one.email in emails:
            groups[one.email, one.kind].append(one)
    copies = copies_since(emails, now - TOGETHER)
    names = _names([signals[0].delivery for signals in groups.values()])
    names |= _named([one for signals in groups.values() for one in signals if one.recipient])
    items = [
        _item(emails[email], kind, signals, copies.get((email, kind), 1), names)
        for (email, kind), signals in groups.items()
    ]
    return items if len(items) <= _MOST + 1 else [*items[:_MOST], _others(items[_MOST:])]


def _names(deliveries: Sequence[UUID]) -> dict[UUID | tuple[UUID, str], str]:
    found = Recipient.objects.filter(delivery__in=deliveries, position=0)
    return {copy: name or address for copy, name, address in found.values_list("delivery", "name", "address")}


def _named(signals: Sequence[Signal]) -> dict[UUID | tuple[UUID, str], str]:
    """Who a signal names, where it names somebody: what they are called, by copy and address."""
    people = Recipient.objects.filter(delivery__in=[one.delivery for one in signals])
    known = {
        (copy, address): name or address
        for copy, name, address in people.values_list("delivery", "name", "address")
    }
    return {
        (one.delivery, one.recipient): known.get((one.delivery, one.recipient), one.recipient)
        for one in signals
        if one.recipient is not None
    }


def _item(
    email: Email,
    kind: str,
    signals: Sequence[Signal],
    recently: int,
    names: Mapping[UUID | tuple[UUID, str], str],
) -> dict[str, Any]:
    newest = signals[0]
    copies = max(recently, len({one.delivery for one in signals}))
    people = len(email.to) + len(email.cc) + len(email.bcc)
    if copies > 1:
        who = f"{copies:,} people"
    elif newest.recipient is None and people > 1:
        who = f"One of {people} people"
    elif newest.recipient is not None and (newest.delivery, newest.recipient) in names:
        who = names[newest.delivery, newest.recipient]
    else:
        who = names.get(newest.delivery) or "Somebody"
    links = {one.link_label or one.link_target for one in signals if one.kind == Signal.Kind.CLICK}
    link = f"“{links.pop()}” in " if len(links) == 1 and copies == 1 else "links in " if links else ""
    anchor = f"#signal-{newest.pk}" if copies == 1 else ""
    return {
        "key": f"{email.pk}:{kind}",
        "kind": kind,
        "text": f"{who} {_VERBS[Signal.Kind(kind)]} {link}“{email.subject or '(no subject)'}”",
        "url": f"/emails/{email.pk}{anchor}",
        "ids": [str(one.pk) for one in signals],
    }


def done(member: Member, ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """The same of questions of the member’s that were answered lately: what they asked for is done."""
    items = []
    for one in told_of_asks(member, ids, clock.now() - FRESH):
        connection = one.connection
        if one.ended == Ask.Ended.GONE and connection is not None:
            text = f"{connection.address} was disconnected"
        elif connection is not None:
            text = f"What you asked for is done: {connection.address}"
        elif one.provider == ACCOUNT:
            text = f"The account of {member.organization.name} is active"
        else:
            text = f"A {registry.provider(one.provider).name} account is connected for everyone"
        url = one.next_path or "/integration"
        items.append({"key": f"ask:{one.pk}", "kind": "done", "text": text, "url": url, "ids": [str(one.pk)]})
    return items


def uuids_of(text: str) -> list[UUID]:
    """The ids in “…,…”, the last ones of too many; what is no id is left out."""
    found = [
        UUID(one) for one in text.split(",") if re.fullmatch(r"[0-9a-f-]{36}", one) and one.count("-") == 4
    ]
    return found[-MOST_IDS:]


def _others(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    count = len({one["key"].partition(":")[0] for one in items})
    came_back = any(one["kind"] == Signal.Kind.BOUNCE for one in items)
    what = "opened, clicked, answered or sent back" if came_back else "opened, clicked or answered"
    return {
        "key": "others",
        "kind": items[0]["kind"],
        "text": f"{count} more {'emails were' if count > 1 else 'email was'} {what}",
        "url": "/emails",
        "ids": [one for item in items for one in item["ids"]],
    }
