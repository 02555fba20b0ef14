"""Errors as `application/problem+json` with `code, cause, sentence, fix, who`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from truesend.api import wording
from truesend.organizations.access import Refused, people_with
from truesend.organizations.models import Member
from truesend.paging import CursorError
from truesend.sending.readiness import Gate
from truesend.sending.submit import IdempotencyMismatch, NotReady

PROBLEM_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer other than success."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        *,
        cause: str = "",
        fix: dict[str, str] | None = None,
        who: list[dict[str, str]] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.body = {
            "type": "about:blank",
            "title": sentence,
            "status": status,
            "code": code,
            "cause": cause or code,
            "sentence": sentence,
            "fix": fix,
            "who": who or [],
            **more,
        }


def not_found() -> Problem:
    """Also the answer for what belongs to somebody else."""
    return Problem(404, "not_found", "There is nothing at this address, or it is not yours.")


def gate_json(gate: Gate) -> dict[str, Any]:
    """A gate as the API shows it."""
    return {
        "name": gate.name,
        "ok": gate.ok,
        "cause": gate.cause or None,
        "sentence": gate.sentence or None,
        "fix": gate.fix,
        "who": gate.who,
    }


def answer(problem: Problem) -> HttpResponse:
    """The problem as a response."""
    response = JsonResponse(problem.body, status=problem.status, content_type=PROBLEM_TYPE)
    if problem.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def install(api: NinjaAPI) -> None:
    """Every error of the API becomes a problem document."""

    @api.exception_handler(Problem)
    def _problem(request: HttpRequest, error: Problem) -> HttpResponse:
        return answer(error)

    @api.exception_handler(AuthenticationError)
    def _authentication(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        fix = {"label": "Make a token", "url": "/account"}
        return answer(Problem(401, "not_signed_in", "Send an API token as a bearer token.", fix=fix))

    @api.exception_handler(ValidationError)
    def _validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
        told = wording.fields(error.errors)
        return answer(Problem(422, "invalid", wording.sentence(told), fields=told))

    @api.exception_handler(HttpError)
    def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
        # The framework words every unreadable body alike, with 400; here what cannot be read is 422.
        status = 422 if error.status_code == 400 else error.status_code
        return answer(Problem(status, "invalid", "The request cannot be read: send a JSON object."))

    @api.exception_handler(Refused)
    def _refused(request: HttpRequest, error: Refused) -> HttpResponse:
        member = getattr(request, "auth", None)
        who = people_with(member, error.roles) if isinstance(member, Member) else []
        return answer(Problem(403, "forbidden", error.sentence, cause="role", who=who))

    @api.exception_handler(NotReady)
    def _not_ready(request: HttpRequest, error: NotReady) -> HttpResponse:
        gates = [gate_json(gate) for gate in error.readiness.gates]
        closed = error.readiness.first_closed()
        assert closed is not None
        return answer(
            Problem(
                409,
                "not_ready",
                closed.sentence,
                cause=closed.cause,
                fix=closed.fix,
                who=closed.who,
                gates=gates,
            )
        )

    @api.exception_handler(CursorError)
    def _cursor(request: HttpRequest, error: CursorError) -> HttpResponse:
        return answer(
            Problem(404, "not_found", "There is no such page: the cursor is not one that this list gave out.")
        )

    @api.exception_handler(IdempotencyMismatch)
    def _mismatch(request: HttpRequest, error: IdempotencyMismatch) -> HttpResponse:
        return answer(
            Problem(409, "idempotency_mismatch", "This Idempotency-Key was used for another email.")
        )
