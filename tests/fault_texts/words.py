"""What is said of every provider alike, with its name in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fault_texts import (
    MINUTE,
    RECONNECT,
    STAYS,
    UNTRIED,
    Case,
    Said,
    after_a_fault,
    for_the_moment,
    refused,
    shut,
    waiting,
)

Cause = tuple[str, str, str]


@dataclass(frozen=True)
class Words:
    """``name`` of the provider, what its Sent is called, whether that proves what is absent, and whether it has a page
    on which an administrator permits everybody.

    Administrators are those of northwind.example.
    """

    name: str
    sent: str = "Sent folder"
    proves: bool = True
    forwards: bool = False

    @property
    def admin(self) -> str:
        """Known by office only."""
        return f"the {self.name} administrator of northwind.example"

    # -- for the moment: (cause, of the connection, of a send that is open) --

    @property
    def faulty(self) -> Cause:
        """It answered so itself."""
        why = f"{self.name} had a fault while it took the email"
        return "provider_error", f"{self.name} has a fault at the moment.", why

    @property
    def timed_out(self) -> Cause:
        """No answer came."""
        return (
            "provider_timeout",
            f"{self.name} did not answer in time.",
            f"{self.name} did not answer in time",
        )

    @property
    def cut_off(self) -> Cause:
        """Something on the way broke."""
        why = f"the connection to {self.name} broke before an answer came"
        return "provider_cut_off", f"The connection to {self.name} broke before an answer came.", why

    @property
    def garbage(self) -> Cause:
        """Something else answered."""
        why = f"{self.name}’s answer was not one we can read"
        return "provider_garbage", f"{self.name}'s answer was not one we can read.", why

    @property
    def slower(self) -> str:
        """It throttles."""
        return f"{self.name} asks us to slow down."

    @property
    def day(self) -> str:
        """The mailbox's day is used up."""
        return f"This mailbox has reached {self.name}'s daily limit."

    @property
    def project(self) -> str:
        """The client's day is."""
        return f"This installation has used up its daily calls at {self.name}."

    def asked(self, why: str) -> str:
        """A send that nobody answered for, where its Sent cannot be read."""
        return (
            f"We do not know whether it was sent: {why}. Look into the {self.sent} of <mailbox>: it can still arrive "
            "there until <time>. It is not sent again by guess."
        )

    def looked_for(self, cause: Cause) -> dict[str, Any]:
        """The same where what was sent can be looked up, and is not there yet."""
        then = (
            "; if it is not there at <time>, it is sent again."
            if self.proves
            else " until <time>; then we ask you."
        )
        ours = f"We look for it in the {self.sent} by ourselves{then}"
        said = Said(cause[0], f"We do not know whether it was sent: {cause[2]}. {ours}")
        return {"email": ("unknown", said), "connection": after_a_fault(*cause[:2])}

    def doubted(self, cause: Cause) -> dict[str, Any]:
        """A send without a clear answer, of which a person is asked."""
        said = Said(cause[0], self.asked(cause[2]), "Say whether it was sent", "holder")
        return {"email": ("unknown", said), "connection": after_a_fault(*cause[:2])}

    def moment(self, cause: Cause) -> dict[str, Any]:
        """What came before the send failed."""
        return for_the_moment(*cause[:2])

    # -- until somebody helps --

    def ended(self, cause: str, text: str) -> dict[str, Any]:
        """A grant that only a new consent replaces."""
        return shut(cause, text, MINUTE, then=RECONNECT)

    @property
    def revoked(self) -> dict[str, Any]:
        text = "says that the permission was withdrawn or has expired; a changed password ends it too."
        return self.ended("grant_revoked", f"{self.name} {text}")

    @property
    def rejected(self) -> dict[str, Any]:
        return self.ended("grant_rejected", f"{self.name} no longer accepts our key for this account.")

    @property
    def key_refused(self) -> dict[str, Any]:
        return self.ended("access_refused", f"{self.name} refused our key for this account.")

    @property
    def session(self) -> dict[str, Any]:
        asks = "asks people to sign in again from time to time, and that time has come."
        return self.ended("session_policy", f"Your organization at {self.name} {asks}")

    @property
    def blocked(self) -> dict[str, Any]:
        text = f"An administrator at {self.name} does not allow Truesend for this account."
        fix = "Forward to your administrator" if self.forwards else "Reconnect"
        return shut("admin_policy", text, "Once it is allowed there, reconnect it.", fix=fix, who=self.admin)

    @property
    def gone(self) -> dict[str, Any]:
        text = f"{self.name} says that this account was deleted or disabled."
        return shut("account_gone", text, "Once it is restored there, reconnect it.", who=self.admin)

    def client(self, cause: str, text: str) -> dict[str, Any]:
        """What only whoever runs this installation repairs."""
        return shut(cause, text, STAYS, fix="Contact support", who="operator")

    # -- cases that are the same everywhere --

    def of_the_moment(self, operation: str, **more: Any) -> list[Case]:
        """Each kind of the wire, before anything was sent: an email waits and goes by itself."""
        faulty, timed, cut = self.moment(self.faulty), self.moment(self.timed_out), self.moment(self.cut_off)
        return [
            Case(operation, "status", {"status": 500, "body": "", **more}, **faulty),
            Case(operation, "outage", more, **faulty),
            Case(operation, "garbage", more, **self.moment(self.garbage)),
            Case(operation, "never", more, **timed),
            Case(operation, "drop_before", more, **cut),
            Case(operation, "lost_answer", more, **cut),
        ]

    def of_a_check(self, operation: str) -> list[Case]:
        """Each kind of the wire at “Verify now”."""
        named = [
            ("status", {"status": 500, "body": ""}, self.faulty),
            ("outage", {}, self.faulty),
            ("garbage", {}, self.garbage),
            ("never", {}, self.timed_out),
            ("drop_before", {}, self.cut_off),
            ("lost_answer", {}, self.cut_off),
        ]
        return [
            *[Case(operation, kind, more, connection=after_a_fault(*of[:2])) for kind, more, of in named],
            Case(operation, "slow", {"ms": 300}, connection=UNTRIED),
            Case(operation, "expire_access", connection=UNTRIED),
        ]

    def throttled(self, when: str = " at <time>") -> dict[str, Any]:
        """An email and its mailbox wait as long; ``when`` the provider names."""
        said = Said("throttled", f"{self.slower} Sending goes on by itself{when}.")
        return {"email": waiting("throttled", self.slower), "connection": ("attention", said)}

    def refuses_the_recipient(self, words: str) -> tuple[str, Said]:
        return refused("recipient_refused", f"{self.name} refused a recipient: “{words}”.")

    def refuses_the_message(self, words: str) -> tuple[str, Said]:
        return refused("message_refused", f"{self.name} refused the message: “{words}”.")

    @property
    def too_large(self) -> tuple[str, Said]:
        text = f"The email is larger than {self.name} takes. Attach less, or smaller files."
        return refused("message_too_large", text)

    def unknown_words(self, words: str) -> str:
        return f"{self.name} refused the request in words we do not know: “{words}”."
