"""What a provider's contract tests need beside its adapter: somebody with a mailbox, and ways to spoil it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.sandbox import keap_client as keap
from tests.sandbox import microsoft_client as microsoft
from tests.sandbox.google_client import COMPOSE, READ, SEND, SIGN_IN, GoogleClient, Tokens, mail, raw
from tests.sandbox_process import Sandbox

from truesend.providers import registry
from truesend.providers.contract import Capability, Enclosure, Message, Party, Provider, SentCopy, Traces
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
    # Reading can be left out of what is granted.
    grants_singly = True
    # What is thrown away can be found in a bin.
    has_bin = True
    # What was sent is kept with its Message-ID.
    keeps_message_ids = True
    # What its words say of a message that is gone.
    gone = "deleted"

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

    def letter(self, mark: str) -> bytes:
        """A mail with our mark, where the provider carries whole ones."""
        raise NotImplementedError(f"{self.key} takes parts")

    @abstractmethod
    def delete(self, message_id: str) -> None:
        """The person deletes a message for good."""

    @abstractmethod
    def tell_when(self) -> None:
        """Limits name the time at which they end from now on."""

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

    def large_message(self, mark: str, size: int | None) -> Message:
        """One of about so many bytes as they travel; None: as many attachments as may be."""
        letter = self.letter(mark)
        # All: what base64 makes of as many attachments as may be.
        most = self.adapter.limits.attachment_bytes * 4 // 3
        wanted = min(size or most, most)
        return Message(mark, letter + b"\r\n" + (b"x" * 76 + b"\r\n") * ((wanted - len(letter)) // 78))

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

    def prepared(self) -> str:
        """A reference as preparing gives one, of something that may not be there; empty where nothing is prepared."""
        return ""

    def position(self) -> str:
        return self.adapter.position(self.access())

    def look(
        self, *marks: str, position: str = "", since: datetime | None = None, known: Collection[str] = ()
    ) -> Traces:
        return self.adapter.traces(
            self.access(),
            marks,
            since=since or self.began - timedelta(seconds=5),
            position=position,
            references=self.references,
            known=known,
        )

    def copy(self, message_id: str) -> SentCopy:
        """What the mailbox keeps of an accepted send."""
        return self.adapter.sent_copy(self.access(), message_id)

    def id_of(self, mark: str, result: SendResult) -> str:
        """The id of an accepted send, which some providers tell and others show."""
        return result.message_id or self.look(mark).found[mark].message_id


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

    def tell_when(self) -> None:
        """They do anyway."""

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

    def large_message(self, mark: str, size: int | None) -> Message:
        """With as much beside the message as a mailbox that may be read carries."""
        if size is not None:
            return super().large_message(mark, size)
        most = self.adapter.limits_for(self.adapter.capabilities).attachment_bytes
        sizes = (most // 2, most - most // 2 - 2_000_000, 2_000_000)
        files = (
            Enclosure(f"plan {number}.pdf", "application/pdf", b"x" * one) for number, one in enumerate(sizes)
        )
        return replace(self.message(mark), apart=tuple(files))

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

    def tell_when(self) -> None:
        """They do anyway."""

    def folder(self, name: str) -> list[dict[str, Any]]:
        """What lies in a folder."""
        answer = self.client.graph(
            "GET", f"me/mailFolders/{name}/messages", self.everything, headers=microsoft.IMMUTABLE
        )
        listed: list[dict[str, Any]] = answer.json()["value"]
        return listed


class KeapMailbox(Mailbox):
    """A user of a Keap app. Its history shows what was sent, and proves nothing absent."""

    key = "keap"
    reads_all = keeps_positions = False
    grants_singly = False
    has_bin = False
    keeps_message_ids = False
    gone = "proves nothing absent"

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        sandbox.account(self.address, self.key, name="Ada Byron")
        self.client = keap.KeapClient(sandbox)
        self._tokens: keap.Tokens | None = None

    @property
    def tokens(self) -> keap.Tokens:
        if self._tokens is None:
            self._tokens = self.client.connect(self.address)
        return self._tokens

    def access(self, *capabilities: Capability) -> str:
        return self.tokens.access

    def message(self, mark: str) -> Message:
        to = (Party("bob@example.com", "Bob Fox"),)
        return Message(mark, recipients=to, subject="Hello", html="<p>Hi</p>", text="Hi")

    def large_message(self, mark: str, size: int | None) -> Message:
        limits = self.adapter.limits
        whole = min(size or limits.attachment_bytes, limits.attachment_bytes)
        sizes = [min(limits.file_bytes, whole - start) for start in range(0, whole, limits.file_bytes)]
        files = [
            Enclosure(f"plan {number}.pdf", "application/pdf", b"x" * one) for number, one in enumerate(sizes)
        ]
        return replace(self.message(mark), files=tuple(files))

    def send_unprepared(self, mark: str) -> None:
        """Of what was prepared nothing is known any more."""
        self.send(mark)
        del self.references[mark]

    def leave_unsent(self, mark: str) -> None:
        self.references[mark] = self.adapter.prepare(self.message(mark), self.access(), earlier=None)

    def prepared(self) -> str:
        return json.dumps({"user": "1", "contact": "1", "field": "Email", "at": self.began.isoformat()})

    def tell_when(self) -> None:
        self.sandbox.switch(self.key, retry_after_header=True)

    def delete(self, message_id: str) -> None:
        assert self.client.api("DELETE", f"v2/emails/{message_id}", self.tokens).ok

    def throw_away(self, message_id: str) -> None:
        raise NotImplementedError("Keap has no bin")

    def forget_history(self, *, by_then: bool) -> None:
        self.references.clear()

    def show_late(self, seconds: float) -> None:
        self.sandbox.switch(self.key, history_delay=seconds)
