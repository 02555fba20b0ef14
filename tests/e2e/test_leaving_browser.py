"""Taking everything away and deleting it, at a browser: progress by itself, the password once more, and back again."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from tests import figures
from tests.e2e.pages import axe, complaints, overflow, window
from tests.stack import PASSWORD, Person, Stack

pytestmark = pytest.mark.browser
SIZES = (1280, 390)


@pytest.fixture
def owner(stack: Stack) -> Person:
    stack.person("op", "Host")  # somebody else runs the installation
    return stack.verified("ana", f"Leaving {stack.person(signed_up=False).email}")


def looked_at(page: Page, name: str) -> None:
    """Nothing axe would complain about, nothing wider than the window."""
    for width in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        assert axe(page) == []
        assert overflow(page) == 0
        if folder := os.environ.get("LOOK_PICTURES"):
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


def confirm(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_export_becomes_ready_by_itself_and_comes_with_a_click(
    stack: Stack, chromium: Browser, owner: Person, tmp_path: Path, theme: Literal["light", "dark"]
) -> None:
    sent = owner.send(owner.connect()["id"], subject="Taken away")
    owner.email_when(sent["id"], "sent")
    with window(chromium, owner, color_scheme=theme, accept_downloads=True) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/account")
        page.get_by_role("link", name="Export", exact=True).click()
        expect(page.get_by_text("You have none.")).to_be_visible()
        looked_at(page, f"export-none-{theme}")
        page.get_by_role("button", name="Export what is yours").click()
        link = page.get_by_role("link", name="Download")
        # Nobody loads the page again.
        expect(link).to_be_visible(timeout=figures.limit(30.0) * 1000)
        looked_at(page, f"export-ready-{theme}")
        with page.expect_download() as coming:
            link.click()
        path = tmp_path / "export.zip"
        coming.value.save_as(path)
        assert "Taken away" in zipfile.ZipFile(path).read("emails.jsonl").decode()
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("The export is deleted.")).to_be_visible()
        assert heard == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_organization_is_to_be_deleted_and_taken_back(
    stack: Stack, chromium: Browser, owner: Person, theme: Literal["light", "dark"]
) -> None:
    ben = stack.member_of(owner)
    with window(chromium, owner, color_scheme=theme) as hers, window(chromium, ben) as his:
        page, theirs = hers.new_page(), his.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/settings/organization")
        page.get_by_role("link", name="Delete the organization").click()
        expect(page.get_by_text("Never exported")).to_be_visible()
        looked_at(page, f"organization-delete-{theme}")
        page.get_by_label("Type the name of the organization").fill("Something else")
        page.keyboard.press("Enter")
        confirm(page)
        expect(page.get_by_text("as it stands there, so that no slip does it.")).to_be_visible()
        page.get_by_label("Type the name of the organization").fill(owner.organization)
        page.keyboard.press("Enter")
        expect(page.get_by_text("Any owner can take it back")).to_be_visible()
        looked_at(page, f"organization-ends-{theme}")
        theirs.goto(f"{stack.url}/emails")
        note = theirs.locator("#account-note")
        expect(note).to_contain_text("is to be deleted on")
        expect(note).to_contain_text(owner.email)
        looked_at(theirs, f"organization-ends-of-a-user-{theme}")
        page.get_by_role("button", name="Keep the organization").click()
        expect(page.get_by_text("stays.")).to_be_visible()
        # On the page that was open all the while, too.
        expect(note).not_to_contain_text("is to be deleted on")
        assert [one for one in heard if "400" not in one] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_account_is_deleted_after_it_is_told_what_goes(
    stack: Stack, chromium: Browser, owner: Person, theme: Literal["light", "dark"]
) -> None:
    ben = stack.member_of(owner)
    with window(chromium, ben, color_scheme=theme) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/account")
        page.get_by_role("link", name="Delete my account").click()
        expect(page.get_by_text("This cannot be undone.")).to_be_visible()
        looked_at(page, f"account-delete-{theme}")
        page.get_by_role("button", name="Delete my account").focus()
        page.keyboard.press("Enter")
        confirm(page)
        expect(page.get_by_role("heading", name="Your account is deleted")).to_be_visible()
        looked_at(page, f"account-deleted-{theme}")
        page.goto(f"{stack.url}/emails")
        expect(page).to_have_url(f"{stack.url}/login?next=/emails")
        assert heard == []
