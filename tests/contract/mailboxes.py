"""What a provider's contract tests need beside its adapter: somebody with a mailbox, and ways to spoil it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.sandbox import microsoft_client as microsoft
from tests.sandbox.google_client import COMPOSE, READ, SEND, SIGN_IN, GoogleClient, Tokens, mail, raw
from tests.sandbox_process import Sandbox

from truesend.providers import registry
from truesend.providers.contract import Capability, Message, Provider, SentCopy, Traces
from truesend.providers.errors import Outcome, SendResult


def new_mark() -> str:
    return str(uuid4())


class Mailbox(ABC):
    """One account at a provider in the sandbox. Lateness is in seconds of the sandbox's clock."""

    key: str
    address = "ada@example.org"
    # Whether everything sent since then can be read, so that what is not among it was not sent.
    reads_all: bool
    # Whether the history has positions, so that one can be asked for.
    keeps_positions: bool

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.began = self.now()
        self.references: dict[str, str] = {}

    @property
    def adapter(self) -> Provider:
        return registry.provider(self.key)

    def now(self) -> datetime:
        """The sandbox's time."""
        return datetime.fromtimestamp(self.sandbox.control("GET", "state")["clock"]["now"], UTC)

    @abstractmethod
    def access(self, *capabilities: Capability) -> str:
        """An access token with these capabilities, by default both; the same one when asked again."""

    @abstractmethod
    def letter(self, mark: str) -> bytes:
        """A mail with our mark, as the provider carries it."""

    @abstractmethod
    def delete(self, message_id: str) -> None:
        """The person deletes a message for good."""

    @abstractmethod
    def throw_away(self, message_id: str) -> None:
        """The person puts a message into the bin."""

    @abstractmethod
    def forget_history(self, *, by_then: bool) -> None:
        """What the mailbox told of its past is told no more."""

    @abstractmethod
    def leave_unsent(self, mark: str) -> None:
        """As far as a send goes before its first byte."""

    @abstractmethod
    def show_late(self, seconds: float) -> None:
        """Everything sent from now on shows so much later, wherever one looks."""

    def send(self, mark: str) -> SendResult:
        """One accepted send."""
        result = self.hand_over(self.message(mark))
        assert result.outcome is Outcome.ACCEPTED, result
        return result

    def message(self, mark: str) -> Message:
        """A message with our mark."""
        return Message(mark, self.letter(mark))

    def hand_over(self, message: Message, access: str = "") -> SendResult:
        """One send, prepared where the provider wants it."""
        access = access or self.access()
        reference = ""
        if self.adapter.prepares([Capability.SEND, Capability.READ]):
            reference = self.references[message.mark] = self.adapter.prepare(message, access, earlier=None)
        return self.adapter.send(message, access, reference=reference, fence=lambda: None)

    def send_unprepared(self, mark: str) -> None:
        """A send as it is made without the permission to read."""
        result = self.adapter.send(self.message(mark), self.access(), fence=lambda: None)
        assert result.outcome is Outcome.ACCEPTED, result

    def position(self) -> str:
        return self.adapter.position(self.access())

    def look(self, *marks: str, position: str = "", since: datetime | None = None) -> Traces:
        return self.adapter.traces(
            self.access(),
            marks,
            since=since or self.began - timedelta(seconds=5),
            position=position,
            references=self.references,
        )

    def copy(self, result: SendResult) -> SentCopy:
        """What the mailbox keeps of an accepted send."""
        return self.adapter.sent_copy(self.access(), result.message_id)


class GoogleMailbox(Mailbox):
    """A Gmail mailbox."""

    key = "google"
    reads_all = keeps_positions = True

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        sandbox.account(self.address)
        self.client = GoogleClient(sandbox)
        self._tokens: dict[str, Tokens] = {}

    def tokens(self, scope: str) -> Tokens:
        if scope not in self._tokens:
            self._tokens[scope] = self.client.connect(self.address, f"{SIGN_IN} {scope}")
        return self._tokens[scope]

    def access(self, *capabilities: Capability) -> str:
        wanted = capabilities or (Capability.SEND, Capability.READ)
        scopes = {Capability.SEND: SEND, Capability.READ: READ}
        return self.tokens(" ".join(scopes[one] for one in wanted)).access

    def letter(self, mark: str) -> bytes:
        return mail(X_Truesend_Delivery=mark, Message_ID=f"<{mark}@truesend.example>")

    @property
    def _everything(self) -> Tokens:
        return self.tokens("https://mail.google.com/")

    def delete(self, message_id: str) -> None:
        assert self.client.gmail("DELETE", f"messages/{message_id}", self._everything).status_code == 204

    def throw_away(self, message_id: str) -> None:
        assert self.client.gmail("POST", f"messages/{message_id}/trash", self._everything).ok

    def forget_history(self, *, by_then: bool) -> None:
        self.sandbox.switch(history_retention=0.0 if by_then else 604_800.0)

    def leave_unsent(self, mark: str) -> None:
        """Nothing comes before it."""

    def show_late(self, seconds: float) -> None:
        self.sandbox.switch(sent_listing_delay=seconds, history_delay=seconds)

    def send_draft(self, mark: str) -> str:
        """A mail that goes by way of a draft; returns the id it has then."""
        tokens = self.tokens(COMPOSE)
        made = self.client.gmail("POST", "drafts", tokens, json={"message": {"raw": raw(self.letter(mark))}})
        sent = self.client.gmail("POST", "drafts/send", tokens, json={"id": made.json()["id"]})
        assert sent.ok, sent.text
        return str(sent.json()["id"])


class MicrosoftMailbox(Mailbox):
    """A mailbox of Microsoft 365."""

    key = "microsoft"
    reads_all = keeps_positions = False

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        sandbox.account(self.address, self.key)
        self.client = microsoft.MicrosoftClient(sandbox)
        self._tokens: dict[str, microsoft.Tokens] = {}

    def tokens(self, scope: str) -> microsoft.Tokens:
        if scope not in self._tokens:
            self._tokens[scope] = self.client.connect(self.address, scope)
        return self._tokens[scope]

    @property
    def everything(self) -> microsoft.Tokens:
        return self.tokens(microsoft.ALL)

    def access(self, *capabilities: Capability) -> str:
        if capabilities == (Capability.SEND,):
            # Asked before everything is granted: an answer tells of earlier grants too.
            self.sandbox.switch(self.key, scope_answer="asked")
            return self.tokens(microsoft.SEND).access
        return self.everything.access

    def letter(self, mark: str) -> bytes:
        return mail(X_Truesend_Delivery=mark)

    def delete(self, message_id: str) -> None:
        for _ in range(2):  # into Deleted Items, and out of there
            self.throw_away(message_id)

    def throw_away(self, message_id: str) -> None:
        answer = self.client.graph(
            "DELETE", f"me/messages/{message_id}", self.everything, headers=microsoft.IMMUTABLE
        )
        assert answer.status_code == 204, answer.text

    def forget_history(self, *, by_then: bool) -> None:
        self.references.clear()

    def leave_unsent(self, mark: str) -> None:
        self.references[mark] = self.adapter.prepare(self.message(mark), self.access(), earlier=None)

    def show_late(self, seconds: float) -> None:
        self.sandbox.switch(self.key, transit_seconds=seconds, listing_delay=seconds)

    def folder(self, name: str) -> list[dict[str, Any]]:
        """What lies in a folder."""
        answer = self.client.graph(
            "GET", f"me/mailFolders/{name}/messages", self.everything, headers=microsoft.IMMUTABLE
        )
        listed: list[dict[str, Any]] = answer.json()["value"]
        return listed
