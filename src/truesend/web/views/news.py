"""Notices of what people do, for the open pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from truesend.organizations.models import Member
from truesend.web import news as told
from truesend.web.gate import member_page


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def notices(request: HttpRequest, member: Member) -> HttpResponse:
    """`/notices?ids=&asks=`: what the signals, and the questions, that a page heard of have to say.

    `{items: [{key, kind, text, url, ids}]}`.
    """
    asks, ids = told.uuids_of(request.GET.get("asks", "")), told.ids_of(request.GET.get("ids", ""))
    done = told.done(member, asks) if asks else []
    return JsonResponse({"items": [*done, *(told.news(member, ids) if ids else [])]})
