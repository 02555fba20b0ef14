"""“Send all”: what one cause held in one mailbox, let go at one press."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from truesend import clock
from truesend.connections.causes import CAUSES
from truesend.organizations.access import access_connection
from truesend.organizations.models import Member
from truesend.sending.models import Email
from truesend.sending.release import release_all
from truesend.web import held
from truesend.web.gate import member_page
from truesend.web.rows import people

# Named one by one on the confirmation; of more their number.
_NAMED = 20


@require_http_methods(["GET", "POST"])
@member_page
def send_all(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """`/emails/held/{connection}?cause=`: how many and from where first, then a button.

    Only the member's own emails, and only those that stood there when the page asked.
    """
    cause = request.GET.get("cause", "")
    emails = held.held_of(member, connection_id, cause) if cause in CAUSES else Email.objects.none()
    count = emails.count()
    if not count:
        if request.method == "POST" and access_connection(member, connection_id) is not None:
            messages.info(request, "None of them is held any more.")
            return HttpResponseRedirect("/emails")
        raise Http404
    mailbox = held.releasable(connection_id)
    if mailbox is None:
        messages.info(request, "They cannot leave yet; what is in their way stands on each of them.")
        return HttpResponseRedirect("/emails?filter=needs")
    if request.method == "POST":
        return _send(request, emails, connection_id, cause)
    shown = [
        {"subject": one.subject, "to": people([*one.to, *one.cc, *one.bcc]), "at": one.created_at}
        for one in emails[:_NAMED]
    ]
    context = {
        "nav": "emails",
        "address": mailbox.connection.address,
        "provider_name": mailbox.provider_name,
        "count": count,
        "sentence": held.why_they_can_go(cause),
        "emails": shown,
        "more": count - len(shown),
        "asked_at": clock.now().isoformat(),
    }
    return render(request, "emails/held.html", context)


def _send(request: HttpRequest, emails: QuerySet[Email], connection_id: UUID, cause: str) -> HttpResponse:
    try:
        asked_at = datetime.fromisoformat(request.POST.get("asked_at", ""))
    except ValueError:
        raise Http404 from None
    if asked_at.tzinfo is None:
        raise Http404
    count = release_all(list(emails.filter(created_at__lte=asked_at)), connection_id, cause)
    messages.success(request, f"{count} email{' goes' if count == 1 else 's go'} out now.")
    return HttpResponseRedirect("/emails")
