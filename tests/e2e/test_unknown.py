"""What a person meets when nobody can tell whether an email was sent: looked up by itself, asked once, cleared up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests import stack as stacks
from tests import up
from tests.e2e.pages import axe, complaints, overflow, window
from tests.e2e.test_look import LOOKS, SIZES
from tests.stack import Person, Stack, until

pytestmark = pytest.mark.browser

# An attempt is over after its fence (10 s) and this, and believed to be absent after the quiet time.
SETTINGS = {"TRUESEND_HTTP_TIMEOUT": "2", "TRUESEND_QUIET_TIME": "3"}
DECIDED = 15
READING = "capabilities=send,read&kind=personal"
IN_SENT = "It is in your Sent folder"
AGAIN = "It is not there: send again"
GIVE_UP = "It is not there: do not send"
# A folder for pictures of every stage, for people; unset: none are made.
PICTURES = os.environ.get("LOOK_PICTURES")


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that judges after seconds what others judge after minutes."""
    data = tmp_path_factory.mktemp("hasty") / "data"
    with stacks.running(data, settings=SETTINGS) as running:
        yield running
    up.remove(data)


def unknown(person: Person, connection: dict[str, Any], kind: str, **draft: Any) -> dict[str, Any]:
    """An email whose first try met a fault that leaves it open."""
    person.stack.sandbox.fault("send", kind, account=person.email, times=1)
    sent = person.send(connection["id"], **draft)
    return person.email_when(sent["id"], "unknown")


def arrived(stack: Stack, email: dict[str, Any]) -> int:
    return sum(len(stack.sandbox.messages(delivery=one["id"])) for one in email["deliveries"])


def look_at(page: Page, name: str) -> list[str]:
    """What is wrong with the page in both themes and at both widths."""
    faults = []
    for size, theme, only in LOOKS:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.wait_for_timeout(30)
        faults += [f"{name} {size} {theme}: {fault}" for fault in axe(page, only)]
        if overflow(page):
            faults.append(f"{name} {size} {theme}: {overflow(page)} px wider than the window")
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"unknown-{name}-{theme}-{size}.png")
    page.set_viewport_size({"width": 1280, "height": 860})
    return faults


def question(page: Page) -> Locator:
    return page.get_by_role("region", name="Look into your Sent folder")


def test_without_reading_a_person_is_asked_once_and_it_was_there(chromium: Browser, hasty: Stack) -> None:
    ana = hasty.person()
    email = unknown(ana, ana.connect(), "lost_answer")
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{hasty.url}/emails?filter=needs")
        row = page.locator(".email-row")
        expect(row).to_contain_text("Needs you: is it in your Sent folder?", timeout=10_000)
        expect(page.get_by_role("link", name="Needs you 1")).to_be_visible()
        faults = look_at(page, "list")
        row.get_by_role("link").click()
        expect(question(page)).to_contain_text("Tried at ")
        expect(question(page)).to_contain_text("the connection to Google broke before an answer came")
        assert page.get_by_role("button", name=IN_SENT).is_enabled()
        faults += look_at(page, "asked-early")
        # What is there can be said at once, without a mouse.
        page.get_by_role("button", name=IN_SENT).focus()
        page.keyboard.press("Enter")
        expect(page.locator(".timeline")).to_contain_text(f"{ana.email} said it was in Sent")
        expect(question(page)).to_have_count(0)
        faults += look_at(page, "said-sent")
        page.goto(f"{hasty.url}/emails?filter=needs")
        expect(page.get_by_text("No email is in this state.")).to_be_visible()
    assert (faults, heard) == ([], [])
    settled = ana.email_when(email["id"], "sent")
    assert arrived(hasty, settled) == 1
    # Asked once: the answer stays, whoever presses the old page's buttons.
    again = ana.post(f"/deliveries/{settled['deliveries'][0]['id']}/resolve", {"answer": "resend"})
    assert "It is known by now what became of it." in again.text
    assert arrived(hasty, ana.email_when(email["id"], "sent")) == 1


def test_not_there_can_be_said_when_it_can_no_longer_arrive(chromium: Browser, hasty: Stack) -> None:
    ana = hasty.person()
    connection = ana.connect()
    email = unknown(ana, connection, "drop_before")
    delivery = email["deliveries"][0]["id"]
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{hasty.url}/emails/{email['id']}")
        again, give_up = page.get_by_role("button", name=AGAIN), page.get_by_role("button", name=GIVE_UP)
        expect(question(page)).to_contain_text("until then it may still arrive")
        assert again.is_disabled()
        assert give_up.is_disabled()
        # Whoever gets around the page is told by the server.
        early = ana.post(f"/deliveries/{delivery}/resolve", {"answer": "resend"})
        assert "It may still arrive in Sent" in early.text
        expect(again).to_be_enabled(timeout=(DECIDED + 8) * 1000)
        expect(give_up).to_be_enabled()
        faults = look_at(page, "asked")
        again.click()
        expect(page.locator(".timeline")).to_contain_text(f"{ana.email} said it was not in Sent")
        expect(page.locator(".timeline")).to_contain_text("Accepted by Google", timeout=15_000)
        expect(page.locator("#timeline")).to_contain_text("So it was sent again.")
        faults += look_at(page, "sent-again")
    assert (faults, heard) == ([], [])
    assert arrived(hasty, ana.email_when(email["id"], "sent")) == 1


def test_not_there_and_not_wanted_any_more(chromium: Browser, hasty: Stack) -> None:
    ana = hasty.person()
    email = unknown(ana, ana.connect(), "drop_before")
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{hasty.url}/emails/{email['id']}")
        page.get_by_role("button", name=GIVE_UP).click(timeout=(DECIDED + 8) * 1000)
        expect(page.locator("#timeline")).to_contain_text("It is not sent any more.")
        expect(page.locator("#timeline .connection-status")).to_contain_text("Cancelled")
        page.get_by_role("button", name="Edit the email").click()
        expect(page.get_by_label("Subject")).to_have_value("Proposal")
    assert arrived(hasty, ana.email_when(email["id"], "cancelled")) == 0


def test_with_reading_it_is_found_by_itself(chromium: Browser, hasty: Stack) -> None:
    ana = hasty.person()
    connection = ana.connect(query=READING)
    with window(chromium, ana) as context:
        page, listing = context.new_page(), context.new_page()
        heard = complaints(page)
        listing.goto(f"{hasty.url}/emails")
        email = unknown(ana, connection, "lost_answer")
        expect(listing.locator(".email-row")).to_contain_text("Looking in your Sent folder", timeout=3000)
        page.goto(f"{hasty.url}/emails/{email['id']}")
        expect(page.locator(".timeline")).to_contain_text("Found in Sent", timeout=15_000)
        expect(page.locator("#timeline .note")).to_have_count(0)
        faults = look_at(page, "found")
    assert (faults, heard) == ([], [])
    assert arrived(hasty, ana.email_when(email["id"], "sent")) == 1


def test_with_reading_what_is_absent_is_sent_again_by_itself(chromium: Browser, hasty: Stack) -> None:
    ana = hasty.person()
    email = unknown(ana, ana.connect(query=READING), "drop_before")
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{hasty.url}/emails/{email['id']}")
        expect(page.locator("#timeline")).to_contain_text(
            "Truesend looks into your Sent folder; the answer comes by"
        )
        assert page.get_by_role("button", name=IN_SENT).count() == 0
        faults = look_at(page, "looking")
        expect(page.locator(".timeline")).to_contain_text("Not in Sent", timeout=(DECIDED + 15) * 1000)
        expect(page.locator(".timeline")).to_contain_text("Accepted by Google", timeout=10_000)
        expect(page.locator(".timeline")).to_contain_text("so it was sent again by itself")
        faults += look_at(page, "proved-absent")
    assert (faults, heard) == ([], [])
    assert arrived(hasty, ana.email_when(email["id"], "sent")) == 1


def test_the_permission_to_read_answers_the_question(chromium: Browser, hasty: Stack) -> None:
    ana = hasty.person()
    email = unknown(ana, ana.connect(), "lost_answer")
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{hasty.url}/emails/{email['id']}")
        expect(question(page)).to_be_visible()
        assert "Truesend could find out by itself." in page.locator("#timeline").inner_text()
        hasty.sandbox.consent(ana.email)
        page.get_by_role("button", name="See replies and bounces").click()
        page.wait_for_url(f"{hasty.url}/emails/{email['id']}?connected=*")
        expect(page.locator(".timeline")).to_contain_text("Found in Sent", timeout=15_000)
        expect(question(page)).to_have_count(0)
    assert arrived(hasty, ana.email_when(email["id"], "sent")) == 1


def test_somebody_elses_mailbox_names_who_can_allow_reading(chromium: Browser, hasty: Stack) -> None:
    ana = hasty.person(organization=f"Globex {uuid4().hex[:8]}")
    connection = ana.connect(query="capabilities=send&kind=organization")
    tom = hasty.member_of(ana)
    hasty.sandbox.fault("send", "lost_answer", account=ana.email, times=1)
    email = tom.email_when(tom.send(connection["id"])["id"], "unknown")
    with window(chromium, tom) as context:
        page = context.new_page()
        page.goto(f"{hasty.url}/emails/{email['id']}")
        expect(page.get_by_text(f"Who can allow it: {ana.email}")).to_be_visible()
        assert page.get_by_role("button", name="See replies and bounces").count() == 0
        expect(page.get_by_role("button", name="It is in that Sent folder")).to_be_visible()
        faults = look_at(page, "shared")
    assert faults == []


def test_copies_are_asked_for_one_by_one(chromium: Browser, hasty: Stack) -> None:
    ana = hasty.person()
    connection = ana.connect()
    hasty.sandbox.fault("send", "lost_answer", account=ana.email, times=2)
    people = ["Ines Moreau <ines@globex.example>", "tom@globex.example", "Raj Patel <raj@globex.example>"]
    sent = ana.send(connection["id"], to=people, separate_copies=True)
    email = until(
        lambda: ana.api("GET", f"emails/{sent['id']}").json(),
        lambda one: sorted(d["status"] for d in one["deliveries"]) == ["accepted", "unknown", "unknown"],
        60,
    )
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{hasty.url}/emails/{email['id']}")
        page.get_by_text("Copies: ").click()
        expect(page.locator("#copies")).to_contain_text("2 unknown, 1 accepted")
        expect(page.locator(".question")).to_have_count(2)
        expect(page.get_by_role("heading", name="is the copy to Ines Moreau there?")).to_be_visible()
        faults = look_at(page, "copies")
        for left in (1, 0):
            page.get_by_role("button", name=IN_SENT).first.click()
            expect(page.locator(".question")).to_have_count(left)
    assert faults == []
    assert arrived(hasty, ana.email_when(email["id"], "sent")) == 3
