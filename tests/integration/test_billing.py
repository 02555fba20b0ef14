"""A trial ends, nothing is sent, an owner pays at Stripe, and everything goes on: real processes, signed events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import requests
from tests import up
from tests.accounts import sql
from tests.billing_stack import (
    DAY,
    all_delivered,
    billing,
    checkout,
    gate_of,
    portal,
    press,
    state_of,
    subscribe,
    subscription_of,
    webhooks,
)
from tests.routes import OWN
from tests.stack import Person, Stack, until
from tests.storms import billing as billing_storm
from tests.streams import open_streams

EVENTS, SEED = 150, 20261130


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("billing") / "data"
    with billing(data) as running:
        yield running
    up.remove(data)


@pytest.fixture(autouse=True)
def _stripe_as_ever(paid: Stack) -> Iterator[None]:
    yield
    paid.sandbox.switch(
        "stripe", webhook_delivery="once", webhook_order="kept", webhook_signature="valid", webhook_delay=0.0
    )
    until(lambda: all_delivered(paid), bool, 60)


def people(stack: Stack) -> tuple[Person, Person]:
    """An owner and a member of an organization of their own."""
    owner = stack.person(organization=f"Billed {uuid4()}")
    return owner, stack.member_of(owner, "user")


def expire(stack: Stack) -> None:
    stack.sandbox.advance(30 * DAY + 60)


def test_a_trial_ends_and_a_reactivation_goes_everywhere_at_once(paid: Stack) -> None:
    ana, ben = people(paid)
    connection = ben.connect()["id"]
    assert state_of(ana) == "trial"
    account = ben.api("GET", "me").json()["account"]
    assert (account["state"], account["tier"], bool(account["stops_at"])) == ("trial", "premium", True)
    assert gate_of(ben)["ok"]
    sent = ben.send(connection)
    ben.email_when(sent["id"], "sent")
    later = ben.send(connection, subject="In a month", send_at=in_(paid, 30 * DAY + 30 * 60))
    other = ben.send(connection, subject="In a month, too", send_at=in_(paid, 30 * DAY + 30 * 60))
    far = ben.send(connection, subject="In two months", send_at=in_(paid, 60 * DAY))
    with open_streams(paid.url, ben.bearer, 1) as stream:
        expire(paid)
        until(lambda: stream.count(b"event: account"), bool, 20)
        shut = gate_of(ben, connection=connection)
        assert (shut["ok"], shut["cause"], shut["who"]) == (
            False,
            "account_inactive",
            [{"name": ana.email, "email": ana.email}],
        )
        assert shut["fix"] == {"label": "Ask an owner", "url": "/account/billing/ask"}
        refused = ben.api("POST", "emails", {"connection": connection, "to": ["a@b.example"], "subject": "x"})
        assert (refused.status_code, refused.json()["cause"]) == (409, "account_inactive")
        planned = ben.api(
            "POST",
            "emails",
            {"connection": connection, "to": ["a@b.example"], "subject": "x", "send_at": in_(paid, 90 * DAY)},
        )
        assert (planned.status_code, planned.json()["cause"]) == (409, "account_inactive")
        moved = ben.api("POST", f"emails/{far['id']}/reschedule", {"send_at": in_(paid, 61 * DAY)})
        assert (moved.status_code, moved.json()["cause"]) == (409, "account_inactive")
        # What was scheduled says what will happen; what is due is held.
        told = ben.api("GET", f"emails/{far['id']}").json()["problem_detail"]
        assert told["sentence"].startswith("It will not leave at its hour as things stand.")
        paid.sandbox.advance(30 * 60)
        held = ben.email_when(later["id"], "held")
        assert held["problem"] == "account_inactive"
        ben.email_when(other["id"], "held")
        assert "Look through them" not in ben.get("/emails?filter=needs").text
        # Reading, and what is out there, goes on.
        assert ben.get("/emails").status_code == 200
        assert ben.get(f"/emails/{sent['id']}").status_code == 200
        assert ben.api("GET", "emails").status_code == 200
        (message,) = paid.sandbox.messages(delivery=sent["deliveries"][0]["id"])
        paid.sandbox.act(message["id"], "click", as_="browser")
        ben.signals(sent["id"], 1)
        # Nothing new is connected; a connection that stands may be repaired.
        new = ben.get("/oauth/google/start?capabilities=send&kind=personal", allow_redirects=False)
        assert (new.status_code, "Nothing was connected" in new.text, ana.email in new.text) == (
            403,
            True,
            True,
        )
        again = ben.get(f"/oauth/google/start?connection={connection}", allow_redirects=False)
        assert again.status_code == 302
        before = stream.count(b"event: account")
        heard = len(re.findall(rb"event: account", stream.received[0]))
        page = subscribe(ana)
        assert "can send. It took effect everywhere at once." in page.text
        until(lambda: len(re.findall(rb"event: account", stream.received[0])), lambda n: n > heard, 5)
        assert before
    assert state_of(ben) == "active"
    assert gate_of(ben)["ok"]
    # No reconnect: the key was kept alive, and the next mail leaves.
    ben.email_when(ben.send(connection)["id"], "sent")
    # What was held waits for somebody, who lets it go; what was not due yet leaves at its hour.
    assert ben.api("GET", f"emails/{later['id']}").json()["status"] == "held"
    listed = ben.get("/emails?filter=needs").text
    assert "Look through them" in listed
    through = ben.get(f"/emails/held/{connection}?cause=account_inactive")
    assert (
        "Their hour passed while the account was inactive, and nothing leaves late unasked." in through.text
    )
    assert "One every 5 minutes" in through.text
    assert ben.api("POST", f"emails/{later['id']}/release").status_code == 200
    ben.email_when(later["id"], "sent")
    assert ben.api("GET", f"emails/{far['id']}").json()["status"] == "scheduled"


def in_(stack: Stack, seconds: float) -> str:
    """An hour by the sandbox's clock."""
    now = datetime.fromisoformat(stack.sandbox.control("GET", "clock")["now"])
    return (now.astimezone(UTC) + timedelta(seconds=seconds)).isoformat()


def test_every_page_answers_while_the_account_is_inactive_as_it_did(paid: Stack) -> None:
    ana, ben = people(paid)
    ben.connect()
    before = [pages_of(ana), pages_of(ben)]
    expire(paid)
    assert state_of(ben) == "inactive"
    assert [pages_of(ana), pages_of(ben)] == before


def pages_of(person: Person) -> dict[str, int]:
    """The status of every page that has no id in its address."""
    paths = [route for route, methods in OWN.items() if "GET" in methods and "<" not in route]
    found = {path: person.get(f"/{path}", allow_redirects=False).status_code for path in paths}
    assert len(found) > 20
    assert max(found.values()) < 500, found
    return found


def test_a_customer_that_was_deleted_at_stripe_is_replaced(paid: Stack) -> None:
    ana, _ = people(paid)
    expire(paid)
    subscribe(ana)
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    customers = f"{paid.up.sandbox_url}/v1/customers"

    def delete() -> None:
        found = requests.get(customers, params={"email": ana.email}, headers=headers, timeout=30)
        for one in found.json()["data"]:
            gone = requests.delete(f"{customers}/{one['id']}", headers=headers, timeout=30)
            assert gone.status_code == 200

    delete()
    until(lambda: state_of(ana), lambda state: state == "inactive", 20)
    subscribe(ana)
    assert state_of(ana) == "active"
    # Where no event tells it, the portal does: then there is nothing to manage any more.
    until(lambda: all_delivered(paid), bool, 20)  # one that is late would tell it
    paid.sandbox.switch("stripe", webhook_delivery="dropped")
    delete()
    assert state_of(ana) == "active"
    assert "Stripe does not know this customer any more" in ana.post("/account/billing/portal").text
    assert state_of(ana) == "inactive"
    assert "Manage at Stripe" not in ana.get("/account/billing").text
    assert "area=billing" in ana.get("/settings/audit").text


def test_roles_and_strangers_on_each_route(paid: Stack) -> None:
    ana, ben = people(paid)
    tom = paid.member_of(ana, "manager")
    eve = paid.person("eve", "Elsewhere")
    for person in (ben, tom):
        page = person.get("/account/billing")
        assert (page.status_code, "Manage at Stripe" in page.text, ana.email in page.text) == (
            200,
            False,
            True,
        )
        for path in ("checkout", "portal"):
            refused = person.post(f"/account/billing/{path}", {"tier": "starter"}, allow_redirects=False)
            assert (refused.status_code, "Only an owner can pay" in refused.text) == (403, True)
        asked = person.get("/account/billing/ask")
        assert (asked.status_code, ana.email in asked.text) == (200, True)
    assert not [one for one in paid.sandbox.calls(provider="stripe") if one["account"] == ana.email]
    assert ana.get("/account/billing/ask", allow_redirects=False).headers["Location"] == "/account/billing"
    assert (
        ana.post("/account/billing/portal", allow_redirects=False).headers["Location"] == "/account/billing"
    )
    assert ana.post("/account/billing/checkout", {"tier": "gold"}, allow_redirects=False).status_code == 302
    # The session of another owner's Checkout proves nothing to a stranger's account.
    expire(paid)
    back = press(checkout(ana), "pay").removeprefix(paid.url)
    assert "Nothing was changed" in eve.get(back).text
    assert state_of(eve) == "inactive"
    assert "Nothing was changed" not in ana.get(back).text
    assert state_of(ana) == "active"
    for strange in ("cs_test_nothing", "x" * 400, "../v1/customers", "%00"):
        assert ana.get(f"/account/billing?checkout={strange}").status_code == 200
    assert state_of(ana) == "active"


def test_paying_early_loses_no_day_of_the_trial(paid: Stack) -> None:
    ana, _ = people(paid)
    paid.sandbox.advance(10 * DAY)
    subscribe(ana, "starter")
    assert state_of(ana) == "trial"
    assert "Premium while it is tried, then Starter" in ana.get("/account/billing").text
    paid.sandbox.advance(19 * DAY)
    assert state_of(ana) == "trial"
    paid.sandbox.advance(2 * DAY)
    until(lambda: state_of(ana), lambda state: state == "active", 20)
    assert gate_of(ana, cc=["b@b.example"], separate_copies=True)["cause"] == "tier_lacks"


def test_a_subscription_that_stands_leads_to_the_portal_and_a_second_press_to_the_same_page(
    paid: Stack,
) -> None:
    ana, _ = people(paid)
    expire(paid)
    first, second = checkout(ana), checkout(ana)
    assert first == second
    assert press(first, "cancel") == f"{paid.url}/account/billing"
    subscribe(ana)
    assert "/p/session/" in checkout(ana)
    assert "/p/session/" in portal(ana)


def test_owed_then_over_then_settled(paid: Stack) -> None:
    ana, ben = people(paid)
    expire(paid)
    subscribe(ana, act="pay_once")
    assert state_of(ben) == "active"
    paid.sandbox.switch("stripe", dunning_ends="past_due")
    paid.sandbox.advance(31 * DAY + 7200)
    until(lambda: state_of(ben), lambda state: state == "past_due", 20)
    assert gate_of(ben)["ok"]
    assert "Unless it is settled, sending stops" in ben.get("/emails").text
    assert "Settle it until" in ana.get("/account/billing").text
    paid.sandbox.advance(7 * DAY)
    assert state_of(ben) == "inactive"
    assert gate_of(ben)["cause"] == "account_inactive"
    assert "Give a card that works there" in ana.get("/account/billing").text
    page = {"status": 200, "body": "<html>", "content_type": "text/html"}
    paid.sandbox.fault("portal.create", "garbage", provider="stripe", times=1, **page)
    answer = ana.post("/account/billing/portal")
    assert "Its answer was none that we can use (status 200). Nothing was changed" in answer.text
    press(portal(ana), "fix_card")
    until(lambda: state_of(ben), lambda state: state == "active", 20)
    paid.sandbox.switch("stripe", dunning_ends="canceled")


def test_cancelled_at_its_end_and_at_once_and_back_again(paid: Stack) -> None:
    ana, _ = people(paid)
    expire(paid)
    subscribe(ana)
    sub = subscription_of(ana)
    press(portal(ana), "cancel_later", subscription=sub)
    until(lambda: "<dt>Ends</dt>" in ana.get("/account/billing").text, bool, 20)
    assert state_of(ana) == "active"
    press(portal(ana), "cancel_now", subscription=sub)
    until(lambda: state_of(ana), lambda state: state == "inactive", 20)
    subscribe(ana, "premium")
    assert state_of(ana) == "active"


def test_a_subscription_that_stripe_does_not_know_any_more_has_ended(paid: Stack) -> None:
    ana, _ = people(paid)
    expire(paid)
    subscribe(ana)
    press(portal(ana), "cancel_now", subscription=subscription_of(ana))
    until(lambda: state_of(ana), lambda state: state == "inactive", 20)
    until(lambda: all_delivered(paid), bool, 60)
    row = (
        "UPDATE billing_billingsubscription SET external_id = %s, status = 'active' WHERE account_id ="
        " (SELECT m.organization_id FROM organizations_member m JOIN organizations_user u ON u.id = m.user_id"
        " WHERE u.email = %s)"
    )
    sql(paid, row, f"sub_lost{ana.email.partition('@')[0]}", ana.email)
    assert state_of(ana) == "active"
    # Whoever asks Stripe anew, here to subscribe again, is told.
    assert "/c/pay/" in checkout(ana)
    assert state_of(ana) == "inactive"


def test_what_is_forged_stale_or_from_the_future_changes_nothing(paid: Stack) -> None:
    ana, _ = people(paid)
    expire(paid)
    subscribe(ana)
    sub = subscription_of(ana)
    for signature in ("wrong_secret", "stale", "future", "v0_only", "absent"):
        forged = paid.sandbox.control(
            "POST",
            "stripe/forge",
            {"type": "customer.subscription.deleted", "object": sub, "signature": signature},
        )
        assert forged["status"] == 400, signature
    # One that is signed well and never was is still only a reason to ask.
    told = {"type": "customer.subscription.deleted", "object": sub, "signature": "valid"}
    assert paid.sandbox.control("POST", "stripe/forge", told)["status"] == 200
    assert state_of(ana) == "active"
    for body in (b"", b"{}", b"\xff", b"x" * 600_000):
        answer = requests.post(f"{paid.url}/webhooks/stripe", data=body, timeout=30)
        assert answer.status_code in {400, 413}
    assert requests.get(f"{paid.url}/webhooks/stripe", timeout=30).status_code == 405


def test_a_lost_event_is_found_within_a_day_and_stripe_away_is_asked_again(paid: Stack) -> None:
    ana, _ = people(paid)
    expire(paid)
    subscribe(ana)
    sub = subscription_of(ana)
    paid.sandbox.switch("stripe", webhook_delivery="dropped")
    press(portal(ana), "cancel_now", subscription=sub)
    assert state_of(ana) == "active"
    paid.sandbox.advance(DAY + 3600)
    until(lambda: state_of(ana), lambda state: state == "inactive", 30)
    paid.sandbox.switch("stripe", webhook_delivery="once")
    fault = paid.sandbox.fault("subscriptions.list", "outage", provider="stripe")
    page = checkout_while_away(paid, ana, fault)
    # Before it is paid: the event comes at once.
    fault = paid.sandbox.fault("read", "outage", provider="stripe")
    back = press(page, "pay")
    assert "Stripe gave no answer just now" in ana.get(back.removeprefix(paid.url)).text
    until(lambda: [one for one in webhooks(paid) if one["status"] == 500], bool, 20)
    assert state_of(ana) == "inactive"
    paid.sandbox.control("DELETE", f"faults/{fault}")
    paid.sandbox.advance(600)
    until(lambda: state_of(ana), lambda state: state == "active", 20)


def checkout_while_away(stack: Stack, owner: Person, fault: str) -> str:
    """Nothing is begun while Stripe does not answer, and it is said; then it is."""
    answer = owner.post("/account/billing/checkout", {"tier": "starter"})
    assert "Stripe did not open its page" in answer.text
    stack.sandbox.control("DELETE", f"faults/{fault}")
    return checkout(owner, "starter")


@pytest.mark.storm
def test_events_in_any_order_end_as_in_order_and_as_stripe_says(
    paid: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    books = billing_storm.storm(paid, events=EVENTS, seed=SEED)
    with capsys.disabled():
        print(f"\nstorm: {books}")
    assert books.shortfalls(EVENTS) == []
