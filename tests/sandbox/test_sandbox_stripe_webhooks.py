"""Webhooks of the sandbox's Stripe: accepted by Stripe's own library, and spoiled on demand."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import stripe as library
from tests.sandbox.stripe_client import DAY, SECRET, Endpoint, Stripe, endpoint
from tests.sandbox.stripe_judge import judge
from tests.sandbox_process import Sandbox, running_sandbox


def _waiting(sandbox: Sandbox) -> int:
    return int(sandbox.control("GET", "stripe/webhooks")["waiting"])


def test_the_library_accepts_every_webhook(stripe: Stripe, hook: Endpoint, sandbox: Sandbox) -> None:
    customer = stripe.customer()
    stripe.subscribe(customer, "pay_once", subscription_data={"trial_period_days": 7})
    url = stripe.portal(customer)
    stripe.press(url, "break_card")
    sandbox.advance(25 * DAY)
    expected = [event.id for event in stripe.events()]
    hook.wait(lambda one: len(one.got) >= len(expected), "every event")
    accepted = hook.verified()
    assert [event.id for event in accepted] == expected, "in order, once each"
    for event in accepted:
        judge(event)
    kinds = {event.type for event in accepted}
    assert kinds >= {
        "checkout.session.completed",
        "customer.created",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.trial_will_end",
        "customer.subscription.updated",
        "invoice.paid",
        "invoice.payment_failed",
    }
    pushes = sandbox.calls(provider="stripe", operation="push")
    assert [call["status"] for call in pushes] == [200] * len(expected)


def test_a_webhook_is_tried_until_it_is_taken(stripe: Stripe, hook: Endpoint, sandbox: Sandbox) -> None:
    hook.status = 500
    stripe.customer()
    hook.wait(lambda one: len(one.got) == 1, "the first try")
    for number, wait in enumerate((5, 10, 20), start=2):
        sandbox.advance(wait + 1)
        hook.wait(lambda one, number=number: len(one.got) == number, "a retry")  # type: ignore[misc]
    hook.status = 302
    sandbox.advance(41)
    hook.wait(lambda one: len(one.got) == 5, "a retry answered with a redirect")
    hook.status = 204
    sandbox.advance(81)
    hook.wait(lambda one: len(one.got) == 6, "the last")
    assert len({one.body for one in hook.got}) == 1, "the same bytes each time"
    assert len({one.signature for one in hook.got}) == 6, "signed anew each time"
    assert len({event.id for event in hook.verified()}) == 1
    (told,) = sandbox.control("GET", "stripe/webhooks")["items"]
    assert (told["attempts"], told["state"]) == (6, "delivered")
    sandbox.advance(DAY)
    assert _waiting(sandbox) == 0


def test_after_three_days_it_is_given_up(stripe: Stripe, hook: Endpoint, sandbox: Sandbox) -> None:
    hook.status = 500
    stripe.customer()
    hook.wait(lambda one: len(one.got) == 1, "the first try")
    sandbox.advance(2 * DAY)
    hook.wait(lambda one: len(one.got) == 2, "a late try")
    sandbox.advance(2 * DAY)
    hook.wait(lambda one: len(one.got) == 3, "the last try")
    while _waiting(sandbox):  # the answer is written down a moment after it was given
        pass
    assert sandbox.control("GET", "stripe/webhooks")["items"][0]["state"] == "given up"


@pytest.mark.parametrize(("delivery", "times"), [("once", 1), ("twice", 2), ("dropped", 0)])
def test_webhooks_come_once_twice_or_never(
    stripe: Stripe, hook: Endpoint, sandbox: Sandbox, delivery: str, times: int
) -> None:
    sandbox.switch("stripe", webhook_delivery=delivery)
    stripe.customer("spoiled@example.com")
    sandbox.switch("stripe", webhook_delivery="once")
    stripe.customer("last@example.com")
    hook.wait(lambda one: len(one.got) >= times + 1, "the last")
    emails = Counter(one.event["data"]["object"]["email"] for one in hook.got)
    assert emails == Counter({"spoiled@example.com": times, "last@example.com": 1}) - Counter()
    assert len(stripe.events("customer.created")) == 2, "what was dropped is an event all the same"


@pytest.mark.parametrize("order", ["kept", "reversed", "shuffled"])
def test_what_is_due_comes_in_the_order_asked_for(
    stripe: Stripe, hook: Endpoint, sandbox: Sandbox, order: str
) -> None:
    sandbox.switch("stripe", webhook_order=order, webhook_delay=600)
    for number in range(40):
        stripe.customer(f"c{number}@example.com")
    assert hook.got == []
    sandbox.advance(700)
    hook.wait(lambda one: len(one.got) == 40, "forty")
    made = [event.id for event in stripe.events("customer.created")]
    came = [one.event["id"] for one in hook.got]
    assert sorted(came) == sorted(made)
    if order == "kept":
        assert came == made
    elif order == "reversed":
        assert came == made[::-1]
    else:
        assert came != made
    hook.verified()


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ("stale", "outside the tolerance zone"),
        ("wrong_secret", "No signatures found matching"),
        ("v0_only", "No signatures found with expected scheme"),
        ("absent", "No Stripe-Signature header value"),
    ],
)
def test_bad_signatures_are_what_the_library_refuses(
    stripe: Stripe, hook: Endpoint, sandbox: Sandbox, signature: str, words: str
) -> None:
    hook.status = 400
    sandbox.switch("stripe", webhook_signature=signature)
    stripe.customer()
    hook.wait(lambda one: len(one.got) == 1, "one")
    with pytest.raises(library.SignatureVerificationError, match=words):
        library.Webhook.construct_event(hook.got[0].body, hook.got[0].signature or "", SECRET)
    hook.status = 200
    sandbox.switch("stripe", webhook_signature=None)
    sandbox.advance(6)
    hook.wait(lambda one: len(one.got) == 2, "the retry, signed as it should be")
    assert library.Webhook.construct_event(hook.got[1].body, hook.got[1].signature or "", SECRET)


def test_a_late_webhook_is_signed_anew_or_stale(stripe: Stripe, hook: Endpoint, sandbox: Sandbox) -> None:
    sandbox.switch("stripe", webhook_delay=400)
    stripe.customer("a@example.com")
    sandbox.advance(401)
    hook.wait(lambda one: len(one.got) == 1, "the late one")
    made = hook.got[0].event["created"]
    assert int((hook.got[0].signature or "").partition("t=")[2].partition(",")[0]) >= made + 400
    sandbox.switch("stripe", webhook_signature="stale")
    stripe.customer("b@example.com")
    sandbox.advance(401)
    hook.wait(lambda one: len(one.got) == 2, "the stale one")
    made = hook.got[1].event["created"]
    assert (hook.got[1].signature or "").startswith(f"t={made},")


def test_a_secret_is_rolled_and_a_clock_ahead_is_taken(
    stripe: Stripe, hook: Endpoint, sandbox: Sandbox
) -> None:
    sandbox.switch("stripe", webhook_second_secret="whsec_new")
    stripe.customer()
    hook.wait(lambda one: len(one.got) == 1, "one")
    assert hook.verified(SECRET)
    assert hook.verified("whsec_new")
    sandbox.switch("stripe", webhook_second_secret=None, webhook_signature="future")
    stripe.customer()
    hook.wait(lambda one: len(one.got) == 2, "two")
    assert hook.verified()


def test_an_event_is_sent_again_on_demand(stripe: Stripe, hook: Endpoint, sandbox: Sandbox) -> None:
    stripe.customer()
    hook.wait(lambda one: len(one.got) == 1, "the event")
    event = hook.got[0].event["id"]
    sandbox.control("POST", "stripe/webhooks", {"event": event})
    sandbox.control("POST", "stripe/webhooks", {"event": event, "delay": 1000})
    hook.wait(lambda one: len(one.got) == 2, "again")
    sandbox.advance(1001)
    hook.wait(lambda one: len(one.got) == 3, "much later")
    assert len({one.body for one in hook.got}) == 1
    assert len(sandbox.control("GET", "stripe/webhooks", params={"event": event})["items"]) == 3
    for body, status in (({"event": "evt_x"}, 404), ({"event": event, "signature": "odd"}, 400)):
        sandbox.control("POST", "stripe/webhooks", body, expect=status)


def test_a_forged_webhook_is_of_nobody(stripe: Stripe, hook: Endpoint, sandbox: Sandbox) -> None:
    hook.status = 400
    bought = stripe.subscribe(stripe.customer())
    sent = len(hook.got)
    answer = sandbox.control(
        "POST", "stripe/forge", {"type": "customer.subscription.deleted", "object": bought}
    )
    assert answer["status"] == 400
    forged = next(one for one in hook.got[sent:] if one.event["id"] == answer["event"])
    with pytest.raises(library.SignatureVerificationError):
        library.Webhook.construct_event(forged.body, forged.signature or "", SECRET)
    with pytest.raises(library.InvalidRequestError):
        stripe.api.events.retrieve(answer["event"])
    invented = {"id": "sub_invented", "object": "subscription", "status": "active"}
    told = sandbox.control(
        "POST", "stripe/forge", {"type": "odd.type", "object": invented, "signature": "valid"}
    )
    mine = next(one for one in hook.got if one.event["id"] == told["event"])
    assert library.Webhook.construct_event(mine.body, mine.signature or "", SECRET).type == "odd.type"
    for body, status in (({"type": "x"}, 400), ({"type": "x", "object": "sub_x"}, 404)):
        sandbox.control("POST", "stripe/forge", body, expect=status)


def test_a_storm_is_all_true_whatever_its_order(stripe: Stripe, hook: Endpoint, sandbox: Sandbox) -> None:
    customers = [stripe.customer(f"c{number}@example.com") for number in range(3)]
    hook.wait(lambda one: len(one.got) == 3, "the customers")
    hook.got.clear()
    sandbox.switch("stripe", webhook_order="shuffled")
    wish = {"events": 300, "customers": customers, "seed": 7, "duplicates": 0.5, "seconds": 900}
    told = sandbox.control("POST", "stripe/storm", {**wish, "stale": 0.1, "forged": 0.1})
    assert told["events"] >= 300
    assert told["deliveries"] > told["events"] * 1.5
    sandbox.advance(901)
    hook.wait(lambda one: len(one.got) >= told["deliveries"], "the whole storm")
    good, bad = set(), 0
    for one in hook.got:
        try:
            good.add(library.Webhook.construct_event(one.body, one.signature or "", SECRET).id)
        except library.SignatureVerificationError:
            bad += 1
    made = {event.id for event in stripe.events()}
    assert good <= made
    assert len(good) == told["events"], "nothing is lost"
    # A stale one is stale by the sandbox's clock, which runs ahead of the library's.
    assert bad > 0
    assert [one.event["id"] for one in hook.got] != sorted(good)
    for shown in told["subscriptions"]:
        sub = stripe.subscription(shown["id"])
        assert (sub.status, sub.cancel_at_period_end) == (shown["status"], shown["cancel_at_period_end"])
        assert sub["items"].data[0].price.id == shown["price"]
    statuses = {shown["status"] for shown in told["subscriptions"]}
    assert len(statuses) > 1


def test_a_storm_is_asked_for_rightly(stripe: Stripe, sandbox: Sandbox) -> None:
    assert "customers" in sandbox.control("POST", "stripe/storm", {}, expect=400)["error"]
    stripe.customer()
    for body in ({"events": -1}, {"odd": 1}, {"customers": ["cus_x"]}, {"shuffle": 1}, {"duplicates": 2}):
        sandbox.control("POST", "stripe/storm", body, expect=400)
    told = sandbox.control("POST", "stripe/storm", {"events": 20})
    assert (told["events"] >= 20, told["deliveries"]) == (True, 0)
    assert sandbox.control("GET", "stripe/webhooks")["items"] == [], "nobody listens"
    for card, status in (("good", 404), ("gold", 400)):
        sandbox.control("POST", "stripe/cards", {"customer": "cus_x", "card": card}, expect=status)


def test_a_page_shows_what_is_next_and_what_was_told(
    stripe: Stripe, hook: Endpoint, sandbox: Sandbox
) -> None:
    empty = stripe.session.get(f"{sandbox.url}/stripe", timeout=30).text
    assert "Nothing has happened" in empty
    hook.status = 500
    customer = stripe.customer("<b>ada</b>@example.com")
    hook.wait(lambda one: len(one.got) == 1, "the customer")
    hook.status = 200
    stripe.subscribe(customer)
    stripe.press(stripe.portal(customer), "break_card")
    sandbox.advance(31 * DAY + 7200)
    page = stripe.session.get(f"{sandbox.url}/stripe", timeout=30).text
    assert "&lt;b&gt;ada" in page
    assert "past_due" in page
    assert "is charged again" in page
    assert "invoice.payment_failed" in page
    assert hook.url in page


def test_what_was_to_be_sent_survives_a_kill(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("stripe-kill")
    with endpoint() as hook:
        with running_sandbox(folder) as sandbox:
            sandbox.switch("stripe", webhook_endpoint=hook.url, webhook_delay=300)
            made = Stripe(sandbox)
            made.customer()
            made.session.close()
            sandbox.process.kill()
            sandbox.process.wait()
        assert hook.got == []
        with running_sandbox(folder) as sandbox:
            sandbox.advance(301)
            hook.wait(lambda one: len(one.got) == 1, "the event")
            assert json.loads(hook.got[0].body)["type"] == "customer.created"
