"""The ways to a connection at a browser: on the way to sending, refused, wrong, astray, and by asking somebody."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.connections import proved, when
from tests.e2e.pages import axe, complaints, compose, draft_id, overflow, saved, window
from tests.mails import mail
from tests.stack import Person, Stack

pytestmark = pytest.mark.browser

PAGES = {
    "redirect_uri_mismatch": ("Error 400: redirect_uri_mismatch", "redirect_mismatch"),
    "admin_policy_enforced": ("Error 400: admin_policy_enforced", "admin_policy"),
}


def choose(page: Page, address: str) -> None:
    """On the provider's page: the account, up to its boxes."""
    page.get_by_label("Email").fill(address)
    page.get_by_role("button", name="Continue").last.click()


def allow(page: Page, address: str) -> None:
    choose(page, address)
    page.get_by_role("button", name="Allow").click()


def allow_again(page: Page) -> None:
    """The account is named already."""
    page.get_by_role("button", name="Allow").click()


def shown(page: Page) -> None:
    """Nothing to complain about."""
    assert axe(page) == []
    assert overflow(page) == 0


def revoke(stack: Stack, person: Person, connection: dict[str, Any]) -> None:
    stack.sandbox.fault("any", "revoke_grant", account=connection["address"], times=1)
    person.api("POST", f"connections/{connection['id']}/verify")
    when(person, connection["id"], lambda one: one["verdict"] == "broken")


def test_no_account_on_the_way_to_sending(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        to = compose(page, stack)
        to.fill("Ines Moreau <ines@globex.example>")
        page.get_by_label("Subject").fill("Proposal, kept")
        page.get_by_role("textbox", name="Message").click()
        page.keyboard.type("Hello Ines")
        saved(page)
        draft = draft_id(page)
        gate = page.locator("#gate-connection")
        expect(gate).to_contain_text("Choose the account to send from, or connect one.")
        for name in ("Connect Google", "Connect Microsoft", "Connect Keap"):
            expect(gate.get_by_role("button", name=name, exact=True)).to_be_visible()
        shown(page)
        gate.get_by_role("button", name="Connect Google", exact=True).click()
        allow(page, ana.email)
        page.wait_for_url(re.compile(rf"/emails/new\?draft={draft}"))
        expect(page.get_by_label("Subject")).to_have_value("Proposal, kept")
        expect(page.get_by_role("textbox", name="Message")).to_contain_text("Hello Ines")
        expect(page.get_by_label("From")).to_contain_text(ana.email)
        expect(page.get_by_role("heading", name="Ready to send")).to_be_visible()
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(re.compile(rf"/emails/{draft}$"))
        stack.sandbox.advance(11)
        expect(page.locator("#timeline")).to_contain_text("Accepted by Google", timeout=15_000)
        assert heard == []


def test_of_several_accounts_the_one_just_connected_is_chosen(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    for number in range(2):
        ana.connect(f"team{number}-{ana.email}")
    with window(chromium, ana) as context:
        page = context.new_page()
        compose(page, stack).fill("ines@globex.example")
        saved(page)
        draft = draft_id(page)
        third = ana.connect()
        page.goto(f"{stack.url}/emails/new?draft={draft}&connected={third['id']}")
        expect(page.get_by_label("From")).to_have_value(third["id"])


def test_connected_but_revoked(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    with window(chromium, ana) as context:
        page, other = context.new_page(), context.new_page()
        heard = complaints(page)
        other.goto(f"{stack.url}/account")
        page.goto(f"{stack.url}/integration")
        card = page.get_by_role("article")
        expect(card).to_contain_text("Working")
        page.wait_for_selector("body[data-live-state=open]")
        revoke(stack, ana, connection)
        expect(card).to_contain_text("Cannot send", timeout=5_000)
        expect(other.locator("#health")).to_contain_text("1 of 1 needs you", timeout=10_000)
        shown(page)
        mail(stack, ana.email, "can no longer send")
        page.bring_to_front()
        card.get_by_role("button", name="Reconnect", exact=True).click()
        allow_again(page)
        expect(page.get_by_text(f"{ana.email} is connected.")).to_be_visible()
        expect(card).not_to_contain_text("Cannot send")
        mail(stack, ana.email, "is connected again")
        assert heard == []


def test_denied(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/integration")
        page.get_by_role("button", name="Connect Google").click()
        choose(page, ana.email)
        page.get_by_role("button", name="Cancel").click()
        note = page.get_by_role("alert")
        expect(note).to_contain_text("You pressed Cancel at Google. Nothing was connected.")
        shown(page)
        note.get_by_role("button", name="Try again").click()
        allow(page, ana.email)
        expect(page.get_by_text(f"{ana.email} is connected.")).to_be_visible()
        # The test email was ticked, and still is.
        expect(page.get_by_role("article")).to_contain_text("Working", timeout=15_000)


def test_an_unticked_box(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/integration")
        page.get_by_role("article").get_by_role("button", name="See replies and bounces").click()
        expect(page.get_by_role("heading", name="See replies and bounces")).to_be_visible()
        shown(page)
        page.get_by_role("button", name="Allow it at Google").click()
        boxes = page.get_by_role("checkbox")
        boxes.last.uncheck()
        page.get_by_role("button", name="Allow").click()
        card = page.get_by_role("article")
        expect(card).to_contain_text("Sends, but cannot read replies")
        expect(card).to_contain_text("This permission was not given at Google.")
        shown(page)
        card.get_by_role("button", name="Reconnect", exact=True).click()
        allow_again(page)
        expect(page.get_by_role("article")).to_contain_text("Read", timeout=15_000)
        assert ana.connection(connection["id"])["verdict"] != "broken"


def test_the_wrong_account(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    revoke(stack, ana, connection)
    other = f"bob-{ana.email}"
    stack.sandbox.account(other)
    stack.sandbox.consent(ana.email, as_account=other)
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/integration")
        page.get_by_role("article").get_by_role("button", name="Reconnect", exact=True).click()
        note = page.get_by_role("alert")
        expect(note).to_contain_text(f"You chose {other}; the one to reconnect is {ana.email}.")
        shown(page)
        note.get_by_role("button", name="Reconnect", exact=True).click()
        expect(page.get_by_text(ana.email).first).to_be_visible()
        allow_again(page)
        expect(page.get_by_text(f"{ana.email} is connected.")).to_be_visible()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_never_comes_back(chromium: Browser, stack: Stack, name: str) -> None:
    words, cause = PAGES[name]
    ana = stack.person()
    stack.sandbox.account(ana.email)
    stack.sandbox.consent(ana.email, page=name)
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/integration")
        page.get_by_role("button", name="Connect Google").click()
        expect(page.get_by_text(words)).to_be_visible()
        # Back by hand.
        page.goto(f"{stack.url}/integration")
        expect(page.get_by_text("Back from Google without an answer?")).to_be_visible()
        stack.sandbox.advance(181)
        page.reload()
        expect(page.get_by_text("You have not come back from Google.")).to_be_visible()
        shown(page)
        page.get_by_role("button", name="What did its page say?").click()
        entry = page.locator("li", has=page.locator(f"[data-cause={cause}]")).first
        expect(entry).to_contain_text(words)
        expect(entry).to_contain_text("What helps:")
        if cause == "redirect_mismatch":
            expect(entry.get_by_text(f"{stack.url}/oauth/google/callback")).to_be_visible()
            expect(entry.get_by_role("button", name="Copy")).to_be_visible()
        shown(page)
        page.get_by_role("button", name="Try again").click()
        allow(page, ana.email)
        expect(page.get_by_text(f"{ana.email} is connected.")).to_be_visible()
        assert "not come back" not in page.locator("main").inner_text()


def test_a_user_asks_an_owner_and_is_told_on_the_open_page(chromium: Browser, stack: Stack) -> None:
    ana = stack.person(organization=f"Asking {stack.person().email}")
    ben = stack.member_of(ana)
    connection = proved(ana, account=f"sales-{ana.email}", query="capabilities=send&kind=organization")
    revoke(stack, ana, connection)
    with window(chromium, ben) as context:
        page = context.new_page()
        heard = complaints(page)
        to = compose(page, stack)
        to.fill("ines@globex.example")
        page.get_by_label("Subject").fill("Waiting for Ana")
        saved(page)
        gate = page.locator("#gate-capability")
        expect(gate).to_contain_text("permission was withdrawn")
        expect(gate).to_contain_text(ana.email)
        gate.get_by_role("button", name="Ask an owner", exact=True).click()
        expect(page.get_by_text(f"is asked to reconnect {connection['address']}")).to_be_visible()
        expect(page.get_by_label("Subject")).to_have_value("Waiting for Ana")
        page.wait_for_selector("body[data-live-state=open]")
        link = re.search(r"/oauth/\S+", mail(stack, ana.email, "asks you to reconnect"))
        assert link
        stack.sandbox.consent(connection["address"])
        assert "connected=" in ana.get(link[0]).url
        told = page.locator("#toasts").get_by_role("link", name=re.compile("What you asked for is done"))
        expect(told).to_be_visible(timeout=10_000)
        expect(page.get_by_role("heading", name="Ready to send")).to_be_visible(timeout=10_000)
        assert heard == []
    mail(stack, ben.email, "is connected again")


# -- the page with many -----------------------------------------------------------------------------------------


def many(stack: Stack) -> Person:
    from tests.states import write_there

    ana = stack.person()
    write_there(ana, "200")
    return ana


def test_two_hundred_connections(chromium: Browser, stack: Stack) -> None:
    ana = many(stack)
    with window(chromium, ana, viewport={"width": 1280, "height": 860}) as context:
        page = context.new_page()
        heard = complaints(page)
        for width, height in ((1280, 860), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{stack.url}/integration")
            first = page.get_by_role("article").first
            expect(first.get_by_text("Cannot send")).to_be_in_viewport()
            shown(page)
        page.set_viewport_size({"width": 1280, "height": 860})
        page.get_by_role("searchbox").fill("team013")
        expect(page.locator("details.connection-line")).to_have_count(1)
        line = page.locator("details.connection-line")
        line.locator("summary").first.focus()
        page.keyboard.press("Enter")
        expect(line.get_by_role("button", name="Verify now")).to_be_visible()
        line.locator(".disclose-words", has_text="What happened").click()
        expect(line.get_by_text("Key renewed").first).to_be_visible()
        page.get_by_role("searchbox").fill("nobody at all")
        expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
        page.get_by_role("searchbox").fill("")
        expect(page.locator("details.connection-line")).to_have_count(197)
        page.get_by_role("link", name=re.compile("^Needs you")).click()
        expect(page.get_by_role("heading", name=re.compile("^Working"))).to_have_count(0)
        assert heard == []


def test_one_of_many_moves_when_it_breaks(chromium: Browser, stack: Stack) -> None:
    ana = many(stack)
    connection = proved(ana, account=f"live-{ana.email}", query="capabilities=send&kind=organization")
    with window(chromium, ana) as context:
        page = context.new_page()
        asked: list[str] = []
        page.goto(f"{stack.url}/integration")
        page.wait_for_selector("body[data-live-state=open]")
        line = page.locator(f"#connection-{connection['id']}")
        expect(line).to_contain_text("Working")
        page.wait_for_timeout(1_000)  # what the stream's beginning made it read again
        page.on("request", lambda one: asked.append(one.url))
        ana.api("POST", f"connections/{connection['id']}/verify")
        page.wait_for_timeout(1_500)
        # A proof that changes nothing fetches one line, not the list.
        assert not any("/integration/cards" in url for url in asked), asked
        assert sum(f"/connections/{connection['id']}/part" in url for url in asked) >= 1
        revoke(stack, ana, connection)
        expect(line).to_contain_text("Cannot send", timeout=5_000)
        expect(page.locator("#summary")).to_contain_text("five need you", timeout=5_000)
