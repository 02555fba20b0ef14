"""The shapes of the API. Times are RFC 3339 UTC, ids are strings, recipients RFC 5322 strings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import BeforeValidator, ConfigDict, StrictBool, ValidationInfo, field_validator

from truesend.api.values import (
    LONGEST_HTML,
    Content,
    Id,
    Line,
    LongText,
    MediaType,
    Moment,
    ShortText,
    Text,
    number,
)
from truesend.sending import pictures


class Fix(Schema):
    """The button that helps."""

    label: str
    url: str


class Person(Schema):
    """Somebody who can act. ``email`` is empty of whom we know by office only: their administrator at a provider."""

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


class AccountOut(Schema):
    """How the organization's account stands: `trial`, `active`, `past_due` or `inactive`; its plan; when it ends."""

    state: str
    tier: str | None
    stops_at: datetime | None


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
    account: AccountOut


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
    content_id: Annotated[
        str,
        Field(
            max_length=80,
            pattern=r"^([A-Za-z0-9][A-Za-z0-9.@_+-]{0,79})?$",
            description="Of a picture in the text: what `html` calls it, `cid:…`.",
        ),
    ] = ""


class PersonIn(Schema):
    """Somebody who gets a copy of their own, with values for merge fields such as `{{first_name|there}}`."""

    model_config = ConfigDict(extra="forbid")

    address: Annotated[Text, Field(max_length=1_000)]
    name: Annotated[Text, Field(max_length=200)] = ""
    values: Annotated[dict[ShortText, LongText], Field(max_length=100)] = {}


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
    attachments: Annotated[list[FileIn], Field(max_length=100, validate_default=True)] = []
    separate_copies: Annotated[
        StrictBool,
        Field(description="Everybody gets a message of their own; merge fields are filled in these alone."),
    ] = False
    recipients: Annotated[
        list[PersonIn],
        Field(
            max_length=10_000,
            description="People with values, besides `to`, `cc` and `bcc`; they get separate copies.",
        ),
    ] = []
    leave_out_bad_rows: Annotated[
        StrictBool,
        Field(description="Send to the good ones of `recipients` where others cannot be used."),
    ] = False
    track: Annotated[
        StrictBool | None,
        Field(description="Left out or null: what the organization has chosen for new emails."),
    ] = None
    send_at: Moment | None = None
    from_: Annotated[
        Text | None,
        Field(
            alias="from",
            max_length=320,
            description="Another address of the connection's mailbox, as its provider lists it; left out: its own.",
        ),
    ] = None
    reply_to_email: Annotated[
        Id | None,
        Field(
            description="An email of yours in whose conversation this one goes; of one that was sent as separate "
            "copies, the copy of the first in `to`. The quote and the subject are yours to write."
        ),
    ] = None
    undo_seconds: Annotated[int, Field(ge=0, le=3600), BeforeValidator(number)] = 0

    @field_validator("attachments")
    @classmethod
    def _shown(cls, files: list[FileIn], known: ValidationInfo) -> list[FileIn]:
        """Every picture that the HTML shows is there, and once: a recipient would see a hole, or either of two."""
        named = [one.content_id for one in files if one.content_id]
        if twice := next((one for one in named if named.count(one) > 1), ""):
            raise ValueError(f"are called {twice} twice: a content_id is one picture’s")
        for name in pictures.shown_in(known.data.get("html", "")):
            if name not in named:
                raise ValueError(f"lack the picture that html shows as cid:{name}")
        return files


class HourIn(Schema):
    """Another hour for an email that waits."""

    model_config = ConfigDict(extra="forbid")

    send_at: Moment


class ResolveIn(Schema):
    """What a person found in the mailbox's Sent; `resend` sends it again where it was not there."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["sent", "not_sent"]
    resend: StrictBool = False


class RowOut(Schema):
    """A person of `recipients` who cannot be used: `line` is their place, counted from 1."""

    line: int
    reason: str
    shown: str


class GateOut(Schema):
    """One condition for sending. Where an open one has `until`, an email leaves by itself at that hour.

    `rows` are the people who cannot be used.
    """

    name: str
    ok: bool
    cause: str | None
    sentence: str | None
    fix: Fix | None
    who: list[Person]
    until: datetime | None
    rows: list[RowOut]


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


class ProgressOut(Schema):
    """Copies by where they stand. `waiting` have an hour, the first at `next_at`; `held` wait for somebody."""

    total: int
    sent: int
    waiting: int
    paused: int
    held: int
    unknown: int
    failed: int
    stopped: int
    next_at: datetime | None
    last_at: datetime | None


class TheirHourOut(Schema):
    """The hour at which an email leaves on a recipient's clock, by the offset of their last answer: about, no zone."""

    address: str
    # RFC 3339, with that offset.
    at: str


class EmailOut(Schema):
    """An email; `problem` is the cause in its way (`problem_detail` says it in words), `signal` the strongest.

    `opened`, `clicked` and `answered` are how many of its copies a person opened, clicked in, answered.
    """

    id: str
    status: str
    subject: str
    created_at: datetime
    send_at: datetime | None
    # Of an email that waits for its hour: of those recipients whose clock is known.
    their_hours: list[TheirHourOut]
    undo_until: datetime | None
    # The email in whose conversation it goes.
    reply_to_email: str | None
    problem: str | None
    problem_detail: StuckOut | None
    signal: str | None
    opened: int
    clicked: int
    answered: int
    progress: ProgressOut
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
