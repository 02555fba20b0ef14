"""The list of people of a draft: read from a file or a paste, checked row by row, taken off again."""

from __future__ import annotations

from urllib.parse import unquote
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from truesend.organizations.models import Member
from truesend.sending import people_file, people_lists
from truesend.sending.attachments import NoDraft
from truesend.sending.models import Email, EmailStatus
from truesend.web import people_list as shown
from truesend.web.gate import member_page

GONE = "This email is not a draft any more; the list was not changed."


def _draft(member: Member, email_id: UUID) -> Email:
    drafts = Email.objects.filter(pk=email_id, member=member, status=EmailStatus.DRAFT)
    return drafts.select_related("connection").first() or Email(id=email_id, member=member)


def _part(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    draft = _draft(member, email_id)
    if draft._state.adding:
        draft.organization = member.organization
    context = {"draft": {"id": str(email_id)}, **shown.of_draft(draft)}
    return render(request, "partials/people_list.html", context)


@require_GET
@member_page
def part(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """The list with what can be used of it, as the draft stands."""
    return _part(request, member, email_id)


@require_POST
@member_page
def upload(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """A file as the body, its name percent-encoded in `X-File-Name`; without a name it is what was pasted.

    422 with a `sentence` where it cannot be used, and the list before stays.
    """
    name = unquote(request.headers.get("X-File-Name", ""))
    problem = take(member, email_id, request.read(people_file.MOST_BYTES + 1), name)
    return JsonResponse({"sentence": problem}, status=422) if problem else JsonResponse({"taken": True})


def take(member: Member, email_id: UUID, content: bytes, name: str) -> str:
    """Read a list and lay it beside the draft; what is wrong with it, and then the list before stays."""
    try:
        people_lists.store(member, email_id, people_file.read(content), name=_clean(name))
    except people_file.Unreadable as error:
        before = " The list before stays." if people_lists.of(email_id) is not None else ""
        return f"{f'“{_clean(name)}”: ' if name else ''}{error}{before}"
    except NoDraft:
        return GONE
    return ""


def _clean(name: str) -> str:
    return "".join(one for one in name if one.isprintable())[-100:].strip()


@require_POST
@member_page
def remove(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """Take the list off."""
    try:
        people_lists.remove(member, email_id)
    except NoDraft:
        raise Http404 from None
    return JsonResponse({"taken": True})


@require_POST
@member_page
def leave_out(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """“Leave the 3 bad rows out”, or no longer (`leave=0`)."""
    try:
        people_lists.leave_out(member, email_id, bad_rows=request.POST.get("leave") != "0")
    except NoDraft:
        raise Http404 from None
    return JsonResponse({"taken": True})
