"""Whether a member can send a draft, and if not, why, who can change that, and where.

One function for page, API, scheduler and worker. All gates in fixed order, also after a failure. Listed in
``docs/readiness.md``; a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from truesend import clock
from truesend.connections.causes import Action, Severity, Who, at_time, cause, core
from truesend.connections.describe import Description, fix_for, people_who, said, who_can
from truesend.connections.models import Connection, Kind
from truesend.connections.verdict import CapabilityVerdict, Verdict
from truesend.organizations import installation, rights
from truesend.organizations.models import Member
from truesend.sending import account_gate, carrying, gate_copies, quoting
from truesend.sending.gate import Draft, Gate, Readiness, edit, me

GATES = (
    "installation",
    "role",
    "account",
    "connection",
    "capability",
    "limits",
    "budget",
    "recipients",
    "content",
)

# Attention stops sending only where the provider itself would refuse: for a while, or until a person has acted there.
_LIMITS = frozenset({"daily_limit", "project_limit", "daily_budget"})
_BLOCKED = "sending_blocked"


def check(member: Member, draft: Draft) -> Readiness:
    """All gates for a member and a draft."""
    judges: tuple[Callable[[Member, Draft], Gate], ...] = (
        _installation,
        _role,
        account_gate.judge,
        _connection,
        _capability,
        carrying.judge,
        gate_copies.budget,
        gate_copies.recipients,
        _content,
    )
    return Readiness(tuple(judge(member, draft) for judge in judges))


def _installation(member: Member, draft: Draft) -> Gate:
    standing = installation.standing()
    if standing.adopted:
        return Gate("installation", True)
    return Gate(
        "installation",
        False,
        "not_adopted",
        standing.sentence,
        {"label": Action.OPERATOR.value, "url": "/account#support"},
        people_who(Who.OPERATOR, member),
    )


def _role(member: Member, draft: Draft) -> Gate:
    if member.is_active:
        return Gate("role", True)
    return Gate("role", False, "member_inactive", "This account is switched off.")


def _connection(member: Member, draft: Draft) -> Gate:
    if draft.connection is None:
        return Gate(
            "connection",
            False,
            "connection_missing",
            "Choose the account to send from, or connect one.",
            {"label": "Connect", "url": "/integration"},
            me(member),
        )
    if draft.connection.verdict.verdict is Verdict.DISCONNECTED:
        connection = draft.connection.connection
        return Gate(
            "connection",
            False,
            "disconnected",
            f"{connection.address} was disconnected.",
            fix_for("disconnected", connection),
            who_can("disconnected", connection),
        )
    return _mine(member, draft.connection)


def _mine(member: Member, mailbox: Description) -> Gate:
    """Whether the member may send from it: of one that is somebody else's own again they may not."""
    connection = mailbox.connection
    why = barred(member.pk, connection)
    if why == "connection_not_yours":
        said = f"{connection.address} belongs to its owner alone again; choose another account."
        return Gate("connection", False, "connection_not_yours", said, None, who_can(why, connection))
    if why == "personal_not_allowed":
        said = f"{connection.organization.name} sends from shared accounts only; choose one."
        return Gate("connection", False, "personal_not_allowed", said, None, who_can(why, connection))
    return Gate("connection", True)


def barred(member_id: UUID, connection: Connection) -> str:
    """The cause that keeps a member from sending from a connection at all, however well it works; empty for none."""
    allowed = connection.kind == Kind.ORGANIZATION or connection.organization.personal_connections_allowed
    return rights.sends_from(member_id, connection.kind, connection.member_id, personal_allowed=allowed)


def _capability(member: Member, draft: Draft) -> Gate:
    if draft.connection is None:
        return Gate("capability", False, "connection_missing", "No account is chosen.", None, me(member))
    send = draft.connection.verdict.capability("send")
    # Of a block nothing but a send tells whether it is over, so a test mail may try.
    if send is None or can_send(draft.connection) or (send.cause == _BLOCKED and draft.is_test):
        return Gate("capability", True)
    connection = draft.connection.connection
    until = limited_until(draft.connection)
    if until is not None and not draft.at_once:
        return _limited(draft, send, until)
    return Gate(
        "capability",
        False,
        send.cause,
        said(send.cause, draft.connection.provider_name, send.proof, clock.now()),
        fix_for(send.cause, connection),
        who_can(send.cause, connection),
    )


def _limited(draft: Draft, send: CapabilityVerdict, until: datetime) -> Gate:
    """A limit that ends by itself keeps nobody from sending: what is sent now leaves when it is over."""
    assert draft.connection is not None
    if draft.send_at is not None and draft.send_at >= until:
        return Gate("capability", True)
    connection, words = draft.connection.connection, send.proof.words if send.proof else ""
    told = core(send.cause, draft.connection.provider_name, words)
    who = who_can(send.cause, connection)
    rest = "" if who else "; nothing to do"
    return Gate(
        "capability",
        True,
        send.cause,
        f"{told} The email goes out by itself {at_time(until, clock.now())}{rest}.",
        fix_for(send.cause, connection),
        who,
        until,
    )


def can_send(described: Description) -> bool:
    """Whether mail leaves now: `unproven` never blocks, `broken` does, `attention` only for limits and blocks."""
    send = described.verdict.capability("send")
    if send is None or send.verdict in {Verdict.BROKEN, Verdict.DISCONNECTED} or send.cause == _BLOCKED:
        return False
    return limited_until(described) is None


def limited_until(described: Description) -> datetime | None:
    """When the provider's limit that keeps a mailbox from sending now is over; None where there is none."""
    send = described.verdict.capability("send")
    if send is None or send.verdict is not Verdict.ATTENTION or not opens_by_itself(send.cause):
        return None
    proof, lasts = send.proof, cause(send.cause).lasts or timedelta(hours=1)
    until = (proof.until or proof.at + lasts) if proof is not None else clock.now() + lasts
    return until if until > clock.now() else None


def opens_by_itself(code: str) -> bool:
    """Whether what is in the way ends at an hour of its own, without anybody: the provider's limits."""
    return code in _LIMITS


def _content(member: Member, draft: Draft) -> Gate:
    if draft.subject_problem:
        return edit(member, "content", "subject_invalid", draft.subject_problem)
    if draft.connection is not None and (gate := _subject(member, draft, draft.connection)):
        return gate
    if (merged := gate_copies.fields(member, draft)) is not None:
        return merged
    if draft.subject.strip() or quoting.own_words(draft.html).strip() or draft.text.strip():
        return Gate("content", True)
    return edit(member, "content", "content_missing", "Write a subject or a text.")


def _subject(member: Member, draft: Draft, described: Description) -> Gate | None:
    """What the provider does not take in a subject; anything of a mail that has no content at all."""
    limits, name = carrying.declared(described), described.provider_name
    written = draft.html.strip() or draft.text.strip()
    if limits.needs_subject and written and not draft.subject.strip():
        return edit(
            member, "content", "subject_missing", f"{name} takes no email without a subject. Write one."
        )
    found = re.search(limits.fills_in, draft.subject) if limits.fills_in else None
    if found is not None:
        return edit(
            member,
            "content",
            "subject_filled_in",
            f"{name} may put something of its own in place of “{found[0]}” in the subject. Write it otherwise.",
        )
    return None


def blocks(code: str) -> bool:
    """Whether a cause met while sending holds the mailbox until somebody acts."""
    return cause(code).severity is Severity.BROKEN or code == _BLOCKED


__all__ = [
    "GATES",
    "Draft",
    "Gate",
    "Readiness",
    "barred",
    "blocks",
    "can_send",
    "check",
    "limited_until",
    "opens_by_itself",
]
