"""What goes to a provider's adapter and what comes back, in types. Secrets are kept out of ``repr``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# The call behind a proof of `reach`, and causes that say of a call that it got as far as its content.
CHECK_CALL = "send.check"
OF_THE_CONTENT = frozenset(
    {
        "message_refused",
        "recipient_refused",
        "recipient_opted_out",
        "recipient_blocked",
        "message_too_large",
        "not_found",
    }
)
# The call that proves the client itself, the code it is made with, and causes that say that only the code was refused.
CLIENT_CALL = "client.check"
REDIRECT_CALL = "authorize.check"
NO_CODE = "truesend-checks-its-client"
OF_THE_CODE = frozenset({"grant_rejected", "grant_revoked", "code_refused"})


class Capability(StrEnum):
    """What a connection can be asked to do."""

    SEND = "send"
    READ = "read"
    CONTACTS = "contacts"


@dataclass(frozen=True)
class Limits:
    """What a provider can carry, checked before a send starts.

    ``client_calls_per_second`` is how many sends all mailboxes together may make with one client registration, and
    ``client_burst`` how many of them at once after a rest. ``recipients`` are those of one copy. A provider that
    ``carries_mime`` takes the whole message with its headers; another is handed its parts. Of attachments: ``files`` at
    most (0: any number), ``file_bytes`` each (0: only their sum counts), names that end in one of ``file_types`` (lower
    case, without the dot; empty: all). ``client_calls_per_day``: of all calls of one client (0: no such limit).
    ``fills_in`` is a pattern of what it replaces in a mail by itself (merge fields), ``needs_subject`` that it takes
    none without. ``in_one_piece``: bytes of the message that one call carries; what its files make larger is handed
    over beside it, file by file (0: everything goes in one call).
    """

    recipients: int
    message_bytes: int
    attachment_bytes: int
    custom_headers: bool
    cc_and_bcc: bool
    client_calls_per_second: float
    client_burst: int
    carries_mime: bool = True
    files: int = 0
    file_bytes: int = 0
    file_types: frozenset[str] = frozenset()
    client_calls_per_day: int = 0
    fills_in: str = ""
    needs_subject: bool = False
    in_one_piece: int = 0


@dataclass(frozen=True)
class DayLimit:
    """What one mailbox may send in any 24 hours: ``messages`` and ``recipients`` (0: no such limit is known).

    ``per_minute`` is the pace at which it takes many emails, one after the other. ``told`` says in a sentence whose
    figure it is.
    """

    messages: int
    recipients: int
    per_minute: int
    told: str


@dataclass(frozen=True)
class Identity:
    """Whose account it is. ``subject`` never changes; ``address`` may."""

    subject: str
    address: str
    name: str


@dataclass(frozen=True)
class Grant:
    """What came of a consent or a refresh. Secrets are kept out of ``repr``.

    ``refresh_expires_in``: seconds after which the whole grant ends, where the provider says so. ``lasting``: the
    access token is a key that needs no renewal, and works until somebody takes it back.
    """

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str | None = field(repr=False)
    scopes: frozenset[str]
    identity: Identity | None = None
    refresh_expires_in: int | None = None
    lasting: bool = False


@dataclass(frozen=True)
class Request:
    """A call, built and not yet made."""

    method: str
    url: str
    operation: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    # Of a call that only asks: the refusals that are good answers.
    good_refusals: frozenset[str] = OF_THE_CONTENT


@dataclass(frozen=True)
class Party:
    """Whom a message goes to or comes from."""

    address: str
    name: str = ""


@dataclass(frozen=True)
class Enclosure:
    """A file that travels with a message: its bytes, or the way to read them a stretch at a time.

    ``content_id`` is that of a picture which the HTML shows (``cid:``), else empty.
    """

    name: str
    content_type: str
    content: bytes = field(default=b"", repr=False)
    content_id: str = ""
    # Of one that nobody holds: its size, and what reads it from an offset on.
    length: int = 0
    source: Callable[[int], Iterator[bytes]] | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if self.source is None else self.length

    def read(self, start: int = 0) -> Iterator[bytes]:
        """The file from there on, in stretches."""
        if self.source is not None:
            yield from self.source(start)
        elif start < len(self.content):
            yield self.content[start:]


@dataclass(frozen=True)
class Message:
    """One copy as it is handed to a provider.

    ``mark`` is the id of its delivery. ``raw`` is the whole MIME message, its mark in a header, where the provider
    carries MIME; otherwise it is empty and the parts are filled in (``html`` with its links rewritten already).
    ``apart`` are files that ``raw`` leaves out, since one call does not carry them with it: they go beside it.
    """

    mark: str
    raw: bytes = field(default=b"", repr=False)
    recipients: tuple[Party, ...] = ()
    subject: str = ""
    html: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    files: tuple[Enclosure, ...] = ()
    thread_id: str = ""
    apart: tuple[Enclosure, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the message itself, about as many as travel."""
        if self.raw:
            return len(self.raw)
        return len(self.html) + len(self.text) + sum(file.size for file in self.files)


@dataclass(frozen=True)
class Evidence:
    """One thing a provider answer proved: which check, whether it holds, by which call, in whose words.

    Checks: ``grant``, ``scope``, ``send``, ``read``, ``contacts``; ``client``, of this installation and no connection;
    and ``reach``: the sending call was answered as it has to be when it is asked with nothing to send. ``until`` is
    when the provider says that a failure ends, where it says so.
    """

    check: str
    ok: bool
    call: str
    cause: str = ""
    words: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class SentCopy:
    """A message found in the mailbox's own Sent."""

    message_id: str
    thread_id: str
    internet_message_id: str


@dataclass(frozen=True)
class Strays:
    """What was prepared for a delivery and is known by no reference: it bears the ``mark``, and is from ``since`` then.

    ``sent`` is the reference of what was sent, which is none of them.
    """

    mark: str
    since: datetime
    sent: str = ""


@dataclass(frozen=True)
class Traces:
    """What the mailbox's own Sent says of deliveries: the copies found, by mark.

    ``complete`` is True only where everything sent since was read, so that a mark not found was not sent. Where it
    is False, ``words`` say what was missing. ``absent`` are marks of which it is proved singly that they were not sent.
    """

    found: Mapping[str, SentCopy]
    complete: bool
    words: str = ""
    absent: frozenset[str] = frozenset()


# What is read of a mail that came in before anybody knows whether it concerns us; names in lower case.
INBOX_HEADERS = (
    "from",
    "sender",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
    "content-type",
    "auto-submitted",
    "x-auto-response-suppress",
    "precedence",
    "return-path",
    "x-failed-recipients",
    "x-ms-exchange-message-is-ndr",
    "x-truesend-delivery",
)


@dataclass(frozen=True)
class Received:
    """A mail that came into a mailbox, by its ids and its :data:`INBOX_HEADERS`.

    ``headers``: values unfolded; of a name that stands there several times all of them, with a space between. ``own``
    is a mail of the mailbox itself: sent, or a draft. ``size`` in bytes, 0 where it is not told.
    """

    message_id: str
    thread_id: str
    at: datetime | None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    own: bool = False
    size: int = 0


@dataclass(frozen=True)
class InboxPage:
    """What came into a mailbox since a cursor, oldest first as far as the provider tells an order.

    ``cursor`` is where the next look begins, once these were kept. ``complete`` is False where more is there already.
    ``started_over``: the provider no longer knew the cursor, so what came since a given time is read again.
    """

    received: tuple[Received, ...]
    cursor: str
    complete: bool
    started_over: bool = False


@dataclass(frozen=True)
class AddressState:
    """What a provider knows of an address that speaks against writing to it; ``words`` as half a sentence."""

    class Kind(StrEnum):
        """What it is; a soft bounce may be over."""

        HARD_BOUNCE = "hard_bounce"
        SOFT_BOUNCE = "soft_bounce"
        OPTED_OUT = "opted_out"
        COMPLAINED = "complained"

    address: str
    kind: Kind
    words: str


@dataclass(frozen=True)
class PushHold:
    """What a provider promised: to tell of new mail until then. ``ref`` is its own name of it, empty without one."""

    ref: str
    expires_at: datetime


@dataclass(frozen=True)
class PushCall:
    """A call to our webhook; ``headers`` with names in lower case."""

    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class PushEvent:
    """One thing that a call tells. ``address`` or ``ref`` say of which mailbox, ``secret`` is the one that we gave.

    ``renew``: what we hold is about to end, or has; anything else is a hint that something is new.
    """

    address: str = ""
    ref: str = ""
    secret: str = field(default="", repr=False)
    renew: bool = False


@dataclass(frozen=True)
class PushNews:
    """What a call to our webhook is: a handshake to be answered so, or events."""

    events: tuple[PushEvent, ...] = ()
    echo: str | None = None
    echo_header: tuple[str, str] | None = None


@dataclass(frozen=True)
class DeadEnd:
    """A page at the provider from which nobody is sent back: the words on it, and the cause they tell of."""

    words: str
    cause: str
