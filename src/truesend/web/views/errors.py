"""Pages for what went wrong."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


def _page(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return _problem(status, title, sentence)
    return render(request, f"{status}.html", {"title": title, "sentence": sentence}, status=status)


def _problem(status: int, code: str, sentence: str) -> HttpResponse:
    body = {
        "type": "about:blank",
        "title": sentence,
        "status": status,
        "code": code,
        "cause": code,
        "sentence": sentence,
        "fix": None,
        "who": [],
    }
    return JsonResponse(body, status=status, content_type="application/problem+json")


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400."""
    return _page(request, 400, "bad_request", "The browser sent something this page cannot read.")


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403."""
    return _page(request, 403, "forbidden", "You may not do this.")


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404: also what another organization's things look like."""
    return _page(request, 404, "not_found", "There is nothing at this address, or it is not yours.")


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
        response = _problem(503, "busy", f"{text} Try again in a few seconds.")
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
        return _page(request, 500, "server_error", "Something here went wrong. Nothing was lost; try again.")
    return HttpResponse(render_to_string("500.html"), status=500)
