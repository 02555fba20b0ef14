"""The states of emails, deliveries and attempts: the table, the database, and what the code makes of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from tests import rows

from truesend import clock
from truesend.connections.models import Connection
from truesend.sending import states
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, EmailStatus, Outcome
from truesend.sending.status import status_of

HELD = "held"
# What one transaction does to the copies of an email: (name, from, to, whether to all that are there at once).
STEPS = (
    ("start", "queued", "sending", False),
    ("accepted", "sending", "accepted", False),
    ("unknown", "sending", "unknown", False),
    ("refused", "sending", "refused", False),
    ("not sent", "sending", "queued", False),
    ("not sent, held", "sending", HELD, False),
    ("held", "queued", HELD, False),
    ("unbuildable", "queued", "refused", False),
    ("late acceptance", "unknown", "accepted", False),
    ("late refusal", "unknown", "refused", False),
    ("proved absent", "unknown", "queued", False),
    ("absent after a restore", "unknown", HELD, False),
    ("given up", "unknown", "cancelled", False),
    ("release", HELD, "queued", True),
    ("cancel", HELD, "cancelled", True),
    ("cancel", "queued", "cancelled", True),
    ("restored", "queued", "unknown", True),
)


def following(copies: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for _, old, new, everywhere in STEPS:
        places = [place for place, one in enumerate(copies) if one == old]
        if everywhere and places:
            yield tuple(new if one == old else one for one in copies)
        elif not everywhere:
            for place in places:
                yield (*copies[:place], new, *copies[place + 1 :])
    if {"queued", HELD} & set(copies):  # cancelling takes both at once
        yield tuple("cancelled" if one in {"queued", HELD} else one for one in copies)


def email_status(copies: tuple[str, ...], later: bool) -> EmailStatus:
    return status_of([("queued", True) if one == HELD else (one, False) for one in copies], later=later)


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_step_of_the_copies_is_a_step_of_the_email(number: int, later: bool) -> None:
    copies = ("queued",) * number
    begin = (copies, email_status(copies, later))
    seen, todo = {begin}, [begin]
    while todo:
        copies, status = todo.pop()
        for new in following(copies):
            # As settle.refresh_email tells it: what was tried does not wait for its hour any more.
            waits = later and status not in {EmailStatus.SENDING, EmailStatus.UNKNOWN}
            step = (new, email_status(new, waits))
            assert states.may_follow(states.EMAIL, status, step[1]), (copies, status, *step)
            if step not in seen:
                seen.add(step)
                todo.append(step)
    assert len(seen) > 5


def test_every_step_is_in_the_table_of_deliveries() -> None:
    for name, old, new, _ in STEPS:
        real = [one if one != HELD else "queued" for one in (old, new)]
        assert states.may_follow(states.DELIVERY, *real), name


def test_what_has_ended_stays() -> None:
    for table, ends in (
        (states.DELIVERY, {"accepted", "refused", "cancelled"}),
        (states.EMAIL, {"sent", "partly", "failed", "cancelled"}),
        (states.OUTCOME, {"ACCEPTED", "NOT_SENT"}),
    ):
        assert {old for old, news in table.items() if not news} == ends


@pytest.fixture
def email() -> Email:
    owner = rows.member()
    return Email.objects.create(
        organization=owner.organization,
        member=owner,
        connection=rows.mailbox(owner),
        status=EmailStatus.QUEUED,
        subject="Hello",
    )


def mailbox_of(email: Email) -> Connection:
    assert email.connection is not None
    return email.connection


def lets_through(table: str, column: str, row: UUID, old: str, new: str) -> bool:
    """Whether PostgreSQL lets ``old`` become ``new``; the row is put to ``old`` past the triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [old, row])
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        try:
            with transaction.atomic():
                cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [new, row])
        except IntegrityError as error:
            if "may not follow" not in str(error):
                raise
            return False
    return True


def disagreements(table: Mapping[str, frozenset[str]], name: str, column: str, row: UUID) -> list[str]:
    pairs = itertools.product(table, repeat=2)
    return [
        f"{old} -> {new}"
        for old, new in pairs
        if lets_through(name, column, row, old, new) != states.may_follow(table, old, new)
    ]


@pytest.mark.django_db
def test_the_database_holds_to_the_tables_over_all_pairs(email: Email) -> None:
    assert states.EMAIL.keys() == set(EmailStatus.values)
    assert states.DELIVERY.keys() == set(DeliveryStatus.values)
    assert states.OUTCOME.keys() == {"", *Outcome.values}
    delivery = Delivery.objects.create(
        email=email, connection=mailbox_of(email), status=DeliveryStatus.QUEUED, due_at=clock.now()
    )
    attempt = Attempt.objects.create(
        delivery=delivery, number=1, started_at=clock.now(), started_real_at=clock.real_now(), worker="w"
    )
    assert disagreements(states.EMAIL, "sending_email", "status", email.pk) == []
    assert disagreements(states.OUTCOME, "sending_attempt", "outcome", attempt.pk) == []
    # Rows that are not queued have no hour; queued ones need one or a reason.
    connection_rules = "ALTER TABLE sending_delivery DROP CONSTRAINT delivery_due_only_queued"
    with connection.cursor() as cursor:
        cursor.execute(connection_rules)
    assert disagreements(states.DELIVERY, "sending_delivery", "status", delivery.pk) == []


@pytest.mark.django_db
def test_what_is_queued_has_an_hour_or_a_reason(email: Email) -> None:
    with pytest.raises(IntegrityError, match="delivery_queued_for_something"):
        Delivery.objects.create(email=email, connection=mailbox_of(email), status=DeliveryStatus.QUEUED)
