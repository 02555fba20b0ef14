"""Emails with copies in any state, written as rows: what the code makes of them needs no provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from truesend import clock
from truesend.connections.models import Connection, Proof, Token
from truesend.organizations.models import Member, Organization, Role, User
from truesend.providers import registry
from truesend.providers.contract import Capability
from truesend.sending.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Email,
    Outcome,
    Recipient,
    RecipientType,
)
from truesend.sending.status import status_of


def member_of(organization: Organization, name: str, role: Role) -> Member:
    user = User.objects.create_user(f"{name}@northwind.example")
    return Member.objects.create(organization=organization, user=user, role=role)


def mailbox(member: Member, capabilities: list[Capability], kind: str = "personal") -> Connection:
    scopes = registry.provider("google").scopes(capabilities)
    made = Connection.objects.create(
        organization=member.organization,
        member=member,
        provider="google",
        kind=kind,
        subject=uuid4().hex,
        address="ana@northwind.example",
        asked=[str(one) for one in capabilities],
        granted_scopes=scopes,
        consented_at=clock.now() - timedelta(hours=1),
    )
    for check in ("grant", "scope", "send"):
        given = made.consented_at + timedelta(minutes=1)
        Proof.objects.create(connection=made, check_name=check, ok=True, call="send", at=given)
    Token.objects.create(
        connection=made,
        access=b"a",
        access_expires_at=clock.now(),
        access_issued_at=clock.now(),
        refresh=b"r",
        due_at=clock.now() + timedelta(hours=1),
    )
    return made


@dataclass
class Copy:
    """A copy as it stands, with the try that led there; times are seconds from now."""

    status: str
    cause: str = ""
    words: str = ""
    held: str = ""
    due: float | None = None
    look: float | None = None
    ask: float | None = None
    settled_by: str = ""
    outcome: str = ""


_OUTCOMES = {"accepted": Outcome.ACCEPTED, "unknown": Outcome.UNKNOWN, "refused": Outcome.NOT_SENT}


def at(seconds: float | None) -> datetime | None:
    return None if seconds is None else clock.now() + timedelta(seconds=seconds)


def email_of(member: Member, connection: Connection, *copies: Copy, problem: str = "") -> Email:
    """An email with these copies, each to a person of its own where there are several."""
    people = [f"person{number}@globex.example" for number in range(len(copies))]
    email = Email.objects.create(
        organization=member.organization,
        member=member,
        connection=connection,
        status=status_of([(one.status, bool(one.held)) for one in copies]),
        problem=problem or next((one.held or one.cause for one in copies if one.held or one.cause), ""),
        to=people,
        subject="Contract",
        html="<p>Hello</p>",
        separate_copies=len(people) > 1,
    )
    for position, (copy, address) in enumerate(zip(copies, people, strict=True)):
        row = Delivery.objects.create(
            email=email,
            connection=connection,
            position=position,
            status=copy.status,
            held_cause=copy.held,
            due_at=at(copy.due),
            look_at=at(copy.look),
            ask_from=at(copy.ask),
            sent_at=clock.now() if copy.status == DeliveryStatus.ACCEPTED else None,
        )
        Recipient.objects.create(delivery=row, position=0, address=address, type=RecipientType.TO)
        outcome = copy.outcome or _OUTCOMES.get(copy.status, Outcome.NOT_SENT if copy.cause else "")
        if outcome:
            Attempt.objects.create(
                delivery=row,
                number=1,
                started_at=clock.now() - timedelta(seconds=40),
                started_real_at=clock.real_now() - timedelta(seconds=40),
                over_at=clock.real_now() - timedelta(seconds=1),
                finished_at=clock.now() - timedelta(seconds=30),
                worker="w",
                outcome=outcome,
                cause=copy.cause,
                words=copy.words,
                settled_at=clock.now() if copy.settled_by else None,
                settled_by=copy.settled_by,
            )
    return email
