"""Second factors at a browser: an app, a passkey that signs in alone, and being asked for one while a page is open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.pages import axe, complaints, overflow, window
from tests.factors import PAGE, Phone, add_app, verify
from tests.stack import PASSWORD, Person, Stack

pytestmark = pytest.mark.browser


@pytest.fixture
def ana(stack: Stack) -> Person:
    person = stack.person(organization=f"Safe {uuid4()}")
    verify(stack, person)
    return person


def fine(page: Page) -> None:
    """Nothing for axe, and nothing beside the window, in both looks and widths."""
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert axe(page) == []
            assert overflow(page) == 0


@contextmanager
def device(page: Page) -> Iterator[None]:
    """A device that holds passkeys and unlocks itself, as Chromium plays one."""
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    made = client.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield
    client.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": made["authenticatorId"]})


def confirmed(page: Page) -> None:
    """Type the password where it is asked for."""
    page.get_by_label("Password").fill(PASSWORD)
    fine(page)
    page.get_by_role("button", name="Continue").click()


def test_an_app_by_keyboard(chromium: Browser, stack: Stack, ana: Person) -> None:
    with window(chromium, ana) as opened:
        page = opened.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/account")
        page.get_by_role("link", name="Second factor").click()
        fine(page)
        page.get_by_role("link", name="Set up an app").press("Enter")
        confirmed(page)
        expect(page.get_by_role("heading", name="Set up an app")).to_be_visible()
        page.get_by_text("No camera?").click()
        fine(page)
        phone = Phone(page.locator("code.secret").inner_text(), [])
        page.get_by_label("The six digits it shows now").fill("000000")
        page.keyboard.press("Enter")
        expect(page.get_by_label("The six digits it shows now")).to_have_attribute("aria-invalid", "true")
        fine(page)
        page.get_by_text("No camera?").click()
        # A mistyped code does not change the secret that was scanned.
        assert page.locator("code.secret").inner_text() == phone.secret
        page.get_by_label("The six digits it shows now").fill(phone.code())
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        expect(page.locator("#codes li")).to_have_count(10)
        fine(page)
        page.get_by_role("link", name="I have kept them").click()
        expect(page.get_by_role("link", name="Remove the app")).to_be_visible()
        fine(page)
        page.get_by_role("link", name="Remove the app").click()
        fine(page)
        assert heard == []
    with window(chromium) as opened:
        page = opened.new_page()
        page.goto(f"{stack.url}/login")
        page.get_by_label("Email").fill(ana.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Your second factor")).to_be_visible()
        fine(page)
        page.keyboard.type(phone.code(1))
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{stack.url}/emails")


def test_a_passkey_signs_in_alone_and_behind_the_password(
    chromium: Browser, stack: Stack, ana: Person
) -> None:
    with window(chromium, ana) as opened:
        page = opened.new_page()
        heard = complaints(page)
        with device(page):
            page.goto(f"{stack.url}{PAGE}")
            page.get_by_role("link", name="Add a passkey").click()
            confirmed(page)
            fine(page)
            page.get_by_label("Name").fill("Laptop")
            page.get_by_role("button", name="Add a passkey").click()
            expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
            page.goto(f"{stack.url}{PAGE}")
            expect(page.get_by_text("signs in alone")).to_be_visible()
            fine(page)
            # Alone.
            page.goto(f"{stack.url}/account")
            page.get_by_role("button", name="Sign out").first.click()
            fine(page)
            page.get_by_role("button", name="Sign in with a passkey").click()
            expect(page).to_have_url(f"{stack.url}/emails")
            # Behind the password.
            page.goto(f"{stack.url}/account")
            page.get_by_role("button", name="Sign out").first.click()
            page.get_by_label("Email").fill(ana.email)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in", exact=True).click()
            fine(page)
            page.get_by_role("button", name="Use your passkey").click()
            expect(page).to_have_url(f"{stack.url}/emails")
            # And before what changes how one signs in, then it is renamed and removed.
            page.goto(f"{stack.url}{PAGE}")
            page.get_by_role("link", name="Rename Laptop").click()
            page.get_by_role("link", name="Use your passkey").click()
            fine(page)
            page.get_by_role("button", name="Use your passkey").click()
            page.get_by_label("Name").fill("Old laptop")
            fine(page)
            page.get_by_role("button", name="Save").click()
            page.get_by_role("link", name="Remove Old laptop").click()
            fine(page)
            page.get_by_role("button", name="Remove").click()
            expect(page.get_by_role("link", name="Add a passkey")).to_be_visible()
            expect(page.get_by_text("Recovery codes")).to_have_count(0)
            assert heard == []


def test_what_the_browser_does_not_do_is_said(chromium: Browser, stack: Stack, ana: Person) -> None:
    """No device, and so no passkey: the form says so and can be tried again."""
    with window(chromium) as opened:
        page = opened.new_page()
        page.goto(f"{stack.url}/login")
        client = opened.new_cdp_session(page)
        client.send("WebAuthn.enable")
        page.evaluate(
            "() => { navigator.credentials.get = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }"
        )
        button = page.get_by_role("button", name="Sign in with a passkey")
        button.click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was done")
        expect(button).to_be_enabled()
        fine(page)


def test_an_open_page_says_that_a_second_factor_is_wanted(
    chromium: Browser, stack: Stack, ana: Person
) -> None:
    manager = stack.member_of(ana, "manager")
    with window(chromium, manager) as theirs, window(chromium, ana) as mine:
        open_page, page = theirs.new_page(), mine.new_page()
        open_page.goto(f"{stack.url}/emails")
        expect(open_page.locator("body[data-live-state=open]")).to_be_attached()
        add_app(ana)
        page.goto(f"{stack.url}/settings/organization")
        expect(page.get_by_text("Without one:")).to_be_visible()
        page.get_by_label("Owners and managers of").check()
        page.locator("#second-factor").get_by_role("button", name="Save").click()
        fine(page)
        note = open_page.locator("#live-note")
        expect(note).to_contain_text("An owner asks for a second factor", timeout=10_000)
        note.get_by_role("link", name="Set it up").click()
        expect(open_page).to_have_url(f"{stack.url}{PAGE}")
        expect(open_page.get_by_role("status").first).to_contain_text("Set up either of the two, and go on.")
        fine(open_page)
        add_app(manager)
        open_page.goto(f"{stack.url}/emails")
        expect(open_page).to_have_url(f"{stack.url}/emails")
