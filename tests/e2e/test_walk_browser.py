"""The main job at a browser: sign up, connect, write, send, be opened and clicked, and see it without reloading."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Browser, Page, expect
from tests import figures
from tests.e2e.pages import complaints
from tests.stack import Stack

pytestmark = pytest.mark.browser


def connect_google(page: Page, address: str) -> None:
    """From Integrations over Google's consent screen and back."""
    page.get_by_role("button", name="Connect Google").click()
    page.get_by_label("Email").fill(address)
    page.get_by_role("button", name="Continue").last.click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text(f"{address} is connected")).to_be_visible()


def seconds_until(page: Page, text: str) -> float:
    began = time.monotonic()
    expect(page.locator("#timeline").get_by_text(text, exact=False).first).to_be_visible(timeout=10_000)
    return time.monotonic() - began


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_a_new_user_sends_a_tracked_email_and_sees_it_opened(stack: Stack, chromium: Browser) -> None:
    address = f"ana-{time.time_ns() // 1000}@northwind.example"
    context = chromium.new_context()
    page = context.new_page()
    heard = complaints(page)

    page.goto(f"{stack.url}/signup")
    page.get_by_label("Organization").fill("Northwind")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password").fill("correct-horse-9")
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(f"{stack.url}/integration")

    connect_google(page, address)
    # The offered test email proves the connection, and the card says so by itself.
    expect(page.locator("#cards").get_by_text("Working").first).to_be_visible(timeout=15_000)

    page.get_by_role("link", name="Compose").first.click()
    page.get_by_label("To", exact=True).fill("Ines Moreau <ines@globex.example>")
    page.get_by_label("Subject").fill("Proposal, second version")
    page.get_by_role("textbox", name="Message").click()
    page.keyboard.type("Hello Ines, here is the ")
    page.keyboard.type("new price list")
    page.keyboard.press("Shift+Home")
    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_label("Address of the link").fill("https://example.com/prices")
    page.get_by_role("button", name="Set link").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))
    stack.sandbox.advance(11)  # the time to undo is over
    seconds_until(page, "Accepted by Google")
    page.evaluate("window.neverReloaded = true")

    stack.sandbox.advance(30)
    recipient = chromium.new_context().new_page()
    recipient.goto(f"{stack.sandbox.url}/mailbox/ines@globex.example")
    recipient.get_by_role("link", name="Proposal, second version").first.click()
    recipient.wait_for_load_state("networkidle")
    assert seconds_until(page, "Opened") < figures.limit(1.0)

    with recipient.context.expect_page() as opened:
        recipient.frame_locator("iframe").get_by_role("link").first.click()
    opened.value.wait_for_load_state("domcontentloaded")
    assert seconds_until(page, "Clicked") < figures.limit(1.0)
    assert page.evaluate("window.neverReloaded") is True
    assert heard == []
    recipient.context.close()
    context.close()


@pytest.mark.timeout(120)
def test_a_draft_survives_a_closed_tab_and_the_way_to_connecting(stack: Stack, chromium: Browser) -> None:
    tom = stack.person("tom")
    from tests.e2e.pages import window

    with window(chromium, tom) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/new")
        page.get_by_label("To", exact=True).fill("lena@globex.example")
        page.get_by_label("Subject").fill("Our Thursday call")
        page.get_by_role("textbox", name="Message").click()
        page.keyboard.type("See you on Thursday")
        page.close()

        page = context.new_page()
        page.goto(f"{stack.url}/emails/new")
        page.get_by_role("link", name="“Our Thursday call”").click()
        expect(page.get_by_label("Subject")).to_have_value("Our Thursday call")
        expect(page.get_by_role("textbox", name="Message")).to_contain_text("See you on Thursday")

        stack.sandbox.account(tom.email)
        stack.sandbox.consent(tom.email)
        page.get_by_role("button", name="Connect Google").first.click()
        expect(page.get_by_label("Subject")).to_have_value("Our Thursday call")
        expect(page.get_by_label("From")).to_contain_text(tom.email)
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))
        stack.sandbox.advance(11)
        seconds_until(page, "Accepted by Google")
