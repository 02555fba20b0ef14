"""What Stripe answers and tells, on real rows: read, believed, numbered, kept once."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import stripe
from tests.billing import DAY, SECRET, ana, answered, billing, of, seen, told, tries_until

from truesend import clock
from truesend.alerts import accounts
from truesend.alerts.models import Letter
from truesend.billing import account, syncing, webhook
from truesend.billing.models import BillingAccount, BillingEvent, BillingSubscription
from truesend.billing.state import State, Why
from truesend.billing.stripe_api import read, redacted
from truesend.organizations.models import Member, Organization

__all__ = ["ana", "billing", "told"]  # fixtures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("billing")]

_numbers = itertools.count(1)


def test_an_answer_that_was_asked_for_earlier_changes_nothing(
    ana: Member, told: Callable[[], list[str]]
) -> None:
    tries_until(ana, -DAY)
    answered(ana)
    first, _ = syncing._ask(ana.organization_id)
    second, _ = syncing._ask(ana.organization_id)
    assert syncing.write(ana.organization_id, second, [seen("canceled")])
    assert not syncing.write(ana.organization_id, first, [seen("active")])
    assert not account.standing(ana.organization_id).sends
    answered(ana, seen("active", id="sub_2"))
    assert told() == ["account", "account"]  # the trial's end, and the reactivation
    assert account.standing(ana.organization_id).live == 1


def test_a_price_nobody_named_keeps_the_last_tier_and_is_told_to_the_operator(ana: Member) -> None:
    ana.user.is_operator = True
    ana.user.save(update_fields=["is_operator"])
    tries_until(ana, -DAY)
    answered(ana, seen(price="price_b"))
    answered(ana, seen(price="price_of_next_year"))
    standing = account.standing(ana.organization_id)
    assert (standing.state, standing.tier and standing.tier.key) == (State.ACTIVE, "business")
    BillingAccount.objects.update(look_at=clock.now())
    accounts.look()
    accounts.look()
    (letter,) = Letter.objects.filter(kind=Letter.Kind.ACCOUNT, about="billing price price_of_next_year")
    assert "price_of_next_year" in letter.body
    # Somebody who comes back with such a price had the same tier before.
    answered(ana, seen("canceled", price="price_b"), seen(id="sub_2", price="price_of_next_year"))
    again = account.standing(ana.organization_id)
    assert again.tier is not None
    assert again.tier.key == "business"


def test_what_stands_beside_the_plan_hides_no_plan(ana: Member) -> None:
    tries_until(ana, -DAY)
    items = [
        {"price": {"id": one}, "current_period_end": 1_800_000_000} for one in ("price_seats", "price_b")
    ]
    found = read({"id": "sub_1", "status": "active", "items": {"data": items}})
    assert (found.price, found.others) == ("price_seats", ("price_b",))
    answered(ana, found)
    standing = account.standing(ana.organization_id)
    assert standing.tier is not None
    assert standing.tier.key == "business"
    assert BillingSubscription.objects.get().price_known


def test_an_unknown_status_gives_nothing_and_is_told_to_the_operator(ana: Member) -> None:
    ana.user.is_operator = True
    ana.user.save(update_fields=["is_operator"])
    tries_until(ana, -DAY)
    answered(ana, seen("on_the_moon"))
    assert account.standing(ana.organization_id).why is Why.UNKNOWN
    BillingAccount.objects.update(look_at=clock.now())
    accounts.look()
    assert Letter.objects.filter(about="billing status sub_1 on_the_moon").count() == 1


def test_two_subscriptions_count_as_the_better_one_and_are_told(ana: Member) -> None:
    ana.user.is_operator = True
    ana.user.save(update_fields=["is_operator"])
    answered(ana, seen(price="price_s"), seen(id="sub_2", price="price_p"))
    standing = account.standing(ana.organization_id)
    assert (standing.live, standing.subscription) == (2, "sub_2")
    BillingAccount.objects.update(look_at=clock.now())
    accounts.look()
    assert Letter.objects.filter(about__startswith="billing two ").count() == 1


def test_a_subscription_is_read_as_stripe_writes_it() -> None:
    found = read(
        {
            "id": "sub_1", "status": "trialing", "trial_end": 1_800_000_000, "cancel_at_period_end": True,
            "cancel_at": None, "current_period_end": 1,
            "items": {"data": [{"current_period_end": 1_800_000_100, "price": {"id": "price_b"}}]},
        }
    )  # fmt: skip
    assert (found.price, found.status) == ("price_b", "trialing")
    assert found.period_ends_at is not None
    assert found.period_ends_at.timestamp() == 1_800_000_100
    assert found.ends_at == found.trial_ends_at
    old = read(
        {"id": "sub_1", "status": "active", "current_period_end": 1_800_000_000, "items": {"data": []}}
    )
    assert old.period_ends_at is not None
    assert (old.price, old.ends_at) == ("", None)


# -- what is told by webhook ------------------------------------------------------------------------------------


def event(kind: str = "invoice.paid", customer: str = "cus_1", event_id: str = "", **fields: Any) -> bytes:
    thing = {"id": "in_1", "object": "invoice", "customer": customer, **fields}
    body = {
        "id": event_id or f"evt_{next(_numbers)}", "object": "event", "type": kind, "created": int(time.time()),
        "livemode": False, "api_version": "2026-10-28.endive", "data": {"object": thing},
    }  # fmt: skip
    return json.dumps(body).encode()


def signed(body: bytes, *, at: float = 0, secret: str = SECRET) -> str:
    moment = int(clock.timestamp() + at)
    return str(stripe.WebhookSignature.generate_signature_header(body.decode(), secret, moment))


@pytest.mark.parametrize(
    ("at", "believed"), [(0, True), (-290, True), (-310, False), (290, True), (310, False), (10_000, False)]
)
def test_what_is_too_old_or_from_the_future_is_not_believed(at: float, believed: bool) -> None:
    body = event("ping")
    assert webhook.receive(body, signed(body, at=at)) == (200 if believed else 400)
    assert BillingEvent.objects.exists() is believed


def test_what_was_not_signed_by_stripe_changes_nothing() -> None:
    body = event()
    good = signed(body)
    other = signed(body, secret="whsec_of_somebody_else")
    at = good.partition(",")[0]
    for header in (
        "",
        "t=1",
        "v1=abc",
        other,
        good.replace("v1=", "v0="),
        "t=x,v1=y",
        f"{at},v1=",
        "t=1e400,v1=a",
    ):
        assert webhook.receive(body, header) == 400, header
    assert webhook.receive(body + b" ", good) == 400
    assert webhook.receive(b"\xff\xfe", good) == 400
    for odd in (
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"object":"event"}',
        b"not json",
        b'{"id":1,"type":[]}',
        b"[" * 9000,
    ):
        assert webhook.receive(odd, signed(odd)) == 400, odd
    assert not BillingEvent.objects.exists()
    # Two signatures while the secret is changed: one of them is enough.
    assert webhook.receive(body, f"{good},v1={'0' * 64}") == 200


def test_no_secret_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    body = event()
    webhook.receive(body, signed(body, secret="whsec_of_somebody_else"))
    assert "was not believed" in caplog.text
    assert "whsec" not in caplog.text
    assert "cus_1" not in caplog.text
    assert redacted("Invalid API Key provided: sk_test_abcd1234 (whsec_xyz)") == (
        "Invalid API Key provided: [removed] ([removed])"
    )


def test_an_event_of_nobody_here_is_taken_and_left_alone(ana: Member) -> None:
    of(ana)
    for body in (event(customer="cus_of_nobody"), event("product.created"), event("a.type.of.tomorrow")):
        assert webhook.receive(body, signed(body)) == 200
    assert set(BillingEvent.objects.values_list("status", flat=True)) == {"ignored"}


def test_an_event_with_another_organizations_customer_changes_nothing(ana: Member) -> None:
    other = Organization.objects.create(name="Elsewhere")
    account.begin([other.pk])
    BillingAccount.objects.filter(pk=other.pk).update(customer="cus_1")
    of(ana)
    body = event(
        "checkout.session.completed", object="checkout.session", client_reference_id=str(ana.organization_id)
    )
    assert webhook.receive(body, signed(body)) == 200
    row = BillingEvent.objects.get()
    assert (row.status, "another organization" in row.error) == ("ignored", True)
    assert of(ana).customer == ""


def test_an_event_of_the_other_mode_changes_nothing(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    BillingAccount.objects.filter(pk=of(ana).pk).update(customer="cus_1")
    monkeypatch.setenv("TRUESEND_STRIPE_SECRET_KEY", "sk_live_of_the_tests")
    body = event()
    assert webhook.receive(body, signed(body)) == 200
    assert BillingEvent.objects.get().error.startswith("It is of Stripe's other mode")


def test_one_that_cannot_be_handled_is_kept_as_failed_and_answered_500(ana: Member) -> None:
    BillingAccount.objects.filter(pk=of(ana).pk).update(customer="cus_1")
    body = event()
    # Nobody answers at Stripe's address.
    assert webhook.receive(body, signed(body)) == 500
    assert webhook.receive(body, signed(body)) == 500
    row = BillingEvent.objects.get()
    assert (row.status, row.times, bool(row.error)) == ("failed", 2, True)


def test_a_day_without_news_is_reconciled_and_a_failure_keeps_nobody_waiting(ana: Member) -> None:
    BillingAccount.objects.filter(pk=of(ana).pk).update(customer="cus_1", reconcile_at=clock.now())
    assert syncing.reconcile() == 1
    assert syncing.reconcile() == 0
    again = of(ana).reconcile_at
    assert timedelta(minutes=55) < again - clock.now() <= timedelta(hours=1)


def test_a_thousand_answers_in_any_order_end_in_the_last_state(ana: Member) -> None:
    tries_until(ana, -DAY)
    dice = random.Random(20261130)
    statuses = ["active", "past_due", "active", "canceled", "unpaid", "trialing", "on_the_moon", "active"]
    history = [(syncing._ask(of(ana).pk)[0], statuses[n % len(statuses)]) for n in range(250)]
    deliveries = [one for one in history for _ in range(4)]
    dice.shuffle(deliveries)
    for number, status in deliveries:
        syncing.write(ana.organization_id, number, [seen(status)])
    last = history[-1][1]
    assert BillingSubscription.objects.get().status == last
    assert BillingAccount.objects.get().answered == history[-1][0]
