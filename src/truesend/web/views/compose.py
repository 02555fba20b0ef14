"""Compose: a draft that is never lost, the gates, and Send."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4, uuid5

from django.contrib import messages
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.html import linebreaks, urlize
from django.views.decorators.http import require_GET, require_POST

from truesend import clock
from truesend.connections.describe import describe, with_facts
from truesend.connections.models import Connection
from truesend.connections.verdict import Verdict
from truesend.organizations.access import access_connection, connections_of
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending.addresses import split
from truesend.sending.models import Email, EmailStatus
from truesend.sending.readiness import Gate, Readiness, check
from truesend.sending.submit import AlreadySent, NotReady, Written, draft_of, submit
from truesend.web.cards import VERDICT_WORDS
from truesend.web.gate import member_page, names

OPEN_GATES = {
    "role": "You may send.",
    "connection": "An account to send from is chosen.",
    "capability": "It can send.",
    "limits": "The provider can carry it.",
    "recipients": "The recipients' addresses are complete.",
    "content": "There is something to read.",
}
UNPROVEN = "Nothing speaks against sending from it."
CHANGED = "This draft was changed in another tab. Reload to see it; what you typed here is kept."
LONGEST_LINE = 40_000
LONGEST_HTML = 2_000_000


@require_GET
@member_page
def new(request: HttpRequest, member: Member) -> HttpResponse:
    """`/emails/new`: the newest draft goes on; `?fresh=1` begins another."""
    wanted = request.GET.get("draft", "")
    if wanted:
        draft = _draft(member, wanted) or _unknown(member, wanted)
        if draft is None:
            return HttpResponseRedirect(_where_it_went(member, wanted))
        return _page(request, member, draft)
    newest = None if "fresh" in request.GET else _drafts(member).order_by("-updated_at").first()
    if newest is not None:
        kept = {key: value for key, value in request.GET.items() if key in {"connected", "cause"}}
        return HttpResponseRedirect(f"/emails/new?{urlencode({'draft': str(newest.pk), **kept})}")
    return _page(request, member, Email(id=uuid4(), member=member, organization=member.organization))


def _drafts(member: Member) -> Any:
    return Email.objects.filter(member=member, status=EmailStatus.DRAFT).select_related("connection")


def _draft(member: Member, text: str) -> Email | None:
    try:
        found: Email | None = _drafts(member).filter(pk=UUID(text)).first()
    except ValueError:
        raise Http404 from None
    return found


def _where_it_went(member: Member, text: str) -> str:
    """A draft that was sent is an email now."""
    sent = Email.objects.filter(member=member, pk=UUID(text)).exists()
    return f"/emails/{text}" if sent else "/emails/new?fresh=1"


def _unknown(member: Member, text: str) -> Email | None:
    """A draft the server never had: its words may be in the browser alone, so the page keeps its id."""
    draft_id = UUID(text)
    if Email.objects.filter(pk=draft_id).exists():
        return None
    return Email(id=draft_id, member=member, organization=member.organization)


def _page(
    request: HttpRequest,
    member: Member,
    draft: Email,
    readiness: Readiness | None = None,
    status: int = 200,
    *,
    refused: bool = False,
) -> HttpResponse:
    choices = _choices(member)
    if draft.connection_id is None and len(choices) == 1:
        draft.connection = choices[0]
    judged = readiness or check(member, draft_of(_written(draft)))
    context = {
        "nav": "compose",
        "draft": {
            "id": str(draft.pk),
            "to": ", ".join(draft.to),
            "cc": ", ".join(draft.cc),
            "bcc": ", ".join(draft.bcc),
            "subject": draft.subject,
            "html": draft.html,
            "connection": str(draft.connection_id or ""),
            "stored": not draft._state.adding,
            "revision": draft.revision,
        },
        "connections": [_choice(one) for one in choices],
        "refused": refused,
        **_gates_context(draft, judged),
    }
    return render(request, "emails/compose.html", context, status=status)


def _choices(member: Member) -> list[Connection]:
    live = connections_of(member).filter(disconnected_at=None)
    return list(with_facts(live).order_by("created_at"))


def _choice(connection: Connection) -> dict[str, str]:
    verdict = describe(connection).verdict.verdict
    return {
        "id": str(connection.pk),
        "label": connection.address,
        "verdict": verdict.value,
        "verdict_word": VERDICT_WORDS[verdict],
    }


def _gates_context(draft: Email, readiness: Readiness) -> dict[str, Any]:
    # Without an account two gates have the same cause; a person needs to read it once.
    told = [
        gate
        for gate in readiness.gates
        if (gate.name, gate.cause) != ("capability", "connection_missing")
        and (gate.name != "limits" or not gate.ok or draft.connection is not None)
    ]
    return {"gates": [_gate(draft, gate) for gate in told], "ready": readiness.ready}


def _gate(draft: Email, gate: Gate) -> dict[str, Any]:
    fix = gate.fix
    open_sentence = OPEN_GATES[gate.name]
    if gate.name == "capability" and gate.ok and draft.connection is not None:
        verdict = describe(draft.connection).verdict.verdict
        # Before anything was proved, "it can" would be a promise.
        open_sentence = UNPROVEN if verdict is Verdict.UNPROVEN else open_sentence
    back = f"/emails/new?draft={draft.pk}"
    if gate.cause == "connection_missing":
        first = next((one for one in registry.PROVIDERS.values() if one.is_configured()), None)
        fix = (
            {
                "label": f"Connect {first.name}",
                "url": f"/oauth/{first.key}/start?capabilities=send&kind=personal&next={quote(back, safe='')}",
            }
            if first
            else fix
        )
    elif fix is not None and fix["url"].startswith("/oauth/"):
        fix = {**fix, "url": fix["url"].replace("next=%2Fintegration", f"next={quote(back, safe='')}")}
    elif fix is not None and fix["url"] == "/emails/new":
        fix = None  # the member is there already
    others = [one for one in gate.who if one["email"] != draft.member.user.email]
    return {
        "name": gate.name,
        "ok": gate.ok,
        "cause": gate.cause,
        "sentence": gate.sentence or open_sentence,
        "fix": fix,
        "who": names(others),
    }


def _written(draft: Email) -> Written:
    return Written(
        connection=draft.connection,
        to=draft.to,
        cc=draft.cc,
        bcc=draft.bcc,
        subject=draft.subject,
        html=draft.html,
    )


class Unreadable(ValueError):
    """What came in is not a draft."""


def _fields(member: Member, values: dict[str, Any]) -> dict[str, Any]:
    """Form or JSON values as fields of a draft."""
    texts = {name: values.get(name, "") for name in ("to", "cc", "bcc", "subject", "html", "connection")}
    if not all(isinstance(value, str) for value in texts.values()):
        raise Unreadable("A field is not a text.")
    if any("\x00" in value for value in texts.values()):
        raise Unreadable("The text contains a character that cannot be stored.")
    if len(texts["html"]) > LONGEST_HTML or any(
        len(texts[name]) > LONGEST_LINE for name in ("to", "cc", "bcc", "subject")
    ):
        raise Unreadable("The email is too long to keep.")
    if not texts["html"] and isinstance(values.get("text"), str) and values["text"].strip():
        texts["html"] = linebreaks(urlize(values["text"], autoescape=True))
    try:
        connection = access_connection(member, UUID(texts["connection"])) if texts["connection"] else None
    except ValueError:
        raise Unreadable("The account to send from is not one.") from None
    return {
        "to": split(texts["to"]),
        "cc": split(texts["cc"]),
        "bcc": split(texts["bcc"]),
        "subject": texts["subject"],
        "html": texts["html"],
        "connection": connection,
    }


class Sent(Exception):
    """The draft is an email already; ``same`` where it says what was to be saved."""

    def __init__(self, *, same: bool) -> None:
        super().__init__("sent")
        self.same = same


class Changed(Exception):
    """The draft has another revision than the page that saves it."""

    def __init__(self, stored: Email, *, same: bool) -> None:
        super().__init__("changed")
        self.stored = stored
        self.same = same


def _save(member: Member, email_id: UUID, fields: dict[str, Any], revision: int | None = None) -> int:
    """Store a draft of one's own; its new revision. Somebody else's id is a 404.

    ``revision`` is the one the page was made from (0: none); without it the last save wins. Raises
    :class:`Changed` or :class:`Sent`.
    """
    now = clock.now()
    with transaction.atomic():
        own = Email.objects.filter(pk=email_id, member=member, status=EmailStatus.DRAFT)
        guarded = own if revision is None else own.filter(revision=revision)
        if guarded.update(**fields, updated_at=now, revision=F("revision") + 1):
            return int(own.values_list("revision", flat=True).get())
        email, made = Email.objects.get_or_create(
            pk=email_id,
            defaults={
                "organization": member.organization,
                "member": member,
                "status": EmailStatus.DRAFT,
                "created_at": now,
                "updated_at": now,
                "revision": 1,
                **fields,
            },
        )
    if email.member_id != member.pk:
        raise Http404
    if made:
        return 1
    if email.status != EmailStatus.DRAFT:
        raise Sent(same=_same_words(email, fields))
    raise Changed(email, same=all(getattr(email, name) == value for name, value in fields.items()))


def _same_words(email: Email, fields: dict[str, Any]) -> bool:
    """Whether a sent email says what a page still shows; addresses were brought into one form when it was sent."""
    shown = draft_of(Written(**fields))
    return (
        email.subject == fields["subject"]
        and email.html == fields["html"]
        and [email.to, email.cc, email.bcc]
        == [[str(one) for one in two] for two in (shown.to, shown.cc, shown.bcc)]
    )


def _revision(values: dict[str, Any]) -> int | None:
    """The revision a page sends, or None: an old page or a script sends none."""
    if values.get("revision") in (None, ""):
        return None
    text = str(values["revision"])
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Unreadable("The revision is not a number.")
    return int(text)


@require_POST
@member_page
def draft(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """Autosave: the draft as JSON."""
    try:
        values = json.loads(request.body)
        if not isinstance(values, dict):
            raise Unreadable("That is not a draft.")
        fields, revision = _fields(member, values), _revision(values)
    except Unreadable as error:
        return JsonResponse({"sentence": str(error)}, status=400)
    except ValueError:
        return JsonResponse({"sentence": "That is not a draft."}, status=400)
    try:
        return JsonResponse({"saved": True, "revision": _save(member, email_id, fields, revision)})
    except Sent as sent:
        sentence = "this email was sent already; what you typed here is kept"
        return JsonResponse({"sentence": sentence, "same": sent.same}, status=409)
    except Changed as changed:
        stored = changed.stored
        shown = {
            **{name: ", ".join(getattr(stored, name)) for name in ("to", "cc", "bcc")},
            "subject": stored.subject,
            "html": stored.html,
            "connection": str(stored.connection_id or ""),
        }
        answer = {
            "sentence": CHANGED,
            "same": changed.same,
            "revision": stored.revision,
            "stored": shown,
        }
        return JsonResponse(answer, status=409)


@require_GET
@member_page
def gates(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """The gates panel alone."""
    found = _draft(member, str(email_id)) or Email(
        id=email_id, member=member, organization=member.organization
    )
    choices = _choices(member)
    if found.connection_id is None and len(choices) == 1:
        found.connection = choices[0]  # as the page chooses it
    readiness = check(member, draft_of(_written(found)))
    return render(
        request, "partials/gates.html", {"draft": {"id": str(email_id)}, **_gates_context(found, readiness)}
    )


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
        fields, revision = _fields(member, values), _revision(values)
    except Unreadable as error:
        context = {
            "title": "Not sent",
            "sentence": str(error),
            "fix": {"label": "Back", "url": "/emails/new"},
        }
        return render(request, "problem.html", context, status=400)
    try:
        _save(member, email_id, fields, revision)
    except Sent as sent:
        return _after_sending(request, member, email_id, fields, same=sent.same)
    except Changed as changed:
        if not changed.same:
            kept = _keep_apart(member, email_id, fields, values)
            messages.error(
                request,
                "Not sent. This draft was changed in another tab; what you typed here is kept as this new draft.",
            )
            return HttpResponseRedirect(f"/emails/new?draft={kept}")
    email = Email.objects.select_related("connection", "member__user").get(pk=email_id)
    if request.POST.get("action") == "save":
        return HttpResponseRedirect(f"/emails/new?draft={email_id}")
    try:
        submit(member, _written(email), draft_id=email_id)
    except NotReady as refusal:
        return _page(request, member, email, refusal.readiness, status=409, refused=True)
    except AlreadySent:
        email.refresh_from_db()
        return _after_sending(request, member, email_id, fields, same=_same_words(email, fields))
    return HttpResponseRedirect(f"/emails/{email_id}")


def _after_sending(
    request: HttpRequest, member: Member, email_id: UUID, fields: dict[str, Any], *, same: bool
) -> HttpResponse:
    """Send, pressed on a page whose draft had gone out: a second press, or other words than were sent."""
    if not same:
        _keep_apart(member, email_id, fields, request.POST.dict())
        messages.error(request, "It was sent before your last changes; they were kept as a new draft.")
    return HttpResponseRedirect(f"/emails/{email_id}")


def _keep_apart(member: Member, email_id: UUID, fields: dict[str, Any], values: dict[str, Any]) -> UUID:
    """Store words as a draft of their own; the same words again are the same draft.

    ``kept_as`` is the id under which the page keeps them in the browser.
    """
    words = json.dumps({name: values.get(name) for name in ("to", "cc", "bcc", "subject", "html", "text")})
    kept = uuid5(email_id, words)
    with suppress(KeyError, ValueError):  # a page without scripts names none
        kept = UUID(values["kept_as"])
    try:
        _save(member, kept, fields)
    except (Sent, Http404):
        kept = uuid4()
        _save(member, kept, fields)
    return kept
