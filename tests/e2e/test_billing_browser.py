"""A trial ends at the browser: the send is blocked, the owner pays, and the page that waited sends."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect
from tests import up
from tests.billing_stack import DAY, billing, press, subscribe, subscription_of
from tests.billing_stack import portal as portal_of
from tests.e2e.pages import complaints, window
from tests.e2e.test_compose_sending import write
from tests.e2e.test_unknown import look_at
from tests.stack import Stack

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("billing") / "data"
    with billing(data) as running:
        yield running
    up.remove(data)


def test_from_the_end_of_a_trial_to_the_next_mail_without_reloading(chromium: Browser, paid: Stack) -> None:
    ana = paid.person(organization=f"Billed {uuid4()}")
    ben = paid.member_of(ana, "user")
    ben.connect()
    with window(chromium, ben) as his, window(chromium, ana) as hers:
        page, owner = his.new_page(), hers.new_page()
        heard = [complaints(page), complaints(owner)]
        draft = write(page, paid)
        expect(page.locator("#gates")).to_contain_text("Ready to send")
        expect(page.locator("#gate-account")).to_have_count(0)
        paid.sandbox.advance(30 * DAY + 60)
        # Nobody reloads: the page hears of it, names the owner and has the button.
        gate = page.locator("#gate-account")
        expect(gate).to_contain_text("is inactive: its trial is over.", timeout=20_000)
        expect(gate).to_contain_text(f"Who can help: {ana.email}")
        expect(gate.get_by_role("button", name="Ask an owner")).to_be_visible()
        expect(page.locator("#account-note")).to_contain_text("is inactive")
        page.evaluate("window.neverReloaded = true")
        faults = look_at(page, "account-inactive")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(gate).to_be_visible()
        assert page.url.startswith(f"{paid.url}/emails/new")
        # The owner goes to Stripe and comes back.
        owner.goto(f"{paid.url}/emails")
        owner.locator("#account-note").get_by_role("button", name="Reactivate").click()
        owner.wait_for_url(f"{paid.url}/account/billing*")
        faults += look_at(owner, "billing-inactive")
        owner.get_by_title("Reactivate: Business").click()
        owner.get_by_role("button", name="Pay", exact=True).click()
        owner.wait_for_url(f"{paid.url}/account/billing")
        expect(owner.locator("#toasts")).to_contain_text("can send. It took effect everywhere at once.")
        expect(owner.locator("#billing")).to_contain_text("Active")
        faults += look_at(owner, "billing-active")
        # The blocked member's page, as it stands.
        expect(page.locator("#gates")).to_contain_text("Ready to send", timeout=20_000)
        expect(page.locator("#account-note")).to_be_empty()
        assert page.evaluate("window.neverReloaded") is True
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(f"{paid.url}/emails/{draft}")
        expect(page.locator("#timeline")).to_contain_text("Accepted", timeout=30_000)
        assert heard == [[], []]
        assert faults == []


def test_a_member_asks_an_owner_and_the_last_week_is_told_on_every_page(
    chromium: Browser, paid: Stack
) -> None:
    ana = paid.person(organization=f"Billed {uuid4()}")
    ben = paid.member_of(ana, "user")
    with window(chromium, ben) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{paid.url}/emails")
        expect(page.locator("#account-note")).to_be_empty()
        paid.sandbox.advance(25 * DAY)
        page.goto(f"{paid.url}/emails")
        note = page.locator("#account-note")
        expect(note).to_contain_text("'s trial ends in 5 days, on ")
        faults = look_at(page, "account-ends")
        note.get_by_role("button", name="Ask an owner").click()
        expect(page.locator("#toasts")).to_contain_text("is asked to look after the account of")
        page.goto(f"{paid.url}/account/billing")
        expect(page.get_by_role("button", name="Choose")).to_have_count(0)
        expect(page.locator("#billing")).to_contain_text(
            f"Only an owner can pay, change the plan or cancel: {ana.email}"
        )
        faults += look_at(page, "billing-member")
        # Whoever has the page open sees it change.
        subscribe(ana)
        press(portal_of(ana), "cancel_later", subscription=subscription_of(ana))
        expect(page.locator("#billing")).to_contain_text("Trial")
        assert faults == []
        assert heard == []
