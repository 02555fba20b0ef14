"""Sessions at a browser: where one is signed in, and an open page that is signed out from elsewhere."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.accounts import sql
from tests.e2e.pages import complaints, compose, draft_id, fine, saved, window
from tests.stack import PASSWORD, Person, Stack

pytestmark = pytest.mark.browser


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person(organization=f"Sessions {uuid4()}")


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


def sign_in(page: Page, person: Person) -> None:
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{person.stack.url}/emails")


def test_a_session_that_ran_out_while_somebody_wrote_loses_nothing(
    chromium: Browser, stack: Stack, ana: Person
) -> None:
    with window(chromium, ana) as context:
        page = context.new_page()
        compose(page, stack)
        page.get_by_label("Subject").fill("Before")
        saved(page)
        draft = draft_id(page)
        key = ana.jar.cookies["truesend_session"]
        sql(
            stack,
            "UPDATE django_session SET expire_date = now() - interval '1 s' WHERE session_key = %s",
            key,
        )
        page.get_by_label("Subject").fill("Before and after")
        expect(page.locator("#saved")).to_contain_text("you are signed out. Sign in again in another tab")
        # Some other part of the page asks: here as if there had been something to tell.
        page.evaluate("document.body.dispatchEvent(new CustomEvent('truesend:account'))")
        note = page.locator("#live-note")
        expect(note).to_contain_text("You are signed out", timeout=10_000)
        expect(note).to_contain_text("What you write here is kept in this browser.")
        fine(page)
        with context.expect_page() as opened:
            note.get_by_role("link", name="Sign in in another tab").press("Enter")
        sign_in(opened.value, ana)
        page.bring_to_front()
        # The page goes on by itself.
        page.get_by_label("Subject").fill("Before, after, and on")
        expect(page.locator("#saved")).to_have_text("Saved", timeout=30_000)
        expect(note).to_be_hidden(timeout=30_000)
        stored = sql(stack, "SELECT subject FROM sending_email WHERE id = %s", draft)
        assert stored == [("Before, after, and on",)]


def test_a_page_sends_nothing_as_somebody_who_signed_in_later(
    chromium: Browser, stack: Stack, ana: Person
) -> None:
    eve = stack.person("eve", f"Elsewhere {uuid4()}")
    with window(chromium, ana) as context:
        page, other = context.new_page(), context.new_page()
        compose(page, stack)
        page.get_by_label("Subject").fill("Of ana")
        saved(page)
        draft = draft_id(page)
        other.goto(f"{stack.url}/emails")
        other.get_by_role("button", name="Sign out").first.click()
        other.wait_for_url(f"{stack.url}/login")
        sign_in(other, eve)
        page.bring_to_front()
        page.get_by_label("Subject").fill("Of ana, for nobody else")
        expect(page.locator("#saved")).to_contain_text("your sign-in changed")
        page.evaluate("document.body.dispatchEvent(new CustomEvent('truesend:account'))")
        expect(page.locator("#live-note")).to_contain_text("Somebody else is signed in")
        fine(page)
        found = sql(stack, "SELECT id::text, subject FROM sending_email WHERE subject LIKE 'Of ana%%'")
        assert found == [(draft, "Of ana")]
