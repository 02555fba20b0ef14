"""`/account/export`: archives of what is one's own, and for an owner of the whole organization."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from truesend.exports import asking
from truesend.exports.making import KEPT
from truesend.exports.models import OPEN, Export, Scope, Status
from truesend.organizations import access, roles
from truesend.organizations.models import Member
from truesend.organizations.roles import Action
from truesend.web.gate import member_page, names

HERE = "/account/export"


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def page(request: HttpRequest, member: Member) -> HttpResponse:
    """What there is; POST `{scope}` has one made."""
    if request.method == "POST":
        return _ask(request, member)
    context = {
        "nav": "account",
        **listed(member),
        "may_export_all": roles.allows(member.role, Action.EXPORT_ALL),
        "who": names(access.people_with(member, roles.TABLE[Action.EXPORT_ALL].roles)),
        "days": KEPT.days,
    }
    return render(request, "export.html", context)


def _ask(request: HttpRequest, member: Member) -> HttpResponse:
    scope = request.POST.get("scope", "")
    if scope not in Scope.values:
        messages.error(request, "Choose what is to be exported.")
        return HttpResponseRedirect(HERE)
    if scope == Scope.ORGANIZATION:
        access.check(member, Action.EXPORT_ALL)
        answer: HttpResponse = _everything(request, member)
        return answer
    asking.ask(member, scope)
    return HttpResponseRedirect(HERE)


@reauthentication_required  # type: ignore[untyped-decorator]
def _everything(request: HttpRequest, member: Member) -> HttpResponse:
    """All that an organization has leaves with one file: asked who they are once more."""
    asking.ask(member, Scope.ORGANIZATION)
    return HttpResponseRedirect(HERE)


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def listing(request: HttpRequest, member: Member) -> HttpResponse:
    """The archives alone, for the live page."""
    return render(request, "partials/exports.html", listed(member))


def listed(member: Member) -> dict[str, Any]:
    """What partials/exports.html shows."""
    return {"exports": [_shown(one) for one in asking.of(member)]}


def _shown(one: Export) -> dict[str, Any]:
    share = min(99, 100 * one.done // one.total) if one.total else 0
    return {
        "id": one.pk,
        "label": Scope(one.scope).label,
        "status": one.status,
        "is_open": one.status in OPEN,
        "asked_at": one.asked_at,
        "ready_at": one.ready_at,
        "expires_at": one.expires_at,
        "percent": share,
        "size": one.size,
        "problem": one.problem,
        "can_be_had": one.status == Status.READY and not asking.overdue(one),
    }


def offer(member: Member, scope: Scope) -> dict[str, Any]:
    """What partials/export_first.html shows before something is deleted: when it was exported last, if ever."""
    newest = asking.newest(member, scope)
    return {
        "scope": scope.value,
        "at": newest.ready_at if newest is not None else None,
        "by": newest.member.user.get_full_name() if newest is not None else "",
        "days": KEPT.days,
    }


def _own(member: Member, export_id: UUID) -> Export:
    found = asking.access_export(member, export_id)
    if found is None:
        raise Http404
    return found


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def download(request: HttpRequest, member: Member, export_id: UUID) -> HttpResponse:
    """The file, a stretch at a time; for whoever asked for it alone."""
    export = _own(member, export_id)
    file = None if asking.overdue(export) else asking.opened(export)
    if file is None:
        context = {
            "title": "This export cannot be had",
            "sentence": _why_not(export),
            "fix": {"label": "Your exports", "url": HERE},
        }
        return render(request, "problem.html", context, status=409)
    name = f"truesend-{export.scope}-{export.ready_at:%Y-%m-%d}.zip"
    return FileResponse(  # type: ignore[return-value]  # a response all the same
        file, as_attachment=True, filename=name, content_type="application/zip"
    )


def _why_not(export: Export) -> str:
    if export.status in OPEN:
        return "It is still being made. The page of your exports says when it is ready."
    if export.status == Status.READY and not asking.overdue(export):
        return (
            f"Its file lies on another machine ({export.place.partition(':')[0]}). Whoever runs this installation has "
            "to let its machines share the folder of exports."
        )
    return f"It is no longer there: exports are kept for {KEPT.days} days. Have it made again."


@require_POST
@member_page
def drop(request: HttpRequest, member: Member, export_id: UUID) -> HttpResponse:
    """“Delete”, or of one that is being made “Stop”."""
    if asking.drop(_own(member, export_id)):
        messages.success(request, "The export is deleted.")
    return HttpResponseRedirect(HERE)
