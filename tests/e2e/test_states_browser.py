"""What an email's page says while it cannot be fresh, and how the keyboard fares on it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.pages import axe, overflow, window
from tests.e2e.test_places import sent
from tests.stack import Stack

pytestmark = pytest.mark.browser

CUT = "This page is not live right now. It tries again by itself."


def test_a_cut_stream_is_told_and_the_page_goes_on_asking(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email, message = sent(stack, ana)
    with window(chromium, ana) as context:
        # Without a shared worker, whose requests no test can reach.
        context.add_init_script("delete window.SharedWorker")
        page = context.new_page()
        page.route("**/api/v1/events", lambda route: route.abort())
        page.goto(f"{stack.url}/emails/{email}")
        note = page.locator("#live-note")
        expect(note).to_contain_text(CUT, timeout=5000)
        assert axe(page) == []
        stack.sandbox.act(message, "click", as_="browser")
        ana.signals(email, 1)
        page.get_by_role("button", name="Try now").press("Enter")
        expect(page.locator("#timeline")).to_contain_text("Clicked “new price list”", timeout=2000)
        expect(note).to_contain_text(CUT)
        stack.sandbox.act(message, "click", as_="browser")
        expect(page.locator("#email-links")).to_contain_text("clicked twice", timeout=8000)

        page.route("**/timeline", lambda route: route.fulfill(status=503))
        expect(note).to_contain_text("Could not refresh. Trying again.", timeout=8000)
        page.set_viewport_size({"width": 390, "height": 844})
        assert axe(page) == []
        assert overflow(page) == 0
        page.unroute("**/timeline")
        page.unroute("**/api/v1/events")
        expect(note).to_be_hidden(timeout=20_000)
        expect(page.locator("body")).to_have_attribute("data-live-state", "open")


def test_older_entries_come_below_and_the_reader_stays(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email, message = sent(stack, ana)
    for _ in range(120):
        stack.sandbox.act(message, "click", as_="browser")
        stack.sandbox.advance(61)
    ana.signals(email, 120, 30)
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/{email}")
        page.wait_for_selector("body[data-live-state=open]")
        entries = page.locator(".timeline > li")
        expect(entries).to_have_count(100)
        older = page.get_by_role("link", name="Show older")
        older.focus()
        page.keyboard.press("Enter")
        expect(entries).to_have_count(121)
        expect(page.locator(".timeline")).to_contain_text("Accepted by Google")
        expect(older).to_have_count(0)
        # The button is gone; the keyboard goes on at what it brought.
        page.wait_for_function("document.activeElement.closest('#timeline') !== null", timeout=3_000)
        # What comes now comes on top, and the older ones stay.
        stack.sandbox.act(message, "click", as_="browser")
        expect(entries).to_have_count(122, timeout=3000)
        assert axe(page) == []
        assert overflow(page) == 0


def test_an_email_is_read_and_struck_by_keyboard_alone(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email, message = sent(stack, ana)
    stack.sandbox.act(message, "click", as_="browser")
    ana.signals(email, 1)
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/{email}")
        page.wait_for_selector("body[data-live-state=open]")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        reached: list[str] = []
        for _ in range(20):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate("document.activeElement.textContent.trim() || document.activeElement.tagName")
            )
        for name in ("All emails", "IFRAME", "One link, clicked", "new price list", "Strike"):
            assert name in reached, reached
        page.get_by_role("button", name="Strike: Clicked “new price list”").focus()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Unstrike: Clicked “new price list”")).to_be_focused()
        expect(page.locator("#email-links")).to_contain_text("new price list – not yet")
