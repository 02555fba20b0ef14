"""One email with its timeline, and its buttons."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.html import escape
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from truesend.organizations.access import access_delivery, access_email
from truesend.organizations.models import Member
from truesend.sending import correcting, halting, reconcile, replying
from truesend.sending import release as dispatch
from truesend.sending.models import Delivery, DeliveryStatus, Email, EmailStatus
from truesend.sending.submit import NotReady
from truesend.tracking.clicks import clicks_of
from truesend.tracking.troubles import troubles_of
from truesend.web import conversations, returned
from truesend.web import timeline as told
from truesend.web.facts import facts_of
from truesend.web.frames import framed
from truesend.web.gate import member_page
from truesend.web.hours import local
from truesend.web.views.attachments import listed

# What a person may say of an unknown copy.
ANSWERS = {
    "sent": {"sent": True},
    "resend": {"sent": False, "resend": True},
    "give_up": {"sent": False, "resend": False},
}


def _email(member: Member, email_id: UUID) -> Email:
    email = access_email(member, email_id)
    if email is None or email.status == EmailStatus.DRAFT:
        raise Http404
    return email


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def detail(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """`/emails/{id}`; one that was taken back is in Compose."""
    email = access_email(member, email_id)
    if email is not None and email.status == EmailStatus.DRAFT:
        return HttpResponseRedirect(f"/emails/new?draft={email_id}")
    if email is None:
        raise Http404
    context = {
        "nav": "emails",
        "files": listed(email.pk),
        **conversations.of_email(member, email),
        **told.page(facts_of(request, member), email, told.part_of(request.GET)),
    }
    return render(request, "emails/detail.html", context)


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def timeline(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """The timeline alone, for the live page; one that was taken back in another tab leads to Compose."""
    email = access_email(member, email_id)
    if email is not None and email.status == EmailStatus.DRAFT:
        gone = HttpResponse()
        gone["HX-Redirect"] = f"/emails/new?draft={email_id}"
        return gone
    if email is None:
        raise Http404
    context = {**told.page(facts_of(request, member), email, told.part_of(request.GET)), "refreshed": True}
    return render(request, "partials/timeline.html", context)


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def copies(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """`/emails/{id}/copies`: every copy of one that was sent apart, in pages."""
    email = _email(member, email_id)
    found = told.every_copy(email, request.GET.get("page", ""))
    if found is None:
        raise Http404
    return render(request, "emails/copies.html", {"nav": "emails", **found})


def _button(
    view: Callable[[HttpRequest, Member, Email], HttpResponse],
) -> Callable[[HttpRequest, Member, UUID], HttpResponse]:
    """A button of the email's page; of one that was taken back in another tab it leads to the draft, and says so."""

    @wraps(view)
    def pressed(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
        email = access_email(member, email_id)
        if email is not None and email.status == EmailStatus.DRAFT:
            messages.info(request, "It was taken back meanwhile: nothing has left, and it is a draft again.")
            return HttpResponseRedirect(f"/emails/new?draft={email_id}")
        return view(request, member, _email(member, email_id))

    return pressed


@require_POST
@member_page
@_button
def cancel(request: HttpRequest, member: Member, email: Email) -> HttpResponse:
    """Stop what has not left."""
    if not dispatch.cancel(email):
        messages.error(request, f"Nothing was cancelled. {dispatch.why_nothing_waits(email)}")
    return HttpResponseRedirect(f"/emails/{email.pk}")


@require_POST
@member_page
@_button
def again(request: HttpRequest, member: Member, email: Email) -> HttpResponse:
    """“Edit the email”: what was refused or stopped, as a draft with its files; the same one at a second press.

    With `?of=bounced` what came back: “Write again”, “Correct the address”.
    """
    if request.GET.get("of") == "bounced":
        return _again_to_bounced(request, member, email)
    copies = list(Delivery.objects.filter(email=email).order_by("position").values_list("pk", "status"))
    stopped = [copy for copy, status in copies if status in told.WRITTEN_AGAIN]
    if not stopped:
        messages.info(request, "Nothing of this email was refused or stopped.")
        return HttpResponseRedirect(f"/emails/{email.pk}")
    draft, made = correcting.of_copies(member, email, stopped)
    if made and len(stopped) < len(copies):
        reached = f"{len(stopped)} of {len(copies)} copies did not leave"
        messages.info(request, f"{reached}: this draft is to those people alone.")
    return HttpResponseRedirect(f"/emails/new?draft={draft.pk}")


def _again_to_bounced(request: HttpRequest, member: Member, email: Email) -> HttpResponse:
    bounced = returned.to_write_again(email, troubles_of([email.pk]).get(email.pk))
    if not bounced:
        messages.info(request, "Nobody is left to write to again: it reached them, or they were written to.")
        return HttpResponseRedirect(f"/emails/{email.pk}")
    whom = [(one.delivery, (one.recipient or "").lower()) for one in bounced]
    draft, made = correcting.of_bounced(member, email, whom)
    people = returned.people_of(email)
    if made and len(bounced) < people:
        messages.info(request, f"It bounced at {len(bounced)} of {people}: this draft is to them alone.")
    return HttpResponseRedirect(f"/emails/new?draft={draft.pk}")


@require_POST
@member_page
@_button
def reply(request: HttpRequest, member: Member, email: Email) -> HttpResponse:
    """“Reply”: a draft in the conversation of the email's copy, or of the one that `copy` names."""
    sent = Delivery.objects.filter(email=email, status=DeliveryStatus.ACCEPTED).order_by("position")
    if wanted := request.POST.get("copy", ""):
        sent = sent.filter(pk=wanted) if _is_id(wanted) else sent.none()
    found = list(sent[:2])
    if not found:
        messages.info(request, "Nothing of it was sent yet, so there is no conversation to go on with.")
        return HttpResponseRedirect(f"/emails/{email.pk}")
    if len(found) > 1:
        messages.info(request, "Everybody has a conversation of their own: reply at one of the copies.")
        return HttpResponseRedirect(f"/emails/{email.pk}/copies")
    return HttpResponseRedirect(f"/emails/new?draft={replying.reply(member, email, found[0]).pk}")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@require_POST
@member_page
@_button
def release(request: HttpRequest, member: Member, email: Email) -> HttpResponse:
    """Let what is held go out now."""
    try:
        if not dispatch.release(email, member):
            messages.info(request, "Nothing of it is held any more.")
    except NotReady as refusal:
        shut = refusal.readiness.first_closed()
        messages.error(request, f"Not sent. {shut.sentence if shut else ''}")
    return HttpResponseRedirect(f"/emails/{email.pk}")


@require_POST
@member_page
@_button
def pause(request: HttpRequest, member: Member, email: Email) -> HttpResponse:
    """Keep back the copies that wait for their hour."""
    if not halting.pause(email) and email.status != EmailStatus.PAUSED:
        messages.error(request, f"Nothing was paused. {dispatch.why_nothing_waits(email)}")
    return HttpResponseRedirect(f"/emails/{email.pk}")


@require_POST
@member_page
@_button
def resume(request: HttpRequest, member: Member, email: Email) -> HttpResponse:
    """Let the paused copies go on, spaced from now on."""
    try:
        if not halting.resume(email, member):
            messages.info(request, "Nothing of it is paused any more.")
    except NotReady as refusal:
        shut = refusal.readiness.first_closed()
        messages.error(request, f"Not resumed. {shut.sentence if shut else ''}")
    return HttpResponseRedirect(f"/emails/{email.pk}")


@require_POST
@member_page
def undo(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """“Undo”: back into Compose, as the draft it was."""
    email = access_email(member, email_id)
    if email is None:
        raise Http404
    try:
        if email.status != EmailStatus.DRAFT:  # in another tab it was taken back already
            dispatch.undo(email)
    except dispatch.TooLateToUndo as late:
        messages.error(request, str(late))
        return HttpResponseRedirect(f"/emails/{email_id}")
    return HttpResponseRedirect(f"/emails/new?draft={email_id}")


@require_POST
@member_page
def resolve(request: HttpRequest, member: Member, delivery_id: UUID) -> HttpResponse:
    """“It is in your Sent folder”, “It is not there: send again”, or that it shall not be sent."""
    delivery = access_delivery(member, delivery_id)
    answer = ANSWERS.get(request.POST.get("answer", ""))
    if delivery is None or answer is None:
        raise Http404
    try:
        reconcile.resolve(delivery, member, **answer)
    except reconcile.NotUnknown:
        messages.info(request, "It is known by now what became of it.")
    except reconcile.TooEarly as early:
        messages.error(request, local(str(early), early.at))
    return HttpResponseRedirect(f"/emails/{delivery.email_id}")


@require_GET
@xframe_options_sameorigin
@member_page
def body(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """The mail as written, alone in a frame: no scripts, no requests, no live pixel; badges where it was clicked."""
    email = _email(member, email_id)
    if not email.html:
        return framed(f"<pre>{escape(email.text)}</pre>", {})
    clicks = clicks_of(email.pk) if email.track else {}
    return framed(email.html, {number: found.times for number, found in clicks.items()}, email=email.pk)
