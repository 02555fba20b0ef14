"""Accounts on real rows: who begins to try, what stops, what is told, and when it goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.billing import DAY, ana, answered, ben, billing, gate, letters, of, seen, told, tries_until
from tests.copies import Copy, email_of, mailbox
from tests.states import State, write

from truesend import clock
from truesend.alerts import accounts, asks
from truesend.alerts.models import Ask, Letter
from truesend.billing import account
from truesend.billing import state as states
from truesend.billing.models import BillingAccount, BillingSubscription
from truesend.billing.state import Why
from truesend.connections import beginning
from truesend.crm import choosing
from truesend.organizations.models import Member, Role
from truesend.providers.contract import Capability
from truesend.sending import readiness, release
from truesend.sending.addresses import Mailbox
from truesend.sending.gate import Draft
from truesend.sending.models import Delivery, Email, EmailStatus
from truesend.sending.problems import problem_of
from truesend.sending.submit import NotReady
from truesend.web import account_state, team
from truesend.web.recorders import told_by

__all__ = ["ana", "ben", "billing", "told"]  # fixtures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("billing")]


# -- where nobody is billed -------------------------------------------------------------------------------------


def test_where_nobody_is_billed_everything_is_unlocked_and_nothing_is_asked(
    ana: Member, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setenv("TRUESEND_BILLING", "none")
    with django_assert_num_queries(0):
        assert account.standing(ana.organization_id).sends
        assert not account_state.note(ana)["state"]
        accounts.look()
    assert gate(ana).ok
    assert not BillingAccount.objects.exists()
    assert not [one for one in team.table(ana)["rows"] if "Pay" in one["words"]]
    monkeypatch.setenv("TRUESEND_BILLING", "stripe")
    assert [one["may"] for one in team.table(ana)["rows"] if "Pay" in one["words"]] == [[True, False, False]]


# -- the gate ---------------------------------------------------------------------------------------------------


def test_the_gate_names_the_owner_and_the_button(ana: Member, ben: Member) -> None:
    assert gate(ana).ok
    assert gate(ben).ok
    tries_until(ana, -DAY)
    shut = gate(ben)
    assert (shut.ok, shut.cause) == (False, "account_inactive")
    assert shut.sentence.startswith("Northwind's account is inactive: its trial is over.")
    assert shut.who == [{"name": ana.user.email, "email": ana.user.email}]
    assert shut.fix == {"label": "Ask an owner", "url": "/account/billing/ask"}
    assert gate(ana).fix == {"label": "Reactivate", "url": "/account/billing"}
    names = [one.name for one in readiness.check(ben, Draft(None)).gates]
    assert names[:4] == ["installation", "role", "account", "connection"]


def test_a_plan_without_mailings_sends_but_not_to_many(ana: Member) -> None:
    many = [Mailbox("a@x.example"), Mailbox("b@x.example")]
    tries_until(ana, -DAY)
    answered(ana, seen(price="price_s"))
    assert gate(ana, to=many).ok
    shut = gate(ana, to=many, separate_copies=True)
    assert (shut.ok, shut.cause) == (False, "tier_lacks")
    assert shut.sentence == "Separate copies are part of Business; Northwind has Starter."
    answered(ana, seen(price="price_b"))
    assert gate(ana, to=many, separate_copies=True).ok


def test_recording_is_of_the_highest_plan_and_waits_in_a_lower_one(ana: Member) -> None:
    tries_until(ana, -DAY)
    assert not choosing.includes(ana.organization_id)
    answered(ana, seen(price="price_b"))
    assert not choosing.includes(ana.organization_id)
    answered(ana, seen(price="price_p"))
    assert choosing.includes(ana.organization_id)
    keap = write(ana, State(address="sales@northwind.example", provider="keap"))
    assert choosing.turn_on(keap, trigger="test")
    assert told_by(ana, [keap])[keap.pk].wrong == ""
    answered(ana, seen(price="price_s"))
    assert (
        told_by(ana, [keap])[keap.pk].wrong
        == "The plan does not include it now. Once it does, what waits goes on."
    )


def test_nothing_new_is_connected_and_what_stands_is_repaired(ana: Member) -> None:
    tries_until(ana, -DAY)
    connection = mailbox(ana, [Capability.SEND])
    assert beginning.stopped(ana, None)
    assert not beginning.stopped(ana, connection)
    connection.disconnected_at = clock.now()
    assert beginning.stopped(ana, connection)
    answered(ana, seen())
    assert not beginning.stopped(ana, None)


def test_scheduled_mail_says_what_keeps_it_and_who_can_help(ana: Member, ben: Member) -> None:
    connection = mailbox(ben, [Capability.SEND])
    email = email_of(ben, connection, Copy("queued", due=3600))
    at = clock.now() + timedelta(hours=1)
    Email.objects.filter(pk=email.pk).update(send_at=at, status=EmailStatus.SCHEDULED)
    Delivery.objects.filter(email=email).update(due_at=at, late_after=at + timedelta(minutes=30))
    email.refresh_from_db()
    assert problem_of(email) is None
    tries_until(ana, -DAY)
    problem = problem_of(email)
    assert problem is not None
    assert problem.cause == "account_inactive"
    assert problem.sentence.startswith("It will not leave at its hour as things stand.")
    assert problem.who == [{"name": ana.user.email, "email": ana.user.email}]
    # Its hour passes: it is held, and after reactivation it goes when somebody lets it.
    Delivery.objects.filter(email=email).update(due_at=None, held_cause="account_inactive")
    Email.objects.filter(pk=email.pk).update(
        status=EmailStatus.HELD, problem="account_inactive", send_at=None
    )
    email.refresh_from_db()
    held = problem_of(email)
    assert held is not None
    assert held.sentence == (
        "Nothing was sent. Your organization's account is inactive. It waits here; after that you can let it go."
    )
    answered(ana, seen())
    free = problem_of(email)
    assert free is not None
    assert free.help.value == "Send now"


def test_what_is_scheduled_gets_no_other_hour_while_nothing_can_be_scheduled(
    ana: Member, ben: Member
) -> None:
    connection = mailbox(ben, [Capability.SEND])
    email = email_of(ben, connection, Copy("queued", due=3600))
    Email.objects.filter(pk=email.pk).update(status=EmailStatus.SCHEDULED)
    email.refresh_from_db()
    before, later = Delivery.objects.get(email=email).due_at, clock.now() + 2 * DAY
    tries_until(ana, -DAY)
    with pytest.raises(NotReady) as refused:
        release.reschedule(email, later, ben)
    shut = refused.value.readiness.first_closed()
    assert shut is not None
    assert (shut.cause, shut.who) == ("account_inactive", [{"name": ana.user.email, "email": ana.user.email}])
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(ben.user)
    page = browser.post(
        f"/emails/{email.pk}/reschedule", {"at": f"{later:%Y-%m-%dT%H:%M}", "zone": "UTC"}, follow=True
    ).content.decode()
    assert "Nothing was changed. Northwind&#x27;s account is inactive" in page
    assert Delivery.objects.get(email=email).due_at == before
    # What has ended says that first.
    release.cancel(email)
    with pytest.raises(release.TooLateToChange):
        release.reschedule(email, later, ben)
    answered(ana, seen())
    other = email_of(ben, connection, Copy("queued", due=3600))
    assert release.reschedule(other, later, ben) == 1


# -- time -------------------------------------------------------------------------------------------------------


def test_owners_are_told_seven_three_and_one_days_before_and_when_it_has_stopped(
    ana: Member, ben: Member, told: Callable[[], list[str]]
) -> None:
    subjects = []
    for left in (8 * DAY, 7 * DAY, 6 * DAY, 3 * DAY, 2 * DAY, DAY, timedelta(hours=2)):
        # The end stays where it is in real life: here it comes nearer, by the same number of days each time.
        BillingAccount.objects.filter(pk=of(ana).pk).update(look_at=clock.now())
        tries_until(ana, left)
        accounts.look()
        accounts.look()
        subjects = [subject for _, subject in letters()]
    ends = [one for one in subjects if "trial ends in" in one or "trial ends within" in one]
    assert {address for address, _ in letters()} == {ana.user.email}
    assert [one.partition("trial ends ")[2].partition(",")[0] for one in ends][:3] == [
        "in 7 days",
        "in 6 days",
        "in 3 days",
    ]
    assert told() == []
    tries_until(ana, timedelta(0))
    accounts.look()
    accounts.look()
    assert told() == ["account"]
    assert letters()[-1][1].endswith("Northwind's account is inactive: its trial is over")
    assert of(ana).state == states.State.INACTIVE


def test_each_notice_is_written_once_however_often_it_is_looked_at(ana: Member) -> None:
    tries_until(ana, 3 * DAY - timedelta(minutes=1))
    for _ in range(3):
        BillingAccount.objects.update(look_at=clock.now())
        accounts.look()
    assert len(letters()) == 1


def test_each_time_it_stops_is_told_and_each_once(ana: Member) -> None:
    tries_until(ana, -DAY)
    for times in (1, 2):
        answered(ana, seen())
        accounts.look()
        answered(ana, seen("unpaid"))
        for _ in range(2):
            BillingAccount.objects.update(look_at=clock.now())
            accounts.look()
        # Still inactive, for another reason: nothing has stopped.
        answered(ana, seen("canceled"))
        accounts.look()
        assert len(letters()) == times


def test_the_note_above_every_page(ana: Member, ben: Member) -> None:
    assert account_state.note(ana) == {"state": ""}
    tries_until(ana, 5 * DAY)
    note = account_state.note(ben)
    assert note is not None
    assert (note["state"], note["fix"]["label"], note["who"]) == ("warn", "Ask an owner", ana.user.email)
    assert note["sentence"].startswith("Northwind's trial ends in 5 days, on ")
    tries_until(ana, -DAY)
    note = account_state.note(ana)
    assert note is not None
    assert (note["state"], note["fix"]["label"], note["who"]) == ("bad", "Reactivate", "")


def test_before_a_plan_is_chosen_the_page_says_when_it_is_charged(ana: Member) -> None:
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(ana.user)
    kept = "Chosen now, nothing is charged before your trial ends"
    of(ana)
    assert kept in browser.get("/account/billing").content.decode()
    # Stripe takes no trial that ends so soon.
    tries_until(ana, DAY)
    assert kept not in browser.get("/account/billing").content.decode()


def test_grace_ends_after_seven_days(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    tries_until(ana, -DAY)
    answered(ana, seen())
    answered(ana, seen("past_due"))
    began = BillingSubscription.objects.get().past_due_since
    answered(ana, seen("past_due"))
    assert BillingSubscription.objects.get().past_due_since == began
    assert account.standing(ana.organization_id).state is states.State.PAST_DUE
    assert gate(ana).ok
    BillingSubscription.objects.update(past_due_since=clock.now() - 7 * DAY)
    assert account.standing(ana.organization_id).why is Why.PAYMENT_FAILED
    assert not gate(ana).ok
    answered(ana, seen())
    assert BillingSubscription.objects.get().past_due_since is None
    assert gate(ana).ok


# -- asking an owner --------------------------------------------------------------------------------------------


def test_a_member_asks_an_owner_and_is_told_when_it_is_done(ana: Member, ben: Member) -> None:
    tries_until(ana, -DAY)
    answered(ana)
    assert [one.pk for one in asks.people(ben, (Role.OWNER,))] == [ana.pk]
    asks.ask(ben, ana, asks.ACCOUNT, None, next_path="/emails")
    letter = Letter.objects.get(kind=Letter.Kind.ASK)
    assert letter.address == ana.user.email
    assert "reactivate Northwind's account" in letter.subject
    assert "/account/billing" in letter.body
    asks.look()
    assert Ask.objects.get().ended_at is None
    # Two days more are no answer.
    tries_until(ana, 2 * DAY)
    asks.look()
    assert Ask.objects.get().ended_at is None
    answered(ana, seen())
    asks.look()
    assert Ask.objects.get().ended == Ask.Ended.DONE
    done = Letter.objects.get(kind=Letter.Kind.DONE)
    assert (done.address, "is active" in done.subject) == (ben.user.email, True)
