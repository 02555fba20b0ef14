"""What a worker leaves behind and what must not stop a mailbox, on real rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from tests import rows

from truesend import clock
from truesend.connections.models import Connection
from truesend.providers.errors import Outcome, SendResult
from truesend.sending import dispatch, reading, sweep, wake
from truesend.sending.box import Box
from truesend.sending.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Email,
    EmailStatus,
    Recipient,
    RecipientType,
    Worker,
)
from truesend.sending.status import status_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connection() -> Connection:
    return rows.mailbox(rows.member())


def delivery_of(
    connection: Connection, status: str = DeliveryStatus.QUEUED, to: str = "a@b.example"
) -> Delivery:
    email = Email.objects.create(
        organization=connection.organization,
        member=connection.member,
        connection=connection,
        status=EmailStatus.QUEUED,
        to=[to],
        subject="Hello",
    )
    due = clock.now() if status == DeliveryStatus.QUEUED else None
    made = Delivery.objects.create(email=email, connection=connection, status=status, due_at=due)
    Recipient.objects.create(delivery=made, position=0, address=to, type=RecipientType.TO)
    return made


def attempt_of(delivery: Delivery, *, seconds_ago: float, worker: str) -> Attempt:
    return Attempt.objects.create(
        delivery=delivery,
        number=1,
        started_at=clock.now(),
        started_real_at=clock.real_now() - timedelta(seconds=seconds_ago),
        worker=worker,
    )


def test_an_email_that_cannot_be_put_together_does_not_stop_the_mailbox(connection: Connection) -> None:
    poison = delivery_of(connection, to="no address at all\r\n")
    behind = delivery_of(connection)
    dispatch.drain(connection.pk)
    poison.refresh_from_db()
    behind.refresh_from_db()
    assert poison.status == DeliveryStatus.REFUSED
    assert poison.email.status == EmailStatus.FAILED
    assert poison.email.problem == "message_unbuildable"
    # The one behind was looked at: it is held, since nothing was granted to this connection.
    assert (behind.status, behind.due_at) == (DeliveryStatus.QUEUED, None)
    assert behind.email.status == EmailStatus.HELD


def test_the_open_attempt_of_a_dead_worker_becomes_unknown(connection: Connection) -> None:
    delivery = delivery_of(connection, DeliveryStatus.SENDING)
    attempt = attempt_of(delivery, seconds_ago=9, worker="gone")
    assert sweep.sweep() == 1
    attempt.refresh_from_db()
    delivery.refresh_from_db()
    assert attempt.outcome == Outcome.UNKNOWN
    assert delivery.status == DeliveryStatus.UNKNOWN
    assert Email.objects.get().status == EmailStatus.UNKNOWN
    assert sweep.sweep() == 0


def test_a_living_worker_keeps_its_attempt_until_it_must_have_given_up(connection: Connection) -> None:
    Worker.objects.create(name="busy", started_at=clock.real_now(), beat_at=clock.real_now())
    fresh = attempt_of(delivery_of(connection, DeliveryStatus.SENDING), seconds_ago=30, worker="busy")
    given_up = attempt_of(delivery_of(connection, DeliveryStatus.SENDING), seconds_ago=600, worker="busy")
    assert sweep.sweep() == 1
    fresh.refresh_from_db()
    given_up.refresh_from_db()
    assert (fresh.outcome, given_up.outcome) == ("", Outcome.UNKNOWN)


def test_a_late_truth_replaces_unknown_and_nothing_replaces_the_truth(connection: Connection) -> None:
    delivery = delivery_of(connection, DeliveryStatus.SENDING)
    attempt = attempt_of(delivery, seconds_ago=9, worker="paused")
    sweep.sweep()
    accepted = SendResult(Outcome.ACCEPTED, message_id="m1", thread_id="t1")
    dispatch.record(delivery, attempt.pk, 1, accepted)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.provider_message_id) == (DeliveryStatus.ACCEPTED, "m1")
    dispatch.record(delivery, attempt.pk, 1, SendResult(Outcome.NOT_SENT, "throttled", "later"))
    delivery.refresh_from_db()
    attempt.refresh_from_db()
    assert (delivery.status, delivery.due_at, attempt.outcome) == (DeliveryStatus.ACCEPTED, None, "ACCEPTED")


def test_a_worker_that_wakes_up_and_does_not_know_either_tells_nothing(connection: Connection) -> None:
    delivery = delivery_of(connection, DeliveryStatus.SENDING)
    attempt = attempt_of(delivery, seconds_ago=9, worker="paused")
    sweep.sweep()
    dispatch.record(delivery, attempt.pk, 1, SendResult(Outcome.UNKNOWN, "provider_timeout"))
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.cause, attempt.settled_by) == (Outcome.UNKNOWN, "worker_lost", "")


def test_an_attempt_is_started_once_whatever_two_workers_believe(connection: Connection) -> None:
    delivery = delivery_of(connection)
    first = dispatch._start(delivery, 1, [], seconds=30)
    assert first is not None
    assert dispatch._start(delivery, 1, [], seconds=30) is None
    Delivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.QUEUED, due_at=clock.now())
    assert dispatch._start(delivery, 2, [], seconds=30) is None  # the first is still open
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize(
    ("deliveries", "status"),
    [
        ([("queued", False)], "queued"),
        ([("queued", True)], "held"),
        ([("queued", True), ("accepted", False)], "held"),
        ([("sending", False), ("unknown", False)], "sending"),
        ([("unknown", False), ("queued", True)], "unknown"),
        ([("accepted", False), ("accepted", False)], "sent"),
        ([("accepted", False), ("queued", False)], "sending"),
        ([("accepted", False), ("refused", False)], "partly"),
        ([("accepted", False), ("cancelled", False)], "partly"),
        ([("refused", False)], "failed"),
        ([("cancelled", False), ("refused", False)], "failed"),
        ([("cancelled", False)], "cancelled"),
    ],
)
def test_an_emails_status_from_its_deliveries(deliveries: list[tuple[str, bool]], status: str) -> None:
    assert status_of(deliveries) == status


def test_a_mailbox_is_woken_unless_a_drain_waits_for_it_or_is_at_it(connection: Connection) -> None:
    delivery_of(connection)
    assert wake.due_mailboxes() == [connection.pk]
    wake.defer(connection.pk)
    assert wake.due_mailboxes() == []
    with database.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        assert wake.due_mailboxes() == []
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    assert wake.due_mailboxes() == [connection.pk]


def test_what_is_due_is_read_some_at_a_time_and_bounded_in_bytes(connection: Connection) -> None:
    for _ in range(20):
        delivery_of(connection)
    first, second = reading.due(connection.pk, clock.now()), Delivery.objects.order_by("due_at")[:16]
    assert [one.delivery.pk for one in first] == [one.pk for one in second]
    assert {(one.number, one.last_cause, one.alone, one.has_files) for one in first} == {(1, "", True, False)}
    assert [str(one) for one in first[0].people["to"]] == ["a@b.example"]
    Email.objects.update(html="x" * 300_000)
    assert len(reading.due(connection.pk, clock.now())) == 1
    Email.objects.update(html="x" * 100_000)
    assert len(reading.due(connection.pk, clock.now())) == 5


def test_an_accepted_copy_settles_its_email_where_it_is_the_only_one(connection: Connection) -> None:
    alone, first = delivery_of(connection), delivery_of(connection)
    Delivery.objects.create(
        email=first.email, connection=connection, position=1, status="queued", due_at=clock.now()
    )
    for delivery, known, status in ((alone, True, "sent"), (first, False, "sending")):
        started = dispatch._start(delivery, 1, [], seconds=30)
        assert started is not None
        assert Email.objects.get(pk=delivery.email_id).status == "sending"
        accepted = SendResult(Outcome.ACCEPTED, message_id="m", thread_id="t", milliseconds=5)
        dispatch.record(delivery, started.attempt, 1, accepted, checks=["send"] if known else [], alone=known)
        delivery.refresh_from_db()
        assert (delivery.status, delivery.provider_message_id) == ("accepted", "m")
        assert delivery.sent_at is not None
        assert Email.objects.get(pk=delivery.email_id).status == status
    assert list(connection.proofs.values_list("check_name", "ok", "call")) == [("send", True, "send")]
    assert list(connection.ledger.values_list("kind", "result")) == [("send", "ok")] * 2


def test_a_newer_proof_is_not_replaced_by_an_older_success(connection: Connection) -> None:
    later = clock.now() + timedelta(minutes=5)
    connection.proofs.create(check_name="send", ok=True, call="newer", at=later)
    delivery = delivery_of(connection)
    started = dispatch._start(delivery, 1, [], seconds=30)
    assert started is not None
    dispatch.record(delivery, started.attempt, 1, SendResult(Outcome.ACCEPTED, message_id="m"))
    assert connection.proofs.get(check_name="send").call == "newer"
    assert connection.proofs.get(check_name="grant").call == "send"


def test_the_newest_success_is_written_at_once_or_when_the_drain_ends(connection: Connection) -> None:
    delivery = delivery_of(connection)
    box = Box(connection.pk)
    assert box.checks() == ["grant", "send"]
    box.succeeded(delivery, "", ["grant", "send"], clock.now())
    assert box.checks() == []  # within a second
    last = clock.now()
    box.succeeded(delivery, "", [], last)
    assert connection.proofs.count() == 0
    box.close()
    assert set(connection.proofs.values_list("check_name", "ok", "at")) == {
        ("grant", True, last),
        ("send", True, last),
    }
    box.doubt()
    assert box.checks() == ["grant", "send"]
