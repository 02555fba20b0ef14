"""Before some sends comes what sends nothing: until it is committed nothing can have left, whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection as database
from tests import rows as written
from tests.contract.mailboxes import MicrosoftMailbox
from tests.sandbox_process import Sandbox, running_sandbox
from tests.stack import until

from truesend import clock
from truesend.connections.models import Connection
from truesend.providers import http, registry, sandboxed
from truesend.providers.errors import Outcome, SendResult
from truesend.sending import dispatch, preparing, rows, sweep
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, EmailStatus
from truesend.sending.preparing import Prepared
from truesend.sending.reading import Due

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("preparing")) as running:
        yield running


@pytest.fixture
def outlook(sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[MicrosoftMailbox]:
    sandbox_process.control("POST", "reset")
    for name, value in sandboxed.settings(sandbox_process.url).items():
        monkeypatch.setenv(f"TRUESEND_{name}", value)
    with http.quiet_pools():
        yield MicrosoftMailbox(sandbox_process)


@pytest.fixture(params=["google", "microsoft", "keap"])
def anywhere(request: pytest.FixtureRequest) -> Connection:
    return written.mailbox(written.member(), provider=request.param)


def begun(connection: Connection, **fields: Any) -> Attempt:
    """A try that prepares, of a worker that is gone."""
    email = Email.objects.create(
        organization=connection.organization,
        member=connection.member,
        connection=connection,
        status=EmailStatus.SENDING,
        to=["a@b.example"],
        subject="Hello",
    )
    delivery = Delivery.objects.create(email=email, connection=connection, status=DeliveryStatus.SENDING)
    given = {"number": 1, "started_at": clock.now(), "worker": "gone", "preparing": True, **fields}
    given["started_real_at"] = clock.real_now() - timedelta(seconds=9)
    return Attempt.objects.create(delivery=delivery, **given)


def prepare(outlook: MicrosoftMailbox, attempt: Attempt, until: float = 10.0) -> Any:
    due = Due(attempt.delivery, {}, 1, "", alone=True, has_files=False)
    message = outlook.message(str(attempt.delivery_id))
    late = clock.steady() + until
    return preparing.prepare(outlook.adapter, attempt.pk, due, message, outlook.access(), until=late)


def microsoft() -> Connection:
    return written.mailbox(written.member(), provider="microsoft")


def test_a_dead_worker_that_was_preparing_has_sent_nothing(anywhere: Connection) -> None:
    attempt = begun(anywhere)
    assert sweep.sweep() == 1
    attempt.refresh_from_db()
    delivery = attempt.delivery
    delivery.refresh_from_db()
    assert (attempt.outcome, attempt.cause) == (Outcome.NOT_SENT, "worker_lost")
    assert (delivery.status, delivery.due_at is not None) == (DeliveryStatus.QUEUED, True)
    assert delivery.email.status == EmailStatus.QUEUED
    # What it may have begun at the provider is looked for when everything is over.
    assert (delivery.clear_at is not None) is registry.provider(anywhere.provider).leaves_behind


def test_who_has_committed_it_may_have_sent_something(anywhere: Connection) -> None:
    attempt = begun(anywhere, preparing=False, reference="r")
    assert sweep.sweep() == 1
    attempt.refresh_from_db()
    assert attempt.outcome == Outcome.UNKNOWN
    assert Delivery.objects.get().status == DeliveryStatus.UNKNOWN


def test_a_reference_is_committed_once_and_asking_again_is_the_same(anywhere: Connection) -> None:
    attempt, over = begun(anywhere), clock.real_now()
    assert rows.prepared(attempt.pk, "r", over=over)
    assert rows.prepared(attempt.pk, "r", over=over)
    assert not rows.prepared(attempt.pk, "another", over=over)
    attempt.refresh_from_db()
    assert (attempt.preparing, attempt.reference, attempt.over_at) == (False, "r", over)
    Attempt.objects.update(outcome=Outcome.UNKNOWN)
    assert not rows.prepared(attempt.pk, "r", over=over)


def test_who_wakes_after_the_sweep_sends_nothing_and_leaves_nothing(outlook: MicrosoftMailbox) -> None:
    attempt = begun(microsoft())
    sweep.sweep()
    assert prepare(outlook, attempt) is None
    calls = [one["operation"] for one in outlook.sandbox.calls(provider="microsoft")]
    assert calls[-3:] == ["drafts.create", "drafts.get", "drafts.delete"]
    assert outlook.folder("drafts") == []
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.reference) == (Outcome.NOT_SENT, "")


def test_who_comes_too_late_does_not_even_begin(outlook: MicrosoftMailbox) -> None:
    found = prepare(outlook, begun(microsoft()), until=-1.0)
    assert found == SendResult(Outcome.NOT_SENT, "fence_passed", "")
    assert [one for one in outlook.sandbox.calls(provider="microsoft") if "draft" in one["operation"]] == []


def test_a_database_that_breaks_off_is_asked_again(outlook: MicrosoftMailbox) -> None:
    attempt, found = begun(microsoft()), list[Any]()

    def work() -> None:
        found.append(prepare(outlook, attempt))
        database.close()

    outlook.access()
    other = psycopg.connect(**database.get_connection_params() | {"cursor_factory": None}, autocommit=False)
    with other:
        other.execute("LOCK TABLE sending_attempt IN SHARE MODE")
        worker = threading.Thread(target=work)
        worker.start()
        cut = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE%sending_attempt%' AND datname = current_database()"
        )
        until(lambda: _one(other, cut), lambda ended: ended == 1, 20)
    worker.join(20)
    assert isinstance(found[0], Prepared)
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.preparing, attempt.reference) == ("", False, found[0].reference)
    assert len(outlook.folder("drafts")) == 1


def _one(connection: psycopg.Connection[Any], query: str) -> int:
    connection.execute("SELECT pg_stat_clear_snapshot()")
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("result", "leaves"),
    [
        (SendResult(Outcome.NOT_SENT, "recipient_refused"), True),
        (SendResult(Outcome.NOT_SENT, "throttled"), True),
        (SendResult(Outcome.UNKNOWN, "provider_timeout"), False),
        (SendResult(Outcome.ACCEPTED), False),
    ],
    ids=lambda value: value.cause if isinstance(value, SendResult) else "",
)
@pytest.mark.parametrize("prepared", [True, False])
def test_what_was_not_sent_is_cleared_up_after(
    anywhere: Connection, result: SendResult, leaves: bool, prepared: bool
) -> None:
    attempt = begun(anywhere, preparing=False, reference="r" if prepared else "")
    dispatch.record(attempt.delivery, attempt.pk, 1, result)
    behind = prepared and leaves and registry.provider(anywhere.provider).leaves_behind
    assert (Delivery.objects.get().clear_at is not None) is behind
