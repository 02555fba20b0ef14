"""The operator's page of providers in a browser: what it looks like in every state, by keyboard alone, and copying."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests import operators, setting_up, up
from tests.e2e.pages import axe, complaints, overflow, window
from tests.e2e.test_look import LOOKS, SIZES
from tests.stack import Person, Stack

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("LOOK_PICTURES")
PAGE = "/settings/providers"
ID, SECRET = "sandbox-google-client", "sandbox-google-secret"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("bare") / "data"
    with setting_up.untouched(data) as running:
        yield running
    up.remove(data)


@pytest.fixture(scope="module")
def oda(bare: Stack) -> Person:
    return operators.operator(bare)


def register(bare: Stack, secret: str, client_id: str = ID) -> None:
    redirects = [f"{bare.url}/oauth/google/callback"]
    bare.sandbox.control(
        "POST",
        "clients",
        {"provider": "google", "client_id": client_id, "secret": secret, "redirect_uris": redirects},
    )


def look(page: Page, name: str) -> list[str]:
    """What is wrong with the page as it stands, in both themes and at both widths."""
    faults = []
    for size, theme, only in LOOKS:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.wait_for_timeout(30)
        here = f"{name} {size} {theme}"
        faults += [f"{here}: {fault}" for fault in axe(page, only)]
        if overflow(page):
            faults.append(f"{here}: {overflow(page)} px wider than the window")
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"providers-{name}-{theme}-{size}.png", full_page=True)
    return faults


def test_every_state_pleases_axe_and_fits(chromium: Browser, bare: Stack, oda: Person) -> None:
    faults: list[str] = []
    with window(chromium, oda) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(bare.url + PAGE)
        google = page.locator("#google")

        def save(secret: str, client_id: str = ID) -> None:
            google.get_by_label("Client ID").fill(client_id)
            google.get_by_label("Client secret").fill(secret)
            google.get_by_role("button", name="Check and save").click()
            page.wait_for_load_state()

        faults += look(page, "empty")
        save("wrong")
        expect(google.get_by_text("Not saved.")).to_be_visible()
        faults += look(page, "refused")
        save(SECRET)
        expect(google.get_by_text("Accepted", exact=True)).to_be_visible()
        faults += look(page, "accepted")
        save("two words")
        faults += look(page, "mistyped")
        register(bare, "another")
        page.goto(bare.url + PAGE)
        google.get_by_role("button", name="Check now").click()
        expect(google.get_by_text("Refused", exact=True)).to_be_visible()
        faults += look(page, "trouble")
        page.goto(f"{bare.url}/diagnostics")
        expect(page.get_by_text("1 thing is wrong.")).to_be_visible(timeout=60_000)
        faults += look(page, "diagnostics")
        page.get_by_role("button", name="Look again").click()
        expect(page.get_by_text("1 thing is wrong.")).to_be_visible(timeout=60_000)
        page.goto(bare.url + PAGE)
        register(bare, SECRET)
        google.get_by_role("button", name="Check now").click()
        ana = bare.person()
        ana.connect()
        register(bare, "second", "second-client")
        save("second", "second-client")
        expect(google.get_by_text("Not saved yet.")).to_be_visible()
        faults += look(page, "other")
        page.goto(f"{bare.url}{PAGE}/google/remove")
        faults += look(page, "remove")
        page.goto(f"{bare.url}/account")
        faults += look(page, "account")
    assert faults == []
    assert [one for one in heard if "status of 400" not in one] == []


def test_a_client_in_the_environment(chromium: Browser, stack: Stack) -> None:
    with window(chromium, operators.operator(stack)) as context:
        page = context.new_page()
        page.goto(stack.url + PAGE)
        assert look(page, "environment") == []


def test_by_keyboard_alone(chromium: Browser, bare: Stack, oda: Person) -> None:
    oda.post(f"{PAGE}/google/remove")
    register(bare, SECRET)
    with window(chromium, oda) as context:
        page = context.new_page()
        page.goto(bare.url + PAGE)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # skip to the content
        for _ in range(20):  # the steps with their links come first
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "google-id":
                break
        assert page.evaluate("document.activeElement.id") == "google-id"
        page.keyboard.type(ID)
        page.keyboard.press("Tab")
        page.keyboard.type(SECRET)
        page.keyboard.press("Enter")
        expect(page.locator("#google").get_by_text("Accepted", exact=True)).to_be_visible()
        assert page.url.endswith("#google")
        assert SECRET not in page.content()


def test_copying_and_what_is_said_meanwhile(chromium: Browser, bare: Stack, oda: Person) -> None:
    oda.post(f"{PAGE}/google/remove")
    register(bare, SECRET)
    with window(chromium, oda) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=bare.url)
        page = context.new_page()
        page.goto(bare.url + PAGE)
        google = page.locator("#google")
        for button, text in (
            ("Copy", f"{bare.url}/oauth/google/callback"),
            ("Copy the address", f"{bare.url}/oauth/google/callback"),
            ("Copy all", "openid\nemail\nhttps://www.googleapis.com/auth/gmail.send\n"),
        ):
            google.get_by_role("button", name=button, exact=True).click()
            expect(google.get_by_role("button", name="Copied").last).to_be_visible()
            expect(page.locator("[data-aloud]")).to_have_text("Copied")
            assert page.evaluate("navigator.clipboard.readText()").startswith(text)
        said: list[str] = []

        def heard(words: str) -> None:
            said.append(words)

        page.expose_function("heard", heard)
        google.get_by_role("button", name="Check and save").evaluate(
            "button => new MutationObserver(() => heard(button.textContent)).observe(button, {childList: true})"
        )
        google.get_by_label("Client ID").fill(ID)
        google.get_by_label("Client secret").fill(SECRET)
        google.get_by_role("button", name="Check and save").click()
        expect(google.get_by_text("Accepted", exact=True)).to_be_visible()
        assert said == ["Asking Google…"]
