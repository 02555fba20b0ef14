"""The button that helps, for the member who looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from truesend import clock
from truesend.alerts.asks import AGAIN_AFTER, waiting_of
from truesend.alerts.offers import ASK, fix_of
from truesend.connections.causes import Action, cause
from truesend.connections.describe import FORWARD, Description
from truesend.connections.models import Connection
from truesend.organizations import roles
from truesend.organizations.models import Member
from truesend.providers import registry


def helps(member: Member, described: Description, next_path: str = "") -> dict[str, str] | None:
    """It as ``{label, url, method}``, doing it at once; None where nothing helps but time.

    ``next_path`` is where a question comes back to.
    """
    fix = fix_of(member, described)
    if fix is None:
        return None
    if fix["label"] == ASK:
        return ask(fix["url"], next_path)
    if cause(described.verdict.cause).of_the_client and (
        here := repair(member, described.connection.provider)
    ):
        return {**here, "method": "get"}
    path = f"/connections/{described.connection.pk}"
    # Their own addresses only lead to the card.
    posts = {Action.TEST.value: f"{path}/test-email", Action.VERIFY.value: f"{path}/verify"}
    if fix["label"] in posts:
        return {**fix, "url": posts[fix["label"]], "method": "post"}
    return {**on_the_card(fix, described.connection), "method": "get"}


def on_the_card(fix: dict[str, str], connection: Connection) -> dict[str, str]:
    """A fix as pages have it: what an administrator elsewhere opens is for copying, and stands on the card."""
    if fix["label"] != FORWARD:
        return fix
    return {**fix, "url": f"/integration#connection-{connection.pk}"}


def repair(member: Member, provider: str) -> dict[str, str] | None:
    """The way to this installation's client at a provider, for whoever may repair it; else None."""
    if not member.user.is_operator or provider not in registry.PROVIDERS:
        return None
    return {"label": "Repair it", "url": f"/settings/providers#{provider}"}


@dataclass(frozen=True)
class Question:
    """An open question of the member: whom it went to and when; ``again``: it may be asked anew."""

    who: str
    at: datetime
    again: bool


def questions(member: Member) -> dict[str, Question]:
    """The member's open questions, by connection id or by provider; none for whoever may do everything."""
    if roles.allows(member.role, roles.Action.MANAGE_SHARED):
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


def account_fix(fix: dict[str, str], next_path: str) -> dict[str, str]:
    """What helps an account, from a page that is come back to: the way to its page, or the question at once."""
    if fix["label"] == ASK:
        return ask(fix["url"], next_path)
    return {**fix, "method": "get"}


def ask(url: str, next_path: str = "") -> dict[str, str]:
    """“Ask an owner” as a button that asks."""
    query = f"?{urlencode({'next': next_path})}" if next_path else ""
    return {"label": ASK, "url": url + query, "method": "post"}
