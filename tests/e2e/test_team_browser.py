"""The team at a browser: from an invitation to the first email sent, and what changes on pages that are open."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests import figures
from tests.e2e.pages import axe, complaints, overflow, window
from tests.mails import mail
from tests.stack import Person, Stack

pytestmark = pytest.mark.browser
SHARED = "capabilities=send&kind=organization"


class Count:
    """Clicks and pages of everybody who takes part."""

    def __init__(self) -> None:
        self.clicks = 0
        self.pages = 0

    def of(self, context: BrowserContext) -> None:
        """Count them there too."""
        context.expose_function("clickedByAPerson", self._click)
        # A key that submits a form makes a click that nobody pressed.
        context.add_init_script(
            "addEventListener('pointerdown', () => window.clickedByAPerson(), {capture: true})"
        )
        context.on("page", lambda page: page.on("domcontentloaded", self._page))

    def _click(self) -> None:
        self.clicks += 1

    def _page(self, page: Page) -> None:
        self.pages += 1


@pytest.fixture
def owner(stack: Stack) -> Person:
    return stack.verified("ana", f"Browsing {stack.person(signed_up=False).email}")


def test_from_an_invitation_to_the_first_email(stack: Stack, chromium: Browser, owner: Person) -> None:
    owner.connect(f"sales-{owner.email}", SHARED)
    address = stack.person("ben", signed_up=False).email
    count = Count()
    with window(chromium, owner) as hers, window(chromium) as his:
        count.of(hers)
        count.of(his)
        page = hers.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/users")
        page.get_by_label("Address").click()
        page.keyboard.type(address)
        page.get_by_role("button", name="Send invitation").click()
        expect(page.get_by_text(f"{address} is invited by mail.")).to_be_visible()
        expect(page.locator("#team").get_by_text("1 invited")).to_be_visible()
        found = re.search(rf"{re.escape(stack.url)}/invite/\S+", mail(stack, address, "invites you to"))
        assert found

        ben = his.new_page()
        heard_too = complaints(ben)
        count.clicks += 1  # the link in the mail
        ben.goto(found[0])
        ben.get_by_label("Name").click()
        ben.keyboard.type("Ben Ito")
        ben.get_by_label("Password").click()
        ben.keyboard.type("correct-horse-9")
        ben.get_by_role("button", name="Join").click()
        ben.wait_for_url(re.compile("/emails/new"))
        ben.get_by_role("textbox", name="Message").wait_for()
        ben.get_by_label("To", exact=True).click()
        ben.keyboard.type("ines@globex.example")
        ben.keyboard.press("Tab")
        ben.get_by_label("Subject").focus()
        ben.keyboard.type("Hello from Ben")
        ben.get_by_role("textbox", name="Message").focus()
        ben.keyboard.type("The first one.")
        expect(ben.locator("#saved")).to_have_text("Saved", timeout=10_000)
        ben.get_by_role("button", name="Send", exact=True).click()
        ben.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))
        # Her page has seen him come, by itself.
        expect(page.locator("#team").get_by_text("Ben Ito")).to_be_visible()
        assert heard == []
        assert heard_too == []
    print(f"{count.clicks} clicks, {count.pages} pages")
    assert count.clicks <= 9
    assert count.pages <= 5


def _told(what: str, began: float) -> None:
    seconds = time.monotonic() - began
    print(f"{what}: an open page was loaded anew after {seconds:.2f} s")
    assert seconds < figures.limit(1.0)


def test_open_pages_follow_what_somebody_may_do(stack: Stack, chromium: Browser, owner: Person) -> None:
    ben = stack.member_of(owner)
    ids = {one["email"]: one["id"] for one in owner.api("GET", "members").json()["items"]}
    path = f"/users/{ids[ben.email]}"
    with window(chromium, ben) as context:
        team, writing = context.new_page(), context.new_page()
        for page, where in ((team, "/users"), (writing, "/emails/new")):
            page.goto(stack.url + where)
            page.wait_for_selector("body[data-live-state=open]")
        writing.get_by_role("textbox", name="Message").wait_for()
        writing.get_by_label("Subject").fill("Half a thought")
        expect(team.get_by_role("button", name="Make a link")).to_have_count(0)
        owner.post(f"{path}/role", {"role": "manager"}, allow_redirects=False)
        began = time.monotonic()
        expect(team.get_by_role("button", name="Make a link")).to_be_visible(timeout=20_000)
        _told("another role", began)
        # Where somebody writes, nothing is taken away.
        expect(writing.locator("#mine-note")).to_contain_text("What you may do here has changed.")
        expect(writing.get_by_label("Subject")).to_have_value("Half a thought")
        team.wait_for_selector("body[data-live-state=open]")
        owner.post(f"{path}/remove", allow_redirects=False)
        began = time.monotonic()
        team.wait_for_url(re.compile("/login"))
        _told("removed", began)
        expect(writing.locator("#live-note")).to_contain_text("You are signed out")
        expect(writing.get_by_label("Subject")).to_have_value("Half a thought")


def test_keys_alone_change_a_role(stack: Stack, chromium: Browser, owner: Person) -> None:
    ben = stack.member_of(owner)
    with window(chromium, owner) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/users")
        page.get_by_role("link", name=f"Manage {ben.email}").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/users/[0-9a-f-]{36}$"))
        page.get_by_role("radio", name=re.compile("^User")).focus()
        page.keyboard.press("ArrowUp")
        expect(page.get_by_role("radio", name=re.compile("^Manager"))).to_be_checked()
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"{ben.email} is Manager now.")).to_be_visible()


def test_a_name_without_an_end_widens_no_page(stack: Stack, chromium: Browser, owner: Person) -> None:
    ben = stack.member_of(owner)
    owner.post("/account", {"name": "W" * 120})
    with window(chromium, ben, viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        for path in ("/users", "/settings/organization", "/settings/audit", "/integration"):
            page.goto(stack.url + path)
            expect(page.get_by_text("W" * 120).first).to_be_visible()
            assert overflow(page) == 0, path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_new_link_and_the_table_of_roles(
    stack: Stack, chromium: Browser, owner: Person, theme: Literal["light", "dark"]
) -> None:
    with window(chromium, owner, color_scheme=theme, viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/users")
        page.get_by_role("button", name="Make a link").click()
        link = page.locator("#invite-link")
        expect(link).to_contain_text(f"{stack.url}/invite/")
        expect(page.get_by_role("button", name="Copy")).to_be_visible()
        page.locator("#roles-title").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("cell", name="Yes").first).to_be_visible()
        expect(page.get_by_role("columnheader", name="Owner (you)")).to_be_visible()
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 1600})
            assert axe(page) == []
            assert overflow(page) == 0
            if folder := os.environ.get("LOOK_PICTURES"):
                page.screenshot(path=Path(folder) / f"roles-{theme}-{width}.png")
        # Shown once: the page itself does not know it.
        page.goto(f"{stack.url}/users")
        expect(page.locator("#invite-link")).to_have_count(0)
