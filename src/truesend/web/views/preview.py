"""“Preview”: a draft as its recipient gets it."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from truesend.connections.models import Connection
from truesend.organizations.access import connections_of, emails_of
from truesend.organizations.models import Member
from truesend.sending.models import Email, EmailStatus
from truesend.sending.sizes import size_words
from truesend.sending.submit import draft_of
from truesend.web import preview as shown
from truesend.web.copy_preview import copy_of
from truesend.web.drafts import written
from truesend.web.frames import framed
from truesend.web.gate import member_page
from truesend.web.views import attachments as files


def _own(member: Member, email_id: UUID) -> Email:
    found = (
        emails_of(member).select_related("connection").filter(pk=email_id, status=EmailStatus.DRAFT).first()
    )
    if found is None:
        raise Http404
    if found.connection is None:
        found.connection = _only(member)
    return found


def _only(member: Member) -> Connection | None:
    """Where there is one account, Compose shows it as chosen."""
    live = list(connections_of(member).filter(disconnected_at=None)[:2])
    return live[0] if len(live) == 1 else None


@require_GET
@member_page
def preview(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """The preview as a page; for the dialog of Compose (`?part`) without the page around it."""
    draft = _own(member, email_id)
    found = shown.of_draft(draft, request.GET.dict(), request.path)
    context = {
        "nav": "compose",
        "draft": {"id": str(email_id)},
        "preview": {**found, "size_words": size_words(found["size"])},
        "files": files.listed(email_id),
    }
    return render(
        request, "partials/preview.html" if "part" in request.GET else "emails/preview.html", context
    )


@require_GET
@xframe_options_sameorigin
@member_page
def body(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """The draft's HTML alone, for the preview's frame: links lead where they say, and there is no live pixel."""
    draft = _own(member, email_id)
    one = copy_of(draft, draft_of(written(draft)), request.GET.dict()) if draft.separate_copies else None
    return framed(one.email.html if one is not None else draft.html, email=email_id)
