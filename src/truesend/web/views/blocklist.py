"""What the operator of this installation blocks: links that lead nowhere any more."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST

from truesend.blocklist import blocks
from truesend.blocklist.models import Block
from truesend.connections.causes import Who
from truesend.connections.describe import people_who
from truesend.organizations.models import Member
from truesend.web.gate import member_page, names

_PAGE = "/settings/blocklist"


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def blocklist(request: HttpRequest, member: Member) -> HttpResponse:
    """The list, and a form that blocks something more."""
    if not member.user.is_operator:
        return _refused(request, member)
    typed = {"kind": Block.Kind.HOST.value, "what": "", "reason": ""}
    problem = ""
    if request.method == "POST":
        typed = {name: request.POST.get(name, "")[:2000] for name in typed}
        try:
            _, made = blocks.add(member.user, **typed)
        except blocks.NotABlock as error:
            problem = str(error)
        else:
            messages.success(
                request,
                "Blocked. Its links lead nowhere within a second." if made else "That was blocked already.",
            )
            return HttpResponseRedirect(_PAGE)
    context: dict[str, Any] = {
        "nav": "account",
        "blocks": blocks.listed(),
        "kinds": [
            {"value": value, "label": label, "chosen": value == typed["kind"]}
            for value, label in Block.Kind.choices
        ],
        "typed": typed,
        "problem": problem,
    }
    return render(request, "blocklist.html", context, status=400 if problem else 200)


@require_POST
@member_page
def unblock(request: HttpRequest, member: Member, block_id: UUID) -> HttpResponse:
    """Lift a block; twice is fine."""
    if not member.user.is_operator:
        # Not told apart from one that does not exist.
        raise Http404
    block = Block.objects.filter(pk=block_id).first()
    if block is not None:
        blocks.remove(member.user, block)
        messages.success(request, "Lifted. Its links lead where they did, within a second.")
    return HttpResponseRedirect(_PAGE)


def _refused(request: HttpRequest, member: Member) -> HttpResponse:
    context = {
        "title": "Not yours to change",
        "sentence": "Only the operator of this installation can block links.",
        "who": names(people_who(Who.OPERATOR, member)),
        "fix": {"label": "Back", "url": "/account"},
    }
    return render(request, "problem.html", context, status=403)
