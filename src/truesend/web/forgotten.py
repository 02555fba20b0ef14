"""What an email's page says where nothing is told because a recipient was forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html

from truesend.sending.models import Delivery
from truesend.tracking.models import Forgotten
from truesend.web.templatetags.look import moment


def notes(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """The note, where one of the copies is forgotten; asked of emails alone of which nothing is known."""
    found = Forgotten.objects.filter(pk__in=[one.pk for one in deliveries]).order_by("-at").first()
    if found is None:
        return []
    return [
        {
            "title": "Opens and clicks are erased.",
            "sentence": format_html(
                "A recipient of it was forgotten on {}; nothing is counted since. Its links go on working.",
                moment(found.at, "full"),
            ),
            "state": "none",
            "words": "",
            "fix": None,
            "who": "",
        }
    ]
