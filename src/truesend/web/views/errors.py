"""Pages for what went wrong."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


def _page(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        body = {"status": status, "code": title, "cause": title, "sentence": sentence, "fix": None, "who": []}
        return JsonResponse(body, status=status, content_type="application/problem+json")
    return render(request, f"{status}.html", {"title": title, "sentence": sentence}, status=status)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400."""
    return _page(request, 400, "bad_request", "The browser sent something this page cannot read.")


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403."""
    return _page(request, 403, "forbidden", "You may not do this.")


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404: also what another organization's things look like."""
    return _page(request, 404, "not_found", "There is nothing at this address, or it is not yours.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500, without touching the database: it may be the cause."""
    from django.template.loader import render_to_string

    if request.path.startswith("/api/"):
        return _page(request, 500, "server_error", "Something here went wrong. Nothing was lost; try again.")
    return HttpResponse(render_to_string("500.html"), status=500)
