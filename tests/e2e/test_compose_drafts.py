"""Where an email begins, under which address it is found again, and that leaving Compose makes no second draft."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.e2e.pages import axe, complaints, compose, draft_id, overflow, saved, window
from tests.stack import Person, Stack, until

pytestmark = pytest.mark.browser


def _drafts(person: Person) -> list[tuple[str, str]]:
    items = person.api("GET", "emails?status=draft").json()["items"]
    return [(one["id"], one["subject"]) for one in items]


def _nav(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Compose").click()
    page.get_by_role("textbox", name="Message").wait_for()


def test_compose_begins_a_new_email_and_offers_the_newest_draft(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        compose(page, stack)
        expect(page.locator("#go-on")).to_be_hidden()
        page.reload()
        assert page.url == f"{stack.url}/emails/new"
        assert _drafts(ana) == []  # nothing was typed, nothing is stored
        page.get_by_label("Subject").fill("Older")
        saved(page)
        first = draft_id(page)
        assert page.url == f"{stack.url}/emails/new?draft={first}"
        page.reload()
        expect(page.get_by_label("Subject")).to_have_value("Older")
        expect(page.locator("#go-on")).to_be_hidden()

        _nav(page)
        expect(page.get_by_label("Subject")).to_have_value("")
        expect(page.locator("#go-on")).to_have_text(
            re.compile(r"Go on with “Older”, saved (\d+ s ago|just now)\s+All drafts")
        )
        assert axe(page) == []
        page.get_by_label("Subject").fill("N" * 200)
        saved(page)
        second = draft_id(page)
        assert sorted(_drafts(ana)) == sorted([(first, "Older"), (second, "N" * 200)])
        page.go_back()
        expect(page.get_by_label("Subject")).to_have_value("Older")

        page.set_viewport_size({"width": 390, "height": 844})
        compose(page, stack)
        assert overflow(page) == 0
        page.locator("#go-on").get_by_role("link", name="NNN").click()
        expect(page.get_by_label("Subject")).to_have_value("N" * 200)
        _nav(page)
        page.get_by_role("link", name="All drafts").click()
        page.wait_for_url(f"{stack.url}/emails?filter=drafts")
        expect(page.locator(".email-row")).to_have_count(2)
        page.locator(".email-row").filter(has_text="Older").get_by_role("link").click()
        page.wait_for_url(f"{stack.url}/emails/new?draft={first}")
        expect(page.get_by_label("Subject")).to_have_value("Older")
        assert heard == []


def test_a_file_alone_gives_the_draft_its_address_too(chromium: Browser, stack: Stack) -> None:
    with window(chromium, stack.person()) as context:
        page = context.new_page()
        compose(page, stack)
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Attach files").click()
        chooser.value.set_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"x"})
        expect(page.locator(".file")).to_contain_text("1 byte")
        page.reload()
        expect(page.locator(".file-name")).to_have_text("notes.txt")


def _write_while_saving(page: Page) -> list[Route]:
    """Last words and the tracking switch, while the first save is on its way; what leaves from here on is held."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/emails/drafts/*", hold)
    page.get_by_label("Subject").fill("First words")
    expect(page.locator("#saved")).to_have_text("Saving …", timeout=5000)
    page.get_by_label("Subject").fill("Last words")
    page.get_by_label("Track opens and clicks").uncheck()
    return held


def _no_longer_young(page: Page) -> None:
    """As if the copies of drafts in this browser had rested a minute: no page can be writing on them any more."""
    page.evaluate(
        """() => { for (const [key, text] of Object.entries(localStorage)) {
            const copy = JSON.parse(text);
            localStorage.setItem(key, JSON.stringify({...copy, at: copy.at - 60_000}));
        } }"""
    )


@pytest.mark.parametrize("goes_on", ["with the draft", "elsewhere"])
def test_last_words_whose_way_was_cut_end_in_their_own_draft(
    chromium: Browser, stack: Stack, goes_on: str
) -> None:
    """The server stored the first save; its answer, and everything after it, was never heard."""
    ana = stack.person()
    with window(chromium, ana) as context:
        page = context.new_page()
        compose(page, stack)
        draft = draft_id(page)
        held = _write_while_saving(page)
        held[0].fetch()
        assert _drafts(ana) == [(draft, "First words")]
        context.set_offline(True)
        held[0].abort()
        page.close()
        context.set_offline(False)
        page = context.new_page()
        if goes_on == "elsewhere":
            page.goto(f"{stack.url}/account")
            _no_longer_young(page)
            page.reload()
            expect(page.get_by_text("A draft that had not been saved is in My Emails again.")).to_be_visible()
        else:
            compose(page, stack, f"/emails/new?draft={draft}")
            expect(page.get_by_text("Restored what had not been saved.")).to_be_visible()
            saved(page)
        compose(page, stack, f"/emails/new?draft={draft}")
        expect(page.get_by_label("Subject")).to_have_value("Last words")
        expect(page.get_by_label("Track opens and clicks")).not_to_be_checked()
        assert page.evaluate("Object.keys(localStorage)") == []
    assert _drafts(ana) == [(draft, "Last words")]


def test_leaving_while_a_save_is_under_way_makes_one_draft(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    with window(chromium, ana) as context:
        page = context.new_page()
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        slow = {"offline": False, "latency": 400, "downloadThroughput": -1, "uploadThroughput": -1}
        drafts = []
        for number in range(3):
            compose(page, stack)
            drafts.append((draft_id(page), f"Last words {number}"))
            network.send("Network.emulateNetworkConditions", slow)
            with page.expect_request("**/emails/drafts/*"):
                page.get_by_label("Subject").fill("First words")
            page.get_by_label("Subject").fill(f"Last words {number}")
            page.get_by_label("Track opens and clicks").uncheck()
            _nav(page)
            network.send("Network.emulateNetworkConditions", {**slow, "latency": 0})
        until(lambda: sorted(_drafts(ana)), lambda found: found == sorted(drafts), 10)
        _no_longer_young(page)
        page.goto(f"{stack.url}/account")
        until(lambda: page.evaluate("Object.keys(localStorage)"), lambda kept: kept == [], 10)
        for draft, _ in drafts:
            compose(page, stack, f"/emails/new?draft={draft}")
            expect(page.get_by_label("Track opens and clicks")).not_to_be_checked()
    assert sorted(_drafts(ana)) == sorted(drafts)


def test_a_draft_of_a_disconnected_account_has_one_sentence_and_one_button(
    chromium: Browser, stack: Stack
) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    with window(chromium, ana) as context:
        page = context.new_page()
        compose(page, stack).fill("ines@globex.example")
        page.get_by_label("Subject").fill("Offer")
        saved(page)
        assert ana.post(f"/connections/{connection}/disconnect").ok
        page.reload()
        expect(page.get_by_label("From")).to_have_value(connection)
        expect(page.get_by_label("From")).to_contain_text(f"{ana.email} · Disconnected")
        gates = page.locator("#gates")
        expect(gates.locator(".is-shut")).to_have_count(1)
        expect(gates.locator(".is-shut")).to_contain_text(f"{ana.email} was disconnected.")
        expect(page.get_by_text("No account is connected yet")).to_have_count(0)
        page.get_by_label("Subject").fill("Offer, better")
        saved(page)
        stack.sandbox.consent(ana.email)
        page.get_by_role("button", name="Reconnect").click()
        page.wait_for_url(re.compile(r"/emails/new\?draft="))
        expect(page.get_by_label("Subject")).to_have_value("Offer, better")
        expect(page.get_by_role("heading", name="Ready to send")).to_be_visible()


def test_what_nobody_sees_in_a_pasted_subject_becomes_a_space(chromium: Browser, stack: Stack) -> None:
    with window(chromium, stack.person()) as context:
        page = context.new_page()
        compose(page, stack)
        subject = page.get_by_label("Subject")
        subject.fill("Offer\u2028for\tInes\x85")
        expect(subject).to_have_value("Offer for Ines ")
