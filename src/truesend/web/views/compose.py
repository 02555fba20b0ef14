"""Compose: a draft that is never lost, the gates, and Send."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.text import Truncator
from django.views.decorators.http import require_GET, require_POST

from truesend.connections.describe import account_label, describe, with_facts
from truesend.connections.models import Connection
from truesend.organizations.access import connections_of
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending import attachments, people_file, pictures, quoting
from truesend.sending.models import Email, EmailStatus
from truesend.sending.readiness import Readiness, check
from truesend.sending.schedule import Unschedulable
from truesend.sending.submit import AlreadySent, NotReady, draft_of, submit
from truesend.web import conversations, people_list, scheduling, undoing
from truesend.web import gates as gates_of
from truesend.web.cards import verdict_word
from truesend.web.drafts import (
    Changed,
    Sent,
    Unreadable,
    fields_of,
    revision_of,
    same_words,
    save,
    shown,
    written,
)
from truesend.web.gate import member_page
from truesend.web.rows import people as labels
from truesend.web.views import attachments as files
from truesend.web.views import froms, people
from truesend.web.views import people_list as lists
from truesend.writing import senders, signatures, templates
from truesend.writing.models import TemplateKind

UNDO_SECONDS = 10
CHANGED = "This draft was changed in another tab. Reload to see it; what you typed here is kept."


@require_GET
@member_page
def new(request: HttpRequest, member: Member) -> HttpResponse:
    """`/emails/new` begins an email, of which nothing is stored before something is typed; `?draft=` goes on."""
    wanted = request.GET.get("draft", "")
    if not wanted:
        return _page(request, member, _blank(member, uuid4()))
    draft = _draft(member, wanted) or _unknown(member, wanted)
    if draft is None:
        return HttpResponseRedirect(_where_it_went(member, wanted))
    return _page(request, member, draft)


def _drafts(member: Member) -> Any:
    return Email.objects.filter(member=member, status=EmailStatus.DRAFT).select_related("connection")


def _newest(member: Member) -> dict[str, Any] | None:
    """What a page that begins an email offers to go on with."""
    newest = _drafts(member).defer("html", "text").order_by("-updated_at").first()
    if newest is None:
        return None
    label = newest.subject.strip() or labels([*newest.to, *newest.cc, *newest.bcc])
    return {
        "url": f"/emails/new?draft={newest.pk}",
        "label": f"“{Truncator(label).chars(60)}”" if label else "",
        "at": newest.updated_at,
    }


def _draft(member: Member, text: str) -> Email | None:
    try:
        found: Email | None = _drafts(member).filter(pk=UUID(text)).first()
    except ValueError:
        raise Http404 from None
    return found


def _where_it_went(member: Member, text: str) -> str:
    """A draft that was sent is an email now."""
    sent = Email.objects.filter(member=member, pk=UUID(text)).exists()
    return f"/emails/{text}" if sent else "/emails/new"


def _unknown(member: Member, text: str) -> Email | None:
    """A draft the server never had: its words may be in the browser alone, so the page keeps its id."""
    draft_id = UUID(text)
    if Email.objects.filter(pk=draft_id).exists():
        return None
    return _blank(member, draft_id)


def _blank(member: Member, draft_id: UUID) -> Email:
    """An email of which nothing is stored yet."""
    organization = member.organization
    return Email(id=draft_id, member=member, organization=organization, track=organization.track_by_default)


def _page(
    request: HttpRequest,
    member: Member,
    draft: Email,
    readiness: Readiness | None = None,
    status: int = 200,
    *,
    refused: bool = False,
    later: dict[str, Any] | None = None,
) -> HttpResponse:
    choices = _choices(member)
    if draft.connection_id is None:
        draft.connection = _chosen(choices, request.GET.get("connected", ""))
    offered = list(choices)
    if draft.connection is not None and draft.connection.disconnected_at is not None:
        offered.append(
            draft.connection
        )  # what was chosen stays in sight; the gates say what is wrong with it
    signed = signatures.of_all(member, (one.pk for one in offered))
    named = senders.of_all(one.pk for one in offered)
    begins = "draft" not in request.GET and draft._state.adding
    if begins and draft.connection is not None and draft.connection.pk in signed:
        draft.html = f"<p></p>{signatures.block(signed[draft.connection.pk])}"
    judged = readiness or check(member, draft_of(written(draft)))
    context = {
        "nav": "compose",
        "draft": {
            "id": str(draft.pk),
            **shown(draft),
            "people": {name: people.known(getattr(draft, name)) for name in ("to", "cc", "bcc")},
            "stored": not draft._state.adding,
            "revision": draft.revision,
        },
        "connections": [
            {
                **_choice(one),
                "signature": signed.get(one.pk, ""),
                "senders": froms.options(one, named.get(one.pk, ()), draft),
                "stale": senders.is_stale(one),
            }
            for one in offered
        ],
        "newest": _newest(member) if begins else None,
        "most_people": _most_people(draft),
        "files": files.listed(draft.pk),
        "most_bytes": attachments.MOST_BYTES,
        "most_files": attachments.MOST_FILES,
        "refused": refused,
        "conversation": conversations.of_draft(draft),
        "later": later or scheduling.panel(member, draft.send_at, email=draft),
        **gates_of.panel(draft, judged, choices=len(choices)),
        **people_list.of_draft(draft),
    }
    return render(request, "emails/compose.html", context, status=status)


def _choices(member: Member) -> list[Connection]:
    live = connections_of(member).filter(disconnected_at=None)
    return list(with_facts(live).order_by("created_at"))


def _chosen(choices: list[Connection], connected: str) -> Connection | None:
    """The only one there is, or the one that was connected on the way to sending."""
    if len(choices) == 1:
        return choices[0]
    return next((one for one in choices if str(one.pk) == connected), None)


def _most_people(draft: Email) -> int:
    """As many as the chosen provider takes in one email; before a choice, as many as any does."""
    chosen = (
        [registry.provider(draft.connection.provider)] if draft.connection else registry.PROVIDERS.values()
    )
    return max(one.limits.recipients for one in chosen)


def _choice(connection: Connection) -> dict[str, str]:
    described = describe(connection)
    return {
        "id": str(connection.pk),
        "label": account_label(connection),
        "most": str(registry.provider(connection.provider).limits.recipients),
        "verdict": described.verdict.verdict.value,
        "verdict_word": verdict_word(described),
    }


@require_POST
@member_page
def draft(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """Autosave: the draft as JSON."""
    try:
        values = json.loads(request.body)
        if not isinstance(values, dict):
            raise Unreadable("That is not a draft.")
        fields, revision = fields_of(member, values), revision_of(values)
    except Unreadable as error:
        return JsonResponse({"sentence": str(error)}, status=400)
    except ValueError:
        return JsonResponse({"sentence": "That is not a draft."}, status=400)
    try:
        return JsonResponse({"saved": True, "revision": save(member, email_id, fields, revision)})
    except Sent as sent:
        sentence = f"{undoing.meanwhile(sent.email)}; what you typed here is kept"
        return JsonResponse({"sentence": sentence, "same": sent.same}, status=409)
    except Changed as changed:
        stored = changed.stored
        answer = {
            "sentence": CHANGED,
            "same": changed.same,
            "revision": stored.revision,
            "stored": shown(stored),
        }
        return JsonResponse(answer, status=409)


@require_GET
@member_page
def gates(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """The gates panel alone."""
    found = _draft(member, str(email_id)) or _blank(member, email_id)
    choices = _choices(member)
    if found.connection_id is None and len(choices) == 1:
        found.connection = choices[0]  # as the page chooses it
    readiness = check(member, draft_of(written(found)))
    context = {
        "draft": {"id": str(email_id)},
        **gates_of.panel(found, readiness, choices=len(choices)),
        "refreshed": True,
    }
    return render(request, "partials/gates.html", context)


@require_POST
@member_page
def discard(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """Delete a draft of one's own."""
    Email.objects.filter(pk=email_id, member=member, status=EmailStatus.DRAFT).delete()
    return HttpResponseRedirect("/emails")


@require_POST
@member_page
def send(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """Send (or, without scripts, save) what stands in the form."""
    try:
        values = request.POST.dict()
        fields, revision = fields_of(member, values), revision_of(values)
    except Unreadable as error:
        context = {
            "title": "Not sent",
            "sentence": str(error),
            "fix": {"label": "Back to the draft", "url": f"/emails/new?draft={email_id}"},
        }
        return render(request, "problem.html", context, status=400)
    try:
        save(member, email_id, fields, revision)
    except Sent as sent:
        return _after_sending(request, member, sent.email, fields, same=sent.same)
    except Changed as changed:
        if not changed.same:
            kept = _keep_apart(member, email_id, fields, values)
            messages.error(
                request,
                "Not sent. This draft was changed in another tab; what you typed here is kept as this new draft.",
            )
            return HttpResponseRedirect(f"/emails/new?draft={kept}")
    email = Email.objects.select_related("connection", "member__user").get(pk=email_id)
    attached = _attach_plainly(request, member, email_id) and _people_plainly(request, member, email_id)
    action = request.POST.get("action")
    if action == "preview":
        return HttpResponseRedirect(f"/emails/drafts/{email_id}/preview")
    if removed := request.POST.get("remove", ""):
        with suppress(ValueError):
            attachments.detach(member, email_id, UUID(removed))
    if action == "unthread":
        Email.objects.filter(pk=email_id, member=member, status=EmailStatus.DRAFT).update(reply_to=None)
    if action == "template":
        _keep_as_template(request, member, email)
    if action in {"save", "why", "unthread", "template"} or removed or not attached:
        return HttpResponseRedirect(f"/emails/new?draft={email_id}{'#gates' if action == 'why' else ''}")
    return _submit(request, member, email, fields)


def _submit(request: HttpRequest, member: Member, email: Email, fields: dict[str, Any]) -> HttpResponse:
    """Send, now or at the hour that was chosen."""
    values, email_id = request.POST.dict(), email.pk
    later = values.get("action") == "schedule"
    try:
        # What waits for its hour can be changed until then: there is nothing to undo in a hurry.
        send_at = scheduling.chosen(member, values) if later else None
        undo = 0 if send_at else UNDO_SECONDS
        submit(member, replace(written(email), send_at=send_at, undo_seconds=undo), draft_id=email_id)
    except Unschedulable as problem:
        chosen = scheduling.panel(member, None, typed=values.get("at", ""), problem=str(problem), email=email)
        return _page(request, member, email, status=409, later=chosen)
    except NotReady as refusal:
        return _page(request, member, email, refusal.readiness, status=409, refused=True)
    except AlreadySent:
        email.refresh_from_db()
        return _after_sending(request, member, email, fields, same=same_words(email, fields))
    if send_at is None:
        undoing.offer(request, email_id, UNDO_SECONDS)
    return HttpResponseRedirect(f"/emails/{email_id}")


def _keep_as_template(request: HttpRequest, member: Member, email: Email) -> None:
    """“Keep as a template”: one of the member's own, without what belongs to this email alone."""
    html = quoting.without_signature(email.html)
    name = request.POST.get("template_name", "") or templates.name_from(email.subject, html, email.pk)
    values = {"name": name, "subject": email.subject, "html": html}
    try:
        made = templates.create(member, TemplateKind.TEMPLATE, values, shared=False)
    except templates.Refused as refusal:
        messages.error(request, f"Not kept as a template. {refusal}")
    else:
        without = " Its pictures stay with this email." if pictures.used_in(html) else ""
        messages.success(request, f"Kept as the template “{made.name}”.{without}")


def _attach_plainly(request: HttpRequest, member: Member, email_id: UUID) -> bool:
    """Files of a page without scripts come with the form; False where one was refused."""
    refused = False
    for file in request.FILES.getlist("files"):
        try:
            attachments.attach(
                member,
                email_id,
                name=file.name or "",
                content_type=file.content_type or "",
                read=file.read,
                announced=file.size,
            )
        except (attachments.Refused, attachments.NoDraft) as refusal:
            refused = True
            messages.error(request, str(refusal) or "It was sent before the file came.")
    return not refused


def _people_plainly(request: HttpRequest, member: Member, email_id: UUID) -> bool:
    """A list of a page without scripts comes with the form; False where it cannot be used."""
    file = request.FILES.get("people_file")
    if file is None:
        return True
    problem = lists.take(member, email_id, file.read(people_file.MOST_BYTES + 1), file.name or "")
    if problem:
        messages.error(request, problem)
    return not problem


def _after_sending(
    request: HttpRequest, member: Member, email: Email, fields: dict[str, Any], *, same: bool
) -> HttpResponse:
    """Send, pressed on a page whose draft had gone out: a second press, or other words than were sent."""
    if not same:
        _keep_apart(member, email.pk, fields, request.POST.dict())
        told = undoing.meanwhile(email)
        kept = "Your last changes are not in it; they are kept as a new draft."
        messages.error(request, f"{told[:1].upper()}{told[1:]}. {kept}")
    return HttpResponseRedirect(f"/emails/{email.pk}")


def _keep_apart(member: Member, email_id: UUID, fields: dict[str, Any], values: dict[str, Any]) -> UUID:
    """Store words as a draft of their own; the same words again are the same draft.

    ``kept_as`` is the id under which the page keeps them in the browser.
    """
    words = json.dumps({name: values.get(name) for name in ("to", "cc", "bcc", "subject", "html", "text")})
    kept = uuid5(email_id, words)
    with suppress(KeyError, ValueError):  # a page without scripts names none
        kept = UUID(values["kept_as"])
    try:
        save(member, kept, fields)
    except (Sent, Http404):
        kept = uuid4()
        save(member, kept, fields)
    return kept
