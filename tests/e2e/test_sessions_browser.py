"""Sessions at a browser: where one is signed in, and an open page that is signed out from elsewhere."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.pages import axe, complaints, overflow, window
from tests.stack import Person, Stack

pytestmark = pytest.mark.browser


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person(organization=f"Sessions {uuid4()}")


def fine(page: Page) -> None:
    """Nothing for axe, and nothing beside the window, in both looks and widths."""
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert axe(page) == []
            assert overflow(page) == 0


def test_an_open_page_is_signed_out_from_elsewhere(chromium: Browser, stack: Stack, ana: Person) -> None:
    there = Person(stack, ana.email, ana.organization)
    there.sign_in()
    with window(chromium, ana) as mine, window(chromium, there) as other:
        page, far = mine.new_page(), other.new_page()
        heard = complaints(page)
        far.goto(f"{stack.url}/emails")
        expect(far.locator("body[data-live-state=open]")).to_be_attached()
        page.goto(f"{stack.url}/account")
        page.get_by_role("link", name="Where you are signed in").press("Enter")
        expect(page.get_by_role("heading", name="2 browsers")).to_be_visible()
        expect(page.get_by_text("This one")).to_be_visible()
        fine(page)
        page.get_by_role("button", name="Sign out there").press("Enter")
        expect(page.get_by_role("heading", name="1 browser")).to_be_visible()
        note = far.locator("#live-note")
        expect(note).to_contain_text("You are signed out", timeout=10_000)
        expect(note.get_by_role("link", name="Sign in")).to_be_visible()
        fine(far)
        page.get_by_role("button", name="Sign out everywhere").click()
        expect(page).to_have_url(f"{stack.url}/login")
        expect(page.get_by_text("You are signed out everywhere.")).to_be_visible()
        fine(page)
        assert heard == []
