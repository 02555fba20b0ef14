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
    whose = "Its recipient was" if len(deliveries) == 1 else "One of its recipients or more were"
    return [
        {
            "title": "Opens and clicks are erased.",
            "sentence": format_html(
                "{} forgotten on {}; nothing is counted since. Its links go on working.",
                whose,
                moment(found.at, "full"),
            ),
            "state": "none",
            "words": "",
            "fix": None,
            "who": "",
        }
    ]
