"""What counts as overdue, on real rows: mail and renewals that nobody tries; and which probe is due to whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests import rows

from truesend import clock
from truesend.connections import probe, proofs
from truesend.connections.models import Connection, LedgerKind, Outage, Proof, Token
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Capability, Evidence
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, EmailStatus
from truesend.web.standstill import mail_lies, renewals_lie

pytestmark = pytest.mark.django_db(transaction=True)

LATE = timedelta(seconds=61)


@pytest.fixture
def connection() -> Connection:
    return connection_of(rows.member())


def connection_of(member: Member) -> Connection:
    capabilities = [Capability.SEND, Capability.READ]
    scopes = registry.provider("google").scopes(capabilities)
    return rows.mailbox(member, asked=[str(one) for one in capabilities], granted_scopes=scopes)


def mail(connection: Connection, due_in: timedelta) -> Delivery:
    email = Email.objects.create(
        organization=connection.organization,
        member=connection.member,
        connection=connection,
        status=EmailStatus.QUEUED,
        to=["a@b.example"],
    )
    return Delivery.objects.create(
        email=email, connection=connection, status=DeliveryStatus.QUEUED, due_at=clock.now() + due_in
    )


def token(connection: Connection, due_in: timedelta = timedelta(hours=1)) -> Token:
    now = clock.now()
    return Token.objects.create(
        connection=connection,
        access=b"-",
        access_issued_at=now,
        access_expires_at=now + timedelta(hours=1),
        due_at=now + due_in,
    )


def test_mail_lies_when_it_is_overdue_and_nothing_is_tried(connection: Connection) -> None:
    mail(connection, timedelta(days=1))
    mail(connection, -timedelta(seconds=50))
    assert not mail_lies(clock.now())
    overdue = mail(connection, -LATE)
    assert mail_lies(clock.now())
    attempt = Attempt.objects.create(
        delivery=overdue, number=1, started_at=clock.now(), started_real_at=clock.real_now(), worker="w"
    )
    assert not mail_lies(clock.now())  # at it
    Attempt.objects.filter(pk=attempt.pk).update(outcome="NOT_SENT")
    assert mail_lies(clock.now())
    proofs.note(connection, LedgerKind.SEND, trigger="send", result="throttled", at=clock.now() - LATE)
    assert mail_lies(clock.now())
    proofs.note(connection, LedgerKind.SEND, trigger="send", result="throttled")
    assert not mail_lies(clock.now())  # a full mailbox is served one by one


def test_renewals_lie_when_one_is_overdue_and_none_is_tried(connection: Connection) -> None:
    held = token(connection, -timedelta(seconds=50))
    assert not renewals_lie(clock.now())
    Token.objects.filter(pk=held.pk).update(due_at=clock.now() - LATE)
    assert renewals_lie(clock.now())
    other = connection_of(connection.member)
    proofs.record(
        other, [Evidence("grant", True, "token.refresh")], kind=LedgerKind.REFRESH, trigger="schedule"
    )
    assert not renewals_lie(clock.now())
    Proof.objects.all().delete()
    Token.objects.filter(pk=held.pk).update(dead_at=clock.now())
    assert not renewals_lie(clock.now())  # nobody renews a dead grant
    Token.objects.filter(pk=held.pk).update(dead_at=None)
    down = Outage.objects.create(
        provider="google", cause="provider_error", began_at=clock.now(), ask_at=clock.now()
    )
    assert not renewals_lie(clock.now())  # all wait for the one that asks
    down.delete()
    assert renewals_lie(clock.now())
    Connection.objects.filter(pk=connection.pk).update(disconnected_at=clock.now())
    assert not renewals_lie(clock.now())


def test_whatever_was_permitted_is_probed_on_schedule(connection: Connection) -> None:
    token(connection)
    probe.plan(connection, clock.now())
    assert probe.due(4) == [connection.pk]
    Token.objects.filter(pk=connection.pk).update(dead_at=clock.now())
    assert probe.due(4) == []
    Token.objects.filter(pk=connection.pk).update(dead_at=None)
    connection.granted_scopes = registry.provider("google").scopes([Capability.SEND])
    probe.plan(
        connection, clock.now()
    )  # the box for reading was not ticked: sending is asked for all the same
    assert probe.due(4) == [connection.pk]
    connection.granted_scopes = ["openid"]
    probe.plan(connection, clock.now())
    assert probe.due(4) == []
    assert Token.objects.get(pk=connection.pk).probe_due_at is None


def test_a_probe_that_cannot_get_a_key_is_tried_again_in_minutes(connection: Connection) -> None:
    token(connection)  # neither key can be read: the renewal fails before any call
    probe.plan(connection, clock.now() - timedelta(seconds=1))
    probe.probe_if_due(connection.pk)
    due = Token.objects.get(pk=connection.pk).probe_due_at
    assert due is not None
    assert timedelta(minutes=3) < due - clock.now() <= probe.RETRY
    assert connection.proofs.get(check_name="renew").cause == "no_refresh_token"
    before = connection.ledger.count()
    probe.probe_if_due(connection.pk)  # a second wake-up finds it claimed
    assert connection.ledger.count() == before


def test_all_that_is_due_is_probed_in_one_go(connection: Connection) -> None:
    several = [connection, *(connection_of(connection.member) for _ in range(40))]
    for one in several:
        token(one)
        probe.plan(one, clock.now() - timedelta(seconds=1))
    probe.probe_all()
    assert probe.due(100) == []
    assert {one.ledger.count() for one in several} == {1}
