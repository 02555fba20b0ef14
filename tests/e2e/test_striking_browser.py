"""Striking a signal with the keyboard; every open page follows, and the person stays where they were."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.pages import axe, complaints, overflow, window
from tests.stack import Stack

pytestmark = pytest.mark.browser


def test_striking_by_keyboard_reaches_every_open_page(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    sent = ana.send(ana.connect()["id"])
    delivery = ana.email_when(sent["id"], "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    stack.sandbox.advance(30)
    stack.sandbox.act(message["id"], "scan", as_="safelinks")
    stack.sandbox.act(message["id"], "open", as_="browser")
    stack.sandbox.act(message["id"], "click", as_="browser")
    ana.signals(sent["id"], 3)
    with window(chromium, ana) as context:
        page, other, listing = context.new_page(), context.new_page(), context.new_page()
        heard = complaints(page)
        for tab in (page, other):
            tab.goto(f"{stack.url}/emails/{sent['id']}")
        listing.goto(f"{stack.url}/emails")
        for tab in (page, other, listing):
            tab.wait_for_selector("body[data-live-state=open]")
        button = page.get_by_role("button", name="Strike: Clicked “new price list”", exact=True)
        expect(button).to_have_count(1)
        expect(listing.locator(".email-row")).to_contain_text("Clicked")

        button.focus()
        page.keyboard.press("Enter")
        undo = page.get_by_role("button", name="Unstrike: Clicked “new price list”", exact=True)
        expect(undo).to_be_focused(timeout=2000)
        for tab in (page, other):
            expect(tab.locator("#timeline")).to_contain_text("You struck it: not counted.", timeout=2000)
        expect(listing.locator(".email-row")).to_contain_text("Opened", timeout=2000)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert axe(page) == []
            assert overflow(page) == 0

        page.keyboard.press("Enter")
        expect(button).to_be_focused(timeout=2000)
        expect(listing.locator(".email-row")).to_contain_text("Clicked", timeout=2000)
        assert heard == []
