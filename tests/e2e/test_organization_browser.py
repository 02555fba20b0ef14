"""The organization's settings in a browser, by keyboard."""

from __future__ import annotations

from uuid import uuid4

from playwright.sync_api import Browser, Page, expect
from tests.e2e.pages import axe, complaints, overflow, window
from tests.stack import Stack


def fine(page: Page) -> None:
    """Nothing for axe, and nothing beside the window, in both looks and widths."""
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert axe(page) == []
            assert overflow(page) == 0


def test_an_owner_sets_what_holds_for_everybody(chromium: Browser, stack: Stack) -> None:
    ana = stack.person(organization=f"Settled {uuid4()}")
    with window(chromium, ana) as opened:
        page = opened.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/account")
        page.get_by_role("link", name="Organization settings").press("Enter")
        expect(page.get_by_role("heading", name="Organization", exact=True)).to_be_visible()
        section = page.locator("#name-and-zone")
        section.get_by_label("Name", exact=True).fill("Northwind & Söhne")
        section.get_by_label("Time zone").select_option("Europe/Berlin")
        section.get_by_role("button", name="Save name and zone").press("Enter")
        expect(page.locator("#toasts")).to_contain_text("Saved.")
        expect(page.locator(".lead")).to_contain_text("everybody in Northwind & Söhne")
        expect(section.get_by_label("Time zone")).to_have_value("Europe/Berlin")
        # A host that nobody answers at, by Enter.
        host = page.locator("#tracking-host").get_by_label("Tracking host")
        host.fill("http://127.0.0.1:1")
        host.press("Enter")
        expect(page.locator("#toasts")).to_contain_text(
            "Nothing was saved. Nobody answers at http://127.0.0.1:1"
        )
        expect(host).to_have_value("http://127.0.0.1:1")
        expect(host).to_be_focused()
        # The page itself was the refusal, and the browser says that of every one.
        assert [one for one in heard if "400 (Bad Request)" not in one] == []
        heard.clear()
        host.fill(stack.up.tracking_url.replace("localhost", "127.0.0.1"))
        host.press("Enter")
        expect(page.locator("#tracking-host")).to_contain_text("Leads here")
        fine(page)
        page.get_by_label("Members may also connect mailboxes of their own").uncheck()
        page.locator("#mailboxes").get_by_role("button", name="Save").press("Enter")
        expect(page.get_by_label("Members may also connect mailboxes of their own")).not_to_be_checked()
        expect(page).to_have_url(f"{stack.url}/settings/organization#mailboxes")
        assert heard == []
