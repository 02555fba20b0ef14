"""How the organization's account stands, on its pages: the note above every page, and the page of a refusal."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from truesend import clock
from truesend.billing import account, words
from truesend.billing.state import LAST_DAYS, State
from truesend.connections.causes import Action, Who
from truesend.connections.describe import people_who
from truesend.organizations import ending, roles
from truesend.organizations.models import Member
from truesend.sending import account_gate
from truesend.web.gate import names
from truesend.web.helping import account_fix

# What an owner does while it still runs; of a trial they choose a plan.
_BEFORE_IT_ENDS = {State.PAST_DUE: "Settle it", State.ACTIVE: "Keep the plan"}


def note(member: Member) -> dict[str, Any]:
    """Context of partials/account_note.html: {state, sentence, fix, who}, `state` empty where nothing is to be told."""
    if member.organization.ends_at is not None:
        return _ending(member)
    if not account.is_on():
        return {"state": ""}
    standing, now, name = account.standing(member.organization_id), clock.now(), member.organization.name
    if not standing.sends:
        return _told(member, "bad", f"{words.inactive(name, standing)} {words.STOPPED}", Action.REACTIVATE)
    if standing.stops_at is None or standing.stops_at > now + LAST_DAYS:
        return {"state": ""}
    label = _BEFORE_IT_ENDS.get(standing.state, "Choose a plan")
    return _told(member, "warn", words.ends(name, standing, now, member.organization.zone), label)


def _ending(member: Member) -> dict[str, Any]:
    owns = roles.allows(member.role, roles.Action.END)
    sentence = f"{ending.sentence(member.organization)} {ending.STOPPED}"
    who = "" if owns else names(people_who(Who.OWNERS, member))
    return {"state": "bad", "sentence": sentence, "fix": {**ending.fix(member), "method": "get"}, "who": who}


def _told(member: Member, state: str, sentence: str, label: str) -> dict[str, Any]:
    others = "" if roles.allows(member.role, roles.Action.PAY) else names(people_who(Who.OWNERS, member))
    fix = account_fix(account_gate.fix(member, label), "/emails")
    return {"state": state, "sentence": sentence, "fix": fix, "who": others}


def refusal(request: HttpRequest, member: Member) -> HttpResponse:
    """Nothing new is connected while the account is inactive, or the organization is to be deleted."""
    if member.organization.ends_at is not None:
        told = _ending(member)
        context = {**told, "title": "Nothing was connected", "back": "/integration", "cause": ending.CAUSE}
        return render(request, "problem.html", context, status=403)
    standing = account.standing(member.organization_id)
    context = {
        "title": "Nothing was connected",
        "sentence": f"{words.inactive(member.organization.name, standing)} {words.STOPPED}",
        "who": "" if roles.allows(member.role, roles.Action.PAY) else names(people_who(Who.OWNERS, member)),
        "fix": account_fix(account_gate.fix(member, Action.REACTIVATE), "/integration"),
        "back": "/integration",
        "cause": account.INACTIVE,
    }
    return render(request, "problem.html", context, status=403)
