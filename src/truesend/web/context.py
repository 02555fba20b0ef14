"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html

from truesend import env
from truesend.connections.causes import Action, Who
from truesend.connections.describe import Description, describe, people_who, with_facts
from truesend.connections.verdict import Verdict
from truesend.organizations import finding, installation
from truesend.organizations.access import connections_of, member_of
from truesend.organizations.models import Member
from truesend.web.folders import sent_folder
from truesend.web.gate import names
from truesend.web.hours import said_here
from truesend.web.needs import open_questions
from truesend.web.standstill import stands_still

_MOST = 100
_MANY = 999


def base(request: HttpRequest) -> dict[str, Any]:
    """Member, environment, health line and counts for the rail."""
    common = {"environment": env.environment(), "sandbox_url": env.sandbox_url()}
    user = getattr(request, "user", None)
    member = getattr(request, "member", None) or (member_of(user) if user is not None else None)
    if member is None:
        return {**common, "member": None}
    found = health(member)
    return {
        **common,
        "member": {
            "id": str(member.pk),
            "name": member.user.get_full_name(),
            "email": member.user.email,
            "role": member.role,
            "organization": member.organization.name,
        },
        "health": found,
        "counts": {
            "emails": _count(member),
            "integrations_bad": found["bad"],
        },
    }


def _count(member: Member) -> str:
    """How many emails there are, as the rail says it: nobody waits for a number that nobody reads."""
    number = finding.count(member, "undrafted", most=_MANY + 1)
    return f"{_MANY:,}+" if number > _MANY else f"{number:,}" if number else ""


def health(member: Member) -> dict[str, Any]:
    """The health line: the worst thing first, in a sentence, with its button."""
    if not (standing := installation.standing()).adopted:
        return {
            "state": "bad",
            "title": "Nothing is sent from here.",
            "sentence": standing.sentence,
            "who": names(people_who(Who.OPERATOR, member)),
            "fix": {"label": Action.OPERATOR.value, "url": "/account#support"},
            "bad": 0,
        }
    if stands_still():
        return {
            "state": "bad",
            "title": "Nothing is sent or renewed right now.",
            "sentence": "Truesend's worker does not answer. Whoever runs it is told by mail after a minute.",
            "who": names(people_who(Who.OPERATOR, member)),
            "fix": {"label": Action.OPERATOR.value, "url": "/account#support"},
            "bad": 0,
        }
    described = [describe(one) for one in with_facts(connections_of(member).filter(disconnected_at=None))]
    if not described:
        return {
            "state": "none",
            "title": "Nothing connected",
            "sentence": "Connect an account to send.",
            "fix": {"label": "Connect", "url": "/integration"},
            "bad": 0,
        }
    bad = [one for one in described if one.verdict.verdict is Verdict.BROKEN]
    odd = [one for one in described if one.verdict.verdict is Verdict.ATTENTION]
    unproven = [one for one in described if one.verdict.verdict is Verdict.UNPROVEN]
    if not bad and (asked := _asked(member)) is not None:
        return asked
    if bad or odd:
        worst = (bad or odd)[0]
        count = len(bad or odd)
        words = ("needs you", "need you") if bad else ("is slowed down", "are slowed down")
        return {
            "state": "bad" if bad else "warn",
            "title": f"{count} of {len(described)} {words[count > 1]}",
            "sentence": _of(worst, said_here(worst), described),
            "fix": worst.fix,
            "bad": len(bad),
        }
    if unproven:
        return {
            "state": "none",
            "title": f"{len(unproven)} of {len(described)} not proved yet"
            if len(described) > 1
            else "Not proved yet",
            "sentence": _of(unproven[0], unproven[0].sentence, described),
            "fix": {"label": "Look", "url": "/integration"},
            "bad": 0,
        }
    word = "The connection works" if len(described) == 1 else f"All {len(described)} connections work"
    return {"state": "ok", "title": word, "sentence": described[0].sentence, "fix": None, "bad": 0}


def _of(one: Description, sentence: str, described: list[Description]) -> str:
    """A sentence about one of several accounts names it."""
    if len(described) == 1:
        return sentence
    return format_html("{}: {}", one.connection.address, sentence)


def _asked(member: Member) -> dict[str, Any] | None:
    """Emails of which only their member can say what became of them; ``None`` where there are none."""
    asked = list(open_questions(member).select_related("connection").only("connection", "member_id")[:_MOST])
    if not asked:
        return None
    one = len(asked) == 1
    count = str(len(asked)) if len(asked) < _MOST else f"{_MOST} or more"
    folders = {sent_folder(email.connection, member.pk) for email in asked}
    where = folders.pop() if len(folders) == 1 else "the Sent folders"
    return {
        "state": "warn",
        "title": f"{count} {'email needs' if one else 'emails need'} you",
        "sentence": f"{'Is it' if one else 'Are they'} in {where}?",
        "fix": {"label": "Look", "url": f"/emails/{asked[0].pk}" if one else "/emails?filter=needs"},
        "bad": 0,
    }
