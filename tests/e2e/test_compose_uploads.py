"""Files in Compose: progress, cancel, failure, reload, limits, keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, Route, expect
from tests.e2e.pages import axe, caught, complaints, compose, window
from tests.stack import Stack

pytestmark = pytest.mark.browser

UPLOADS = "**/emails/drafts/*/attachments"
_DROP = """([form, names]) => {
  const data = new DataTransfer();
  for (const name of names) data.items.add(new File([name], name));
  for (const type of ["dragover", "drop"])
    form.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
}"""

_PASTE = """element => {
  const data = new DataTransfer();
  data.items.add(new File(["p"], "pasted.png"));
  element.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def ready(page: Page, stack: Stack) -> None:
    """An email that could be sent."""
    compose(page, stack).fill("ines@globex.example")
    page.get_by_label("Subject").fill("Files")
    expect(page.get_by_role("heading", name="Ready to send")).to_be_visible()


def file(name: str, content: bytes = b"x") -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def choose(page: Page, *files: FilePayload) -> None:
    """By the button, as a person does."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files(list(files))


def row(page: Page, name: str) -> Locator:
    return page.locator(".file").filter(has_text=name)


def test_files_are_chosen_dropped_and_pasted_and_survive_a_reload(chromium: Browser, stack: Stack) -> None:
    with window(chromium, stack.person()) as context:
        page = context.new_page()
        heard = complaints(page)
        compose(page, stack)
        choose(page, file("Grüße.txt", b"x" * 2048), file("empty.txt", b""))
        expect(row(page, "Grüße.txt")).to_contain_text("2 KB")
        expect(row(page, "empty.txt")).to_contain_text("empty, 0 bytes")
        page.evaluate(_DROP, [page.locator("form#compose").element_handle(), ["dropped.txt"]])
        expect(row(page, "dropped.txt")).to_contain_text("11 bytes")
        page.get_by_role("textbox", name="Message").evaluate(_PASTE)
        expect(row(page, "pasted.png")).to_contain_text("1 byte")
        expect(page.locator("#files-total")).to_have_text("4 files, 2 KB of 25 MB.")
        assert axe(page) == []
        page.reload()
        names = ["Grüße.txt", "empty.txt", "dropped.txt", "pasted.png"]
        expect(page.locator(".file-name")).to_have_text(names)
        with page.expect_download() as download:
            row(page, "Grüße.txt").get_by_role("link").click()
        assert download.value.suggested_filename == "Grüße.txt"
        remove = page.get_by_role("button", name="Remove empty.txt")
        remove.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".file-name")).to_have_text(["Grüße.txt", "dropped.txt", "pasted.png"])
        expect(page.get_by_role("button", name="Remove dropped.txt")).to_be_focused()
        assert heard == []


def test_progress_cancel_failure_and_another_try(chromium: Browser, stack: Stack, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(b"x" * 6_000_000)
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        ready(page, stack)
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
        network.send("Network.emulateNetworkConditions", slow)
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Attach files").click()
        chooser.value.set_files(large)
        expect(row(page, "large.bin").get_by_role("progressbar", name="Uploading large.bin")).to_be_visible()
        expect(row(page, "large.bin")).to_contain_text(re.compile(r"[1-9]\d? % of 5.7 MB"), timeout=15_000)
        page.get_by_role("button", name="Cancel large.bin").click()
        expect(page.locator(".file")).to_have_count(0)
        network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})

        def broken(route: Route) -> None:
            route.abort("connectionreset")

        page.route(UPLOADS, broken)
        choose(page, file("notes.txt"))
        expect(row(page, "notes.txt")).to_contain_text("Not attached: the connection broke.")
        card = page.get_by_role("region", name="A file is not attached")
        expect(card).to_contain_text("“notes.txt”: Not attached: the connection broke.")
        expect(page.get_by_role("heading", name="Everything else is ready")).to_be_visible()
        expect(page.get_by_text("Ready to send")).to_be_hidden()
        expect(page.get_by_role("button", name="Why can't I send?")).to_be_visible()
        assert axe(page) == []
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("alert").first).to_contain_text("“notes.txt” is not attached: try it again")
        expect(card.get_by_role("listitem")).to_be_focused()
        # What the server says of the rest does not take it away.
        with page.expect_response("**/gates"):
            page.get_by_label("Subject").fill("Files for you")
        expect(page.get_by_role("heading", name="Everything else is ready")).to_be_visible()
        page.unroute(UPLOADS)
        card.get_by_role("button", name="Try again").click()
        expect(row(page, "notes.txt")).to_contain_text("1 byte")
        expect(card).to_be_hidden()
        expect(page.get_by_role("heading", name="Ready to send")).to_be_visible()
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))


def test_what_is_too_large_or_too_many_is_said_before_it_travels(
    chromium: Browser, stack: Stack, tmp_path: Path
) -> None:
    large = tmp_path / "film.mov"
    large.write_bytes(b"x" * (26 * 1024 * 1024))
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/attachments") else None)
        ready(page, stack)
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Attach files").click()
        chooser.value.set_files(large)
        expect(row(page, "film.mov")).to_contain_text("It is 26 MB. Attachments may be 25 MB in all.")
        assert asked == []
        card = page.get_by_role("region", name="A file is not attached")
        expect(card).to_contain_text(
            "“film.mov”: It is 26 MB. Attachments may be 25 MB in all. Remove it, and send a link to it instead."
        )
        expect(page.get_by_text("Ready to send")).to_be_hidden()
        expect(page.get_by_role("button", name="Try again")).to_be_hidden()
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("alert").first).to_contain_text(
            "“film.mov” is not attached: remove it to send without it."
        )
        card.get_by_role("button", name="Remove film.mov").click()
        expect(page.locator(".file")).to_have_count(0)
        expect(page.get_by_role("heading", name="Ready to send")).to_be_visible()
        expect(page.get_by_role("alert").first).to_be_hidden()
        expect(page.get_by_role("button", name="Attach files")).to_be_focused()
        page.route(UPLOADS, lambda route: route.abort())
        page.evaluate(
            _DROP, [page.locator("form#compose").element_handle(), [f"{number}.txt" for number in range(300)]]
        )
        expect(page.locator(".file")).to_have_count(100)
        expect(page.locator("#files-total")).to_have_text(
            "200 files were left out: an email carries 100 files at most. "
            "Put them into one archive (ZIP) and attach that."
        )


def test_send_waits_for_a_file_that_is_on_its_way(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        ready(page, stack)
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route(UPLOADS, hold)
        choose(page, file("late.txt"))
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("alert").first).to_contain_text("It is sent when the file is uploaded")
        assert "/emails/new" in page.url
        caught(page, held).continue_()
        page.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))
