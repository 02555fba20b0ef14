"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html

from truesend import env
from truesend.connections.causes import Action, Who, core
from truesend.connections.client_troubles import Trouble, troubles
from truesend.connections.describe import Description, account_label, people_who
from truesend.connections.verdict import Verdict
from truesend.organizations import installation
from truesend.organizations.access import member_of
from truesend.organizations.finding import MOST_EMAILS, MOST_NEEDS
from truesend.providers import registry
from truesend.web import account_state
from truesend.web.facts import PageFacts, facts_of
from truesend.web.folders import sent_folder
from truesend.web.gate import names
from truesend.web.helping import helps
from truesend.web.hours import said_here
from truesend.web.standstill import stands_still

_MANY = MOST_EMAILS - 1


def base(request: HttpRequest) -> dict[str, Any]:
    """Member, environment, health line and counts for the rail."""
    common = {"environment": env.environment(), "sandbox_url": env.sandbox_url()}
    user = getattr(request, "user", None)
    member = getattr(request, "member", None) or (member_of(user) if user is not None else None)
    if member is None:
        return {**common, "member": None}
    facts = facts_of(request, member)
    found = health(facts)
    return {
        **common,
        "member": {
            "id": str(member.pk),
            "name": member.user.get_full_name(),
            "email": member.user.email,
            "role": member.role,
            "is_operator": member.user.is_operator,
            "organization": member.organization.name,
        },
        "health": found,
        "account_note": account_state.note(member),
        "counts": {
            "emails": _count(facts.numbers().emails),
            "integrations_bad": sum(one.verdict.verdict is Verdict.BROKEN for one in facts.connected),
        },
    }


def _count(number: int) -> str:
    """How many emails there are, as the rail says it."""
    return f"{_MANY:,}+" if number > _MANY else f"{number:,}" if number else ""


def health(facts: PageFacts) -> dict[str, Any]:
    """The health line: the worst thing first, in a sentence, with its button."""
    member = facts.member
    if not (standing := installation.standing()).adopted:
        return {
            "state": "bad",
            "title": "Nothing is sent from here.",
            "sentence": standing.sentence,
            "who": names(people_who(Who.OPERATOR, member)),
            "fix": {"label": Action.OPERATOR.value, "url": "/account#support"},
        }
    if stands_still():
        return {
            "state": "bad",
            "title": "Nothing is sent or renewed right now.",
            "sentence": "Truesend's worker does not answer. Whoever runs it is told by mail after a minute.",
            "who": names(people_who(Who.OPERATOR, member)),
            "fix": {"label": Action.OPERATOR.value, "url": "/account#support"},
        }
    if member.user.is_operator and (refused := troubles()):
        return _client_refused(refused)
    described = facts.connected
    if not described:
        return {
            "state": "none",
            "title": "Nothing connected",
            "sentence": "Connect an account to send.",
            "fix": {"label": "Connect", "url": "/integration"},
        }
    bad = [one for one in described if one.verdict.verdict is Verdict.BROKEN]
    odd = [one for one in described if one.verdict.verdict is Verdict.ATTENTION]
    unproven = [one for one in described if one.verdict.verdict is Verdict.UNPROVEN]
    if not bad and (asked := _asked(facts)) is not None:
        return asked
    if bad or odd:
        worst = (bad or odd)[0]
        count = len(bad or odd)
        words = ("needs you", "need you") if bad else ("is held up", "are held up")
        return {
            "state": "bad" if bad else "warn",
            "title": f"{count} of {len(described)} {words[count > 1]}",
            "sentence": _of(worst, said_here(worst), described),
            "fix": helps(member, worst),
        }
    if unproven:
        return {
            "state": "none",
            "title": f"{len(unproven)} of {len(described)} not proved yet"
            if len(described) > 1
            else "Not proved yet",
            "sentence": _of(unproven[0], unproven[0].sentence, described),
            "fix": {"label": "Look", "url": "/integration"},
        }
    word = "The connection works" if len(described) == 1 else f"All {len(described)} connections work"
    return {"state": "ok", "title": word, "sentence": described[0].sentence, "fix": None}


def _client_refused(refused: list[Trouble]) -> dict[str, Any]:
    """What only the operator can repair, told to nobody else: to members each connection says what it means."""
    first = refused[0]
    names_ = " and ".join(registry.provider(one.provider).name for one in refused)
    name = registry.provider(first.provider).name
    return {
        "state": "bad",
        "title": f"{names_} cannot be used.",
        "sentence": core(first.cause, name, first.words),
        "fix": {"label": "Repair it", "url": f"/settings/providers#{first.provider}"},
    }


def _of(one: Description, sentence: str, described: list[Description]) -> str:
    """A sentence about one of several accounts names it."""
    if len(described) == 1:
        return sentence
    return format_html("{}: {}", account_label(one.connection), sentence)


def _asked(facts: PageFacts) -> dict[str, Any] | None:
    """Emails of which only their member can say what became of them; ``None`` where there are none."""
    asked = facts.numbers().asked
    if not asked:
        return None
    one = len(asked) == 1
    count = str(len(asked)) if len(asked) < MOST_NEEDS else f"{MOST_NEEDS} or more"
    asking = {
        facts.mailboxes[mailbox].connection if mailbox in facts.mailboxes else None for _, mailbox in asked
    }
    folders = {sent_folder(one, facts.member.pk) for one in asking}
    where = folders.pop() if len(folders) == 1 else "the Sent folders"
    return {
        "state": "warn",
        "title": f"{count} {'email needs' if one else 'emails need'} you",
        "sentence": f"{'Is it' if one else 'Are they'} in {where}?",
        "fix": {"label": "Look", "url": f"/emails/{asked[0][0]}" if one else "/emails?filter=needs"},
    }
