"""`/users`, the team: who is in it, inviting, roles, deactivating, removing, handing the ownership over."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from truesend.organizations import access, invitations, members, roles
from truesend.organizations.invitation_models import Invitation
from truesend.organizations.members import NotDone
from truesend.organizations.models import Member
from truesend.organizations.roles import Action
from truesend.web import team
from truesend.web.gate import member_page

HERE = "/users"


def member_row(view: Callable[[HttpRequest, Member, Member], HttpResponse]) -> Callable[..., HttpResponse]:
    """A page about one member of one's own organization; another's is the same as none."""

    @member_page
    @wraps(view)
    def guarded(request: HttpRequest, member: Member, member_id: UUID) -> HttpResponse:
        rows = Member.objects.current().select_related("user", "organization")
        found = rows.filter(pk=member_id, organization=member.organization_id).first()
        if found is None:
            raise Http404
        return view(request, member, found)

    return guarded


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def users(request: HttpRequest, member: Member) -> HttpResponse:
    """The team."""
    return _page(request, member)


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def listing(request: HttpRequest, member: Member) -> HttpResponse:
    """Members and invitations alone, for the live page."""
    return render(request, "partials/team.html", team.listed(member))


def _page(request: HttpRequest, member: Member, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "nav": "team",
        **team.listed(member),
        "inviting": team.inviting(member),
        "table": team.table(member),
        "typed": {"email": "", "role": ""},
        **more,
    }
    return render(request, "team.html", context, status=status)


# -- inviting ---------------------------------------------------------------------------------------------------


@require_POST
@cache_control(private=True, no_store=True)
@member_page
def invite(request: HttpRequest, member: Member) -> HttpResponse:
    """By mail, or by a link that this answer shows once."""
    by_mail = request.POST.get("how") != "link"
    typed = {"email": request.POST.get("email", "").strip()[:300], "role": request.POST.get("role", "")}
    try:
        if by_mail and not typed["email"]:
            raise NotDone("Type the address of whoever you invite, or make a link.")
        made = invitations.invite(member, typed["role"], typed["email"] if by_mail else "")
    except NotDone as problem:
        return _page(request, member, 400, problem=str(problem), typed=typed)
    return _handed_out(request, member, made)


@require_POST
@cache_control(private=True, no_store=True)
@member_page
def renew(request: HttpRequest, member: Member, invitation_id: UUID) -> HttpResponse:
    """“Send again”, or “New link”."""
    try:
        made = invitations.renew(member, _invitation(member, invitation_id))
    except NotDone as problem:
        messages.error(request, str(problem))
        return HttpResponseRedirect(HERE)
    return _handed_out(request, member, made)


@require_POST
@member_page
def revoke(request: HttpRequest, member: Member, invitation_id: UUID) -> HttpResponse:
    """“Revoke”."""
    try:
        invitations.revoke(member, _invitation(member, invitation_id))
        messages.success(request, "The invitation is revoked; its link opens nothing any more.")
    except NotDone as problem:
        messages.info(request, str(problem))
    return HttpResponseRedirect(HERE)


def _invitation(member: Member, invitation_id: UUID) -> Invitation:
    found = invitations.access_invitation(member, invitation_id)
    if found is None:
        raise Http404
    return found


def _handed_out(request: HttpRequest, member: Member, made: invitations.Made) -> HttpResponse:
    address = made.invitation.address
    if not address:
        return _page(request, member, link=made.link, made=made.invitation)
    if invitations.send(made):
        messages.success(request, f"{address} is invited by mail.")
    else:
        messages.error(
            request, f"The mail to {address} could not be sent. Send it again later, or make a link."
        )
    return HttpResponseRedirect(HERE)


# -- one member -------------------------------------------------------------------------------------------------


@require_GET
@cache_control(private=True, no_store=True)
@member_row
def manage(request: HttpRequest, member: Member, one: Member) -> HttpResponse:
    """What can be done to a member, by whoever may."""
    if not team.may_handle(member, one):
        raise access.refused(roles.handling(one.role))
    return render(request, "team_member.html", {"nav": "team", **team.managed(member, one)})


@require_POST
@member_row
def role(request: HttpRequest, member: Member, one: Member) -> HttpResponse:
    """Another role."""
    try:
        if members.change_role(member, one, request.POST.get("role", "")):
            one.refresh_from_db(fields=["role"])
            messages.success(request, f"{one.user.get_full_name()} is {one.get_role_display()} now.")
    except NotDone as problem:
        messages.error(request, f"Nothing was changed. {problem}")
    return HttpResponseRedirect(HERE)


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_row
def owner(request: HttpRequest, member: Member, one: Member) -> HttpResponse:
    """“Hand the ownership over”."""
    access.check(member, Action.CHANGE_ROLES)
    name = one.user.get_full_name()
    if request.method == "POST":
        return _done(
            request,
            lambda: members.hand_over_ownership(member, one),
            f"{name} is an owner now, and you are a manager.",
        )
    told = team.of_handing_over(one)
    return _ask(request, one, f"Hand the ownership over to {name}?", told, "Hand the ownership over")


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_row
def deactivate(request: HttpRequest, member: Member, one: Member) -> HttpResponse:
    """“Deactivate”."""
    access.check(member, roles.handling(one.role))
    name = one.user.get_full_name()
    if members.is_last_owner(one):
        return _still_owned(request)
    if (
        request.method == "POST" or one.pk == member.pk
    ):  # who asks it of themselves is told the ways there are
        return _done(request, lambda: members.deactivate(member, one), f"{name} is deactivated.")
    return _ask(request, one, f"Deactivate {name}?", team.of_deactivating(one), "Deactivate")


@require_POST
@member_row
def reactivate(request: HttpRequest, member: Member, one: Member) -> HttpResponse:
    """“Reactivate”."""
    access.check(member, roles.handling(one.role))
    name = one.user.get_full_name()
    return _done(request, lambda: members.reactivate(member, one), f"{name} is active again.")


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_row
def remove(request: HttpRequest, member: Member, one: Member) -> HttpResponse:
    """“Remove”, or of oneself “Leave”."""
    is_you = one.pk == member.pk
    if not is_you:
        access.check(member, roles.handling(one.role))
    if members.is_last_owner(one):
        return _still_owned(request)
    name, where = one.user.get_full_name(), member.organization.name
    if request.method == "POST":
        answer = _done(request, lambda: members.remove(member, one), f"{name} is removed from the team.")
        return _left(request, answer) if is_you else answer
    told = team.of_removing(member, one)
    title = f"Leave {where}?" if is_you else f"Remove {name} from {where}?"
    return _ask(request, one, title, told, "Leave" if is_you else "Remove")


def _still_owned(request: HttpRequest) -> HttpResponse:
    messages.error(request, str(members.LastOwner()))
    return HttpResponseRedirect(HERE)


def _left(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Whoever left is signed out; who is the last owner is still here."""
    if Member.objects.active().filter(user=request.user.pk).exists():
        return answer
    logout(request)
    return HttpResponseRedirect("/login")


def _done(request: HttpRequest, do: Callable[[], object], words: str) -> HttpResponse:
    try:
        do()
        messages.success(request, words)
    except NotDone as problem:
        messages.error(request, f"Nothing was changed. {problem}")
    return HttpResponseRedirect(HERE)


def _ask(request: HttpRequest, one: Member, title: str, told: list[str], button: str) -> HttpResponse:
    context = {
        "nav": "team",
        "title": title,
        "lead": f"{one.user.email} · {one.get_role_display()}",
        "consequences": told,
        "button": button,
        "keep": "Back",
        "ends": True,
        "back": f"{HERE}/{one.pk}",
    }
    return render(request, "change.html", context)
