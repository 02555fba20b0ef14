"""Forgetting a recipient: what goes, what stays, and that nothing is learned of them later."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from django.db import connection, transaction
from tests.copies import member_of
from tests.deliveries import hit, load
from tests.kept import answers, judge, member_in, sent, settle, work

from truesend.organizations.models import Organization, Role
from truesend.privacy import forget, forget_command
from truesend.sending.models import Email, Recipient
from truesend.tracking.classifier import lock
from truesend.tracking.models import EmailTally, Forgotten, Hit, Signal

pytestmark = pytest.mark.django_db(transaction=True)

INES = "ines@globex.example"


def test_all_that_is_known_of_somebody_goes_and_nobody_elses() -> None:
    ana = member_in()
    alone, shared = sent(ana, INES), sent(ana, "tom@globex.example", "Ines@Globex.example")
    other, elsewhere = sent(ana, "tom@globex.example"), sent(member_in(name="eve"), INES)
    for one in (alone, shared, other, elsewhere):
        load(hit(one.delivery, 60, 1), hit(one.delivery, 900))
    judge()

    known = forget.known(ana.organization_id, " Ines Moreau <INES@globex.example> ")
    assert known == forget.Known(INES, emails=2, copies=2, shared=1, signals=4, requests=4, forgotten=0)
    done = forget.forget(ana.organization_id, INES, by="a test")
    assert done == forget.Forgotten(INES, emails=2, copies=2, signals=4, requests=4)

    assert answers([alone.delivery, shared.delivery]) == []
    assert len(answers([other.delivery])) == len(answers([elsewhere.delivery])) == 2
    assert set(Hit.objects.values_list("delivery", flat=True)) == {other.delivery, elsewhere.delivery}
    assert EmailTally.objects.get(pk=alone.email.pk).opened == 0
    # What was written stays written.
    assert Email.objects.get(pk=alone.email.pk).to == [INES]
    assert Recipient.objects.filter(delivery=alone.delivery, address=INES).exists()
    again = forget.known(ana.organization_id, INES)
    assert (again.signals, again.requests, again.forgotten, again.is_tracked) == (0, 0, 2, False)


def test_later_hits_are_not_counted_and_go() -> None:
    one = sent(member_in("full"), INES)
    forget.forget(one.email.organization_id, INES, by="a test")
    load(hit(one.delivery, 60, 1))
    judge()
    assert answers([one.delivery]) == []
    settle()
    work()
    assert Hit.objects.count() == 0
    assert forget.forget(one.email.organization_id, INES, by="a test").signals == 0
    assert Forgotten.objects.count() == 1


def test_a_flood_counts_its_requests() -> None:
    one = sent(member_in(), INES)
    load(*(hit(one.delivery, 60 + at / 100) for at in range(130)))
    judge()
    assert forget.known(one.email.organization_id, INES).requests == 130
    done = forget.forget(one.email.organization_id, INES, by="a test")
    assert (done.signals, done.requests) == (101, 130)


def test_many_emails_go_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = member_in()
    many = [sent(ana, INES) for _ in range(7)]
    load(*(hit(one.delivery, 60) for one in many))
    judge()
    monkeypatch.setattr(forget, "STEP", 3)
    assert forget.forget(ana.organization_id, INES, by="a test").signals == 7
    assert (Signal.objects.count(), Hit.objects.count(), Forgotten.objects.count()) == (0, 0, 7)


def test_it_waits_for_whoever_is_judging() -> None:
    """A signal that is being written when somebody is forgotten does not outlive it."""
    one = sent(member_in(), INES)
    load(hit(one.delivery, 60))
    held, release = threading.Event(), threading.Event()

    def judge_slowly() -> None:
        with transaction.atomic():
            assert lock([one.delivery]) == [one.delivery]
            held.set()
            release.wait(10)
            Signal.objects.create(
                organization=one.email.organization_id, email=one.email.pk, delivery=one.delivery, kind="open",
                klass="person", confidence=0.9, reason="x", rule="x", rules_version="2", at=one.email.created_at,
                changed_at=one.email.created_at,
            )  # fmt: skip
        connection.close()

    def do_forget() -> None:
        forget.forget(one.email.organization_id, INES, by="a test")
        connection.close()

    threads = [threading.Thread(target=judge_slowly), threading.Thread(target=do_forget)]
    threads[0].start()
    assert held.wait(10)
    threads[1].start()
    time.sleep(0.3)
    assert threads[1].is_alive()
    release.set()
    for thread in threads:
        thread.join(10)
    assert (Signal.objects.count(), Hit.objects.count()) == (0, 0)


def test_the_log_tells_it_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    one = sent(member_in(), INES)
    with caplog.at_level(logging.INFO):
        forget.forget(one.email.organization_id, INES, by="member 7")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "truesend.privacy"]
    assert line == (
        f"A recipient was forgotten in organization {one.email.organization_id} by member 7: "
        "emails 1, signals 0, requests 0."
    )
    assert "ines" not in caplog.text.lower()


@pytest.mark.parametrize(
    "typed", ["", "ines", "ines@", "a@b.example, c@d.example", "x" * 2000, "a\x00@b.example"]
)
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(forget.NoAddress):
        forget.known(member_in().organization_id, typed)


def test_the_command_says_what_it_did() -> None:
    one = sent(member_in(), INES)
    load(hit(one.delivery, 60))
    judge()
    assert forget_command.run(INES, "Northwind") == (
        f"{INES} is forgotten in Northwind: 1 open or click and 1 request erased, 1 email no longer counted."
    )
    assert forget_command.run("tom@globex.example", "Northwind") == (
        "Nothing was ever sent to tom@globex.example by Northwind."
    )
    with pytest.raises(LookupError, match="No organization is called Acme"):
        forget_command.run(INES, "Acme")
    member_of(Organization.objects.create(name="Northwind"), "tom", Role.OWNER)
    with pytest.raises(LookupError, match="Several organizations"):
        forget_command.run(INES, "Northwind")
