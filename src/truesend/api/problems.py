"""Errors as `application/problem+json` with `code, cause, sentence, fix, who`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from truesend import refusals
from truesend.api import wording
from truesend.connections.causes import Who
from truesend.connections.describe import people_who
from truesend.organizations.access import Refused, people_with
from truesend.organizations.models import Member
from truesend.paging import CursorError
from truesend.refusals import By, Refusal
from truesend.sending.readiness import Gate
from truesend.sending.submit import IdempotencyMismatch, NotReady


class Problem(Exception):
    """An answer other than success: one of the table of refusals; what is not given is said as there."""

    def __init__(self, refusal: Refusal, sentence: str = "", *, fix: dict[str, str] | None = None) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.sentence = sentence
        self.fix = fix


def not_found(label: str, url: str) -> Problem:
    """Also the answer for what belongs to somebody else; the page at ``url`` lists what is one's own."""
    return Problem(refusals.NOT_FOUND, fix={"label": label, "url": url})


def gate_json(gate: Gate) -> dict[str, Any]:
    """A gate as the API shows it."""
    return {
        "name": gate.name,
        "ok": gate.ok,
        "cause": gate.cause or None,
        "sentence": gate.sentence or None,
        "fix": gate.fix,
        "who": gate.who,
        "until": gate.until,
        "rows": [asdict(one) for one in gate.rows],
    }


def answer(request: HttpRequest, refusal: Refusal, **told: Any) -> HttpResponse:
    """The refusal as a response; ``told`` is what :func:`truesend.refusals.document` takes."""
    body = refusals.document(refusal, **{"who": _who(request, refusal), **told})
    response = JsonResponse(body, status=refusal.status, content_type=refusals.MEDIA_TYPE)
    if refusal is refusals.NOT_SIGNED_IN:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _who(request: HttpRequest, refusal: Refusal) -> list[dict[str, str]]:
    """By name where the caller is known and may know them; else the table's words stand."""
    member = getattr(request, "auth", None)
    if not isinstance(member, Member):
        return []
    who = {By.CALLER: Who.MEMBER, By.ROLES: Who.OWNER, By.OPERATOR: Who.OPERATOR}
    return people_who(who[refusal.by], member)


def install(api: NinjaAPI) -> None:
    """Every error of the API becomes a problem document."""

    @api.exception_handler(Problem)
    def _problem(request: HttpRequest, error: Problem) -> HttpResponse:
        return answer(request, error.refusal, sentence=error.sentence, fix=error.fix)

    @api.exception_handler(AuthenticationError)
    def _authentication(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return answer(request, refusals.NOT_SIGNED_IN)

    @api.exception_handler(ValidationError)
    def _validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
        told = wording.fields(error.errors)
        return answer(request, refusals.INVALID, sentence=wording.sentence(told), fields=told)

    @api.exception_handler(HttpError)
    def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
        # The framework words every unreadable body alike, with 400; here what cannot be read is 422.
        return answer(request, refusals.INVALID)

    @api.exception_handler(Refused)
    def _refused(request: HttpRequest, error: Refused) -> HttpResponse:
        member = getattr(request, "auth", None)
        who = people_with(member, error.roles) if isinstance(member, Member) else []
        fix = {"label": "Ask an owner", "url": error.ask or "/integration"}
        return answer(request, refusals.FORBIDDEN, sentence=error.sentence, cause="role", fix=fix, who=who)

    @api.exception_handler(NotReady)
    def _not_ready(request: HttpRequest, error: NotReady) -> HttpResponse:
        gates = [gate_json(gate) for gate in error.readiness.gates]
        closed = error.readiness.first_closed()
        assert closed is not None
        # A gate that opens by itself has neither a button nor somebody: the caller need not wait for it.
        return answer(
            request,
            refusals.NOT_READY,
            sentence=closed.sentence,
            cause=closed.cause,
            fix=closed.fix,
            who=closed.who or _who(request, refusals.NOT_READY),
            gates=gates,
        )

    @api.exception_handler(CursorError)
    def _cursor(request: HttpRequest, error: CursorError) -> HttpResponse:
        sentence = "There is no such page: the cursor is not one that this list gave out."
        fix = {"label": "Read the list from its beginning", "url": request.path}
        return answer(request, refusals.NOT_FOUND, sentence=sentence, fix=fix)

    @api.exception_handler(IdempotencyMismatch)
    def _mismatch(request: HttpRequest, error: IdempotencyMismatch) -> HttpResponse:
        fix = {"label": refusals.IDEMPOTENCY_MISMATCH.label, "url": f"/emails/{error.email_id}"}
        return answer(request, refusals.IDEMPOTENCY_MISMATCH, fix=fix)
