"""What one cause held in one mailbox: looked through, then let go in a pace of one's own, put off or cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from truesend import clock
from truesend.connections.causes import CAUSES
from truesend.connections.describe import Description
from truesend.organizations.access import access_connection
from truesend.organizations.models import Member
from truesend.sending import release
from truesend.sending.models import Delivery, DeliveryStatus, Email
from truesend.sending.schedule import Unschedulable
from truesend.web import held, scheduling, their_hours
from truesend.web.gate import member_page
from truesend.web.rows import people

# Named one by one, each with a box; what is more comes when these have gone.
_NAMED = 200


@require_http_methods(["GET", "POST"])
@member_page
def send_all(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """`/emails/held/{connection}?cause=`: which, and from where; then what becomes of those that are ticked.

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
        return _done(request, member, emails, connection_id, cause)
    return render(request, "emails/held.html", _page(member, emails, count, mailbox, cause))


def _page(
    member: Member, emails: QuerySet[Email], count: int, mailbox: Description, cause: str
) -> dict[str, Any]:
    rows = list(emails[:_NAMED])
    theirs = their_hours.of_each(rows)
    shown = [
        {
            "id": str(one.pk),
            "subject": one.subject,
            "to": people([*one.to, *one.cc, *one.bcc]),
            "at": one.created_at,
            "send_at": one.send_at,
            "theirs": theirs[one.pk],
        }
        for one in rows
    ]
    return {
        "nav": "emails",
        "address": mailbox.connection.address,
        "provider_name": mailbox.provider_name,
        "count": count,
        "sentence": held.why_they_can_go(cause),
        "emails": shown,
        "more": count - len(shown),
        "paces": held.paces(mailbox.provider_name, len(shown)),
        "later": scheduling.panel(member, None),
        "asked_at": clock.now().isoformat(),
    }


def _done(
    request: HttpRequest, member: Member, emails: QuerySet[Email], connection_id: UUID, cause: str
) -> HttpResponse:
    """What was ticked, of what stood there when the page asked: sent, given another hour, or cancelled."""
    try:
        asked_at = datetime.fromisoformat(request.POST.get("asked_at", ""))
        ticked = [UUID(one) for one in request.POST.getlist("email")]
    except ValueError:
        raise Http404 from None
    if asked_at.tzinfo is None:
        raise Http404
    chosen = emails.filter(created_at__lte=asked_at)
    if "boxes" in request.POST:
        chosen = chosen.filter(pk__in=ticked)
    here = f"/emails/held/{connection_id}?{urlencode({'cause': cause})}"
    rows = list(chosen)
    if not rows:
        messages.info(request, "None was ticked. Nothing was changed.")
        return HttpResponseRedirect(here)
    action = request.POST.get("action")
    if action == "look":
        return HttpResponseRedirect(here)
    if action == "cancel":
        count = sum(bool(release.cancel(one)) for one in rows)
        messages.success(request, f"{_emails(count)} cancelled; {_left(rows, count)}.")
    elif action == "reschedule":
        try:
            at = scheduling.chosen(member, request.POST.dict())
        except Unschedulable as problem:
            messages.error(request, f"Nothing was changed. {problem}")
            return HttpResponseRedirect(here)
        count = release.reschedule_all(rows, at, every=held.pace(request.POST.get("pace", "")))
        messages.success(
            request, format_html("{} from {} on.", f"{_emails(count)} leave", scheduling.told(at))
        )
    else:
        every = held.pace(request.POST.get("pace", ""))
        count = release.release_all(rows, connection_id, cause, every=every)
        go = "goes" if count == 1 else "go"
        how = f", {held.words_of(every)}" if every and count > 1 else " now"
        messages.success(request, f"{_emails(count)} {go} out{how}.")
    return HttpResponseRedirect("/emails")


def _emails(count: int) -> str:
    return f"{count} email{'' if count == 1 else 's'}"


def _left(emails: Sequence[Email], count: int) -> str:
    """What had become of emails that were cancelled: of copies to many some may have left before."""
    kept = (DeliveryStatus.CANCELLED, DeliveryStatus.REFUSED)
    if Delivery.objects.filter(email__in=emails).exclude(status__in=kept).exists():
        return "copies that had left before have left"
    return f"nothing of {'it' if count == 1 else 'them'} has left"
