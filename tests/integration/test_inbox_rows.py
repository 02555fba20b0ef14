"""A look is written once, whoever looks at the same time, and whatever is read again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from tests import rows

from truesend import clock
from truesend.connections.models import Connection, Proof
from truesend.inbox import mailboxes, recording
from truesend.inbox.matching import Said
from truesend.inbox.models import Arrival, Mailbox
from truesend.inbox.recording import Found, Look
from truesend.organizations.models import Member
from truesend.privacy.forget import forget
from truesend.sending.models import Delivery, Email, Recipient
from truesend.suppression.listing import suppressed
from truesend.tracking.models import Signal

pytestmark = pytest.mark.django_db(transaction=True)


def delivery(owner: Member, connection: Connection) -> Delivery:
    email = Email.objects.create(
        organization=owner.organization,
        member=owner,
        connection=connection,
        status="sent",
        to=["ines@globex.example"],
    )
    made = Delivery.objects.create(
        email=email, connection=connection, status="accepted", sent_at=clock.now(), provider_thread_id="t1"
    )
    Recipient.objects.create(delivery=made, position=0, address="ines@globex.example", type="to")
    return made


def mailbox_of(connection: Connection) -> Mailbox:
    return Mailbox.objects.create(connection=connection, cursor="1", due_at=clock.now())


def look(cursor: str) -> Look:
    now = clock.now()
    return Look(now, cursor, now + timedelta(minutes=2), now)


def bounce(copy: UUID, number: str = "m1", message_id: str = "a@b") -> Found:
    said = Said("bounce", "ines@globex.example", "No such address.", "bounce_hard", suppress="hard_bounce")
    return Found(number, "bounce", copy, clock.now(), (said,), message_id)


def test_of_two_that_look_at_once_one_writes() -> None:
    owner = rows.member()
    connection = rows.mailbox(owner)
    first, copy = mailbox_of(connection), delivery(owner, connection)
    second = Mailbox.objects.get(pk=connection.pk)
    assert recording.record(connection, first, look("2"), [bounce(copy.pk)])
    assert not recording.record(connection, second, look("3"), [bounce(copy.pk, "m2", "c@d")])
    assert Mailbox.objects.get(pk=connection.pk).cursor == "2"
    assert Arrival.objects.count() == Signal.objects.count() == 1
    assert {one.check_name for one in Proof.objects.filter(ok=True)} == {"grant", "read"}
    assert list(suppressed(owner.organization_id, ["ines@globex.example"])) == ["ines@globex.example"]


def test_what_is_read_again_is_told_once() -> None:
    owner = rows.member()
    connection, other = rows.mailbox(owner), rows.mailbox(owner, kind="organization")
    copy = delivery(owner, connection)
    mailbox, twin = mailbox_of(connection), mailbox_of(other)
    assert recording.record(connection, mailbox, look("2"), [bounce(copy.pk)])
    mailbox.refresh_from_db()
    assert recording.record(connection, mailbox, look("3"), [bounce(copy.pk)])
    # The same account once more: the mail has another number there, and its own Message-ID.
    assert recording.record(other, twin, look("2"), [bounce(copy.pk, "x9")])
    assert Arrival.objects.count() == Signal.objects.count() == 1


def test_a_hint_during_a_look_is_not_lost() -> None:
    owner = rows.member()
    connection = rows.mailbox(owner)
    mailbox = mailbox_of(connection)
    hinted = clock.now() - timedelta(seconds=1)
    Mailbox.objects.filter(pk=connection.pk).update(due_at=hinted)
    assert recording.record(connection, mailbox, look("2"), [])
    assert Mailbox.objects.get(pk=connection.pk).due_at == hinted


def test_a_look_that_is_overdue_is_told() -> None:
    now = clock.now()
    assert mailboxes.late_since(Mailbox(due_at=now - timedelta(minutes=1)), now) is None
    assert mailboxes.late_since(Mailbox(due_at=now - timedelta(minutes=6)), now) == now - timedelta(minutes=6)


def test_who_is_forgotten_leaves_no_arrival() -> None:
    owner = rows.member()
    connection = rows.mailbox(owner)
    copy = delivery(owner, connection)
    assert recording.record(connection, mailbox_of(connection), look("2"), [bounce(copy.pk)])
    forget(owner.organization_id, "ines@globex.example", "ana")
    assert Arrival.objects.count() == Signal.objects.count() == 0
