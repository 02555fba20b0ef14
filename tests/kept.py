"""Emails with hits that are judged, for tests of what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from tests.copies import mailbox, member_of
from tests.deliveries import SENT

from truesend.organizations.models import Member, Organization, Privacy, Role
from truesend.privacy import history, keeper, walks
from truesend.privacy.hits import SETTLED_AFTER
from truesend.providers.contract import Capability
from truesend.sending.models import Delivery, Email, Recipient
from truesend.tracking.classifier import classify_pending
from truesend.tracking.models import Hit, Signal


@dataclass(frozen=True)
class Sent:
    """One email in one copy."""

    email: Email
    delivery: UUID


def member_in(privacy: str = Privacy.TRUNCATED, name: str = "ana", **chosen: Any) -> Member:
    """The owner of an organization that chose this."""
    organization = Organization.objects.create(name="Northwind", privacy=privacy, **chosen)
    return member_of(organization, name, Role.OWNER)


def sent(member: Member, *addresses: str) -> Sent:
    """An email that left an hour ago."""
    connection = member.connections.first() or mailbox(member, [Capability.SEND])
    email = Email.objects.create(
        organization=member.organization, member=member, connection=connection, status="sent",
        subject="Prices", to=list(addresses), created_at=SENT,
    )  # fmt: skip
    delivery = Delivery.objects.create(
        email=email, connection=connection, status="accepted", sent_at=SENT,
        links=[{"index": at, "target": f"https://x.example/{at}", "text": f"link {at}"} for at in range(3)],
    )  # fmt: skip
    Recipient.objects.bulk_create(
        Recipient(delivery=delivery, position=at, address=address, type="to")
        for at, address in enumerate(addresses or ("ines@globex.example",))
    )
    return Sent(email, delivery.pk)


def judge() -> None:
    """Everything that waits."""
    while classify_pending():
        pass


def settle(**more: float) -> None:
    """As if everything had been judged so long ago that it stands, and ``more`` (as of a timedelta)."""
    Hit.objects.update(classified_at=F("classified_at") - SETTLED_AFTER - timedelta(**more))


def age(**by: float) -> None:
    """As if hits and signals had been seen so much earlier."""
    Hit.objects.update(at=F("at") - timedelta(**by), classified_at=F("classified_at") - timedelta(**by))
    Signal.objects.update(at=F("at") - timedelta(**by))


def work(most: int = 200) -> None:
    """All that the worker's thread would do now."""
    walks.hurry()
    while keeper.work():
        most -= 1
        assert most, "it never ends"
    assert not history.step()


def evidence(deliveries: Iterable[UUID]) -> list[tuple[str | None, str, dict[str, str], str | None]]:
    """What hits still say of who asked, oldest first."""
    found = Hit.objects.filter(delivery__in=list(deliveries)).order_by("at", "id")
    return [(one.ip, one.user_agent, one.headers, one.network) for one in found]


def answers(deliveries: Iterable[UUID]) -> list[tuple[str, str, str, int]]:
    """What signals say, oldest first."""
    found = Signal.objects.filter(delivery__in=list(deliveries)).order_by("at", "id")
    return [(one.klass, one.rule, one.reason, one.count) for one in found]
