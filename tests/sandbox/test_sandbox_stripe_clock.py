"""Subscriptions on the sandbox's clock: trials, renewals, cards that fail, and the two pages a person uses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe as library
from tests.sandbox.stripe_client import BACK, DAY, MONTHLY, PREMIUM, YEARLY, Stripe
from tests.sandbox_process import Sandbox

HOUR = 3600


def _trial(days: int = 30, behavior: str | None = None) -> dict[str, Any]:
    data: dict[str, Any] = {"trial_period_days": days}
    if behavior:
        data["trial_settings"] = {"end_behavior": {"missing_payment_method": behavior}}
    return {"subscription_data": data}


def _period(sub: library.Subscription) -> tuple[datetime, datetime]:
    item = sub["items"].data[0]
    return (
        datetime.fromtimestamp(item.current_period_start, UTC),
        datetime.fromtimestamp(item.current_period_end, UTC),
    )


def test_paying_makes_an_active_subscription_and_tells_it(stripe: Stripe) -> None:
    session = stripe.checkout(customer_email="owner@example.com")
    page = stripe.session.get(str(session.url), timeout=30)
    assert "Business" in page.text
    assert "USD 29.00 a month" in page.text
    answer = stripe.press(session.url, "pay")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{BACK}?session={session.id}"
    done = stripe.api.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.client_reference_id) == (
        "complete",
        "paid",
        "organization-1",
    )
    assert stripe.status(str(done.subscription)) == "active"
    assert stripe.api.customers.retrieve(str(done.customer)).email == "owner@example.com"
    told = [event.type for event in stripe.events()]
    assert told[-1] == "checkout.session.completed"
    changed = stripe.events("customer.subscription.updated")[0]
    assert changed.data.previous_attributes is not None
    assert changed.data.previous_attributes["status"] == "incomplete"
    assert stripe.press(session.url, "pay").status_code == 409
    assert len(stripe.api.subscriptions.list().data) == 1, "a page sent twice buys once"


def test_cancel_goes_back_and_a_declined_card_buys_nothing(stripe: Stripe, sandbox: Sandbox) -> None:
    customer = stripe.customer()
    session = stripe.checkout(customer)
    assert stripe.press(session.url, "cancel").headers["Location"] == f"{BACK}?cancelled=1"
    declined = stripe.press(session.url, "decline")
    assert declined.status_code == 402
    assert "Your card was declined" in declined.text
    assert stripe.api.checkout.sessions.retrieve(session.id).status == "open"
    assert stripe.api.subscriptions.list({"status": "all"}).data == []
    unknown = stripe.checkout()
    assert stripe.press(unknown.url, "pay", email="nobody").status_code == 400
    assert stripe.press(unknown.url, "pay", email="new@example.com").status_code == 303
    assert stripe.press(session.url, "nonsense").status_code == 400
    sandbox.advance(DAY + 1)
    assert stripe.press(session.url, "pay").status_code == 409


def test_what_was_not_paid_in_23_hours_has_expired(stripe: Stripe, sandbox: Sandbox) -> None:
    sandbox.switch("stripe", declined_checkout="incomplete")
    first, second = stripe.customer("a@example.com"), stripe.customer("b@example.com")
    stripe.press(stripe.checkout(first).url, "decline")
    session = stripe.checkout(second)
    stripe.press(session.url, "decline")
    left = stripe.api.subscriptions.list({"customer": first}).data[0].id
    saved = stripe.api.subscriptions.list({"customer": second}).data[0].id
    assert stripe.status(left) == "incomplete"
    assert stripe.press(session.url, "pay").status_code == 303
    assert stripe.status(saved) == "active"
    sandbox.advance(23 * HOUR + 1)
    assert stripe.status(left) == "incomplete_expired"
    assert stripe.status(saved) == "active"
    assert [one.status for one in stripe.api.invoices.list({"customer": first}).data] == ["void"]
    assert stripe.events("invoice.voided")


def test_a_trial_with_a_card_becomes_active(stripe: Stripe, sandbox: Sandbox) -> None:
    bought = stripe.subscribe(stripe.customer(), **_trial())
    assert stripe.status(bought) == "trialing"
    sandbox.advance(26.9 * DAY)
    assert stripe.events("customer.subscription.trial_will_end") == []
    sandbox.advance(0.2 * DAY)
    (warned,) = stripe.events("customer.subscription.trial_will_end")
    sub = stripe.subscription(bought)
    assert sub.trial_end is not None
    assert warned.created == sub.trial_end - 3 * DAY
    sandbox.advance(2.91 * DAY)
    assert stripe.status(bought) == "active"
    told = stripe.events("customer.subscription.updated")[-1]
    assert told.data.previous_attributes is not None
    assert told.data.previous_attributes["status"] == "trialing"
    draft = stripe.api.invoices.retrieve(str(stripe.subscription(bought).latest_invoice))
    assert draft.status == "draft"
    sandbox.advance(HOUR + 1)
    paid = stripe.api.invoices.retrieve(draft.id)
    assert (paid.status, paid.amount_paid) == ("paid", 2900)


@pytest.mark.parametrize(
    ("behavior", "status", "told"),
    [
        ("cancel", "canceled", "customer.subscription.deleted"),
        ("pause", "paused", "customer.subscription.paused"),
        ("create_invoice", "past_due", "invoice.payment_failed"),
    ],
)
def test_a_trial_without_a_card_ends_as_it_was_told(
    stripe: Stripe, sandbox: Sandbox, behavior: str, status: str, told: str
) -> None:
    bought = stripe.subscribe(
        stripe.customer(), "start", payment_method_collection="if_required", **_trial(30, behavior)
    )
    session = stripe.api.checkout.sessions.list().data[0]
    assert session.payment_status == "no_payment_required"
    sandbox.advance(30 * DAY + HOUR + 1)
    assert stripe.status(bought) == status
    assert stripe.events(told)


def test_a_page_that_wants_a_card_does_not_start_without_one(stripe: Stripe) -> None:
    session = stripe.checkout(stripe.customer(), **_trial())
    assert stripe.press(session.url, "start").status_code == 400
    assert stripe.api.subscriptions.list().data == []


def test_a_paused_trial_is_resumed_with_a_card(stripe: Stripe, sandbox: Sandbox) -> None:
    customer = stripe.customer()
    bought = stripe.subscribe(
        customer, "start", payment_method_collection="if_required", **_trial(7, "pause")
    )
    sandbox.advance(8 * DAY)
    assert stripe.status(bought) == "paused"
    with pytest.raises(library.CardError):
        stripe.api.subscriptions.resume(bought)
    stripe.card(customer, "good")
    assert stripe.api.subscriptions.resume(bought).status == "active"
    assert stripe.events("customer.subscription.resumed")


def test_months_and_years_follow_the_calendar(stripe: Stripe, sandbox: Sandbox) -> None:
    monthly = stripe.subscribe(stripe.customer())
    yearly = stripe.subscribe(stripe.customer(), line_items=[{"price": YEARLY, "quantity": 2}])
    begun = _period(stripe.subscription(monthly))[0]
    assert _period(stripe.subscription(yearly))[1].year == begun.year + 1
    sandbox.advance(200 * DAY)
    sub = stripe.subscription(monthly)
    start, end = _period(sub)
    assert start.timestamp() <= datetime.now(UTC).timestamp() + 200 * DAY < end.timestamp()
    months = (start.year - begun.year) * 12 + start.month - begun.month
    assert start.time() == begun.time()
    paid = stripe.api.invoices.list({"subscription": monthly, "status": "paid", "limit": 100})
    drafts = stripe.api.invoices.list({"subscription": monthly, "status": "draft"})
    assert len(paid.data) + len(drafts.data) == months + 1
    assert {invoice.total for invoice in paid.data} == {2900}
    assert stripe.api.invoices.list({"subscription": yearly}).data[0].total == 58_000
    created = [event.created for event in stripe.events()]
    assert created == sorted(created), "what the clock has jumped over stands at its own moment"


@pytest.mark.parametrize("fate", ["canceled", "unpaid", "past_due"])
def test_a_failing_card_ends_as_the_account_says(stripe: Stripe, sandbox: Sandbox, fate: str) -> None:
    sandbox.switch("stripe", dunning_ends=fate)
    customer = stripe.customer()
    bought = stripe.subscribe(customer, "pay_once")
    sandbox.advance(31 * DAY + 2 * HOUR)
    assert stripe.status(bought) == "past_due"
    failed = stripe.events("invoice.payment_failed")
    assert [event.data.object["attempt_count"] for event in failed] == [1]
    assert failed[0].data.object["next_payment_attempt"] is not None
    sandbox.advance(10 * DAY)
    assert stripe.status(bought) == "past_due"
    sandbox.advance(7 * DAY)
    assert stripe.status(bought) == fate
    assert [event.data.object["attempt_count"] for event in stripe.events("invoice.payment_failed")] == [
        1,
        2,
        3,
        4,
    ]
    stripe.press(stripe.portal(customer), "fix_card")
    assert stripe.status(bought) == ("canceled" if fate == "canceled" else "active")


def test_a_card_mended_in_time_is_charged_by_the_next_try(stripe: Stripe, sandbox: Sandbox) -> None:
    sandbox.switch("stripe", fixed_card_pays=False)
    customer = stripe.customer()
    bought = stripe.subscribe(customer, "pay_once")
    sandbox.advance(31 * DAY + 2 * HOUR)
    stripe.press(stripe.portal(customer), "fix_card")
    assert stripe.status(bought) == "past_due"
    sandbox.advance(4 * DAY)
    assert stripe.status(bought) == "active"
    invoice = stripe.api.invoices.retrieve(str(stripe.subscription(bought).latest_invoice))
    assert (invoice.status, invoice.attempt_count) == ("paid", 2)


def test_the_portals_buttons(stripe: Stripe, sandbox: Sandbox) -> None:
    customer = stripe.customer()
    bought = stripe.subscribe(customer)
    url = stripe.portal(customer)
    page = stripe.session.get(url, timeout=30)
    assert page.status_code == 200
    assert f'href="{BACK}"' in page.text
    for act, form, wanted in (
        ("update", {"price": PREMIUM}, {"price": PREMIUM, "status": "active", "later": False}),
        ("cancel_later", {}, {"price": PREMIUM, "status": "active", "later": True}),
        ("resume", {}, {"price": PREMIUM, "status": "active", "later": False}),
        ("update", {"price": YEARLY}, {"price": YEARLY, "status": "active", "later": False}),
        ("cancel_now", {}, {"price": YEARLY, "status": "canceled", "later": False}),
    ):
        assert stripe.press(url, act, subscription=bought, **form).status_code == 200
        sub = stripe.subscription(bought)
        seen = {
            "price": sub["items"].data[0].price.id,
            "status": sub.status,
            "later": sub.cancel_at_period_end,
        }
        assert seen == wanted, act
    ended = stripe.press(url, "resume", subscription=bought)
    assert ended.status_code == 402
    assert "has ended" in ended.text
    stranger = stripe.subscribe(stripe.customer("stranger@example.com"))
    assert stripe.press(url, "cancel_now", subscription=stranger).status_code == 400
    assert stripe.status(stranger) == "active"
    assert stripe.press(url, "break_card").status_code == 200
    assert stripe.press(url, "nonsense", subscription=stranger).status_code == 400
    sandbox.advance(2 * HOUR)
    assert stripe.session.get(url, timeout=30).status_code == 410
    late = stripe.portal(customer)
    sandbox.advance(301)
    assert stripe.session.get(late, timeout=30).status_code == 410


def test_the_pages_of_a_customer_who_was_deleted_say_so(stripe: Stripe) -> None:
    customer = stripe.customer()
    pays, portal = stripe.checkout(customer).url, stripe.portal(customer)
    stripe.api.customers.delete(customer)
    assert stripe.session.get(portal, timeout=30).status_code == 410
    assert stripe.press(portal, "fix_card").status_code == 410
    page = stripe.press(pays, "pay")
    assert (page.status_code, "no such customer any more" in page.text) == (409, True)


def test_what_is_to_end_with_its_period_ends_unbilled(stripe: Stripe, sandbox: Sandbox) -> None:
    customer = stripe.customer()
    bought = stripe.subscribe(customer)
    stripe.press(stripe.portal(customer), "cancel_later", subscription=bought)
    ends = _period(stripe.subscription(bought))[1].timestamp()
    sandbox.advance(40 * DAY)
    sub = stripe.subscription(bought)
    assert (sub.status, sub.ended_at) == ("canceled", int(ends))
    assert sub.cancellation_details is not None
    assert sub.cancellation_details.reason == "cancellation_requested"
    assert len(stripe.api.invoices.list({"subscription": bought}).data) == 1


def test_what_was_to_end_ends_while_it_is_paused(stripe: Stripe, sandbox: Sandbox) -> None:
    bought = stripe.subscribe(
        stripe.customer(), "start", payment_method_collection="if_required", **_trial(7, "pause")
    )
    sandbox.advance(8 * DAY)
    assert stripe.status(bought) == "paused"
    ends = stripe.events()[-1].created + 20 * DAY
    assert stripe.api.subscriptions.update(bought, {"cancel_at": ends}).status == "paused"
    sandbox.advance(21 * DAY)
    sub = stripe.subscription(bought)
    assert (sub.status, sub.ended_at) == ("canceled", ends)


def test_an_odd_list_of_days_tries_once(stripe: Stripe, sandbox: Sandbox) -> None:
    sandbox.switch("stripe", dunning_days="never", dunning_ends="unpaid")
    bought = stripe.subscribe(stripe.customer(), "pay_once")
    sandbox.advance(32 * DAY)
    assert stripe.status(bought) == "unpaid"
    assert len(stripe.events("invoice.payment_failed")) == 1


def test_the_portal_wants_its_settings_saved(stripe: Stripe, sandbox: Sandbox) -> None:
    sandbox.switch("stripe", portal_configured=False)
    with pytest.raises(library.InvalidRequestError, match="configuration"):
        stripe.portal(stripe.customer())


def test_subscriptions_by_the_api(stripe: Stripe, sandbox: Sandbox) -> None:
    customer = stripe.customer()
    wanted: Any = {"customer": customer, "items": [{"price": MONTHLY}]}
    with pytest.raises(library.InvalidRequestError, match="no attached payment"):
        stripe.api.subscriptions.create(wanted)
    stripe.card(customer, "declined")
    strict: Any = {**wanted, "payment_behavior": "error_if_incomplete"}
    with pytest.raises(library.CardError):
        stripe.api.subscriptions.create(strict)
    made = stripe.api.subscriptions.create(wanted)
    assert made.status == "incomplete"
    with pytest.raises(library.CardError):
        stripe.api.invoices.pay(str(made.latest_invoice))
    stripe.card(customer, "good")
    assert stripe.api.invoices.pay(str(made.latest_invoice)).status == "paid"
    assert stripe.status(made.id) == "active"
    short: Any = {**wanted, "trial_period_days": 2}
    trial = stripe.api.subscriptions.create(short)
    assert stripe.events("customer.subscription.trial_will_end"), "a shorter trial is warned of at once"
    assert stripe.api.subscriptions.update(trial.id, {"trial_end": "now"}).status == "active"
    sandbox.advance(HOUR + 1)
    assert stripe.api.invoices.list({"subscription": trial.id}).data[0].status == "paid"


def test_a_paused_collection_bills_nobody(stripe: Stripe, sandbox: Sandbox) -> None:
    bought = stripe.subscribe(stripe.customer())
    stripe.api.subscriptions.update(bought, {"pause_collection": {"behavior": "void"}})
    sandbox.advance(32 * DAY)
    assert stripe.status(bought) == "active"
    assert [one.status for one in stripe.api.invoices.list({"subscription": bought}).data] == ["void", "paid"]
    assert stripe.api.subscriptions.update(bought, {"pause_collection": ""}).pause_collection is None
