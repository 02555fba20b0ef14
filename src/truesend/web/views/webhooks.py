"""`/webhooks/…`: providers tell of new mail. No session, no form; what is told is only ever a hint."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from truesend.inbox import push
from truesend.providers.shapes import PushCall


@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str, token: str = "") -> HttpResponse:
    """Take it, and answer at once."""
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        size = push.LARGEST + 1
    if size > push.LARGEST:
        return HttpResponse(status=413)
    call = PushCall(
        headers={name.lower(): value for name, value in request.headers.items()},
        query={name: str(request.GET[name]) for name in request.GET},
        body=request.body,
    )
    reply = push.receive(provider, token, call)
    answer = HttpResponse(reply.body, status=reply.status, content_type="text/plain; charset=utf-8")
    for name, value in reply.headers.items():
        answer.headers[name] = value
    return answer
