"""Pages that change by themselves, and what they say when they cannot."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Route, expect
from tests import figures
from tests.e2e.pages import complaints, window
from tests.stack import Stack

pytestmark = pytest.mark.browser


@pytest.mark.alone
def test_an_open_appears_in_every_tab_within_a_second(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    sent = ana.send(ana.connect()["id"])
    delivery = ana.email_when(sent["id"], "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    stack.sandbox.advance(30)
    with window(chromium, ana) as context:
        page, listing = context.new_page(), context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/emails/{sent['id']}")
        listing.goto(f"{stack.url}/emails")
        for tab in (page, listing):
            tab.wait_for_selector("body[data-live-state=open]")
        expect(listing.locator(".email-row")).to_contain_text("Sent")

        stack.sandbox.act(message["id"], "open", as_="gmail")
        hit = time.monotonic()
        expect(page.locator("#timeline")).to_contain_text("Opened", timeout=figures.limit(1.0) * 1000)
        assert time.monotonic() - hit < figures.limit(1.0)
        # At 70 % the list does not claim it.
        expect(listing.locator(".email-row")).to_contain_text(
            "Perhaps opened", timeout=figures.limit(1.0) * 1000
        )

        stack.sandbox.act(message["id"], "click", as_="browser")
        expect(page.locator("#timeline")).to_contain_text(
            "Clicked “new price list”", timeout=figures.limit(1.0) * 1000
        )
        expect(listing.locator(".email-row")).to_contain_text("Clicked", timeout=figures.limit(1.0) * 1000)
        assert heard == []


def test_what_somebody_unfolded_stays_unfolded(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/integration")
        page.wait_for_selector("body[data-live-state=open]")
        page.get_by_text("What happened").click()
        assert ana.api("POST", f"connections/{connection['id']}/verify").ok
        expect(page.locator(".ledger")).to_contain_text("Checked: works", timeout=3000)
        assert page.locator("details[open]").count() == 1


def test_a_page_that_cannot_refresh_says_so_and_catches_up(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    sent = ana.send(ana.connect()["id"])
    delivery = ana.email_when(sent["id"], "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    stack.sandbox.advance(30)
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/{sent['id']}")
        page.wait_for_selector("body[data-live-state=open]")

        def cut(route: Route) -> None:
            route.abort()

        page.route("**/timeline", cut)
        stack.sandbox.act(message["id"], "open", as_="gmail")
        expect(page.get_by_text("Could not refresh. Trying again.")).to_be_visible()
        assert page.get_by_text("Accepted by Google").is_visible()
        # The health line refreshes well: that says nothing about the timeline.
        with page.expect_response("**/partials/health"):
            page.evaluate("document.body.dispatchEvent(new CustomEvent('truesend:account'))")
        page.wait_for_timeout(200)
        assert page.get_by_text("Could not refresh. Trying again.").is_visible()
        page.unroute("**/timeline", cut)
        expect(page.locator("#timeline")).to_contain_text("Opened", timeout=8000)
        expect(page.locator("#live-note")).to_be_hidden()


def test_a_session_that_ended_elsewhere_is_told_not_shown_as_a_sign_in_form(
    chromium: Browser, stack: Stack
) -> None:
    ana = stack.person()
    connection = ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/integration")
        page.wait_for_selector("body[data-live-state=open]")
        _ = ana.bearer
        ana.post("/logout")
        assert ana.api("POST", f"connections/{connection['id']}/verify").ok
        expect(page.get_by_text("You are signed out, so this page no longer updates.")).to_be_visible()
        assert page.get_by_role("button", name="Verify now").count() == 1


def test_what_a_dead_grant_held_goes_at_one_press_after_reconnecting(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()
    stack.sandbox.fault("any", "revoke_grant", account=ana.email)
    sent = ana.send(connection["id"])
    ana.email_when(sent["id"], "held")
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/emails?filter=needs")
        page.locator(".email-row").get_by_role("link").click()
        note = page.locator("#timeline .note")
        expect(note).to_contain_text("Nothing was sent. Google says that the permission was withdrawn")
        assert page.get_by_role("button", name="Send now").count() == 0
        stack.sandbox.consent(ana.email)
        note.get_by_role("button", name="Reconnect").click()
        page.wait_for_url(f"{stack.url}/emails/{sent['id']}?connected=*")
        expect(note).to_contain_text("What stood in its way is gone")
        page.get_by_role("button", name="Send now").click()
        expect(page.locator(".timeline")).to_contain_text("Accepted by Google", timeout=15_000)
        expect(page.locator("#timeline .note")).to_have_count(0)
        assert heard == []
    delivery = ana.email_when(sent["id"], "sent")["deliveries"][0]["id"]
    assert len(stack.sandbox.messages(delivery=delivery)) == 1


def test_what_a_limit_held_goes_by_itself_and_the_page_says_when(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()
    stack.sandbox.fault("send", "daily_limit", account=ana.email, seconds=3600, retry_after=3600)
    sent = ana.send(connection["id"], to=["ines@globex.example", "tom@globex.example"], separate_copies=True)
    ana.email_when(sent["id"], "held")
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/{sent['id']}")
        page.wait_for_selector("body[data-live-state=open]")
        expect(page.locator("#timeline")).to_contain_text(
            "2 of 2 copies: nothing was sent yet.", timeout=15_000
        )
        expect(page.locator("#timeline")).to_contain_text("It goes by itself at")
        assert page.get_by_role("button", name="Send now").count() == 0
        assert page.get_by_role("button", name="Stop", exact=True).is_visible()
        page.get_by_text("Copies: 2 held").click()
        expect(page.locator("#copies")).to_contain_text("It goes by itself when the limit ends.")
        stack.sandbox.advance(3700)
        expect(page.locator(".timeline")).to_contain_text("Accepted by Google", timeout=20_000)
        expect(page.locator("#timeline .note")).to_have_count(0, timeout=20_000)
        # What somebody unfolded stays so while it changes.
        expect(page.locator("#copies[open]")).to_contain_text("Google has taken it over.")


def test_a_moment_after_sending_it_can_be_taken_back_from_its_page(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    sent = ana.send(ana.connect()["id"], undo_seconds=60)
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/{sent['id']}")
        expect(page.locator("#timeline")).to_contain_text("leaves in")
        page.get_by_role("button", name="Undo").click()
        page.wait_for_url(f"{stack.url}/emails/new?draft={sent['id']}")
        expect(page.get_by_label("Subject")).to_have_value("Proposal")
