"""Held mail at the browser: taken at a limit, let go together, written again, and the way to the Sent folder."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.pages import complaints, window
from tests.e2e.test_compose_sending import write
from tests.e2e.test_unknown import look_at
from tests.stack import Stack, until

pytestmark = pytest.mark.browser


def test_at_a_limit_compose_says_when_it_goes_and_sends(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    stack.sandbox.fault("send", "daily_limit", account=ana.email, times=1, retry_after=3600)
    met = ana.send(connection)
    ana.email_when(met["id"], "held")
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        draft = write(page, stack)
        gate = page.locator("#gate-capability")
        expect(gate).to_contain_text("This mailbox has reached Google's daily limit.")
        expect(gate).to_contain_text("The email goes out by itself at")
        expect(gate).to_contain_text("; nothing to do.")
        expect(gate).not_to_contain_text("UTC")
        expect(page.locator("#gates")).to_contain_text("Ready to send")
        expect(page.locator("#leaves")).to_contain_text("Will go out at")
        hour = page.locator("#leaves time").inner_text()
        assert gate.locator("time").inner_text() == hour
        faults = look_at(page, "limit-compose")
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(f"{stack.url}/emails/{draft}")
        card = page.locator("#timeline")
        expect(card).to_contain_text("Held")
        expect(card.locator(".note").last).to_contain_text("It goes by itself at")
        expect(card.locator(".note").last.locator("time")).to_have_text(hour)
        expect(card).to_contain_text("nothing to do")
        expect(card).to_contain_text("Nothing was tried.")
        expect(card).to_contain_text("“Proposal” can be taken back for")
        # No text of a page names an hour of another zone than the reader's.
        assert "UTC" not in page.locator("body").inner_text()
        # It can be taken back, as any other, and stopped.
        page.get_by_role("button", name="Undo").click()
        page.wait_for_url(f"{stack.url}/emails/new?draft={draft}")
        expect(page.get_by_label("Subject")).to_have_value("Proposal")
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(f"{stack.url}/emails/{draft}")
        expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
        faults += look_at(page, "limit-email")
        page.goto(f"{stack.url}/emails")
        row = page.locator(f"#email-{draft}")
        expect(row).to_contain_text("Goes by itself at")  # first: what stands behind it may be cut off
        expect(row.locator("time").first).to_have_text(hour)
        faults += look_at(page, "limit-list")
        stack.sandbox.advance(3700)
        expect(row).not_to_contain_text("Held", timeout=20_000)
        assert (faults, heard) == ([], [])
    for one in (met["id"], draft):
        ana.email_when(one, "sent", 30)


def test_what_a_dead_grant_held_goes_together(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    stack.sandbox.fault("any", "revoke_grant", account=ana.email)
    sent = [ana.send(connection, subject=f"Offer {number}", undo_seconds=2) for number in (1, 2, 3)]
    for one in sent:
        ana.email_when(one["id"], "held")
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/emails")
        page.wait_for_selector("body[data-live-state=open]")
        expect(page.locator(".email-row")).to_have_count(3)
        assert page.get_by_role("button", name="Send all 3").count() == 0
        stack.sandbox.consent(ana.email)
        answer = ana.get(f"/oauth/google/start?capabilities=send&kind=personal&connection={connection}")
        assert answer.status_code == 200
        page.goto(f"{stack.url}/emails?filter=needs")
        expect(page.locator("#emails .note")).to_contain_text(f"3 emails from {ana.email} are held.")
        faults = look_at(page, "held-list")
        page.get_by_role("button", name="Send all 3").click()
        expect(page.get_by_role("heading", name=f"Send 3 emails from {ana.email}?")).to_be_visible()
        expect(page.locator("main")).to_contain_text("Offer 2")
        faults += look_at(page, "held-confirm")
        page.get_by_role("button", name="Send the ticked ones").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"{stack.url}/emails")
        expect(page.get_by_text("3 emails go out now.")).to_be_visible()
        expect(page.locator("#emails .note")).to_have_count(0)
        assert (faults, heard) == ([], [])
    for one in sent:
        delivery = ana.email_when(one["id"], "sent")["deliveries"][0]["id"]
        assert len(stack.sandbox.messages(delivery=delivery)) == 1


def test_what_was_refused_is_gone_from_needs_you_once_it_was_sent_again(
    chromium: Browser, stack: Stack
) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    error = {
        "error": {"code": 400, "message": "Invalid To header", "errors": [{"reason": "invalidArgument"}]}
    }
    stack.sandbox.fault("send", "status", account=ana.email, times=1, status=400, body=error)
    refused = ana.send(connection)["id"]
    ana.email_when(refused, "failed")
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/emails?filter=needs")
        page.locator(".email-row").get_by_role("link").click()
        page.get_by_role("button", name="Edit the email").click()
        expect(page.locator("#editor")).to_be_visible()
        page.get_by_label("Subject").fill("Proposal, to the right one")
        expect(page.locator("#saved")).to_have_text("Saved", timeout=8000)
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))
        again = page.url.rpartition("/")[2]
        ana.email_when(again, "sent", 30)
        page.goto(f"{stack.url}/emails?filter=needs")
        expect(page.locator(".email-row")).to_have_count(0)
        page.goto(f"{stack.url}/emails")
        expect(page.locator(f"#email-{refused}")).to_contain_text(
            "Sent again as “Proposal, to the right one”."
        )
        page.goto(f"{stack.url}/emails/{refused}")
        expect(page.locator("#timeline")).to_contain_text("Sent again as “Proposal, to the right one”.")
        assert page.get_by_role("button", name="Edit the email").count() == 0
        faults = look_at(page, "sent-again")
        page.get_by_role("button", name="Open the new email").click()
        page.wait_for_url(f"{stack.url}/emails/{again}*")
        assert (faults, heard) == ([], [])


def test_the_sent_folder_opens_beside_the_question(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    stack.sandbox.fault("send", "lost_answer", account=ana.email, times=1)
    email = ana.send(ana.connect()["id"], subject="Is it there?")["id"]
    ana.email_when(email, "unknown")
    until(
        lambda: ana.api("GET", f"emails/{email}").json()["deliveries"][0]["look_at"],
        lambda look: look is None,
        20,
    )
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/{email}")
        link = page.get_by_role("link", name="Open Sent in Gmail")
        expect(link).to_have_attribute("rel", "noopener noreferrer")
        with context.expect_page() as opened:
            link.click()
        beside = opened.value
        # The sandbox's own page of that account, which lets the question be answered.
        assert beside.url.startswith(f"{stack.sandbox.url}/mail/?authuser=")
        expect(beside.get_by_role("heading", name=f"Sent of {ana.email}")).to_be_visible()
        expect(beside.locator("main")).to_contain_text("Is it there?")
        assert page.get_by_role("button", name="It is in your Sent folder").is_visible()
