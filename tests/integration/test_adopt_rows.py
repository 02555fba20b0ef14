"""What adopt makes of every kind of waiting mail, on rows."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from tests.integration import test_dispatch

from truesend import clock, env
from truesend.connections.models import Connection
from truesend.organizations import installation
from truesend.organizations.models import Installation
from truesend.providers.errors import Outcome
from truesend.runtime import memory
from truesend.sending import adopt, adopt_command, dispatch
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, EmailStatus

pytestmark = pytest.mark.django_db(transaction=True)
connection, delivery_of = test_dispatch.connection, test_dispatch.delivery_of


def test_what_may_have_left_becomes_unknown_and_the_rest_stays(connection: Connection) -> None:
    due, held, later, accepted = (delivery_of(connection) for _ in range(4))
    asked = delivery_of(connection, DeliveryStatus.UNKNOWN)
    Attempt.objects.create(
        delivery=due, number=1, started_at=clock.now(), started_real_at=clock.real_now(), worker="gone",
        outcome=Outcome.NOT_SENT, cause="throttled",
    )  # fmt: skip
    hour = clock.now() + timedelta(hours=1)
    Delivery.objects.filter(pk=held.pk).update(due_at=None, held_cause="disconnected")
    Delivery.objects.filter(pk=later.pk).update(due_at=hour)
    Delivery.objects.filter(pk=accepted.pk).update(status=DeliveryStatus.SENDING, due_at=None)
    Delivery.objects.filter(pk=accepted.pk).update(status=DeliveryStatus.ACCEPTED)
    installation.standing()
    seen_at = Installation.objects.get().seen_at
    Installation.objects.update(place="elsewhere")
    installation.look_again()
    dispatch.drain(connection.pk)
    assert Delivery.objects.get(pk=due.pk).status == DeliveryStatus.QUEUED  # nothing is even tried

    assert adopt.waiting() == adopt.Waiting(doubtful=2, later=1, unknown=1)
    assert adopt.adopt() == 2
    for one, number in ((due, 2), (held, 1)):
        found = Delivery.objects.get(pk=one.pk)
        assert (found.status, found.due_at, found.held_cause) == (DeliveryStatus.UNKNOWN, None, "")
        assert found.look_at is not None
        assert found.ask_from == found.look_at + timedelta(seconds=env.number("QUIET_TIME"))
        attempt = Attempt.objects.get(delivery=one, outcome=Outcome.UNKNOWN)
        assert (attempt.number, attempt.cause) == (number, "restored")
        assert attempt.started_at <= seen_at  # Sent is read from the last sign of life on
        assert found.email.status == EmailStatus.UNKNOWN
    assert Delivery.objects.get(pk=later.pk).due_at == hour
    assert Delivery.objects.get(pk=accepted.pk).status == DeliveryStatus.ACCEPTED
    assert (
        Delivery.objects.get(pk=asked.pk).look_at is not None
    )  # asked of somebody before: Sent may know by now
    assert installation.standing().adopted


def test_many_in_pieces_and_a_second_time_changes_nothing(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(adopt, "_AT_ONCE", 2)
    for _ in range(5):
        delivery_of(connection)
    installation.standing()
    first = Installation.objects.get().installation
    Installation.objects.update(environment="prod", public_url="https://mail.example.com")
    assert adopt_command.run(yes=True, answers=False, restored=False) == 0
    told = capsys.readouterr().out
    assert "https://mail.example.com, prod" in told
    assert "That installation runs as prod, this one as dev." in told
    assert "5 copies of emails are looked up before anything of them is sent again." in told
    row = Installation.objects.get()
    assert row.installation != first
    assert row.earlier == [first]
    assert adopt_command.run(yes=True, answers=False, restored=False) == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert Attempt.objects.count() == 5
    # A snapshot that nothing shows: only who knows of it can say so.
    delivery_of(connection)
    assert adopt_command.run(yes=True, answers=False, restored=True) == 0
    assert Attempt.objects.count() == 6


def test_the_backup_from_before_it_was_taken_over_is_seen_too(connection: Connection) -> None:
    installation.standing()
    before = Installation.objects.get()
    Installation.objects.update(place="elsewhere")
    adopt.adopt()
    assert installation.standing().adopted
    Installation.objects.update(installation=before.installation, earlier=[], counter=9_000)
    installation.look_again()
    assert installation.standing().reasons == ("stranger",)


def test_another_machine_follows_who_took_over(connection: Connection) -> None:
    installation.standing()
    theirs = Installation.objects.get().installation
    Installation.objects.update(place="elsewhere")
    adopt.adopt()
    memory.note(env.data_dir(), theirs, 9_000, anew=True)  # the folder of a machine that was off meanwhile
    installation.look_again()
    assert installation.may_act()
    found = memory.recall(env.data_dir())
    assert found is not None
    assert found.installation == Installation.objects.get().installation


@pytest.mark.parametrize("answer", ["", "no", "y"])
def test_only_the_whole_word_takes_over(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    installation.standing()
    Installation.objects.update(installation=uuid4())
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert adopt_command.run(yes=False, answers=True, restored=False) == 1
    installation.look_again()
    assert not installation.standing().adopted
