"""Pages for what went wrong."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from truesend import refusals
from truesend.refusals import Refusal


def _page(request: HttpRequest, refusal: Refusal, sentence: str = "") -> HttpResponse:
    if request.path.startswith("/api/"):
        return _problem(refusal)
    context = {"title": refusal.code, "sentence": sentence or refusal.sentence}
    return render(request, f"{refusal.status}.html", context, status=refusal.status)


def _problem(refusal: Refusal, fix: dict[str, str] | None = None) -> HttpResponse:
    body = refusals.document(refusal, fix=fix)
    return JsonResponse(body, status=refusal.status, content_type=refusals.MEDIA_TYPE)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400."""
    return _page(request, refusals.BAD_REQUEST, "The browser sent something this page cannot read.")


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403."""
    return _page(request, refusals.FORBIDDEN)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404: also what another organization's things look like."""
    return _page(request, refusals.NOT_FOUND)


def not_allowed(request: HttpRequest, page: str) -> HttpResponse:
    """405: the address of a button, opened as a page; ``page`` is where the button stands."""
    context = {
        "title": "This address is a button",
        "sentence": "It works only when it is pressed on its page. Nothing was done.",
        "fix": {"label": "Open the page", "url": page},
    }
    return render(request, "problem.html", context, status=405)


def busy(request: HttpRequest) -> HttpResponse:
    """503: too many requests wait for a provider. Nothing was begun, so the same address can be tried again."""
    title, text = "The provider is slow to answer", "Others are waiting for it too. Nothing was lost."
    if request.path.startswith("/api/"):
        response = _problem(refusals.BUSY, {"label": "Try again", "url": request.path})
    else:
        again = request.get_full_path() if request.method == "GET" else "/integration"
        fix = {"label": "Try again", "url": again}
        response = render(
            request,
            "problem.html",
            {"title": title, "sentence": text, "cause": "busy", "fix": fix},
            status=503,
        )
    response["Retry-After"] = "5"
    return response


def too_many(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """429: somebody guesses passwords, or looks as if."""
    fix = {"label": "Sign in", "url": "/login"}
    text = "There were many tries in a short time. Wait some minutes, then try again."
    context = {"title": "Too many tries", "sentence": text, "cause": "too_many_tries", "fix": fix}
    return render(request, "problem.html", context, status=429)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, without touching the database: it may be the cause."""
    from django.template.loader import render_to_string

    if request.path.startswith("/api/"):
        return _page(request, refusals.SERVER_ERROR)
    return HttpResponse(render_to_string("500.html"), status=500)
