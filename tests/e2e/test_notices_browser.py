"""A person opened, clicked or answered: every page somebody looks at says so at once, and without a flood."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from tests import figures
from tests.e2e.pages import axe, complaints, overflow, window
from tests.e2e.test_places import sent
from tests.stack import Stack, until

pytestmark = pytest.mark.browser

# Remembers what the browser was told to show; and lets a test say that nobody looks at the page.
WATCH = """
window.shown = [];
const Real = window.Notification;
window.Notification = class extends Real {
  constructor(title, options) { super(title, options); window.shown.push({ title, tag: options.tag, self: this }); }
};
let hidden = false;
Object.defineProperty(document, 'hidden', { get: () => hidden });
Object.defineProperty(document, 'visibilityState', { get: () => (hidden ? 'hidden' : 'visible') });
window.hide = (on) => { hidden = on; document.dispatchEvent(new Event('visibilitychange')); };
"""


def opened(stack: Stack, page: Page, path: str) -> Page:
    """A page that hears events."""
    page.goto(stack.url + path)
    page.wait_for_selector("body[data-live-state=open]")
    return page


def notices(page: Page) -> list[str]:
    found: list[str] = page.locator("#toasts [data-notice] a").all_text_contents()
    return found


@pytest.mark.alone
def test_a_click_is_told_on_every_page_within_a_second(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email, message = sent(stack, ana)
    with window(chromium, ana) as context:
        listing = opened(stack, context.new_page(), "/emails")
        account = opened(stack, context.new_page(), "/account")
        heard = complaints(listing)
        stack.sandbox.act(message, "click", as_="browser")
        hit = time.monotonic()
        words = "Ines Moreau clicked “new price list” in “Proposal”"
        expect(listing.get_by_role("link", name=words)).to_be_visible(timeout=figures.limit(1.0) * 1000)
        took = time.monotonic() - hit
        expect(account.get_by_role("link", name=words)).to_be_visible(timeout=figures.limit(1.0) * 1000)
        expect(listing.locator(".email-row")).to_contain_text("Clicked", timeout=figures.limit(1.0) * 1000)
        number = time.monotonic() - hit
        assert axe(listing) == []
        listing.set_viewport_size({"width": 390, "height": 844})
        assert overflow(listing) == 0
        assert axe(listing) == []

        # Again is no news, and the page that comes next says it no second time.
        stack.sandbox.act(message, "click", as_="browser")
        ana.signals(email, 2)
        account.wait_for_timeout(1500)
        assert notices(account) == [words]
        account.get_by_role("link", name=words).press("Enter")
        account.wait_for_url(f"**/emails/{email}#signal-*")
        account.wait_for_selector("body[data-live-state=open]")
        stack.sandbox.act(message, "click", as_="browser")
        ana.signals(email, 3)
        account.wait_for_timeout(700)
        assert notices(account) == []
        assert heard == []
    print(f"notice after {took * 1000:.0f} ms, the list after {number * 1000:.0f} ms")


def test_only_what_a_person_did_with_ones_own_email_is_told(chromium: Browser, stack: Stack) -> None:
    ana = stack.person(organization=f"Noticed {uuid4()}")
    tom = stack.member_of(ana)
    email, message = sent(stack, ana)
    with window(chromium, ana) as hers, window(chromium, tom) as his:
        page = opened(stack, hers.new_page(), "/emails")
        other = opened(stack, his.new_page(), "/emails")
        stack.sandbox.act(message, "scan", as_="safelinks")
        stack.sandbox.act(message, "open", as_="apple")
        stack.sandbox.act(message, "open", as_="gmail")
        until(
            lambda: {one["class"] for one in ana.signals(email, 0)},
            lambda classes: classes == {"scanner", "proxy", "person"},
            10,
        )
        page.wait_for_timeout(1200)
        assert notices(page) == []
        stack.sandbox.advance(600)
        stack.sandbox.act(message, "click", as_="browser")
        expect(page.locator("#toasts [data-notice]")).to_have_count(1)
        other.wait_for_timeout(500)
        assert notices(other) == []

        # A member knows better: what was told is taken back.
        (signal,) = [
            one for one in ana.signals(email, 4) if one["kind"] == "click" and one["class"] == "person"
        ]
        assert ana.api("POST", f"signals/{signal['id']}/strike").ok
        expect(page.locator("#toasts [data-notice]")).to_have_count(0, timeout=3000)


def test_many_at_once_are_one_notice_to_an_email(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    people = [f"person{number}@firm{number}.example" for number in range(5)]
    email = ana.send(ana.connect()["id"], to=people, separate_copies=True)["id"]
    copies = ana.email_when(email, "sent")["deliveries"]
    found = [stack.sandbox.messages(delivery=one["id"])[0]["id"] for one in copies]
    stack.sandbox.advance(60)
    with window(chromium, ana) as context:
        page = opened(stack, context.new_page(), "/emails")
        for message in found:
            for _ in range(4):
                stack.sandbox.act(message, "open", as_="browser")
        ana.signals(email, 20)
        expect(page.get_by_role("link", name="5 people opened “Proposal”")).to_be_visible(timeout=4000)
        page.wait_for_timeout(1200)
        assert notices(page) == ["5 people opened “Proposal”"]


def test_of_a_shared_thread_nobody_is_named(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    people = ["Ines Moreau <ines@globex.example>", "tom@globex.example", "raj@globex.example"]
    email, message = sent(stack, ana, to=people)
    with window(chromium, ana) as context:
        page = opened(stack, context.new_page(), "/emails")
        stack.sandbox.act(message, "click", as_="browser", to="tom@globex.example")
        expect(page.locator("#toasts")).to_contain_text(
            "One of 3 people clicked “new price list” in “Proposal”"
        )
        page.goto(f"{stack.url}/emails/{email}")
        expect(page.locator(".timeline")).to_contain_text("One of 3 people clicked “new price list”")
        expect(page.locator("#email-links")).to_contain_text("clicked once by one of 3 people")
        for shown in ("#timeline", "#email-links"):
            expect(page.locator(shown)).not_to_contain_text("tom@globex")
        page.goto(f"{stack.url}/emails")
        expect(page.locator(".email-row")).to_contain_text("one of 3 people")


def switch_of(page: Page) -> Any:
    return page.get_by_role("switch", name="Tell me when somebody opens or clicks")


def test_the_browser_notifies_where_nobody_looks_and_only_if_asked_to(
    chromium: Browser, stack: Stack
) -> None:
    ana = stack.person()
    email, message = sent(stack, ana)
    with window(chromium, ana) as context:
        context.add_init_script(WATCH)
        context.grant_permissions(["notifications"], origin=stack.url)
        page = opened(stack, context.new_page(), f"/emails/{email}")
        other = opened(stack, context.new_page(), "/emails")
        for tab in (page, other):
            tab.evaluate("window.hide(true)")
        stack.sandbox.act(message, "open", as_="browser")
        ana.signals(email, 1)
        page.wait_for_timeout(800)
        assert page.evaluate("window.shown.length") + other.evaluate("window.shown.length") == 0

        # Nobody had asked: it is told when somebody looks again.
        other.evaluate("window.hide(false)")
        expect(other.locator("#toasts")).to_contain_text("Ines Moreau opened “Proposal”")
        page.evaluate("window.hide(false)")
        switch_of(page).press("Space")
        expect(switch_of(page)).to_be_checked()
        expect(page.get_by_text("On in this browser, while no page of Truesend is in view.")).to_be_visible()
        assert axe(page) == []

        # One page is in view: no notification, a message there.
        page.evaluate("window.hide(true)")
        stack.sandbox.advance(30)
        stack.sandbox.act(message, "click", as_="browser")
        expect(other.locator("#toasts")).to_contain_text("Ines Moreau clicked")
        assert page.evaluate("window.shown.length") == 0

        second, arrived = sent(stack, ana, subject="Second")
        other.evaluate("window.hide(true)")
        hit = time.monotonic()
        stack.sandbox.act(arrived, "click", as_="browser")
        until(lambda: page.evaluate("window.shown.length"), bool, 2)
        took = time.monotonic() - hit
        (told,) = page.evaluate("window.shown.map(one => [one.title, one.tag])")
        assert told == ["Ines Moreau clicked “new price list” in “Second”", f"{second}:click"]
        page.evaluate("window.shown[0].self.dispatchEvent(new Event('click'))")
        page.wait_for_url(f"**/emails/{second}#signal-*")
        expect(switch_of(page)).to_be_checked()
        switch_of(page).press("Space")
        expect(switch_of(page)).not_to_be_checked()
    print(f"notification after {took * 1000:.0f} ms")


def test_a_browser_that_refuses_says_what_to_do(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email, _ = sent(stack, ana)
    with window(chromium, ana) as context:
        page = opened(stack, context.new_page(), f"/emails/{email}")
        # Nobody is asked until they press; this browser refuses, as a person would.
        assert page.evaluate("Notification.permission") == "default"
        switch_of(page).press("Space")
        expect(switch_of(page)).not_to_be_checked()
        expect(page.get_by_text("Your browser blocks notifications from this address.")).to_be_visible()
        assert axe(page) == []


def test_what_a_page_heard_as_it_was_left_the_next_one_tells(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    _, message = sent(stack, ana)
    with window(chromium, ana) as context:
        page = opened(stack, context.new_page(), "/emails")
        page.route("**/notices?*", lambda route: route.abort())
        with page.expect_event("requestfailed", lambda one: "/notices" in one.url):
            stack.sandbox.act(message, "click", as_="browser")
        page.unroute("**/notices?*")
        page.goto(f"{stack.url}/account")
        expect(page.locator("#toasts")).to_contain_text("Ines Moreau clicked", timeout=3000)
        assert page.evaluate("sessionStorage.length") == 0
