"""A look at the Sent copy in the browser that the sender uses Truesend with is not counted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.pages import window
from tests.integration.test_sender_looks import mail
from tests.stack import Stack

pytestmark = pytest.mark.browser


def test_the_senders_own_look_is_not_counted(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email, pixel = mail(stack, ana)
    with window(chromium, ana) as context:
        page, listing, copy = context.new_page(), context.new_page(), context.new_page()
        page.goto(f"{stack.url}/emails/{email}")
        listing.goto(f"{stack.url}/emails")
        page.wait_for_selector("body[data-live-state=open]")
        copy.set_content(f'<p>Hello</p><img src="{pixel}" alt="">')
        expect(page.locator("#timeline")).to_contain_text("You looked", timeout=2000)
        expect(page.locator("#timeline")).to_contain_text("Not counted.")
        expect(page.get_by_role("button", name="Strike")).to_have_count(0)
        expect(listing.locator(".email-row")).to_contain_text("Sent")
        expect(listing.locator(".email-row")).not_to_contain_text("Opened")
        listing.wait_for_timeout(300)
        assert page.locator("#toasts [data-notice]").count() + listing.locator("[data-notice]").count() == 0
    (signal,) = ana.signals(email, 1)
    assert signal["class"] == "self"
