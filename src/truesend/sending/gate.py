"""What readiness speaks of: a draft, one condition for sending it, and all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from truesend.connections.describe import Description
from truesend.organizations.models import Member
from truesend.sending.addresses import Mailbox
from truesend.sending.budget import Plan
from truesend.sending.people_file import BadRow
from truesend.sending.sizes import Enclosed
from truesend.suppression.models import Suppression


@dataclass(frozen=True)
class Draft:
    """What is to be sent, parsed."""

    connection: Description | None
    to: Sequence[Mailbox] = ()
    cc: Sequence[Mailbox] = ()
    bcc: Sequence[Mailbox] = ()
    subject: str = ""
    html: str = ""
    text: str = ""
    files: Sequence[Enclosed] = ()
    separate_copies: bool = False
    send_at: datetime | None = None
    # Worth nothing later: what proves a connection now.
    at_once: bool = False
    is_test: bool = False
    # One of the connection's other addresses; empty: its own.
    sender: str = ""
    # What is wrong with what was typed: sentences about recipients, and one about the subject.
    problems: Sequence[str] = ()
    subject_problem: str = ""
    # It is one copy of an email to many; who of its people is on the suppression list, where that was asked.
    one_of_many: bool = False
    suppressed: Mapping[str, Suppression] | None = None
    # Of a list of people: how many rows it has, those that cannot be used, and whether these may be left out.
    rows: int = 0
    bad_rows: Sequence[BadRow] = ()
    leave_out: bool = False
    # Values of merge fields, by the address in lower case.
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    # What is wrong with the merge fields: a cause and its sentence.
    merge_problem: tuple[str, str] | None = None
    # When it would leave, by what its mailbox may send in a day.
    plan: Plan | None = None

    @property
    def recipients(self) -> list[Mailbox]:
        """Everybody, in order."""
        return [*self.to, *self.cc, *self.bcc]

    @property
    def attachment_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Gate:
    """One condition. ``until`` is of one that is open to new mail, which leaves by itself at that hour.

    ``names`` is another hour that its sentence names; ``rows`` are those of a list that cannot be used.
    """

    name: str
    ok: bool
    cause: str = ""
    sentence: str = ""
    fix: dict[str, str] | None = None
    who: list[dict[str, str]] = field(default_factory=list)
    until: datetime | None = None
    names: datetime | None = None
    rows: Sequence[BadRow] = ()


@dataclass(frozen=True)
class Readiness:
    """All gates: ready is what may be taken, and it leaves at once unless something delays it."""

    gates: tuple[Gate, ...]

    @property
    def ready(self) -> bool:
        """Whether every gate is open."""
        return all(gate.ok for gate in self.gates)

    def first_closed(self) -> Gate | None:
        """The gate to name first."""
        return next((gate for gate in self.gates if not gate.ok), None)

    def delayed(self) -> Gate | None:
        """The open gate that lets nothing leave before its hour; of several the one that opens last."""
        held = [(gate.until, gate) for gate in self.gates if gate.ok and gate.until is not None]
        return max(held, key=lambda one: one[0])[1] if held else None

    def keeps_back(self) -> Gate | None:
        """What keeps an email from leaving at this moment."""
        return self.first_closed() or self.delayed()


def me(member: Member) -> list[dict[str, str]]:
    """Whoever writes it, as `who` of a gate."""
    return [{"name": member.user.get_full_name(), "email": member.user.email}]


def edit(member: Member, gate: str, code: str, text: str, *, rows: Sequence[BadRow] = ()) -> Gate:
    """A shut gate that its writer opens, by changing the email."""
    fix = {"label": "Edit the email", "url": "/emails/new"}
    return Gate(gate, False, code, text, fix, me(member), rows=rows)
