"""What every provider supplies, and the one send sequence they share.

A provider is a folder: pure request building, declared limits, one error table. It keeps no state and knows
nothing of the database; secrets come in as arguments and leave only through the outbound door.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from truesend.providers import http
from truesend.providers.errors import Outcome, ProviderError, Refusal, SendResult


class Capability(StrEnum):
    """What a connection can be asked to do."""

    SEND = "send"
    READ = "read"
    CONTACTS = "contacts"


@dataclass(frozen=True)
class Limits:
    """What a provider can carry, checked before a send starts.

    ``client_calls_per_second`` is how many sends all mailboxes together may make with one client registration, and
    ``client_burst`` how many of them at once after a rest.
    """

    recipients: int
    message_bytes: int
    attachment_bytes: int
    custom_headers: bool
    cc_and_bcc: bool
    client_calls_per_second: float
    client_burst: int


@dataclass(frozen=True)
class Identity:
    """Whose account it is. ``subject`` never changes; ``address`` may."""

    subject: str
    address: str
    name: str


@dataclass(frozen=True)
class Grant:
    """What came of a consent or a refresh. Secrets are kept out of ``repr``."""

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str | None = field(repr=False)
    scopes: frozenset[str]
    identity: Identity | None = None


@dataclass(frozen=True)
class Request:
    """A call, built and not yet made."""

    method: str
    url: str
    operation: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Evidence:
    """One thing a provider answer proved: which check, whether it holds, by which call, in whose words.

    ``until`` is when the provider says that a failure ends, where it says so.
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
class Traces:
    """What the mailbox's own Sent says of deliveries: the copies found, by mark.

    ``complete`` is True only where everything sent since was read, so that a mark not found was not sent. Where it
    is False, ``words`` say what was missing.
    """

    found: Mapping[str, SentCopy]
    complete: bool
    words: str = ""


@dataclass(frozen=True)
class DeadEnd:
    """A page at the provider from which nobody is sent back: the words on it, and the cause they tell of."""

    words: str
    cause: str


class Provider(ABC):
    """One provider. Every method that calls out raises :class:`ProviderError` with a cause."""

    key: str
    name: str
    capabilities: tuple[Capability, ...]
    limits: Limits
    dead_ends: tuple[DeadEnd, ...]
    # Its own mailboxes fetch pictures through the image proxy that recipients' mailboxes use too, so that the
    # sender's look at the Sent copy cannot be told from a recipient's.
    sent_copy_behind_proxy: bool = False
    # Whether, with the reading scope, it can be proved that a message was not sent (design §5).
    proves_absence: bool = False
    # What people call its mailbox, where it has pages of its own.
    mailbox_name: str = ""
    # Domains whose mailboxes belong to people by themselves: no organization administers them.
    own_domains: frozenset[str] = frozenset()

    def client_rate(self) -> float:
        """Sends a second for all mailboxes together; a provider's setting may say otherwise than its limits."""
        return self.limits.client_calls_per_second

    # -- consent --------------------------------------------------------------------------------------------

    @abstractmethod
    def is_configured(self) -> bool:
        """Whether this installation has a client of its own here."""

    @abstractmethod
    def consent_page(self) -> str:
        """The address of the provider's consent page, without parameters."""

    @abstractmethod
    def scopes(self, capabilities: Iterable[Capability]) -> list[str]:
        """The scopes to ask for."""

    @abstractmethod
    def granted(self, scopes: Iterable[str]) -> set[Capability]:
        """The capabilities that granted scopes allow."""

    @abstractmethod
    def authorize_url(
        self,
        *,
        capabilities: Iterable[Capability],
        redirect_uri: str,
        state: str,
        nonce: str,
        verifier: str,
        account: str | None,
    ) -> str:
        """Where to send the member; ``account`` is the address to choose there when reconnecting."""

    @abstractmethod
    def exchange(self, *, code: str, redirect_uri: str, verifier: str, nonce: str) -> Grant:
        """Trade a code for a grant with a verified identity."""

    @abstractmethod
    def consent_cause(self, error: str, description: str) -> str:
        """The cause code of an error the provider sent back to the callback."""

    @abstractmethod
    def refresh(self, refresh_token: str) -> Grant:
        """Renew a grant; ``refresh_token`` of the answer is None where the old one stays."""

    @abstractmethod
    def revoke(self, token: str) -> None:
        """End a grant at the provider; one that is already ended is fine."""

    # -- use ------------------------------------------------------------------------------------------------

    @abstractmethod
    def probe(self, access_token: str, capabilities: Iterable[Capability]) -> list[Evidence]:
        """Ask the provider for what can be proved without sending; never raises for a refusal."""

    @abstractmethod
    def send_request(self, raw: bytes, access_token: str, thread_id: str = "") -> Request:
        """The call that sends ``raw`` (a whole MIME message). Pure."""

    @abstractmethod
    def read_accepted(self, answer: http.Answer) -> tuple[str, str] | None:
        """(message id, thread id) of a 2xx answer to a send, or None when it is not in the provider's form."""

    @abstractmethod
    def read_refusal(self, answer: http.Answer) -> Refusal | None:
        """A recognised error body, whatever its status, or None."""

    @abstractmethod
    def sent_copy(self, access_token: str, message_id: str) -> SentCopy:
        """Read a sent message back from the mailbox (needs the reading scope)."""

    def position(self, access_token: str) -> str:
        """Where the mailbox's history stands now; empty where the provider keeps none (needs the reading scope)."""
        return ""

    def traces(self, access_token: str, marks: Collection[str], *, since: datetime, position: str) -> Traces:
        """Look for the marks of deliveries in what was sent ``since`` then (needs the reading scope).

        ``position`` is where the history stood before the first of these tries, or empty. A provider whose Sent
        cannot be read finds nothing and proves nothing.
        """
        return Traces({}, complete=False, words=f"{self.name} does not show what was sent.")

    def sent_folder_url(self, address: str) -> str:
        """The page of an account's Sent folder, for a person's browser; empty where the provider has none."""
        return ""

    def send(
        self, raw: bytes, access_token: str, *, thread_id: str = "", fence: Callable[[], None]
    ) -> SendResult:
        """The send sequence, once for all providers: no retry; the outcome follows from where the answer came.

        ``fence`` is asked before the first byte and may refuse by raising.
        """
        call = self.send_request(raw, access_token, thread_id)
        try:
            answer = http.request(
                call.method,
                call.url,
                operation=call.operation,
                headers=call.headers,
                body=call.body,
                # Of the mail itself, as it is noted with the attempt: a body in base64 gets no more.
                timeout=http.total_timeout(len(raw)),
                fence=fence,
            )
        except http.TransportError as error:
            outcome = Outcome.NOT_SENT if error.stage == "connect" else Outcome.UNKNOWN
            return SendResult(outcome, error.cause, error.words)
        return self.judge_send(answer)

    def judge_send(self, answer: http.Answer) -> SendResult:
        """Outcome of a send's answer: accepted, else by a recognised error body, else by the status (design §5).

        A 2xx that carries a recognised error body as well is UNKNOWN.
        """
        if 200 <= answer.status < 300:
            # An error beside an id contradicts itself: which of the two holds nobody knows.
            accepted = None if self.read_refusal(answer) is not None else self.read_accepted(answer)
            if accepted is None:
                # A 2xx in words that are not the provider's (a proxy's page, an empty body) proves nothing.
                return SendResult(
                    Outcome.UNKNOWN, "provider_garbage", answer.words(), milliseconds=answer.milliseconds
                )
            return SendResult(
                Outcome.ACCEPTED,
                message_id=accepted[0],
                thread_id=accepted[1],
                milliseconds=answer.milliseconds,
            )
        refusal = self.read_refusal(answer)
        if refusal is not None:
            outcome = Outcome.NOT_SENT if refusal.proves_not_sent else Outcome.UNKNOWN
            return SendResult(
                outcome,
                refusal.cause,
                refusal.words,
                milliseconds=answer.milliseconds,
                retry_at=refusal.retry_at,
                client_wide=refusal.client_wide,
            )
        certain = 400 <= answer.status < 500 and answer.status not in {408, 409, 425}
        return SendResult(
            Outcome.NOT_SENT if certain else Outcome.UNKNOWN,
            "provider_refused" if certain else "provider_error",
            f"{answer.status} {answer.words()}".strip(),
            milliseconds=answer.milliseconds,
        )


__all__ = [
    "Capability",
    "DeadEnd",
    "Evidence",
    "Grant",
    "Identity",
    "Limits",
    "Provider",
    "ProviderError",
    "Request",
    "SentCopy",
    "Traces",
]
