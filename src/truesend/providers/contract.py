"""What every provider supplies, and the one send sequence they share.

A provider is a folder: pure request building, declared limits, one error table. Stateless; secrets leave by one door.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from truesend.providers import checking, clients, handing_over, http
from truesend.providers.coming_in import InboxPart
from truesend.providers.errors import Outcome, ProviderError, Refusal, SendResult
from truesend.providers.recording import RecordingPart
from truesend.providers.setup import Setup
from truesend.providers.shapes import (
    CHECK_CALL,
    CLIENT_CALL,
    NO_CODE,
    OF_THE_CODE,
    OF_THE_CONTENT,
    AddressState,
    Capability,
    DayLimit,
    DeadEnd,
    Enclosure,
    Evidence,
    Grant,
    Identity,
    InboxPage,
    Limits,
    Message,
    Party,
    Received,
    Request,
    SentCopy,
    Strays,
    Traces,
)


class Provider(InboxPart, RecordingPart, ABC):
    """One provider. Every method that calls out raises :class:`ProviderError` with a cause."""

    key: str
    name: str
    capabilities: tuple[Capability, ...]
    limits: Limits
    dead_ends: tuple[DeadEnd, ...]
    # How an operator gets a client there; the page of providers and `truesend doctor` tell it.
    setup: Setup = Setup()
    # Its own mailboxes fetch pictures through the image proxy that recipients' mailboxes use too, so that the
    # sender's look at the Sent copy cannot be told from a recipient's.
    sent_copy_behind_proxy: bool = False
    # Whether, with the reading scope, it can be proved that a message was not sent (design §5).
    proves_absence: bool = False
    # What people call its mailbox, where it has pages of its own.
    mailbox_name: str = ""
    # Domains whose mailboxes belong to people by themselves: no organization administers them.
    own_domains: frozenset[str] = frozenset()
    # Origins to which its consent page may lead on at once: browsers hold a form against every redirect.
    leads_on_to: tuple[str, ...] = ()
    # One consent gives every capability there is: nothing can be asked for singly.
    consents_to_all: bool = False
    # A refresh token works once, and what answers it is all there is: a renewal that is lost may end the grant.
    renews_once: bool = False
    # The old access token goes on working after a renewal, so that a probe of the grant may be one.
    probes_by_renewal: bool = False
    # How a person ends a grant at the provider, where the provider has no call for it; a sentence.
    ends_by_hand: str = ""
    # What is prepared lies among what its people see in their mailbox, until it is sent or cleared away.
    leaves_behind: bool = False
    # Days after which a grant that nobody used ends; 0 where it does not.
    idle_days: int = 0
    # A team may connect its own account by a key made in the provider's settings, instead of a consent.
    takes_key: bool = False
    # How such a key is made there, step by step, and what it is good for.
    key_steps: tuple[str, ...] = ()
    key_note: str = ""
    # What there is to be read of its mailboxes, for people.
    reads: str = "replies and bounces"
    # What people call the place where its mailboxes keep what was sent.
    sent_name: str = "Sent folder"
    # Its mailboxes may send from other addresses too, which it lists.
    names_senders: bool = False
    # The calls one scheduled probe costs, of those that all connections share in a day.
    probe_calls: int = 2

    def client_rate(self) -> float:
        """Sends a second for all mailboxes together; a provider's setting may say otherwise than its limits."""
        return self.limits.client_calls_per_second

    def limits_for(self, capabilities: Collection[Capability]) -> Limits:
        """What it carries for a connection with these capabilities: more where they let it be prepared."""
        return self.limits

    @abstractmethod
    def day_limit(self, address: str) -> DayLimit:
        """What the mailbox of an address may send in any 24 hours, as far as its address tells."""

    # -- consent --------------------------------------------------------------------------------------------

    def is_configured(self) -> bool:
        """Whether this installation has a client of its own here (:mod:`truesend.providers.clients`)."""
        return clients.client(self.key) is not None

    def check_client(self, redirect_uri: str) -> Evidence:
        """Whether id and secret are right, without any user: a code that nobody gave is exchanged.

        A refusal of the code is the good answer, since the client is looked at first (RFC 6749, 5.2: ``invalid_client``
        against ``invalid_grant``). Every other is what a consent or a renewal would meet now. Raises nothing.
        """
        try:
            self.exchange(code=NO_CODE, redirect_uri=redirect_uri, verifier="v" * 64, nonce="")
        except ProviderError as error:
            if error.cause in OF_THE_CODE:
                return Evidence("client", True, CLIENT_CALL, words=error.words)
            return Evidence("client", False, CLIENT_CALL, error.cause, error.words, until=error.retry_at)
        return Evidence(
            "client", False, CLIENT_CALL, "provider_garbage", "A code that nobody gave was taken."
        )

    def check_redirect(self, redirect_uri: str) -> Evidence | None:
        """Whether a return address is registered, without any user; None where the provider does not say.

        Asked to show no page at all (``prompt=none``), a provider sends a browser that nobody is signed in at straight
        back, to an address it knows alone. Raises nothing.
        """
        if not self.setup.can_be_silent:
            return None

        def page() -> str:
            return self.authorize_url(
                capabilities=[Capability.SEND],
                redirect_uri=redirect_uri,
                state="check",
                nonce="check",
                verifier="v" * 64,
                account=None,
            )

        return checking.redirect(page, redirect_uri, refused=self.setup.redirect_refused)

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

    def admin_consent_url(self, capabilities: Iterable[Capability], redirect_uri: str) -> str:
        """Where an administrator permits these capabilities for everybody in the organization, to be forwarded to one.

        Empty where the provider has no such page. Raises :class:`ProviderError` where there is no client.
        """
        return ""

    def read_admin_answer(self, query: Mapping[str, str]) -> bool | None:
        """Whether the administrator permitted it, of the callback that page leads to; None of any other callback."""
        return None

    @abstractmethod
    def exchange(self, *, code: str, redirect_uri: str, verifier: str, nonce: str) -> Grant:
        """Trade a code for a grant with a verified identity."""

    @abstractmethod
    def consent_cause(self, error: str, description: str) -> str:
        """The cause code of an error the provider sent back to the callback."""

    @abstractmethod
    def refresh(self, refresh_token: str) -> Grant:
        """Renew a grant; ``refresh_token`` of the answer is None where the old one stays."""

    def revoke(self, token: str) -> None:
        """End a grant at the provider; one that is already ended is fine. Raises :class:`ProviderError`.

        Where the provider has no call for it, that is said: `revoked_by_hand`, with :attr:`ends_by_hand`.
        """
        raise ProviderError("revoked_by_hand", self.ends_by_hand)

    def key_grant(self, key: str) -> Grant:
        """The lasting grant that a pasted key is, with its identity, where the provider :attr:`takes_key`.

        Raises :class:`ProviderError`: `key_malformed` for one that is none, `key_refused` for one not accepted.
        """
        raise NotImplementedError(f"{self.name} takes no key")

    # -- use ------------------------------------------------------------------------------------------------

    @abstractmethod
    def probe(
        self, access_token: str, capabilities: Iterable[Capability], *, thorough: bool = False
    ) -> list[Evidence]:
        """Ask for what can be proved without sending, if ``thorough`` past a failure; never raises for a refusal."""

    def prepares(self, capabilities: Collection[Capability]) -> bool:
        """Whether a send by a connection with these capabilities begins with :meth:`prepare`."""
        return False

    def prepare(self, message: Message, access_token: str, *, earlier: str | None) -> str:
        """Everything that comes before the send and sends nothing: a draft, a contact. Returns its reference.

        The reference (at most 2,000 characters, no secret) is committed before :meth:`send` is called with it, and is
        what :meth:`traces` is told later. ``earlier`` is the reference of the try before this one, of which it is
        proved that it sent nothing; empty where that try left none, None where this is the first: what it may have
        left behind is cleared away or used again. Raises :class:`ProviderError`; then nothing was sent.
        """
        raise NotImplementedError(f"{self.name} prepares nothing")

    def clear(self, access_token: str, references: Iterable[str], strays: Strays | None = None) -> None:
        """Take away what was prepared as ``references`` and never sent; what is gone, or was sent, is left alone.

        And ``strays`` of a delivery that has ended. Raises :class:`ProviderError`.
        """
        if self.leaves_behind:
            raise NotImplementedError(f"{self.name} clears nothing away")

    @abstractmethod
    def send_request(self, message: Message, access_token: str, reference: str = "") -> Request:
        """The call that sends ``message``, prepared as ``reference`` where that is not empty. Pure."""

    @abstractmethod
    def read_accepted(self, answer: http.Answer, reference: str = "") -> tuple[str, str] | None:
        """(message id, thread id) of a 2xx answer to a send, or None when it is not in the provider's form.

        Empty ids where the provider tells none.
        """

    @abstractmethod
    def send_check_requests(self, access_token: str, capabilities: Collection[Capability]) -> list[Request]:
        """Every call that a send makes, each with a content that the provider has to refuse or only reads. Pure.

        Nothing can be sent by them, and nothing is left behind.
        """

    @abstractmethod
    def read_refusal(self, answer: http.Answer) -> Refusal | None:
        """A recognised error body, whatever its status, or None."""

    @abstractmethod
    def sent_copy(self, access_token: str, message_id: str) -> SentCopy:
        """Read a sent message back from the mailbox (needs the reading scope)."""

    def senders(self, access_token: str) -> list[Party]:
        """The addresses that the mailbox may send from now, where the provider :attr:`names_senders`.

        Needs the reading scope. Raises :class:`ProviderError`.
        """
        return []

    def position(self, access_token: str) -> str:
        """Where the mailbox's history stands now; empty where the provider keeps none (needs the reading scope)."""
        return ""

    def traces(
        self,
        access_token: str,
        marks: Collection[str],
        *,
        since: datetime,
        position: str,
        references: Mapping[str, str] | None = None,
        known: Collection[str] = (),
    ) -> Traces:
        """Look for the marks of deliveries in what was sent ``since`` then (needs the reading scope).

        ``position`` is where the history stood before the first of these tries, or empty; ``references`` are what
        :meth:`prepare` gave, by mark; ``known`` are ids of messages with other marks, not to be read again. A provider
        whose Sent cannot be read finds nothing and proves nothing.
        """
        return Traces({}, complete=False, words=f"{self.name} does not show what was sent.")

    def place_of(self, subject: str) -> str:
        """Which of several accounts under one address the account with this subject is; empty where there is one."""
        return ""

    def sent_folder_url(self, address: str, place: str = "") -> str:
        """The page of an account's Sent folder in its :meth:`place_of`, for a browser; empty where there is none."""
        return ""

    def send(
        self, message: Message, access_token: str, *, reference: str = "", fence: Callable[[], None]
    ) -> SendResult:
        """The send sequence, once for all providers: see :func:`truesend.providers.handing_over.once`."""
        call = self.send_request(message, access_token, reference)
        return handing_over.once(
            call, message.size, fence=fence, judge=lambda answer: self.judge_send(answer, reference)
        )

    def check_send(self, access_token: str, capabilities: Collection[Capability]) -> Evidence:
        """Ask the calls of a send with nothing to send: whether they are reached, and let this key through.

        A refusal of the content is the good answer. Every other is what a send would meet now.
        """
        return checking.ask(
            self.send_check_requests(access_token, capabilities),
            refusal=self.read_refusal,
            is_accepted=lambda answer: self.read_accepted(answer) is not None,
        )

    def judge_send(self, answer: http.Answer, reference: str = "") -> SendResult:
        """Outcome of a send's answer: accepted, else by a recognised error body, else by the status (design §5).

        A 2xx that carries a recognised error body as well is UNKNOWN.
        """
        if 200 <= answer.status < 300:
            # An error beside an id contradicts itself: which of the two holds nobody knows.
            accepted = (
                None if self.read_refusal(answer) is not None else self.read_accepted(answer, reference)
            )
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
    "CHECK_CALL",
    "CLIENT_CALL",
    "OF_THE_CODE",
    "OF_THE_CONTENT",
    "AddressState",
    "Capability",
    "DayLimit",
    "DeadEnd",
    "Enclosure",
    "Evidence",
    "Grant",
    "Identity",
    "InboxPage",
    "Limits",
    "Message",
    "Party",
    "Provider",
    "ProviderError",
    "Received",
    "Request",
    "SentCopy",
    "Strays",
    "Traces",
]
