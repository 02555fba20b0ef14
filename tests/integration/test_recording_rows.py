"""The rows of recordings: who gets one when a copy is accepted, which state may follow which, and guarded updates."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from tests import rows

from truesend import clock
from truesend.connections.models import Connection, Token
from truesend.crm import choosing, content, due, settling, states
from truesend.crm.models import Recorder, Recording, Status
from truesend.organizations.models import Member, Organization
from truesend.sending.models import Delivery, DeliveryStatus, Email, EmailStatus, Recipient
from truesend.tracking.models import Forgotten

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana() -> Member:
    return rows.member()


def crm(ana: Member, kind: str = "organization", place: str = "xy123", *, on: bool = True) -> Connection:
    count = Connection.objects.count()
    made = rows.mailbox(ana, provider="keap", kind=kind, subject=f"{place}:{count}")
    now = clock.now()
    Token.objects.create(
        connection=made,
        access=b"x",
        access_expires_at=now + timedelta(hours=9),
        access_issued_at=now,
        due_at=now + timedelta(hours=8),
    )
    assert not on or choosing.turn_on(made, trigger="a test")
    return made


def accepted(ana: Member, *people: tuple[str, str], provider: str = "google", **fields: Any) -> Delivery:
    """A copy of an email, accepted in the way that a drain does it."""
    mailbox = rows.mailbox(ana, provider=provider)
    email = Email.objects.create(
        organization=ana.organization,
        member=ana,
        connection=mailbox,
        status=EmailStatus.SENDING,
        to=["ines@globex.example"],
        subject="Hello",
        html='<p>Hi <a href="https://x.example/">x</a></p>',
        **fields,
    )
    delivery = Delivery.objects.create(email=email, connection=mailbox, status=DeliveryStatus.SENDING)
    for position, (kind, address) in enumerate(people or (("to", "ines@globex.example"),)):
        Recipient.objects.create(delivery=delivery, position=position, address=address, type=kind)
    return delivery


def accept(delivery: Delivery) -> list[Recording]:
    Delivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.ACCEPTED, sent_at=clock.now())
    return list(Recording.objects.filter(delivery=delivery).order_by("recipient__position", "place"))


def one(ana: Member) -> Recording:
    crm(ana)
    (found,) = accept(accepted(ana))
    return found


def test_everybody_who_got_a_copy_gets_a_row(ana: Member) -> None:
    connection = crm(ana)
    people = (("to", "a@x.example"), ("cc", "b@x.example"), ("bcc", "c@x.example"))
    found = accept(accepted(ana, *people))
    assert [row.recipient.address for row in found] == ["a@x.example", "b@x.example", "c@x.example"]
    assert {(row.connection_id, row.status) for row in found} == {(connection.pk, Status.WAITING)}
    assert len({row.mark for row in found}) == 3
    assert due.connections(8) == [connection.pk]
    notes = [content.letter(row) for row in found]
    assert [note.cc for note in notes] == [("b@x.example",), (), ("b@x.example",)]
    assert all("c@x.example" not in repr(note) for note in notes[:2])


@pytest.mark.parametrize(
    "how", ["off", "disconnected", "test", "same provider", "forgotten", "stranger", "not theirs"]
)
def test_who_gets_none(ana: Member, how: str) -> None:
    connection = crm(ana, "personal" if how == "not theirs" else "organization", on=how != "off")
    writer = rows.member("eve") if how == "stranger" else ana
    if how == "not theirs":
        user = rows.member("ben").user
        Member.objects.filter(user=user).update(organization=ana.organization)
        writer = Member.objects.get(user=user)
    delivery = accepted(
        writer, provider="keap" if how == "same provider" else "google", is_test=how == "test"
    )
    if how == "disconnected":
        Connection.objects.filter(pk=connection.pk).update(disconnected_at=clock.now())
    if how == "forgotten":
        Forgotten.objects.create(delivery=delivery.pk, organization=ana.organization_id, at=clock.now())
    assert accept(delivery) == []
    assert Delivery.objects.get(pk=delivery.pk).status == DeliveryStatus.ACCEPTED


def test_a_personal_one_waits_while_personal_ones_are_ruled_out(ana: Member) -> None:
    crm(ana, "personal")
    (before,) = accept(accepted(ana))
    Organization.objects.filter(pk=ana.organization_id).update(personal_connections_allowed=False)
    assert accept(accepted(ana)) == []
    assert due.connections(8) == []
    Organization.objects.filter(pk=ana.organization_id).update(personal_connections_allowed=True)
    assert due.connections(8) == [before.connection_id]


def test_one_app_is_told_once_by_the_connection_that_works(ana: Member) -> None:
    shared, own, other = crm(ana), crm(ana, "personal"), crm(ana, "personal", "zz999")
    assert [row.connection_id for row in accept(accepted(ana))] == [shared.pk, other.pk]
    Token.objects.filter(pk=shared.pk).update(dead_at=clock.now())
    assert [row.connection_id for row in accept(accepted(ana))] == [own.pk, other.pk]


def test_what_goes_wrong_with_recordings_never_holds_up_the_mail(ana: Member) -> None:
    """A place that does not fit makes the insert fail: the copy is accepted all the same."""
    crm(ana)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE crm_recording ADD CONSTRAINT never CHECK (false) NOT VALID")
    try:
        delivery = accepted(ana)
        assert accept(delivery) == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE crm_recording DROP CONSTRAINT never")
    assert Delivery.objects.get(pk=delivery.pk).status == DeliveryStatus.ACCEPTED


def test_the_database_holds_to_the_table_of_states(ana: Member) -> None:
    row = one(ana)
    for old, new in itertools.product(Status.values, Status.values):
        # A trigger looks at changes alone, so the first state is set beside it.
        Recording.objects.filter(pk=row.pk).delete()
        row.status, row.due_at = old, clock.now() if old in states.OPEN else None
        row.save(force_insert=True)
        changed = {"status": new, "due_at": clock.now() if new in states.OPEN else None}
        try:
            with transaction.atomic():
                Recording.objects.filter(pk=row.pk).update(**changed)
            followed = True
        except IntegrityError:
            followed = False
        assert followed is states.may_follow(old, new), (old, new)


def test_of_two_that_begin_one_does(ana: Member) -> None:
    row = one(ana)
    same, now = Recording.objects.get(pk=row.pk), clock.now()
    later = {"look_at": now, "sure_at": now + timedelta(seconds=9)}
    assert settling.begin(row, now, **later)
    assert not settling.begin(same, now, **later)
    # Nor does it go back, or end, for whoever has an older call in mind.
    settling.back(same, now)
    assert Recording.objects.get(pk=row.pk).status == Status.POSTING
    assert settling.recorded(row, "7")
    assert not settling.recorded(row, "8")
    assert Recording.objects.get(pk=row.pk).record == "7"


def test_turned_off_it_may_still_turn_out_recorded(ana: Member) -> None:
    row, now = one(ana), clock.now()
    assert settling.begin(row, now, look_at=now, sure_at=now)
    assert choosing.turn_off(row.connection, trigger="a test")
    assert not choosing.turn_off(row.connection, trigger="a test")
    assert Recording.objects.get(pk=row.pk).status == Status.STOPPED
    assert settling.recorded(row, "7")
    assert Recording.objects.get(pk=row.pk).status == Status.RECORDED


def test_a_rest_is_kept(ana: Member) -> None:
    row = one(ana)
    assert due.following(row.connection_id) is not None
    settling.rest(row.connection, clock.now() + timedelta(minutes=1))
    assert due.following(row.connection_id) is None
    Recorder.objects.update(rest_until=None)
    Token.objects.update(dead_at=clock.now())
    assert due.following(row.connection_id) is None
