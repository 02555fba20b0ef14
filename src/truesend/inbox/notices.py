"""Bounces told in JSON: what Amazon's notification service mails of a sending service's events.

Shape: ``notificationType`` or ``eventType``; ``bounce.bouncedRecipients`` with ``emailAddress``, ``status`` and
``diagnosticCode``; ``deliveryDelay.delayedRecipients`` likewise; ``mail.headers`` of what was sent (SES developer
guide, "Amazon SNS notification contents").
"""

from __future__ import annotations

import json
from typing import Any

from truesend.inbox.parts import Headers
from truesend.inbox.reports import Group

_TYPES = ('"notificationtype"', '"eventtype"')
_LISTS = (("bounce", "bouncedRecipients", "failed"), ("deliveryDelay", "delayedRecipients", "delayed"))


def told(text: str) -> tuple[list[Group], Headers] | None:
    """The recipients such a notice tells of, none for other events, and the headers of what was sent; else ``None``."""
    if not any(one in text.lower() for one in _TYPES):
        return None
    # Sendmail breaks lines of more than 990 characters by an exclamation mark.
    start = text.find("{")
    try:
        notice, _ = json.JSONDecoder().raw_decode(text.replace("!\n ", "").replace("\n", ""), start)
    except (ValueError, RecursionError):
        return None
    if not isinstance(notice, dict):
        return None
    if isinstance(notice.get("Message"), str):  # wrapped once more
        return told(notice["Message"])
    groups = [
        _group(one, action)
        for event, key, action in _LISTS
        for one in _list(_dict(notice.get(event)).get(key))
        if isinstance(one, dict)
    ]
    sent = _list(_dict(notice.get("mail")).get("headers"))
    lines = [
        (str(one.get("name", "")).lower()[:80], str(one.get("value", ""))[:8_000])
        for one in sent[:200]
        if isinstance(one, dict)
    ]
    return [group for group in groups if "@" in group.address], Headers(lines)


def _group(one: dict[str, Any], action: str) -> Group:
    status = str(one.get("status") or "")[:20]
    said = str(one.get("diagnosticCode") or "").removeprefix("smtp;")[:4_000]
    return Group(str(one.get("emailAddress") or "")[:320], (), action, status, " ".join(said.split()))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
