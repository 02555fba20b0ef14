"""What happens to an API request before and after the routes see it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from truesend import refusals
from truesend.api.problems import answer

Handler = Callable[[HttpRequest], HttpResponse]


class ApiProblems:
    """Every error below `/api/` is a problem document, also those that Django or the framework word themselves."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return answer(request, refusals.TOO_LARGE)
        response = self.get_response(request)
        if response.status_code == 405 and response.headers.get("Content-Type") != refusals.MEDIA_TYPE:
            sentence = f"{request.method} is not possible here."
            problem = answer(request, refusals.METHOD_NOT_ALLOWED, sentence=sentence)
            if "Allow" in response.headers:
                problem.headers["Allow"] = response.headers["Allow"]
            return problem
        return response
