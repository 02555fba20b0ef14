"""The hour of an email that waits: another one, or back into Compose."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from truesend.organizations.access import access_email
from truesend.organizations.models import Member
from truesend.sending import release
from truesend.sending.models import Email, EmailStatus
from truesend.sending.schedule import Unschedulable
from truesend.sending.submit import NotReady
from truesend.web import scheduling, their_hours
from truesend.web.gate import member_page


def _waiting(member: Member, email_id: UUID) -> Email:
    email = access_email(member, email_id)
    if email is None:
        raise Http404
    return email


@require_POST
@member_page
def reschedule(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """`/emails/{id}/reschedule`: what waits of it leaves at another hour."""
    email = _waiting(member, email_id)
    if email.status == EmailStatus.DRAFT:
        return HttpResponseRedirect(f"/emails/new?draft={email_id}")
    try:
        at = scheduling.chosen(member, request.POST.dict())
        release.reschedule(email, at, member)
    except Unschedulable as problem:
        messages.error(request, f"Nothing was changed. {problem}")
    except NotReady as refusal:
        shut = refusal.readiness.first_closed()
        messages.error(request, f"Nothing was changed. {shut.sentence if shut else ''}")
    except release.TooLateToChange as late:
        messages.error(request, f"It is too late for another hour. {late}")
    else:
        messages.success(request, format_html("It leaves at {}.", scheduling.told(at)))
    return HttpResponseRedirect(f"/emails/{email_id}")


@require_GET
@member_page
def hours(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """`/emails/{id}/hours?at=&zone=`: an hour on the recipients' clocks; without one, what hour it is there."""
    email = access_email(member, email_id)
    at = None
    with suppress(Unschedulable):
        at = scheduling.chosen(member, request.GET.dict())
    told = their_hours.of(email, at) if email is not None else ""
    later = {"theirs": told, "theirs_url": f"/emails/{email_id}/hours", "at": request.GET.get("at", "")[:40]}
    return render(request, "partials/their_hours.html", {"later": later})


@require_POST
@member_page
def edit(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """`/emails/{id}/edit`: what waits becomes a draft again, and leaves only when it is sent or scheduled anew."""
    email = _waiting(member, email_id)
    if email.status != EmailStatus.DRAFT:
        try:
            release.take_back(email)
        except release.TooLateToChange as late:
            messages.error(request, f"It is too late to edit it. {late}")
            return HttpResponseRedirect(f"/emails/{email_id}")
        messages.info(request, "It is a draft again, and leaves only when you send or schedule it.")
    return HttpResponseRedirect(f"/emails/new?draft={email_id}")
