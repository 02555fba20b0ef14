"""What is left of opens and clicks by an organization's choice, and that no answer is weakened by what went."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from tests.deliveries import CHROME, GMAIL, hit, load
from tests.kept import age, answers, evidence, judge, member_in, sent, settle, work

from truesend import clock
from truesend.organizations.models import Organization, SeenFrom
from truesend.privacy import choices, history, keeper, walks
from truesend.privacy.models import History, Pass
from truesend.tracking import reclassify
from truesend.tracking.folding import Folding
from truesend.tracking.models import CopyTally, EmailTally, Hit, Signal

pytestmark = pytest.mark.django_db(transaction=True)

AS_IT_CAME = [("203.0.113.7", CHROME, {"accept-language": "en-GB"}, "203.0.113.0/24")]
SHORTENED = [("203.0.113.0", "Mozilla/5.0 (Linux) Chrome/130", {"accept-language": "en"}, "203.0.113.0/24")]
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.6 Mobile/15E148 Safari/604.1"
)
DROPPED: list[tuple[object, ...]] = [(None, "", {}, None)]


@pytest.mark.parametrize(
    ("level", "left"), [("full", AS_IT_CAME), ("truncated", SHORTENED), ("verdict", DROPPED)]
)
def test_a_settled_hit_keeps_what_the_level_says(level: str, left: object) -> None:
    one = sent(member_in(level))
    load(hit(one.delivery, 60, 1))
    judge()
    told = answers([one.delivery])
    work()
    assert evidence([one.delivery]) == AS_IT_CAME  # later evidence may still judge it otherwise
    settle()
    work()
    assert evidence([one.delivery]) == left
    assert answers([one.delivery]) == told == [("person", "browser", "Person: Chrome on Linux.", 1)]


def test_what_is_not_judged_yet_is_left_alone() -> None:
    one = sent(member_in("verdict"))
    load(hit(one.delivery, 60))
    work()
    assert evidence([one.delivery]) == AS_IT_CAME
    load(hit(one.delivery, 61))
    judge()
    settle()
    load(hit(one.delivery, 3000))
    work()
    assert evidence([one.delivery]) == [*DROPPED, *DROPPED, *AS_IT_CAME]


@pytest.mark.parametrize("level", ["truncated", "verdict"])
def test_answers_stand_when_new_hits_come_to_what_was_cut_down(level: str) -> None:
    ana = member_in(level)
    SeenFrom.objects.create(member=ana, ip="203.0.113.7", user_agent=CHROME)
    mine, theirs = sent(ana), sent(ana, "tom@globex.example")
    load(
        hit(mine.delivery, 60),  # the sender's own look
        hit(theirs.delivery, 30, ip="198.51.100.4"),
        hit(theirs.delivery, 60, 0, ip="198.51.100.4"),  # two links by somebody who had it open
        hit(theirs.delivery, 62, 1, ip="198.51.100.4"),
    )
    judge()
    before = {one: answers([one]) for one in (mine.delivery, theirs.delivery)}
    assert [told[:2] for one in before.values() for told in one] == [
        ("self", "self"),
        *[("person", "browser")] * 3,
    ]
    settle()
    work()
    for one in before:
        load(hit(one, 3000, ip="192.0.2.9"))
    judge()
    assert {one: answers([one])[:-1] for one in before} == before
    Signal.objects.update(rules_version="1")
    reclassify.reclassify(lambda _: None)
    for one, told in before.items():
        assert [again[:2] for again in answers([one])][:-1] == [once[:2] for once in told]


def test_a_flood_that_grows_when_its_evidence_is_gone_counts_exactly() -> None:
    one, folding = sent(member_in("verdict")), Folding()
    load(*(hit(one.delivery, 60 + at / 100) for at in range(150)), folding=folding)
    judge()
    settle()
    work()
    assert evidence([one.delivery]) == DROPPED * 101
    load(*(hit(one.delivery, 62 + at / 100) for at in range(40)), folding=folding)
    judge()
    assert sum(count for *_, count in answers([one.delivery])) == 190
    assert {rule for _, rule, *_ in answers([one.delivery])} == {"flood"}


@pytest.mark.parametrize("seed", range(6))
def test_two_organizations_that_keep_differently_are_told_the_same(seed: int) -> None:
    """Whatever comes to the same mail in the course of days: classes, rules and sums do not depend on what was kept."""
    chance = random.Random(seed)
    keeper_of_all, other = member_in("full"), member_in("full", "tom")
    for member in (keeper_of_all, other):
        SeenFrom.objects.create(member=member, ip="203.0.113.7", user_agent=CHROME)
    pairs = [(sent(keeper_of_all), sent(other)) for _ in range(3)]
    folding, agents = Folding(), [CHROME, GMAIL, "Mozilla/5.0", "curl/8.5.0", PHONE, ""]
    for day in range(4):
        at = 60.0 + day * 86_400
        for one, two in pairs:
            for _ in range(chance.randrange(1, 6)):
                at += chance.choice([0.5, 1.5, 3, 40, 400])
                ip = f"{chance.choice(['203.0.113', '198.51.100', '81.2.69'])}.{chance.choice([7, 8])}"
                link, agent = chance.choice([None, 0, 1, 2]), chance.choice(agents)
                many = 130 if chance.random() < 0.1 else 1
                for n in range(many):
                    load(
                        *(hit(x.delivery, at + n / 1000, link, ip=ip, agent=agent) for x in (one, two)),
                        folding=folding,
                    )
        judge()
        settle()
        level = chance.choice(["full", "truncated", "verdict"])
        choices.change(other.organization_id, chosen(level))
        work()
    for one, two in pairs:
        told = [[(klass, rule, count) for klass, rule, _, count in answers([x.delivery])] for x in (one, two)]
        assert told[0] == told[1]


# -- how long -----------------------------------------------------------------------------------------------------


def test_evidence_goes_after_its_days_and_the_counts_stay() -> None:
    ana, tom = member_in("full", evidence_days=30), member_in("full", "tom", evidence_days=365)
    short, long = sent(ana), sent(tom)
    for one in (short, long):
        load(hit(one.delivery, 60, 1), hit(one.delivery, 900))
    judge()
    age(days=29)
    work()
    assert Hit.objects.count() == 4
    told = answers([short.delivery])
    age(days=2)
    work()
    assert evidence([short.delivery]) == []
    assert evidence([long.delivery]) == AS_IT_CAME * 2
    assert answers([short.delivery]) == told
    tally = EmailTally.objects.get(pk=short.email.pk)
    assert (tally.opened, tally.clicked) == (1, 1)
    load(hit(short.delivery, 3500, 2))
    judge()
    assert [klass for klass, *_ in answers([short.delivery])] == ["person"] * 3


def test_hits_that_serve_nothing_go_after_a_day() -> None:
    one, gone = sent(member_in("verdict")), uuid4()
    load(hit(one.delivery, 60), hit(gone, 60))
    judge()
    settle()
    work()
    assert Hit.objects.count() == 2
    age(days=1)
    work()
    assert Hit.objects.count() == 0
    assert [klass for klass, *_ in answers([one.delivery])] == ["person"]


def test_signals_go_after_their_months_with_their_hits() -> None:
    ana, tom = member_in("full", signal_months=3), member_in("full", "tom")
    short, long = sent(ana), sent(tom)
    for one in (short, long):
        load(hit(one.delivery, 60, 1))
    judge()
    age(days=80)
    work()
    assert Signal.objects.count() == 2
    age(days=20)
    load(hit(short.delivery, 3500, ip="192.0.2.9"))
    judge()
    work()
    assert answers([short.delivery]) == [("person", "browser", "Person: Chrome on Linux.", 1)]
    assert len(answers([long.delivery])) == 1
    tally = EmailTally.objects.get(pk=short.email.pk)
    assert (tally.opened, tally.clicked) == (1, 0)
    judge()
    assert CopyTally.objects.get(pk=short.delivery).clicked is False


def test_a_walk_goes_on_where_it_was_and_begins_again_a_day_later(monkeypatch: pytest.MonkeyPatch) -> None:
    one = sent(member_in("full", evidence_days=1))
    load(*(hit(one.delivery, 60 + at * 100) for at in range(25)))
    judge()
    age(days=2)
    with monkeypatch.context() as patched:
        patched.setattr(walks, "STEP", 10)
        walks.hurry()
        assert walks.kept()
        assert Hit.objects.count() == 15
        assert walks.kept()
        assert not walks.kept()
    assert Hit.objects.count() == 0
    load(hit(one.delivery, 60))
    judge()
    age(days=2)
    assert not walks.kept()
    assert Hit.objects.count() == 1
    Pass.objects.update(due_at=clock.now())
    walks.kept()
    assert Hit.objects.count() == 0


def test_a_clock_that_was_set_back_stops_nothing() -> None:
    one = sent(member_in("truncated"))
    load(hit(one.delivery, 60))
    judge()
    age(days=-40)
    Pass.objects.update(due_at=clock.now() + timedelta(days=40))
    work()
    assert evidence([one.delivery]) == SHORTENED


# -- the past -----------------------------------------------------------------------------------------------------


def chosen(level: str) -> choices.Choices:
    return choices.Choices(track_by_default=True, privacy=level, evidence_days=180, signal_months=None)


def test_a_stricter_level_reaches_the_past_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    ana, tom = member_in("full"), member_in("full", "tom")
    mine, theirs = [sent(ana) for _ in range(7)], sent(tom)
    load(*(hit(one.delivery, 60 + at, at % 3) for one in [*mine, theirs] for at in (0, 100)))
    judge()
    settle()
    work()
    assert {one[1] for one in evidence(one.delivery for one in mine)} == {CHROME}
    assert choices.change(ana.organization_id, chosen("verdict"))
    monkeypatch.setattr(history, "EMAILS", 3)
    monkeypatch.setattr(history, "HITS", 2)
    seen = []
    while history.step():
        row = History.objects.get(pk=ana.organization_id)
        left = Hit.objects.filter(reduced=2).count()
        seen.append((row.done, row.total, left, row.finished_at is not None))
    assert seen == [(3, 7, 6, False), (6, 7, 12, False), (7, 7, 14, False), (7, 7, 14, True)]
    assert evidence([theirs.delivery]) == AS_IT_CAME * 2
    assert Signal.objects.filter(organization=ana.organization_id).count() == 14


def test_a_laxer_level_brings_nothing_back_and_ends_what_is_under_way() -> None:
    ana = member_in("full")
    one = sent(ana)
    load(hit(one.delivery, 60))
    judge()
    settle()
    choices.change(ana.organization_id, chosen("truncated"))
    work()
    assert evidence([one.delivery]) == SHORTENED
    assert not choices.change(ana.organization_id, chosen("full"))
    assert choices.progress(ana.organization_id) is None
    work()
    assert evidence([one.delivery]) == SHORTENED


def test_several_workers_bring_the_past_along_together(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = member_in("full")
    many = [sent(ana) for _ in range(30)]
    load(*(hit(one.delivery, 60 + at * 40) for at, one in enumerate(many)))
    judge()
    settle()
    choices.change(ana.organization_id, chosen("truncated"))
    monkeypatch.setattr(history, "EMAILS", 2)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            while History.objects.filter(finished_at=None).exists():
                keeper.work()
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    row = History.objects.get(pk=ana.organization_id)
    assert (row.done, row.total) == (30, 30)
    assert set(Hit.objects.values_list("reduced", flat=True)) == {1}


def test_gmails_proxy_stays_a_person_when_it_is_shortened() -> None:
    one = sent(member_in("truncated"))
    load(hit(one.delivery, 60, ip="66.249.84.3", agent=GMAIL))
    judge()
    settle()
    work()
    told = answers([one.delivery])
    Hit.objects.update(reduced=0, classified_at=None)
    judge()
    assert answers([one.delivery]) == told


def test_an_organization_begins_shortened_and_generous() -> None:
    organization = Organization.objects.create(name="Northwind")
    assert choices.of(organization) == chosen("truncated")
