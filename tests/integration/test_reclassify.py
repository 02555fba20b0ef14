"""History judged again by newer rules, in a real database: resumable, guarded, announced, beside the worker."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction
from tests.deliveries import CHROME, ORGANIZATION, Deliveries, hit, load
from tests.stack import Stack

from truesend.tracking import reclassify, rules
from truesend.tracking.classifier import classify_pending, lock
from truesend.tracking.models import Hit, Signal
from truesend.tracking.reclassify import Progress

pytestmark = pytest.mark.django_db(transaction=True)

CLOUD = "34.79.12.8"  # version 2 knows the data centre, version 1 took it for a person
OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"


@pytest.fixture
def listener() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    place = connection.settings_dict
    with psycopg.connect(
        dbname=place["NAME"], user=place["USER"], password=place["PASSWORD"], host=place["HOST"],
        autocommit=True,
    ) as listening:  # fmt: skip
        listening.execute("LISTEN truesend_events")
        yield listening


def judged_by_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is loaded now is judged as it was with version 1."""
    from truesend.tracking import classify as pure

    with monkeypatch.context() as patched:
        patched.setattr(rules, "CURRENT", rules.VERSIONS["1"])
        patched.setattr(pure.classify, "__defaults__", (rules.VERSIONS["1"],))
        while classify_pending():
            pass


def told(delivery: UUID) -> list[tuple[str, str, str]]:
    found = Signal.objects.filter(delivery=delivery).order_by("at")
    return [(one.klass, one.rule, one.rules_version) for one in found]


def test_what_the_new_rules_see_differently_changes_and_is_announced(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch, listener: psycopg.Connection[tuple[object, ...]]
) -> None:
    one, other = deliveries.new(), deliveries.new()
    load(hit(one, 60, 0, ip=CLOUD), hit(one, 900, 1), hit(other, 60, 0, agent=OUTLOOK))
    judged_by_the_first(monkeypatch)
    assert told(one) == [("person", "browser", "1")] * 2
    assert told(other) == [("person", "mail_program", "1")]
    Signal.objects.filter(delivery=other).update(struck=True)
    list(listener.notifies(timeout=0.2))

    heard: list[str] = []
    progress = reclassify.reclassify(lambda so_far: heard.append(so_far.sentence))
    assert told(one) == [("unknown", "cloud", "2"), ("person", "browser", "2")]
    assert told(other) == [("prefetch", "link_check", "2")]
    assert Signal.objects.get(delivery=other).struck
    assert (progress.total, progress.seen, progress.judged) == (3, 3, 3)
    assert progress.changed == {("person", "unknown"): 1, ("person", "prefetch"): 1}
    assert heard == ["3 of 3 signals looked at, 3 judged by version 2 of the rules, 2 changed."]
    changed = Signal.objects.exclude(klass="person").values_list("pk", flat=True)
    (hint,) = [json.loads(note.payload) for note in listener.notifies(timeout=2, stop_after=1)]
    assert hint == {"o": str(ORGANIZATION), "k": "signal", "i": sorted(map(str, changed))}
    assert reclassify.reclassify(lambda _: None) == Progress(0)


def test_it_goes_on_where_it_was_stopped(deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(9):
        load(hit(deliveries.new(), 60, 0, ip=CLOUD), hit(deliveries.new(), 60, 0, agent=OUTLOOK))
    judged_by_the_first(monkeypatch)

    def stop(progress: Progress) -> None:
        if progress.seen >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reclassify.reclassify(stop, batch=4)
    left = Signal.objects.filter(rules_version="1").count()
    assert left == 10
    progress = reclassify.reclassify(lambda _: None, batch=4)
    assert (progress.total, progress.judged) == (left, left)
    assert not Signal.objects.filter(klass="person").exists()


def test_what_cannot_be_judged_again_keeps_its_answer(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sender = {"sender_ips": frozenset({"203.0.113.7"}), "sender_agents": frozenset({CHROME})}
    dropped, gone, mine = deliveries.new(), deliveries.new(), deliveries.new(**sender)
    load(*(hit(delivery, 60, 0, ip=CLOUD) for delivery in (dropped, gone)), hit(mine, 60))
    judged_by_the_first(monkeypatch)
    Hit.objects.filter(delivery=dropped).update(ip=None, user_agent="", headers={})
    Hit.objects.filter(delivery=mine).update(ip="203.0.113.0")
    del deliveries.known[gone]
    assert reclassify.run() == 0
    assert told(dropped) == told(gone) == [("person", "browser", "1")]
    assert told(mine) == [("self", "self", "1")]
    assert capsys.readouterr().out == (
        "3 of 3 signals looked at, 0 judged by version 2 of the rules, 0 changed.\n"
        "3 keep their answer: their evidence or their email is gone, or they are the sender’s.\n"
    )


def test_hits_that_wait_are_left_to_the_worker(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = deliveries.new()
    load(hit(delivery, 60, 0, ip=CLOUD))
    judged_by_the_first(monkeypatch)
    load(hit(delivery, 900, 1))
    reclassify.reclassify(lambda _: None)
    assert told(delivery) == [("unknown", "cloud", "2")]
    assert classify_pending() == [delivery]
    assert told(delivery) == [("unknown", "cloud", "2"), ("person", "browser", "2")]


def test_a_delivery_in_the_workers_hands_is_waited_for(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, free = deliveries.new(), deliveries.new()
    load(*(hit(delivery, 60, 0, ip=CLOUD) for delivery in (busy, free)))
    judged_by_the_first(monkeypatch)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            assert lock([busy]) == [busy]
            held.set()
            release.wait(10)
        connection.close()

    def work() -> None:
        reclassify.reclassify(lambda _: None)
        connection.close()

    threads = [threading.Thread(target=hold), threading.Thread(target=work)]
    threads[0].start()
    assert held.wait(10)
    threads[1].start()
    threads[1].join(0.5)
    assert threads[1].is_alive()
    assert told(busy) == [("person", "browser", "1")]
    assert told(free) == [("unknown", "cloud", "2")]
    release.set()
    for thread in threads:
        thread.join(10)
    assert told(busy) == [("unknown", "cloud", "2")]


def test_a_network_at_many_recipients_stays_a_gateway(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [deliveries.new() for _ in range(5)]
    load(*(hit(delivery, 60 + at, 0, ip=f"203.0.113.{at}") for at, delivery in enumerate(many)))
    judged_by_the_first(monkeypatch)
    reclassify.reclassify(lambda _: None, batch=2)
    assert [told(delivery) for delivery in many] == [[("scanner", "network", "2")]] * 5


def test_the_command_beside_a_running_installation(stack: Stack) -> None:
    ana = stack.person()
    email = ana.send(ana.connect()["id"])["id"]
    delivery = ana.email_when(email, "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    stack.sandbox.advance(30)
    stack.sandbox.act(message["id"], "click", as_="browser")
    (before,) = ana.signals(email, 1)
    done = stack.up.run("reclassify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Every signal rests on version 2 of the rules.\n"
    assert ana.signals(email, 1) == [before]
