"""The routes of `/api/v1`. Every one goes through the tenant gates of :mod:`truesend.organizations.access`."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Header, NinjaAPI, Query, Router, Status
from ninja.errors import HttpError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.security import HttpBearer

from truesend import clock, env, refusals
from truesend.api import halts, members, present, problems, schemas, suppressions, templates, values, waiting
from truesend.api.asking import ERRORS, email_of, id_of, member_of, refused
from truesend.billing import account
from truesend.connections import probe
from truesend.connections.causes import at_time
from truesend.connections.describe import describe, described_all, with_facts
from truesend.connections.models import Connection, LedgerEntry
from truesend.organizations import access, finding, installation, second_factor
from truesend.organizations.models import Member
from truesend.paging import CursorError
from truesend.providers.errors import ProviderError
from truesend.sending import leaving, people_rows, reconcile, threads
from truesend.sending.compose import File
from truesend.sending.copies import People
from truesend.sending.models import Delivery, EmailStatus
from truesend.sending.readiness import check
from truesend.sending.schedule import Unschedulable
from truesend.sending.selftest import send_test_email
from truesend.sending.submit import Written, draft_of, submit
from truesend.tracking import query, striking
from truesend.writing import senders

PAGE = 50
Cursor = Annotated[str, Query(description="`next` of the page before; empty for the first", max_length=200)]


class Bearer(HttpBearer):
    """An API token as `Authorization: Bearer …`."""

    def authenticate(self, request: HttpRequest, token: str) -> Member | None:
        """The member, who becomes `request.auth`."""
        member = access.member_by_token(token)
        if member is not None and second_factor.is_missing(member):
            raise problems.Problem(refusals.SECOND_FACTOR)
        return member


class Api(NinjaAPI):
    """Names the media type of errors truly in the OpenAPI document."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The document, with every error answer as `application/problem+json`."""
        schema = super().get_openapi_schema(**options)
        for path in schema["paths"].values():
            for operation in path.values():
                for status, answer in operation["responses"].items():
                    content = answer.get("content", {})
                    if int(status) >= 400 and "application/json" in content:
                        content[refusals.MEDIA_TYPE] = content.pop("application/json")
        return schema


class Json(Parser):
    """A body is a JSON object; anything else would silently read as an empty one."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """The body's fields; 400 for what is no object."""
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            raise HttpError(400, "it is not JSON") from None
        if not isinstance(body, dict):
            raise HttpError(400, "it must be a JSON object")
        return body


api = Api(
    parser=Json(),
    title="Truesend",
    version="1",
    description=(
        "Send tracked email from accounts you own, and learn what came of it. "
        "Live hints: `GET /api/v1/events` (bearer token or session) is a stream of server-sent events, "
        '`event: verdict|email|signal|account` with `data: {"id", "at"}`, without replay: '
        "after connecting, read again."
    ),
    auth=Bearer(),
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api",
)
problems.install(api)
router = Router()


@router.get("me", response={200: schemas.Me, 401: schemas.ProblemOut})
def me(request: HttpRequest) -> dict[str, Any]:
    """Who the token stands for, and how their organization's account stands."""
    member = member_of(request)
    standing = account.standing(member.organization_id)
    return {
        "id": str(member.pk),
        "name": member.user.get_full_name(),
        "email": member.user.email,
        "role": member.role,
        "organization": member.organization.name,
        "environment": env.environment(),
        "nothing_is_sent": installation.standing().sentence or None,
        "account": {
            "state": standing.state.value,
            "tier": standing.tier.key if standing.tier else None,
            "stops_at": standing.stops_at,
        },
    }


# -- connections ------------------------------------------------------------------------------------------------


def _seen(member: Member) -> QuerySet[Connection]:
    return with_facts(access.connections_of(member))


def _connection(request: HttpRequest, connection_id: str, *, manage: bool = False) -> Connection:
    member = member_of(request)
    wanted = id_of(connection_id)
    found = _seen(member).filter(pk=wanted).first() if wanted else None
    if found is None:
        raise problems.not_found("Open Integrations", "/integration")
    if manage:
        access.check_manages(member, found)
    return found


@router.get("connections", response={200: schemas.ConnectionList, 401: schemas.ProblemOut})
def connections(request: HttpRequest) -> dict[str, Any]:
    """Everything the member can send from, disconnected ones included."""
    found = described_all(access.connections_of(member_of(request)))
    return {"items": [present.connection(member_of(request), one) for one in found], "next": None}


@router.get("connections/{connection_id}", response={200: schemas.ConnectionOut, **ERRORS})
def connection(request: HttpRequest, connection_id: str) -> dict[str, Any]:
    """One connection."""
    return present.connection(member_of(request), describe(_connection(request, connection_id)))


@router.post(
    "connections/{connection_id}/verify",
    response={200: schemas.ConnectionOut, 403: schemas.ProblemOut, **ERRORS},
)
def verify(request: HttpRequest, connection_id: str) -> dict[str, Any]:
    """Ask the provider now; the answer is the connection as it stands afterwards."""
    probe.verify(_connection(request, connection_id, manage=True), trigger=member_of(request).user.email)
    return present.connection(member_of(request), describe(_connection(request, connection_id)))


@router.post(
    "connections/{connection_id}/test-email",
    response={201: schemas.EmailOut, 403: schemas.ProblemOut, 409: schemas.NotReadyOut, **ERRORS},
)
def test_email(request: HttpRequest, connection_id: str) -> Status[dict[str, Any]]:
    """Send a test mail to the connection's own address."""
    member = member_of(request)
    email = send_test_email(member, _connection(request, connection_id, manage=True))
    return Status(201, present.emails([email])[0])


@router.post(
    "connections/{connection_id}/disconnect",
    response={200: schemas.ConnectionOut, 403: schemas.ProblemOut, **ERRORS},
)
def disconnect(request: HttpRequest, connection_id: str) -> dict[str, Any]:
    """End the connection; doing it twice is fine."""
    member = member_of(request)
    found = _connection(request, connection_id, manage=True)
    leaving.disconnect(found, trigger=member.user.email, by=member)
    return present.connection(member_of(request), describe(_connection(request, connection_id)))


@router.get("connections/{connection_id}/ledger", response={200: schemas.LedgerList, **ERRORS})
def ledger(request: HttpRequest, connection_id: str, cursor: Cursor = "") -> dict[str, Any]:
    """What happened to the connection, newest first."""
    rows = LedgerEntry.objects.filter(connection=_connection(request, connection_id)).order_by("-id")
    if cursor:
        if not (cursor.isdigit() and len(cursor) < 19):
            raise CursorError(cursor)
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows[: PAGE + 1])
    return {"items": found[:PAGE], "next": str(found[PAGE - 1].pk) if len(found) > PAGE else None}


# -- emails -----------------------------------------------------------------------------------------------------


def _written(member: Member, draft: schemas.DraftIn) -> Written:
    # Somebody else's connection is no connection: the gates say so.
    found = access.access_connection(member, UUID(draft.connection)) if draft.connection else None
    answered = _answered(member, draft)
    if draft.from_ and found is not None:
        # Where it fails, what is known decides, and the send asks again.
        with suppress(ProviderError):
            senders.look(found)
    return Written(
        connection=found,
        to=draft.to,
        cc=draft.cc,
        bcc=draft.bcc,
        subject=draft.subject,
        html=draft.html,
        text=draft.text,
        files=[File(one.name, one.type, one.content_base64, one.content_id) for one in draft.attachments],
        separate_copies=draft.separate_copies,
        people=_people(draft),
        track=draft.track,
        send_at=draft.send_at,
        undo_seconds=draft.undo_seconds,
        reply_to_id=answered.pk if answered else None,
        sender=_other_address(draft, found),
    )


def _people(draft: schemas.DraftIn) -> People | None:
    if not draft.recipients:
        return None
    entries = [people_rows.Entry(one.address, one.name, one.values) for one in draft.recipients]
    return people_rows.people(entries, leave_out=draft.leave_out_bad_rows)


def _other_address(draft: schemas.DraftIn, connection: Connection | None) -> str:
    """The chosen From; empty for the connection's own address."""
    chosen = (draft.from_ or "").strip()
    own = connection is not None and chosen.lower() == connection.address.lower()
    return "" if own else chosen


def _answered(member: Member, draft: schemas.DraftIn) -> Delivery | None:
    """The copy of an email of the member's in whose conversation the draft goes."""
    if draft.reply_to_email is None:
        return None
    email = access.access_email(member, UUID(draft.reply_to_email))
    if email is None or email.status == EmailStatus.DRAFT:
        raise problems.not_found("Open My Emails", "/emails")
    try:
        return threads.answered(email, draft.to)
    except threads.NotSent:
        raise refused(refusals.REPLY_TO_NOTHING, email) from None
    except threads.Ambiguous:
        raise refused(refusals.REPLY_AMBIGUOUS, email) from None


@router.post("readiness", response={200: schemas.ReadinessOut, 409: schemas.ProblemOut, **ERRORS})
def readiness(request: HttpRequest, draft: schemas.DraftIn) -> dict[str, Any]:
    """All gates for a draft, in fixed order."""
    member = member_of(request)
    result = check(member, draft_of(_written(member, draft)))
    return {"ready": result.ready, "gates": [problems.gate_json(gate) for gate in result.gates]}


@router.post(
    "emails",
    response={
        200: schemas.EmailOut,
        201: schemas.EmailOut,
        401: schemas.ProblemOut,
        404: schemas.ProblemOut,
        409: schemas.NotReadyOut,
        422: schemas.ProblemOut,
    },
)
def create_email(
    request: HttpRequest,
    draft: schemas.DraftIn,
    idempotency_key: Annotated[str, Header(alias="Idempotency-Key", max_length=255, pattern=values.KEY)] = "",
) -> Status[dict[str, Any]]:
    """Queue an email. The same Idempotency-Key with the same body answers 200 with the same email.

    A `send_at` that passed in the last half hour is now; one before it is refused: nothing leaves late unasked.
    """
    member = member_of(request)
    try:
        email, made = submit(member, _written(member, draft), key=idempotency_key)
    except Unschedulable as problem:
        raise problems.Problem(refusals.HOUR_PASSED, str(problem)) from None
    return Status(201 if made else 200, present.emails([email])[0])


@router.get("emails", response={200: schemas.EmailList, **ERRORS})
def emails(
    request: HttpRequest, status: EmailStatus | None = None, q: str = "", cursor: Cursor = ""
) -> dict[str, Any]:
    """The member's emails, newest first."""
    choice = status.value if status else "undrafted"
    rows, following = finding.page(member_of(request), choice, words=q.strip(), cursor=cursor, size=PAGE)
    return {"items": present.emails(rows), "next": following}


@router.get("emails/{email_id}", response={200: schemas.EmailOut, **ERRORS})
def email(request: HttpRequest, email_id: str) -> dict[str, Any]:
    """One email."""
    return present.emails([email_of(request, email_id)])[0]


@router.post(
    "deliveries/{delivery_id}/resolve", response={200: schemas.EmailOut, 409: schemas.ProblemOut, **ERRORS}
)
def resolve_delivery(request: HttpRequest, delivery_id: str, answer: schemas.ResolveIn) -> dict[str, Any]:
    """Say what became of an unknown delivery, having looked into Sent; 409 when it is known, or too early."""
    member = member_of(request)
    wanted = id_of(delivery_id)
    found = access.access_delivery(member, wanted) if wanted else None
    if found is None:
        raise problems.not_found("Open My Emails", "/emails")
    if answer.outcome == "sent" and answer.resend:
        raise refused(refusals.CONTRADICTION, found.email)
    try:
        reconcile.resolve(found, member, sent=answer.outcome == "sent", resend=answer.resend)
    except reconcile.NotUnknown:
        raise refused(refusals.NOT_UNKNOWN, found.email) from None
    except reconcile.TooEarly as early:
        then = f"Look again {at_time(early.at, clock.now())}"
        sentence = f"{refusals.TOO_EARLY.sentence} {then}."
        raise refused(refusals.TOO_EARLY, found.email, sentence, then) from None
    return present.emails([email_of(request, str(found.email_id))])[0]


@router.get("emails/{email_id}/signals", response={200: schemas.SignalList, **ERRORS}, by_alias=True)
def signals(request: HttpRequest, email_id: str) -> dict[str, Any]:
    """What recipients and machines did, oldest first."""
    ids = list(email_of(request, email_id).deliveries.values_list("pk", flat=True))
    rows = sorted(query.signals_of(ids), key=lambda one: (one.at, one.pk))
    return {"items": [present.signal(one) for one in rows], "next": None}


@router.post("signals/{signal_id}/strike", response={200: schemas.SignalOut, **ERRORS}, by_alias=True)
def strike_signal(request: HttpRequest, signal_id: str) -> dict[str, Any]:
    """Say that it was nobody: it stays listed and counts no more."""
    return _strike(request, signal_id, struck=True)


@router.post("signals/{signal_id}/unstrike", response={200: schemas.SignalOut, **ERRORS}, by_alias=True)
def unstrike_signal(request: HttpRequest, signal_id: str) -> dict[str, Any]:
    """Let it count again."""
    return _strike(request, signal_id, struck=False)


def _strike(request: HttpRequest, signal_id: str, *, struck: bool) -> dict[str, Any]:
    number = int(signal_id) if re.fullmatch(r"[0-9]{1,19}", signal_id) else 0
    found = access.access_signal(member_of(request), number)
    if found is None:
        raise problems.not_found("Open My Emails", "/emails")
    striking.strike(found, struck=struck)
    return present.signal(found)


api.add_router("", router)
api.add_router("", halts.router)
api.add_router("", members.router)
api.add_router("", suppressions.router)
api.add_router("", templates.router)
api.add_router("", waiting.router)
