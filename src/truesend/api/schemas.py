"""The shapes of the API. Times are RFC 3339 UTC, ids are strings, recipients RFC 5322 strings."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, StrictBool

from truesend.sending import lines

_ID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_MEDIA_TYPE = re.compile(r"^[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,60}( *;[ -~]*)?$")
# An Idempotency-Key: printable ASCII, empty for none.
KEY = r"^([!-~]([ -~]*[!-~])?)?$"
LONGEST_HTML = 5 * 1024 * 1024
# Far enough for every plan, and near enough for every clock and calendar on the way.
_LAST_YEAR = 2100


def _storable(text: str) -> str:
    if not lines.storable(text):
        raise ValueError("contains a NUL character" if "\x00" in text else "contains half a character")
    return text


def _on_one_line(text: str) -> str:
    if lines.broken(text):
        raise ValueError("contains a line break or control character")
    return text


def _media_type(text: str) -> str:
    if not _MEDIA_TYPE.fullmatch(text):
        raise ValueError("must be a media type such as application/pdf")
    return text


def _is_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("is not an id")
    return text


def _in_reach(moment: datetime) -> datetime:
    if moment.year >= _LAST_YEAR:
        raise ValueError(f"must lie before the year {_LAST_YEAR}")
    return moment


def _pattern(pattern: str) -> Any:
    return Field(json_schema_extra={"pattern": pattern})


def _bytes(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None


def _number(value: Any) -> Any:
    """A JSON number; Python would take true for 1 and "5" for 5."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is not a number")
    return value


def _written_time(value: Any) -> Any:
    """RFC 3339 text; a bare number would silently be a moment in 1970."""
    if not isinstance(value, str | datetime):
        raise ValueError("is not a time")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_time), AfterValidator(_in_reach)]
# The documents name the patterns; the checks are ours, for their words.
Text = Annotated[str, AfterValidator(_storable), _pattern(r"^[^\x00]*$")]
# A subject and a file's name stand in a header.
Line = Annotated[str, AfterValidator(_storable), AfterValidator(_on_one_line), _pattern(lines.PATTERN)]
Id = Annotated[str, AfterValidator(_is_id), _pattern(_ID.pattern)]
MediaType = Annotated[str, Field(max_length=255), AfterValidator(_media_type), _pattern(_MEDIA_TYPE.pattern)]
Content = Annotated[bytes, BeforeValidator(_bytes)]


class Fix(Schema):
    """The button that helps."""

    label: str
    url: str


class Person(Schema):
    """Somebody who can act."""

    name: str
    email: str


class ProblemOut(Schema):
    """`application/problem+json`."""

    type: str
    title: str
    status: int
    code: str
    cause: str
    sentence: str
    fix: Fix
    who: Annotated[list[Person], Field(min_length=1)]


class Me(Schema):
    """Who the token stands for."""

    id: str
    name: str
    email: str
    role: str
    organization: str
    environment: str
    # Why, where this installation may not act (a copy, or after a restore); else null.
    nothing_is_sent: str | None


class ProofOut(Schema):
    """One provider answer."""

    at: datetime
    call: str
    result: str
    words: str


class CapabilityOut(Schema):
    """One capability's verdict."""

    name: str
    verdict: str
    cause: str | None
    proof: ProofOut | None


class ConnectionOut(Schema):
    """A connection and its verdict."""

    id: str
    provider: str
    kind: str
    address: str
    place: str
    verdict: str
    cause: str | None
    sentence: str
    fix: Fix | None
    who: list[Person]
    verified_at: datetime | None
    last_refresh_at: datetime | None
    next_refresh_at: datetime | None
    capabilities: list[CapabilityOut]


class ConnectionList(Schema):
    """Connections in one page."""

    items: list[ConnectionOut]
    next: str | None


class LedgerOut(Schema):
    """One entry of a connection's ledger."""

    at: datetime
    kind: str
    trigger: str
    result: str
    words: str
    ref: str


class LedgerList(Schema):
    """A ledger page, newest first."""

    items: list[LedgerOut]
    next: str | None


class FileIn(Schema):
    """An attachment."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Line, Field(min_length=1, max_length=255)]
    type: MediaType = "application/octet-stream"
    content_base64: Content


class DraftIn(Schema):
    """What is to be sent. A field nobody knows is refused: a typo of `track` would send a tracked mail."""

    model_config = ConfigDict(extra="forbid")

    connection: Id | None = None
    to: Annotated[list[Text], Field(max_length=10_000)] = []
    cc: Annotated[list[Text], Field(max_length=10_000)] = []
    bcc: Annotated[list[Text], Field(max_length=10_000)] = []
    subject: Annotated[Line, Field(max_length=998)] = ""
    html: Annotated[Text, Field(max_length=LONGEST_HTML)] = ""
    text: Annotated[Text, Field(max_length=LONGEST_HTML)] = ""
    attachments: Annotated[list[FileIn], Field(max_length=100)] = []
    separate_copies: StrictBool = False
    track: Annotated[
        StrictBool | None,
        Field(description="Left out or null: what the organization has chosen for new emails."),
    ] = None
    send_at: Moment | None = None
    reply_to_email: Annotated[
        Id | None,
        Field(
            description="An email of yours in whose conversation this one goes; of one that was sent as separate "
            "copies, the copy of the first in `to`. The quote and the subject are yours to write."
        ),
    ] = None
    undo_seconds: Annotated[int, Field(ge=0, le=3600), BeforeValidator(_number)] = 0


class ResolveIn(Schema):
    """What a person found in the mailbox's Sent; `resend` sends it again where it was not there."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["sent", "not_sent"]
    resend: StrictBool = False


class GateOut(Schema):
    """One condition for sending. Where an open one has `until`, an email leaves by itself at that hour."""

    name: str
    ok: bool
    cause: str | None
    sentence: str | None
    fix: Fix | None
    who: list[Person]
    until: datetime | None


class ReadinessOut(Schema):
    """All gates, in fixed order."""

    ready: bool
    gates: list[GateOut]


class NotReadyOut(ProblemOut):
    """409 `not_ready`."""

    gates: list[GateOut] | None = None


class RecipientOut(Schema):
    """One address of a delivery."""

    address: str
    type: str


class AttemptOut(Schema):
    """One try."""

    started_at: datetime
    outcome: str | None
    words: str


class DeliveryOut(Schema):
    """One copy."""

    id: str
    recipients: list[RecipientOut]
    status: str
    # Why it waits, and until when where it goes by itself.
    held_cause: str | None
    due_at: datetime | None
    # Of an unknown one: when Sent is looked at next (null: a person is asked), and from when "not_sent" is taken.
    look_at: datetime | None
    ask_from: datetime | None
    attempts: list[AttemptOut]


class StuckOut(Schema):
    """What is in an email's way: what happened to it, what comes next, the button and who can press it."""

    cause: str
    sentence: str
    # The provider's own.
    words: str
    fix: Fix | None
    who: list[Person]


class EmailOut(Schema):
    """An email; `problem` is the cause in its way (`problem_detail` says it in words), `signal` the strongest.

    `opened`, `clicked` and `answered` are how many of its copies a person opened, clicked in, answered.
    """

    id: str
    status: str
    subject: str
    created_at: datetime
    send_at: datetime | None
    undo_until: datetime | None
    # The email in whose conversation it goes.
    reply_to_email: str | None
    problem: str | None
    problem_detail: StuckOut | None
    signal: str | None
    opened: int
    clicked: int
    answered: int
    deliveries: list[DeliveryOut]


class EmailList(Schema):
    """Emails, newest first."""

    items: list[EmailOut]
    next: str | None


class SignalOut(Schema):
    """What a recipient, or a machine, did."""

    id: str
    delivery: str
    recipient: str | None
    kind: str
    class_: str = Field(alias="class", serialization_alias="class")
    confidence: float
    reason: str
    rule: str
    at: datetime
    link: str | None
    struck: bool
    count: int


class SignalList(Schema):
    """Signals, oldest first."""

    items: list[SignalOut]
    next: str | None
