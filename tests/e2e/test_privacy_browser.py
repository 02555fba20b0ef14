"""Privacy, forgetting and blocked links at a browser: live on every open page, by keyboard, and nothing for axe."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect
from tests.arrived import parts
from tests.e2e.pages import complaints, fine, window
from tests.operators import operator
from tests.stack import PASSWORD, Person, Stack, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def ana(stack: Stack) -> Person:
    """Somebody whose mail was opened."""
    person = stack.person()
    person.post("/account/privacy", {"privacy": "full"})
    email = person.send(person.connect()["id"])["id"]
    delivery = person.email_when(email, "sent")["deliveries"][0]["id"]
    stack.sandbox.advance(30)
    stack.sandbox.act(stack.sandbox.messages(delivery=delivery)[0]["id"], "click", as_="browser")
    person.signals(email, 1)
    return person


def test_a_stricter_level_is_told_on_every_open_page(chromium: Browser, stack: Stack, ana: Person) -> None:
    with window(chromium, ana) as one, window(chromium, ana) as two:
        mine, other = one.new_page(), two.new_page()
        heard = complaints(mine)
        for page in (mine, other):
            page.goto(f"{stack.url}/settings/organization")
        expect(other.locator("body[data-live-state=open]")).to_be_attached()
        section = mine.locator("#privacy")
        section.get_by_label("Verdict only").focus()
        mine.keyboard.press("ArrowUp")
        expect(section.get_by_label("Truncated")).to_be_checked()
        section.get_by_role("button", name="Save").press("Enter")
        told = re.compile(r"The past is at this level since .*: 1 of 1 emails done\.")
        for page in (mine, other):
            expect(page.locator("#privacy-progress")).to_have_text(told, timeout=10_000)
        expect(mine.locator("#privacy").get_by_label("Truncated")).to_be_checked()
        fine(mine)
        assert heard == []


def test_forgetting_somebody(chromium: Browser, stack: Stack, ana: Person) -> None:
    with window(chromium, ana) as opened:
        page = opened.new_page()
        page.goto(f"{stack.url}/settings/organization")
        page.get_by_role("link", name="Forget a recipient").click()
        fine(page)
        page.get_by_label("Their address").fill("Ines <INES@globex.example>")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Kept of ines@globex.example")).to_be_visible()
        fine(page)
        page.get_by_role("button", name="Forget ines@globex.example").click()
        expect(page.get_by_role("status").get_by_text("ines@globex.example is forgotten.")).to_be_visible()
        fine(page)
        page.get_by_label("Their address").fill("nobody")
        page.get_by_role("button", name="Show what is kept").click()
        expect(page.get_by_label("Their address")).to_have_attribute("aria-invalid", "true")
        fine(page)


def test_an_operator_blocks_and_lifts(chromium: Browser, stack: Stack) -> None:
    oda = operator(stack)
    with window(chromium, oda) as opened:
        page = opened.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/account")
        page.get_by_role("link", name="Blocked links").click()
        page.get_by_label("Which").fill("*.evil-browser.example")
        page.get_by_label("Why").fill("phishing")
        page.keyboard.press("Enter")
        entry = page.get_by_role("listitem").filter(has_text="evil-browser.example")
        expect(entry).to_contain_text("Links to a host · phishing")
        fine(page)
        page.get_by_role("button", name="Lift the block of evil-browser.example").click()
        expect(entry).to_have_count(0)
        assert heard == []


def test_sign_up_asks_by_keyboard(chromium: Browser, stack: Stack) -> None:
    person = stack.person(signed_up=False)
    with window(chromium) as opened:
        page = opened.new_page()
        page.goto(f"{stack.url}/signup")
        fine(page)
        page.get_by_label("Organization").fill(person.organization)
        page.get_by_label("Email").fill(person.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/integration")
        page.goto(f"{stack.url}/emails/new")
        expect(page.get_by_label("Track opens and clicks")).not_to_be_checked()
        page.goto(f"{stack.url}/settings/organization")
        expect(page.get_by_label("Track new emails")).not_to_be_checked()


def test_the_page_of_a_blocked_link(chromium: Browser, stack: Stack, ana: Person) -> None:
    oda = operator(stack)
    oda.post("/settings/blocklist", {"kind": "host", "what": "blocked-page.example", "reason": "x"})
    connection = ana.api("GET", "connections").json()["items"][0]["id"]
    made = ana.send(connection, html='<a href="https://blocked-page.example/">x</a>')["id"]
    delivery = ana.email_when(made, "sent")["deliveries"][0]["id"]
    raw = stack.sandbox.messages(delivery=delivery)[0]["raw"]
    found = re.search(r"http://[^\"]+/t/c/[\w-]+", parts({"raw": raw})[1])
    assert found
    link = found[0]
    with window(chromium) as opened:
        page = opened.new_page()
        until(lambda: page.goto(link), lambda answer: answer is not None and answer.status == 403, 3)
        expect(page.get_by_role("heading", name="This link is blocked")).to_be_visible()
        fine(page)
