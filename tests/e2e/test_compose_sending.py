"""Preview, the first reason, the tracking switch, and Undo."""

from __future__ import annotations

import re
from email import message_from_string, policy

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.pages import axe, complaints, compose, draft_id, overflow, saved, window
from tests.stack import Stack

pytestmark = pytest.mark.browser


def write(page: Page, stack: Stack, to: str = "ines@globex.example") -> str:
    """A draft with a link in it, saved; its id."""
    compose(page, stack).fill(to)
    page.get_by_label("Subject").fill("Proposal")
    page.get_by_role("textbox", name="Message").click()
    page.keyboard.type("See https://example.com/prices today")
    saved(page)
    return draft_id(page)


def test_the_preview_by_keyboard_with_nothing_live(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url))
        write(page, stack, "Ines Moreau <ines@globex.example>")
        # Not saved yet: the preview is of what stands on the page.
        page.get_by_label("Subject").fill("Proposal, second version")
        page.get_by_role("button", name="Preview").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Preview")
        expect(dialog.get_by_role("heading", name="Proposal, second version")).to_be_visible()
        expect(dialog).to_contain_text("Ines Moreau <ines@globex.example>")
        expect(dialog).to_contain_text("Tracked")
        expect(dialog.frame_locator("iframe").get_by_role("link")).to_have_attribute(
            "href", "https://example.com/prices"
        )
        assert axe(page) == []
        dialog.get_by_role("tab", name="As it looks").focus()
        page.keyboard.press("ArrowRight")
        expect(dialog.get_by_role("tabpanel")).to_contain_text("See https://example.com/prices today")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.get_by_role("button", name="Preview")).to_be_focused()
        assert [url for url in asked if "/t/" in url] == []
        assert heard == []


def test_send_leads_to_the_first_reason(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana, viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        write(page, stack, "ines@")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("alert").first).to_contain_text("Not sent.")
        reason = page.locator("#gate-recipients")
        expect(reason).to_be_focused()
        expect(reason).to_be_in_viewport()
        page.get_by_role("button", name="Why can't I send?").click()
        expect(reason).to_be_focused()
        assert axe(page) == []
        assert overflow(page) == 0
        reason.get_by_role("link", name="Correct the recipients").click()
        expect(page.get_by_label("To", exact=True)).to_be_focused()
        page.get_by_role("button", name="Correct it", exact=True).click()
        page.keyboard.type("ines@globex.example")
        page.keyboard.press("Enter")
        expect(page.locator("#gates")).to_contain_text("Ready to send")
        expect(page.get_by_role("button", name="Why can't I send?")).to_be_hidden()
        expect(page.locator("#refused")).to_be_hidden()


def test_undo_brings_the_draft_back_and_then_it_is_sent_once(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        draft = write(page, stack)
        page.keyboard.press("Control+Enter")
        page.wait_for_url(f"{stack.url}/emails/{draft}")
        undo = page.get_by_role("button", name="Undo", exact=True)
        expect(undo).to_be_visible()
        assert axe(page) == []
        undo.focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{stack.url}/emails/new?draft={draft}")  # the live page leads there as well
        expect(page.get_by_label("Subject")).to_have_value("Proposal")
        expect(page.locator(".chip-item")).to_have_count(1)
        page.get_by_label("Subject").fill("Proposal, better")
        saved(page)
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(f"{stack.url}/emails/{draft}")
        # On another page too, and by the keys everybody knows.
        page.goto(f"{stack.url}/emails")
        expect(undo).to_be_visible()
        page.keyboard.press("Control+z")
        page.wait_for_url(f"{stack.url}/emails/new?draft={draft}")
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(f"{stack.url}/emails/{draft}")
        expect(page.get_by_text(re.compile(r"^\d s$"))).to_be_visible()
        stack.sandbox.advance(11)
        page.reload()
        expect(undo).to_have_count(0)
        assert heard == []
    delivery = ana.email_when(draft, "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    assert "Subject: Proposal, better" in message["raw"]
    text = message_from_string(message["raw"], policy=policy.default).get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "See https://example.com/prices today"
    assert len(stack.sandbox.messages(to="ines@globex.example", delivery=delivery)) == 1


def test_undo_goes_away_by_itself(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        draft = write(page, stack)
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(f"{stack.url}/emails/{draft}")
        page.goto(f"{stack.url}/account")
        undo = page.get_by_role("button", name="Undo", exact=True)
        expect(undo).to_be_visible()
        expect(undo).to_be_hidden(timeout=12_000)


def test_tracking_is_switched_off_for_one_email(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        draft = write(page, stack)
        saved(page)
        with page.expect_response(lambda answer: answer.url.endswith(f"/emails/drafts/{draft}")):
            page.get_by_label("Track opens and clicks").uncheck()
        saved(page)
        page.goto(f"{stack.url}/emails/new?draft={draft}")
        expect(page.get_by_label("Track opens and clicks")).not_to_be_checked()
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("dialog")).to_contain_text("Nothing in it is tracked")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(f"{stack.url}/emails/{draft}")
    stack.sandbox.advance(11)
    delivery = ana.email_when(draft, "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    body = message_from_string(message["raw"], policy=policy.default).get_body(("html",))
    assert body is not None
    html = body.get_content()
    assert 'href="https://example.com/prices"' in html
    assert "/t/o/" not in html
    assert "/t/c/" not in html
