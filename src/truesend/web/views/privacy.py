"""Tracking and privacy of an organization, and forgetting a recipient."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from truesend.organizations import audit, roles
from truesend.organizations.access import check, people_with
from truesend.organizations.models import Member, Privacy
from truesend.organizations.roles import Action
from truesend.privacy import choices, forget
from truesend.privacy.choices import Choices
from truesend.web.gate import member_page, names

_MOST_DAYS, _MOST_MONTHS = 3650, 1200
_FOR_EVER = "ever"


def check_governs(member: Member) -> None:
    """Who may say what holds for everybody. Raises :class:`Refused`."""
    check(member, Action.GOVERN)


def section(member: Member) -> dict[str, Any]:
    """What the section of the organization's page needs; see partials/privacy.html."""
    chosen = choices.of(member.organization)
    return {
        "chosen": chosen,
        "levels": [
            {"value": level.value, "label": level.label, "words": words, "chosen": level == chosen.privacy}
            for level, words in choices.LEVELS.items()
        ],
        "days": _options(choices.EVIDENCE_DAYS, chosen.evidence_days, _days),
        "months": [
            *_options(choices.SIGNAL_MONTHS, chosen.signal_months, _months),
            {"value": _FOR_EVER, "label": "for ever", "chosen": chosen.signal_months is None},
        ],
        "may_govern": roles.allows(member.role, Action.GOVERN),
        "who": names(people_with(member, roles.TABLE[Action.GOVERN].roles)),
        **_progress(member),
    }


def _progress(member: Member) -> dict[str, Any]:
    """`past`: what is said of it, whether it is under way, and when it arrived."""
    history = choices.progress(member.organization_id)
    if history is None:
        return {"past": None}
    done = f"{history.done:,} of {history.total:,} emails done"
    return {"past": {"done": done, "finished_at": history.finished_at}}


@require_POST
@member_page
def change(request: HttpRequest, member: Member) -> HttpResponse:
    """Set what holds for the organization; a field that was not sent stays as it is."""
    check_governs(member)
    before = choices.of(member.organization)
    try:
        wanted = _wanted(request, before)
    except ValueError:
        messages.error(request, "Nothing was saved: one of the choices is not on the list.")
        return HttpResponseRedirect("/settings/organization#privacy")
    with transaction.atomic():
        stricter = choices.change(member.organization_id, wanted)
        if told := choices.differences(before, wanted):
            audit.record(member.organization_id, member, "organization.privacy", words=told)
    if stricter:
        messages.success(
            request, "Saved. The past is brought to this level now; how far that is stands below."
        )
    else:
        messages.success(request, "Saved.")
    return HttpResponseRedirect("/settings/organization#privacy")


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def progress(request: HttpRequest, member: Member) -> HttpResponse:
    """How far the past is, alone, for the live page."""
    return render(request, "partials/privacy_progress.html", _progress(member))


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def forget_recipient(request: HttpRequest, member: Member) -> HttpResponse:
    """What is kept of an address, and the button that erases it; the address travels in bodies only."""
    check_governs(member)
    context: dict[str, Any] = {"nav": "account", "address": "", "problem": "", "known": None, "done": None}
    if request.method == "POST":
        context["address"] = request.POST.get("address", "").strip()[:1000]
        try:
            if request.POST.get("action") == "forget":
                done = forget.forget(member.organization_id, context["address"], by=f"member {member.pk}")
                context["done"] = done
                # Whom, is forgotten too.
                told = f"{done.emails} emails, {done.signals} signals, {done.requests} requests"
                audit.record(member.organization_id, member, "organization.forgot", words=told)
            else:
                context["known"] = forget.known(member.organization_id, context["address"])
        except forget.NoAddress as error:
            context["problem"] = str(error)
    return render(request, "account_forget.html", context, status=400 if context["problem"] else 200)


def _wanted(request: HttpRequest, before: Choices) -> Choices:
    """Raises ``ValueError`` for what the page does not offer."""
    sent = request.POST
    track = "track_by_default" in sent if "track_shown" in sent else before.track_by_default
    months = sent.get("signal_months", "")
    return Choices(
        track_by_default=track,
        privacy=Privacy(sent["privacy"]).value if "privacy" in sent else before.privacy,
        evidence_days=_number(sent["evidence_days"], _MOST_DAYS)
        if "evidence_days" in sent
        else before.evidence_days,
        signal_months=_months_sent(months) if months else before.signal_months,
    )


def _months_sent(text: str) -> int | None:
    return None if text == _FOR_EVER else _number(text, _MOST_MONTHS)


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        raise ValueError(text)
    return int(text)


def _options(offered: tuple[int, ...], chosen: int | None, label: Any) -> list[dict[str, Any]]:
    """What is offered, with what is chosen among it whatever that is."""
    values = sorted({*offered, *([chosen] if chosen else [])})
    return [{"value": one, "label": label(one), "chosen": one == chosen} for one in values]


def _days(days: int) -> str:
    if days % 365 == 0:
        return "1 year" if days == 365 else f"{days // 365} years"
    return "1 day" if days == 1 else f"{days} days"


def _months(months: int) -> str:
    if months % 12 == 0:
        return "1 year" if months == 12 else f"{months // 12} years"
    return "1 month" if months == 1 else f"{months} months"
