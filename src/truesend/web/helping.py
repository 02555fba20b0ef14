"""The button that helps, for the member who looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from truesend import clock
from truesend.alerts.asks import AGAIN_AFTER, waiting_of
from truesend.alerts.offers import ASK, fix_of
from truesend.connections.causes import Action
from truesend.connections.describe import Description
from truesend.organizations.models import Member
from truesend.organizations.rights import MANAGERS


def helps(member: Member, described: Description, next_path: str = "") -> dict[str, str] | None:
    """It as ``{label, url, method}``, doing it at once; None where nothing helps but time.

    ``next_path`` is where a question comes back to.
    """
    fix = fix_of(member, described)
    if fix is None:
        return None
    if fix["label"] == ASK:
        return ask(fix["url"], next_path)
    path = f"/connections/{described.connection.pk}"
    # Their own addresses only lead to the card.
    posts = {Action.TEST.value: f"{path}/test-email", Action.VERIFY.value: f"{path}/verify"}
    if fix["label"] in posts:
        return {**fix, "url": posts[fix["label"]], "method": "post"}
    return {**fix, "method": "get"}


@dataclass(frozen=True)
class Question:
    """An open question of the member: whom it went to and when; ``again``: it may be asked anew."""

    who: str
    at: datetime
    again: bool


def questions(member: Member) -> dict[str, Question]:
    """The member's open questions, by connection id or by provider; none for whoever may do everything."""
    if member.role in MANAGERS:
        return {}
    now = clock.now()
    return {
        about: Question(
            one.asked.user.get_full_name(),
            one.created_at,
            (one.mailed_at or one.created_at) < now - AGAIN_AFTER,
        )
        for about, one in waiting_of(member).items()
    }


def ask(url: str, next_path: str = "") -> dict[str, str]:
    """“Ask an owner” as a button that asks."""
    query = f"?{urlencode({'next': next_path})}" if next_path else ""
    return {"label": ASK, "url": url + query, "method": "post"}
