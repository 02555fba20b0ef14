"""Who is not written to: the list, its import and export, and letting somebody in again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from truesend import clock
from truesend.organizations import audit, roles
from truesend.organizations.access import check_suppresses, people_with
from truesend.organizations.models import Member
from truesend.paging import CursorError
from truesend.sending.addresses import AddressError, parse
from truesend.sending.models import Email
from truesend.sending.people_file import Unreadable
from truesend.suppression import footers, listing, transfer
from truesend.suppression.models import Reason, Suppression
from truesend.suppression.transfer import Imported
from truesend.web.gate import member_page, names

PAGE = 50
URL = "/settings/suppression"
_SHOWN_BAD = 100
_WORDS = 254


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def suppression(request: HttpRequest, member: Member) -> HttpResponse:
    """The list; POST puts an address on it."""
    typed, problem = "", ""
    if request.method == "POST":
        check_suppresses(member)
        typed = request.POST.get("address", "")[:1000]
        source = " ".join(request.POST.get("source", "").replace("\x00", "").split())
        try:
            address = parse(typed).address
        except AddressError as error:
            problem = str(error)
        else:
            with transaction.atomic():
                new = listing.suppress(
                    member.organization_id,
                    address,
                    reason=Reason.BY_HAND,
                    source=source,
                    by=member.user.email,
                )
                if new:
                    audit.record(member.organization_id, member, "suppression.added", words="by hand")
            told = "Nothing goes to {} any more." if new else "{} is on the list already."
            messages.success(request, told.format(address))
            return HttpResponseRedirect(URL)
    context = {**_listed(request, member), "typed": typed, "problem": problem}
    return render(request, "suppression.html", context, status=400 if problem else 200)


def _listed(request: HttpRequest, member: Member) -> dict[str, Any]:
    words = request.GET.get("q", "").strip()[:_WORDS].replace("\x00", "")
    reason = request.GET.get("reason", "")
    reason = reason if reason in Reason.values else ""
    cursor = request.GET.get("cursor", "")
    try:
        found, following = listing.page(
            member.organization_id, words=words, reason=reason, cursor=cursor, size=PAGE
        )
    except CursorError:
        found, following = listing.page(member.organization_id, words=words, reason=reason, size=PAGE)
    asked = {"q": words, "reason": reason}
    organization = member.organization
    return {
        "nav": "account",
        "rows": _rows(member, found),
        "count": listing.count(member.organization_id, words=words, reason=reason),
        "query": words,
        "reason": reason,
        "filters": [
            {"key": "", "label": "All"},
            *({"key": key, "label": label} for key, label in Reason.choices),
        ],
        "next": urlencode({**{k: v for k, v in asked.items() if v}, "cursor": following})
        if following
        else None,
        "past": _past(member, words) if "@" in words[1:] else [],
        "may_change": roles.allows(member.role, roles.Action.SUPPRESS),
        "who": names(people_with(member, roles.TABLE[roles.Action.SUPPRESS].roles)),
        "footer": {
            "typed": footers.typed_of(member.organization_id),
            "ours": footers.ours(organization.name),
            "now": footers.sentence_of(member.organization_id, organization.name),
            "longest": footers.LONGEST,
        },
        "imported": None,
    }


def _rows(member: Member, found: list[Suppression]) -> list[dict[str, Any]]:
    """With the email each came from, where it is the member's own: whose mail is whose stays so."""
    wanted = {one.email for one in found if one.email is not None}
    own = dict(Email.objects.filter(pk__in=wanted, member=member).values_list("pk", "subject"))
    return [
        {
            "id": str(one.pk),
            "address": one.address,
            "reason": one.get_reason_display(),
            "blocks": one.blocks,
            "source": one.source,
            "by": one.by,
            "at": one.at,
            "email": str(one.email) if one.email in own else "",
            "subject": (own.get(one.email) or "(no subject)") if one.email in own else "",
        }
        for one in found
    ]


def _past(member: Member, address: str) -> list[Suppression]:
    return [one for one in listing.history(member.organization_id, address) if one.allowed_at is not None]


@require_POST
@cache_control(private=True, no_store=True)
@member_page
def take_in(request: HttpRequest, member: Member) -> HttpResponse:
    """A CSV; the page then names every row that could not be used."""
    check_suppresses(member)
    file = request.FILES.get("file")
    imported: Imported | None = None
    problem = ""
    if file is None:
        problem = "Choose a file first."
    elif (file.size or 0) > transfer.MOST_BYTES:
        problem = f"The file is larger than {transfer.MOST_BYTES // (1024 * 1024)} MB. Split it."
    else:
        name = " ".join((file.name or "").replace("\x00", "").split())[:100]
        try:
            imported = transfer.take_in(member.organization_id, file.read(), name=name, by=member.user.email)
        except Unreadable as error:
            problem = f"Nothing was imported. {error}"
        else:
            told = f"{imported.new} new, {imported.known} there already"
            audit.record(member.organization_id, member, "suppression.imported", about=name, words=told)
    context = {
        **_listed(request, member),
        "import_problem": problem,
        "imported": imported,
        "bad": imported.bad[:_SHOWN_BAD] if imported else (),
        "more_bad": max(len(imported.bad) - _SHOWN_BAD, 0) if imported else 0,
    }
    return render(request, "suppression.html", context, status=400 if problem else 200)


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def give_out(request: HttpRequest, member: Member) -> HttpResponse:
    """The whole list as a CSV, written while it is read."""
    audit.record(member.organization_id, member, "suppression.exported")
    answer = StreamingHttpResponse(
        transfer.give_out(member.organization_id), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="suppressed-{clock.now():%Y-%m-%d}.csv"'
    return answer  # type: ignore[return-value]  # a response all the same


@require_POST
@member_page
def footer(request: HttpRequest, member: Member) -> HttpResponse:
    """The sentence below mail to many."""
    check_suppresses(member)
    try:
        with transaction.atomic():
            typed = request.POST.get("sentence", "")[:2000]
            footers.change(member.organization_id, typed, member.user.email)
            words = footers.typed_of(member.organization_id) or "ours"
            audit.record(member.organization_id, member, "suppression.footer", words=words)
    except footers.NotASentence as error:
        messages.error(request, f"Nothing was saved. {error}")
    else:
        messages.success(request, "Saved. It stands below mail to many from now on.")
    return HttpResponseRedirect(f"{URL}#footer")


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def allow(request: HttpRequest, member: Member, row_id: UUID) -> HttpResponse:
    """What an address is on the list for, and the button that lets it in again."""
    row = Suppression.objects.filter(pk=row_id, organization=member.organization_id).first()
    if row is None:
        raise Http404
    check_suppresses(member)
    back = _back(request)
    if request.method == "POST":
        try:
            with transaction.atomic():
                count = listing.allow_row(row, by=member.user.email, confirmed="confirmed" in request.POST)
                if count:
                    audit.record(member.organization_id, member, "suppression.allowed", ref=str(row.pk))
        except listing.ConfirmationNeeded:
            return render(request, "suppression_allow.html", _allowing(row, back, refused=True), status=409)
        name = row.address or "The address"
        messages.success(
            request, f"{name} can be written to again." if count else f"{name} was not on the list."
        )
        return HttpResponseRedirect(back)
    return render(request, "suppression_allow.html", _allowing(row, back))


def _allowing(row: Suppression, back: str, *, refused: bool = False) -> dict[str, Any]:
    open_, past = listing.spells(row)
    return {
        "nav": "account",
        "row": row,
        "name": row.address or "an address that was forgotten",
        "reasons": open_,
        "past": past,
        "asked": next((one for one in open_ if one.reason == Reason.ASKED), None),
        "refused": refused,
        "back": back,
    }


def _back(request: HttpRequest) -> str:
    """A path of ours to go back to."""
    wanted = request.POST.get("next", "") or request.GET.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return URL
