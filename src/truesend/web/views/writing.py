"""`/templates`: templates and snippets, one's own and everybody's, and signatures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.html import linebreaks, urlize
from django.utils.text import Truncator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from truesend.connections.describe import account_label
from truesend.organizations import access
from truesend.organizations.models import Member
from truesend.sending.lines import storable
from truesend.sending.plain_text import to_text
from truesend.web.gate import member_page
from truesend.writing import signatures, templates
from truesend.writing.models import Template, TemplateKind

_HOME = "/templates"
_SHOWN, _OFFERED = 200, 60
LONGEST_SIGNATURE = 20_000
_CHANGED = (
    "It was changed meanwhile by somebody else. Your text is kept below; save it as a copy, or open it anew."
)


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def listing(request: HttpRequest, member: Member) -> HttpResponse:
    """The list, with a search."""
    words = request.GET.get("q", "").strip()[:200].replace("\x00", "")
    kind = request.GET.get("kind", "")
    kind = kind if kind in TemplateKind.values else ""
    found = templates.find(access.templates_of(member), words, kind).select_related("member__user")
    rows = list(found[: _SHOWN + 1])
    connections = access.connections_of(member).filter(disconnected_at=None).order_by("created_at")
    live = list(connections)
    signed = signatures.of_all(member, [one.pk for one in live])
    gone = _deleted(member, request.GET.get("deleted", ""))
    context = {
        "nav": "templates",
        "deleted": {"name": gone.name, "url": f"{_HOME}/{gone.pk}/restore"} if gone else None,
        "query": words,
        "kind": kind,
        "kinds": [("", "All"), *((one.value, f"{one.label}s") for one in TemplateKind)],
        "templates": [_row(member, one) for one in rows[:_SHOWN]],
        "more": len(rows) > _SHOWN,
        "any": bool(rows) or access.templates_of(member).exists(),
        "signatures": [
            {"id": str(one.pk), "label": account_label(one), "words": _words(signed.get(one.pk, ""))}
            for one in live
        ],
    }
    return render(request, "templates/list.html", context)


def _deleted(member: Member, text: str) -> Template | None:
    """What was deleted a moment ago and can be brought back."""
    try:
        return access.access_template(member, UUID(text), deleted=True)
    except ValueError:
        return None


def _words(html: str) -> str:
    return Truncator(" ".join(to_text(html).split())).chars(90)


def _row(member: Member, one: Template) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "name": one.name,
        "kind": one.get_kind_display(),
        "shared": one.shared,
        "by": one.member.user.get_full_name() if one.shared and one.member_id != member.pk else "",
        "words": " · ".join(filter(None, [one.subject, _words(one.html)])),
        "at": one.updated_at,
        "may_change": access.writes_template(member, one),
    }


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def choices(request: HttpRequest, member: Member) -> HttpResponse:
    """What Compose offers, as JSON: the first that have the words of `q`."""
    words = request.GET.get("q", "").strip()[:200].replace("\x00", "")
    found = templates.find(access.templates_of(member), words)
    items = [
        {
            "id": str(one.pk),
            "name": one.name,
            "kind": one.kind,
            "shared": one.shared,
            "subject": one.subject,
            "html": one.html,
            "words": _words(one.html),
        }
        for one in found[:_OFFERED]
    ]
    return JsonResponse({"items": items})


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def new(request: HttpRequest, member: Member) -> HttpResponse:
    """A new template or snippet."""
    kind = request.GET.get("kind", "") or request.POST.get("kind", "")
    kind = kind if kind in TemplateKind.values else TemplateKind.TEMPLATE
    typed = _typed(request)
    if request.method == "GET":
        return _form(request, member, None, {**typed, "kind": kind})
    shared = typed["shared"] and access.shares_templates(member)
    try:
        made = templates.create(member, kind, typed, shared=shared)
    except templates.Refused as refusal:
        return _form(request, member, None, {**typed, "kind": kind}, problem=str(refusal), status=400)
    messages.success(request, f"“{made.name}” is saved.")
    return HttpResponseRedirect(_HOME)


def _typed(request: HttpRequest) -> dict[str, Any]:
    """The fields of the form; without scripts the text is plain."""
    posted = request.POST
    html, text = posted.get("html", ""), posted.get("text", "")
    if not html and text.strip():
        html = linebreaks(urlize(text, autoescape=True))
    return {
        "name": posted.get("name", ""),
        "subject": posted.get("subject", ""),
        "html": html,
        "shared": posted.get("shared", "") == "on",
    }


def _template(member: Member, template_id: UUID, *, deleted: bool = False) -> Template:
    found = access.access_template(member, template_id, deleted=deleted)
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def edit(request: HttpRequest, member: Member, template_id: UUID) -> HttpResponse:
    """One of them, to be read or changed."""
    found = _template(member, template_id)
    if request.method == "GET":
        return _form(request, member, found, _stored(found))
    access.check_writes_template(member, found)
    typed = {**_typed(request), "kind": found.kind}
    text = request.POST.get("revision", "")
    revision = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    try:
        # Whoever may not share leaves it as it is.
        shared = typed["shared"] if access.shares_templates(member) else found.shared
        templates.change(found, typed, revision=revision, shared=shared)
    except templates.Refused as refusal:
        return _form(request, member, found, typed, problem=str(refusal), status=400)
    except templates.Changed:
        return _form(request, member, found, typed, problem=_CHANGED, status=409)
    messages.success(request, f"“{' '.join(typed['name'].split())}” is saved.")
    return HttpResponseRedirect(_HOME)


def _stored(one: Template) -> dict[str, Any]:
    return {
        "name": one.name,
        "subject": one.subject,
        "html": one.html,
        "shared": one.shared,
        "kind": one.kind,
    }


def _form(
    request: HttpRequest,
    member: Member,
    found: Template | None,
    typed: dict[str, Any],
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    kind = TemplateKind(typed["kind"])
    context = {
        "nav": "templates",
        "id": str(found.pk) if found else "",
        "revision": found.revision if found else 0,
        "typed": typed,
        "kind": kind.value,
        "kind_word": kind.label.lower(),
        "problem": problem,
        "odd": templates.problems(found) if found else [],
        "may_share": access.shares_templates(member),
        "may_change": found is None or access.writes_template(member, found),
    }
    return render(request, "templates/edit.html", context, status=status)


@require_POST
@member_page
def duplicate(request: HttpRequest, member: Member, template_id: UUID) -> HttpResponse:
    """A copy of one's own, to go on with."""
    try:
        made = templates.duplicate(member, _template(member, template_id))
    except templates.Refused as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(_HOME)
    return HttpResponseRedirect(f"{_HOME}/{made.pk}")


@require_POST
@member_page
def delete(request: HttpRequest, member: Member, template_id: UUID) -> HttpResponse:
    """Delete one; the list offers to bring it back."""
    found = _template(member, template_id)
    access.check_writes_template(member, found)
    templates.delete(found)
    return HttpResponseRedirect(f"{_HOME}?deleted={found.pk}")


@require_POST
@member_page
def restore(request: HttpRequest, member: Member, template_id: UUID) -> HttpResponse:
    """“Undo” of a deletion."""
    found = _template(member, template_id, deleted=True)
    access.check_writes_template(member, found)
    if templates.restore(found):
        messages.success(request, f"“{found.name}” is back.")
    return HttpResponseRedirect(_HOME)


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def signature(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """What the member closes their emails with that go out from one account."""
    connection = access.access_connection(member, connection_id)
    if connection is None or connection.disconnected_at is not None:
        raise Http404
    problem, html = "", signatures.of(member, connection.pk)
    if request.method == "POST":
        html = _typed(request)["html"]
        if not storable(html):
            problem = "The text contains a character that cannot be stored."
        elif len(html) > LONGEST_SIGNATURE:
            problem = "That is too long for a signature."
        else:
            signatures.keep(member, connection.pk, html)
            words = "is saved" if html.strip() else "is taken away"
            messages.success(request, f"Your signature for {connection.address} {words}.")
            return HttpResponseRedirect(f"{_HOME}#signatures")
    context = {
        "nav": "templates",
        "connection": {"id": str(connection.pk), "label": account_label(connection)},
        "html": html,
        "problem": problem,
    }
    return render(request, "templates/signature.html", context, status=400 if problem else 200)
