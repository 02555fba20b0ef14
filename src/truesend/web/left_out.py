"""Whom an email to many left out, as a note on its page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from truesend.sending import suppressing
from truesend.sending.models import Delivery, DeliveryStatus, Email
from truesend.suppression.models import LeftOut

_SHOWN = 5


def of_email(email: Email, copies: Sequence[Delivery]) -> list[LeftOut]:
    """Everybody, in the order in which it was noticed; asked where somebody may be missing alone."""
    people = len(email.to) + len(email.cc) + len(email.bcc)
    stopped = any(one.status == DeliveryStatus.CANCELLED for one in copies)
    if not email.separate_copies or (len(copies) == people and not stopped):
        return []
    return list(
        LeftOut.objects.filter(email=email.pk, organization=email.organization_id).order_by("at", "id")
    )


def notes(found: Sequence[LeftOut]) -> list[dict[str, Any]]:
    """The note, where there is somebody; nothing of it is for the member to do."""
    if not found:
        return []
    told = [f"{one.address} ({suppressing.words(one)})" for one in found[:_SHOWN]]
    more = len(found) - _SHOWN
    were = "One person was" if len(found) == 1 else f"{len(found):,} people were"
    return [
        {
            "title": f"{were} left out.",
            "sentence": f"On the suppression list: {', '.join([*told, *([f'{more:,} more'] if more > 0 else [])])}.",
            "state": "none",
            "words": "",
            "fix": {"label": "Suppression list", "url": "/settings/suppression", "method": "get"},
            "who": "",
        }
    ]
