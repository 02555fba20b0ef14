"""Separate copies in a browser: the choice, a list with bad rows, the preview of each copy, pause and resume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect
from tests import stack as stacks
from tests import up
from tests.e2e.pages import axe, complaints, compose, overflow, saved, window
from tests.stack import Stack, until

pytestmark = pytest.mark.browser

SLOW = "6"  # copies a minute: one leaves at once, the next in ten seconds
ROWS = (
    "Email;First name;City\nines@globex.example;Inès;Lyon\ntom@initech;Tom;Austin\nbo@hooli.example;;Oslo\n"
)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Where copies leave slowly enough to be paused."""
    data = tmp_path_factory.mktemp("slow") / "data"
    with stacks.running(data, settings={"TRUESEND_COPIES_PER_MINUTE": SLOW}) as running:
        yield running
    up.remove(data)


def file(content: str, name: str = "people.csv") -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode("utf-16")}


def choose(page: Page, payload: FilePayload, button: str = "Upload a CSV") -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    chooser.value.set_files([payload])


def shot(page: Page, name: str) -> None:
    folder = Path("data/shots")
    if folder.exists():
        page.screenshot(path=str(folder / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_list_is_checked_corrected_and_each_copy_looked_at(
    chromium: Browser, slow: Stack, width: int, scheme: str
) -> None:
    ana = slow.person()
    ana.connect()
    with window(chromium, ana, viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        page = context.new_page()
        heard = complaints(page)
        compose(page, slow)
        page.get_by_label("Subject").fill("For {{city}}")
        page.get_by_label("Copies", exact=True).select_option("on")
        expect(page.get_by_text("so opens and clicks are exact")).to_be_visible()
        choose(page, file(ROWS))
        bad = page.get_by_role("list", name="Rows that cannot be used")
        expect(bad.locator("li")).to_have_count(1)
        expect(bad).to_contain_text("Line 3 cannot be used: “tom@initech” has no ending such as .com")
        # A field that is pressed goes into the text; a person without a value for it becomes a bad row.
        page.get_by_role("textbox", name="Message").click()
        page.keyboard.type("Hello ")
        page.get_by_role("button", name="{{first_name}}").click()
        expect(page.get_by_role("textbox", name="Message")).to_be_focused()
        page.keyboard.type(", how are you?")
        saved(page)
        expect(bad.locator("li")).to_have_count(2)
        expect(bad).to_contain_text("Line 4 has nothing for {{first_name}}")
        gates = page.locator("#gates")
        expect(gates).to_contain_text("2 of 3 rows cannot be used")
        assert overflow(page) == 0
        assert axe(page) == []
        shot(page, f"list-{width}-{scheme}")
        page.get_by_role("button", name="Leave the 2 rows out").click()
        expect(page.get_by_role("heading", name="Ready to send")).to_be_visible()
        # A list that cannot be read leaves the one before.
        choose(page, file("a;b\n1;2\n", "wrong.csv"), "Other file")
        expect(page.get_by_role("alert").filter(has_text="No column holds email addresses")).to_be_visible()
        expect(page.get_by_text("people.csv")).to_be_visible()
        choose(
            page,
            file("email,first_name,city\nines@globex.example,Inès,Lyon\nbo@hooli.example,Bo,Oslo\n"),
            "Other file",
        )
        # The rows that were left out are gone with their list.
        expect(page.locator("#people-list")).not_to_contain_text("cannot be used")
        expect(page.locator("#people-list")).to_contain_text("2 rows")
        page.get_by_role("button", name="Preview").click()
        dialog = page.get_by_role("dialog", name="Preview")
        expect(dialog).to_contain_text("Copy 1 of 2, for Inès")
        expect(dialog.get_by_role("heading", name="For Lyon")).to_be_visible()
        expect(dialog.frame_locator("iframe").locator("body")).to_contain_text("Hello Inès, how are you?")
        assert "/t/o/" not in page.content()
        dialog.get_by_role("link", name="Next").click()
        expect(dialog).to_contain_text("Copy 2 of 2, for Bo")
        expect(dialog.frame_locator("iframe").locator("body")).to_contain_text("Hello Bo, how are you?")
        dialog.get_by_role("searchbox", name="Find a person").fill("lyon")
        dialog.get_by_role("button", name="Find", exact=True).click()
        expect(dialog).to_contain_text("Copy 1 of 2")
        assert axe(page) == []
        shot(page, f"preview-{width}-{scheme}")
        assert [one for one in heard if "422" not in one] == []


def test_what_was_pasted_is_a_list_too(chromium: Browser, slow: Stack) -> None:
    ana = slow.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        compose(page, slow)
        page.get_by_label("Subject").fill("{{name|you}}")
        expect(page.get_by_text("fields are filled in separate copies only")).to_be_visible(timeout=8000)
        page.get_by_label("Copies", exact=True).select_option("on")
        page.get_by_role("button", name="Paste a list").click()
        page.get_by_label("List with a header").fill("no address here")
        page.get_by_role("button", name="Use this list").click()
        expect(page.get_by_role("alert").filter(has_text="No column holds email addresses")).to_be_visible()
        page.get_by_label("List with a header").fill("mail\tname\nkim@globex.example\tKim\n")
        page.get_by_role("button", name="Use this list").click()
        expect(page.locator("#people-list")).to_contain_text("1 row")
        page.reload()
        expect(page.locator("#people-list")).to_contain_text("1 row")
        page.get_by_role("button", name="Remove the list").click()
        expect(page.get_by_role("button", name="Upload a CSV")).to_be_visible()


def test_copies_are_paused_resumed_and_stopped(chromium: Browser, slow: Stack) -> None:
    ana = slow.person()
    connection = ana.connect()["id"]
    people = [{"address": f"p{n}@hooli.example", "values": {"first_name": f"P{n}"}} for n in range(12)]
    draft = {"connection": connection, "subject": "Slowly", "html": "<p>{{first_name}}</p>"}
    made = ana.api("POST", "emails", {**draft, "separate_copies": True, "recipients": people}).json()
    until(
        lambda: ana.api("GET", f"emails/{made['id']}").json()["progress"]["sent"], lambda sent: sent >= 1, 20
    )
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{slow.url}/emails/{made['id']}")
        progress = page.locator("#progress")
        expect(progress).to_contain_text("waiting")
        page.get_by_role("button", name="Pause").click()
        expect(progress).to_contain_text("Paused.")
        expect(progress).to_contain_text("what has left has left")
        expect(page.get_by_role("button", name="Pause")).to_have_count(0)
        assert axe(page) == []
        shot(page, "paused")
        before = ana.api("GET", f"emails/{made['id']}").json()["progress"]
        page.get_by_role("button", name="Resume").click()
        # Nobody reloads: the page hears of the next ones.
        expect(progress.get_by_text(f"{before['sent'] + 1} sent")).to_be_visible(timeout=25_000)
        page.get_by_role("button", name="Stop").click()
        expect(progress).to_contain_text("stopped")
        expect(page.get_by_role("button", name="Resume")).to_have_count(0)
        shot(page, "stopped")
        assert heard == []
    after = ana.api("GET", f"emails/{made['id']}").json()["progress"]
    assert after["waiting"] == after["paused"] == 0
    assert after["sent"] + after["stopped"] == 12
    for n in range(12):
        found = slow.sandbox.messages(delivery=made["deliveries"][n]["id"])
        assert sum(one["count"] for one in found) <= 1
