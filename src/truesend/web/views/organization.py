"""`/settings/organization`: what holds for everybody in an organization, on one page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST

from truesend import env, zones
from truesend.connections.models import Connection, Kind
from truesend.diagnostics import hosts
from truesend.organizations import access, audit, profile, roles, tracking_host
from truesend.organizations.models import Member, Organization
from truesend.organizations.roles import Action
from truesend.sending import leaving
from truesend.web.gate import member_page, names
from truesend.web.views import closing, privacy, second_factors

PAGE = "/settings/organization"
# So much of what was sent stands in the form again.
_SHOWN = 500


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def organization(request: HttpRequest, member: Member) -> HttpResponse:
    """Everybody reads it; POST `{name?, zone?}` changes the name and the zone."""
    if request.method == "POST":
        privacy.check_governs(member)
        try:
            profile.change(member, name=request.POST.get("name"), zone=request.POST.get("zone"))
            messages.success(request, "Saved.")
        except profile.Unusable as error:
            return _again(request, member, str(error), "name")
        return HttpResponseRedirect(PAGE)
    return _page(request, member)


def _page(request: HttpRequest, member: Member, *, wrong: str = "") -> HttpResponse:
    """``wrong``: the field of which nothing was saved; what was sent with it stands in the form again."""
    row = member.organization
    governs = privacy.section(member)
    sent = request.POST if wrong else {}
    typed = {one: str(sent[one])[:_SHOWN] for one in ("name", "zone", "url") if one in sent}
    context: dict[str, Any] = {
        "nav": "account",
        "may_govern": governs["may_govern"],
        "who": governs["who"],
        "wrong": wrong,
        "name": typed.get("name", row.name),
        "zone": typed.get("zone", row.zone),
        "zones": zones.listed(),
        "mailboxes": _mailboxes(member),
        "second_factor": second_factors.section(member),
        "privacy": governs,
        "may_end": closing.may_end(member),
        "track_shown": row.track_shown_addresses,
        "tracking": {
            "url": row.tracking_url,
            "typed": typed.get("url", row.tracking_url),
            "usual": env.tracking_url(),
            "failed_at": row.tracking_failed_at,
            "checked_at": row.tracking_checked_at,
        },
    }
    return render(request, "organization.html", context, status=400 if wrong else 200)


def _again(request: HttpRequest, member: Member, why: str, field: str) -> HttpResponse:
    """The page as it was sent, to be corrected."""
    messages.error(request, f"Nothing was saved. {why}")
    return _page(request, member, wrong=field)


@require_POST
@member_page
def links_lead_to(request: HttpRequest, member: Member) -> HttpResponse:
    """Where tracked links lead: `url`, once it is seen to lead here; empty for the installation's own address."""
    privacy.check_governs(member)
    try:
        url = tracking_host.read(request.POST.get("url", ""))
    except tracking_host.Unusable as error:
        return _again(request, member, str(error), "url")
    why = hosts.refusal(url) if url else ""
    if why:
        return _again(request, member, why, "url")
    tracking_host.choose(member, url)
    messages.success(
        request, f"Saved. The links of new emails lead to {url or env.tracking_url()} from now on."
    )
    return HttpResponseRedirect(f"{PAGE}#tracking-host")


@require_POST
@member_page
def shown_addresses(request: HttpRequest, member: Member) -> HttpResponse:
    """What becomes of links whose text is an address, for everybody in the organization."""
    privacy.check_governs(member)
    wanted = "track_addresses" in request.POST
    with transaction.atomic():
        if _turned(member, "track_shown_addresses", wanted):
            words = "tracked" if wanted else "left alone"
            audit.record(member.organization_id, member, "organization.links", words=words)
    messages.success(request, "Saved. It holds for every email that leaves from now on.")
    return HttpResponseRedirect(PAGE)


@require_POST
@member_page
def personal_mailboxes(request: HttpRequest, member: Member) -> HttpResponse:
    """Whether members may send from mailboxes of their own, beside the shared ones."""
    access.check(member, Action.CHOOSE_MAILBOXES)
    wanted = "personal" in request.POST
    with transaction.atomic():
        if _turned(member, "personal_connections_allowed", wanted):
            words = "also mailboxes of members" if wanted else "shared accounts only"
            audit.record(member.organization_id, member, "organization.mailboxes", words=words)
            leaving.personal_ones(member.organization_id, allowed=wanted)
    messages.success(request, "Saved.")
    return HttpResponseRedirect(f"{PAGE}#mailboxes")


def _turned(member: Member, switch: str, wanted: bool) -> bool:
    """Turn a switch of the organization; False where it stood so already."""
    rows = Organization.objects.filter(pk=member.organization_id, **{switch: not wanted})
    return rows.update(**{switch: wanted}) == 1


def _mailboxes(member: Member) -> dict[str, Any]:
    """What the organization's page says of mailboxes; see organization.html."""
    personal = Connection.objects.filter(
        organization=member.organization_id, kind=Kind.PERSONAL, disconnected_at=None
    )
    return {
        "allowed": member.organization.personal_connections_allowed,
        "may_change": roles.allows(member.role, Action.CHOOSE_MAILBOXES),
        "people": personal.values("member_id").distinct().count(),
        "who": names(access.people_with(member, roles.TABLE[Action.CHOOSE_MAILBOXES].roles)),
    }
