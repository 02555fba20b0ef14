"""Recipients in Compose: typed, pasted, corrected and removed, by keyboard, and checked by the server."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.e2e.pages import axe, complaints, compose, window
from tests.stack import Stack

pytestmark = pytest.mark.browser

_PASTE = """([element, text]) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  element.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def paste(field: Locator, text: str) -> None:
    """What a paste from another program brings, line breaks and tabs included."""
    field.focus()
    field.page.evaluate(_PASTE, [field.element_handle(), text])


def chips(page: Page, state: str = "") -> Locator:
    return page.locator(f".chip-item[data-state={state}]" if state else ".chip-item")


def test_entries_become_people_and_wrong_ones_say_why(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        to = compose(page, stack)
        to.press_sequentially('"Moreau, Ines" <ines@globex.example>,')
        expect(chips(page, "ok").first.get_by_role("button").first).to_have_text("Moreau, Ines")
        to.press_sequentially("tom@globex.example;lena@")
        to.press("Enter")
        expect(chips(page, "ok")).to_have_count(2)
        wrong = chips(page, "wrong")
        expect(wrong).to_have_count(1)
        expect(page.locator("#people-status")).to_contain_text("2 people")
        expect(page.locator("#people-status")).to_contain_text("“lena@” is not an email address")
        expect(to).to_have_attribute("aria-invalid", "true")
        assert axe(page) == []
        # Somebody who is there already, in another spelling and another line.
        page.get_by_role("button", name="Cc, Bcc").click()
        page.get_by_label("Bcc", exact=True).fill("Tom <TOM@globex.example>")
        page.get_by_label("Subject").fill("Proposal")
        expect(page.locator("#people-said")).to_have_text(
            re.compile("TOM@globex.example is in To already and was left out.", re.IGNORECASE)
        )
        page.get_by_role("button", name="Correct it", exact=True).click()
        page.keyboard.type("lena@globex.example")
        page.keyboard.press("Enter")
        expect(wrong).to_have_count(0)
        expect(page.locator("#people-status")).to_have_text("3 people")
        expect(page.locator("#saved")).to_have_text("Saved", timeout=8000)
        page.reload()
        expect(chips(page, "ok")).to_have_count(3)
        assert heard == []


def test_the_list_by_keyboard(chromium: Browser, stack: Stack) -> None:
    with window(chromium, stack.person()) as context:
        page = context.new_page()
        to = compose(page, stack)
        paste(to, "a@x.example, b@x.example, c@x.example, d@x.example")
        expect(chips(page, "ok")).to_have_count(4)
        focused = page.locator(":focus")
        to.press("ArrowLeft")
        expect(focused).to_have_text("d@x.example")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Delete")
        expect(focused).to_have_text("d@x.example")
        page.keyboard.press("Backspace")
        expect(focused).to_have_text("b@x.example")
        page.keyboard.press("Home")
        expect(focused).to_have_text("a@x.example")
        page.keyboard.press("Enter")
        expect(to).to_be_focused()
        expect(to).to_have_value("a@x.example")
        page.keyboard.type("z@x.example,")
        # Corrected where it stood, not at the end.
        expect(chips(page, "ok").locator(".chip")).to_have_text(["z@x.example", "b@x.example"])
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("F2")
        page.keyboard.type("never mind")
        page.keyboard.press("Escape")
        expect(chips(page, "ok").locator(".chip")).to_have_text(["z@x.example", "b@x.example"])
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Cc, Bcc")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_label("Cc", exact=True)).to_be_focused()


def test_five_hundred_are_pasted_at_once(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    rows = [f"Person {number}\tp{number}@globex.example" for number in range(500)]
    with window(chromium, ana) as context:
        page = context.new_page()
        to = compose(page, stack)
        began = time.monotonic()
        paste(to, "\n".join([*rows, "p3@globex.example", "P4@globex.example"]))
        expect(chips(page, "ok")).to_have_count(500)
        assert time.monotonic() - began < 3
        expect(page.locator("#people-said")).to_have_text("2 who are there already were left out.")
        expect(page.locator("#people-status")).to_have_text("500 people")
        expect(page.get_by_text("Ready to send")).to_be_hidden()
        page.get_by_label("Subject").fill("All of you")
        expect(page.get_by_text("Ready to send")).to_be_visible()
        to.fill("one@more.example,")
        expect(page.locator("#people-status")).to_have_text("501 people; 500 is the most")
        expect(page.locator("#gates")).to_contain_text("501 people in one email; 500 is the most.")


def test_what_cannot_be_checked_now_is_kept_and_checked_later(chromium: Browser, stack: Stack) -> None:
    with window(chromium, stack.person()) as context:
        page = context.new_page()
        to = compose(page, stack)
        context.set_offline(True)
        paste(to, "ines@globex.example\nTom Okafor\ttom@globex.example")
        expect(chips(page, "waiting")).to_have_count(1)
        context.set_offline(False)
        expect(chips(page, "ok").locator(".chip")).to_have_text(["ines@globex.example", "Tom Okafor"])
        expect(page.locator("#saved")).to_have_text("Saved", timeout=10_000)
        assert page.evaluate("Object.keys(localStorage)") == []
