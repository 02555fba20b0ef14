"""From hits to signals in a real database: once each, corrected by newer evidence, announced."""

from __future__ import annotations

import json
import threading
import time
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection
from tests import figures
from tests.counted import told
from tests.deliveries import CHROME, GMAIL, ORGANIZATION, Deliveries, hit, load

from truesend.tracking.classifier import classify_pending, run_classifier, waiting
from truesend.tracking.folding import Folding
from truesend.tracking.models import Hit, Signal
from truesend.tracking.query import headline, signals_of

pytestmark = pytest.mark.django_db(transaction=True)


def rules(delivery: UUID) -> list[tuple[str, str]]:
    rows = Signal.objects.filter(delivery=delivery).order_by("at", "id")
    return [(row.klass, row.rule) for row in rows]


def test_a_hit_becomes_one_signal_however_often_it_is_judged(deliveries: Deliveries) -> None:
    delivery = deliveries.new()
    load(hit(delivery, 60, 1))
    assert classify_pending() == [delivery]
    (signal,) = Signal.objects.all()
    assert (signal.kind, signal.klass, signal.link, signal.link_label) == ("click", "person", 1, "link 1")
    assert (signal.organization, signal.recipient) == (ORGANIZATION, "ines@x.example")
    assert signal.reason == "Person: Chrome on Linux."
    assert classify_pending() == []
    Hit.objects.update(classified_at=None)
    classify_pending()
    assert [again.changed_at for again in Signal.objects.all()] == [signal.changed_at]


def test_newer_evidence_corrects_an_earlier_answer(deliveries: Deliveries) -> None:
    delivery = deliveries.new()
    load(hit(delivery, 60, 0))
    classify_pending()
    assert rules(delivery) == [("person", "browser")]
    load(hit(delivery, 62, 1))
    classify_pending()
    assert rules(delivery) == [("scanner", "burst")] * 2


def test_one_network_at_five_recipients_is_a_gateway_for_all_of_them(deliveries: Deliveries) -> None:
    many = [deliveries.new() for _ in range(5)]
    for at, delivery in enumerate(many):
        load(hit(delivery, 60 + at, 0, ip=f"203.0.113.{at}"))
        while classify_pending():
            pass
    assert [rules(delivery) for delivery in many] == [[("scanner", "network")]] * 5
    assert waiting() == 0


def test_gmail_opens_of_many_recipients_stay_persons(deliveries: Deliveries) -> None:
    many = [deliveries.new() for _ in range(6)]
    load(*(hit(delivery, 60 + at, ip=f"66.249.84.{at}", agent=GMAIL) for at, delivery in enumerate(many)))
    classify_pending()
    assert [rules(delivery) for delivery in many] == [[("person", "gmail")]] * 6


def test_a_flood_counts_in_its_signal(deliveries: Deliveries) -> None:
    delivery, folding = deliveries.new(), Folding()
    load(*(hit(delivery, 60 + at / 100) for at in range(150)), folding=folding)
    classify_pending()
    load(*(hit(delivery, 62 + at / 100) for at in range(50)), folding=folding)
    classify_pending()
    assert Signal.objects.count() == 101
    assert sum(Signal.objects.values_list("count", flat=True)) == 200
    assert set(rules(delivery)) == {("scanner", "flood")}


def test_hits_of_a_deleted_delivery_are_done_without_a_signal(deliveries: Deliveries) -> None:
    load(hit(uuid4(), 60))
    assert len(classify_pending()) == 1
    assert (Signal.objects.count(), waiting()) == (0, 0)


def test_a_shared_thread_has_no_recipient(deliveries: Deliveries) -> None:
    load(hit(deliveries.new("a@x.example", "b@x.example"), 60))
    classify_pending()
    (signal,) = Signal.objects.all()
    assert signal.recipient is None
    assert signal.reason.endswith("One of 2 recipients.")


def test_a_struck_signal_stays_struck_and_counts_for_nothing(deliveries: Deliveries) -> None:
    delivery = deliveries.new()
    load(hit(delivery, 60, 0))
    classify_pending()
    Signal.objects.update(struck=True)
    load(hit(delivery, 62, 1))
    classify_pending()
    assert [row.struck for row in signals_of([delivery])] == [False, True]
    Signal.objects.update(struck=True)
    assert told(signals_of([delivery])) is None


@pytest.mark.parametrize(
    ("records", "word"),
    [
        ([(60, 0, CHROME)], "Clicked"),
        ([(60, None, CHROME)], "Opened"),
        ([(60, None, GMAIL)], "Cannot know"),
        ([(60, None, "Mozilla/5.0")], "Cannot know"),
        ([(60, 0, CHROME), (61, 1, CHROME)], "Only machines"),
        ([(3, None, CHROME)], "Only machines"),
        ([(3, None, CHROME), (60, None, CHROME), (90, None, GMAIL)], "Opened"),
    ],
)
def test_the_headline_says_what_is_known(
    deliveries: Deliveries, records: list[tuple[float, int | None, str]], word: str
) -> None:
    delivery = deliveries.new()
    load(*(hit(delivery, seconds, link, agent=agent) for seconds, link, agent in records))
    classify_pending()
    found = headline(told(signals_of([delivery])))
    assert found is not None
    assert found.word == word


def test_two_classifiers_judge_every_hit_once(deliveries: Deliveries) -> None:
    many = [deliveries.new() for _ in range(120)]
    load(*(hit(delivery, 60 + seconds, 0) for delivery in many for seconds in (0, 700)))

    def work() -> None:
        while waiting():
            classify_pending(limit=7)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Signal.objects.count() == 240
    assert {tuple(rules(delivery)) for delivery in many} <= {
        (("person", "browser"), ("person", "browser")),
        (("scanner", "network"), ("scanner", "network")),
    }


@pytest.mark.alone
def test_the_thread_announces_a_signal_within_half_a_second(deliveries: Deliveries) -> None:
    delivery, stop = deliveries.new(), threading.Event()
    thread = threading.Thread(target=run_classifier, args=(stop,))
    thread.start()
    try:
        place = connection.settings_dict
        listener = psycopg.connect(
            dbname=place["NAME"],
            user=place["USER"],
            password=place["PASSWORD"],
            host=place["HOST"],
            autocommit=True,
        )
        with listener:
            listener.execute("LISTEN truesend_events")
            load(hit(deliveries.new(), 60))  # the first one also warms the thread's connection up
            assert any(True for _ in listener.notifies(timeout=5, stop_after=1))
            started = time.monotonic()
            load(hit(delivery, 60, 2))
            (announced,) = list(listener.notifies(timeout=5, stop_after=1))
            passed = time.monotonic() - started
    finally:
        stop.set()
        thread.join(10)
    (signal,) = signals_of([delivery])
    assert json.loads(announced.payload) == {"o": str(ORGANIZATION), "k": "signal", "i": [str(signal.pk)]}
    assert passed < figures.limit(0.5)
    assert not thread.is_alive()
