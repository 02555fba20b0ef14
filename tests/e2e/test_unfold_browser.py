"""An address that names a connection shows it, and a button that was pressed leaves the keyboard where it was."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.connections import proved
from tests.e2e.pages import complaints, window
from tests.stack import Stack
from tests.states import write_there

pytestmark = pytest.mark.browser


def is_shown(page: Page, connection: str) -> None:
    """Its line is unfolded, in view and has the keyboard."""
    line = page.locator(f"details#connection-{connection}")
    expect(line).to_have_attribute("open", "")
    expect(line.locator("summary").first).to_be_focused()
    expect(line.locator("summary").first).to_be_in_viewport()
    expect(line.get_by_role("button", name="Verify now")).to_be_visible()


def test_of_many_the_named_one_is_unfolded(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    write_there(ana, "40")
    one = proved(ana, account=f"live-{ana.email}", query="capabilities=send&kind=organization")
    path = f"/integration#connection-{one['id']}"
    with window(chromium, ana, viewport={"width": 1280, "height": 860}) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(stack.url + path)
        is_shown(page, one["id"])
        # Checked from there, it stands open again.
        page.locator(f"#connection-{one['id']}").get_by_role("button", name="Verify now").press("Enter")
        page.wait_for_load_state()
        is_shown(page, one["id"])
        assert page.url == stack.url + path
        # From another address on the same page, and as the only one that a search left.
        page.goto(f"{stack.url}/integration")
        page.evaluate("hash => { location.hash = hash }", f"connection-{one['id']}")
        is_shown(page, one["id"])
        page.goto(f"{stack.url}/integration?q={one['address']}")
        expect(page.locator("details.connection-line[open]")).to_have_count(1)
        expect(page.get_by_role("button", name="Verify now")).to_be_visible()
        page.goto(f"{stack.url}/integration?q={one['address']}#connection-{one['id']}")
        is_shown(page, one["id"])
        assert heard == []


def test_of_few_the_card_has_the_keyboard_again(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    one = ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/integration")
        page.get_by_role("article").get_by_role("button", name="Verify now").press("Enter")
        page.wait_for_url(re.compile(r"#connection-"))
        expect(page.locator(f"#connection-{one['id']} h2")).to_be_focused()
