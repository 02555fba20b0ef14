"""Choosing an hour at the browser: in one's own zone, another one later, back into Compose, and after an outage."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.pages import complaints, window
from tests.e2e.test_compose_sending import write
from tests.e2e.test_unknown import look_at
from tests.integration.test_scheduling import hour
from tests.stack import Stack

pytestmark = pytest.mark.browser


def test_an_hour_is_chosen_changed_and_taken_back(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana, timezone_id="America/New_York") as context:
        page = context.new_page()
        heard = complaints(page)
        draft = write(page, stack)
        page.get_by_text("Send later").click()
        expect(page.locator("[data-zone]")).to_have_text("America/New_York")
        page.get_by_role("button", name="Tomorrow 9:00").click()
        chosen = page.get_by_label("Day and hour").input_value()
        assert chosen.endswith("T09:00")
        faults = look_at(page, "schedule-compose")
        page.get_by_role("button", name="Schedule", exact=True).click()
        page.wait_for_url(f"{stack.url}/emails/{draft}")
        card = page.locator("#timeline")
        expect(card).to_contain_text("Waits for its hour:")
        expect(card).to_contain_text("09:00")
        sent = ana.api("GET", f"emails/{draft}").json()["send_at"]
        assert re.search(r"T1[34]:00:00", sent), sent
        page.get_by_text("Change the time").click()
        expect(page.get_by_label("Day and hour")).to_have_value(chosen)
        faults += look_at(page, "schedule-email")
        page.get_by_label("Day and hour").fill(chosen.replace("T09:00", "T15:30"))
        page.get_by_role("button", name="Schedule", exact=True).click()
        expect(page.locator("#timeline")).to_contain_text("15:30")
        page.get_by_role("button", name="Edit", exact=True).click()
        page.wait_for_url(f"{stack.url}/emails/new?draft={draft}")
        expect(page.get_by_label("Day and hour")).to_have_value(chosen.replace("T09:00", "T15:30"))
        assert ana.api("GET", f"emails/{draft}").json()["status"] == "draft"
        assert heard == []
        assert faults == []


def test_what_an_outage_left_is_looked_through(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect(query="capabilities=send,read&kind=personal")["id"]
    emails = [
        ana.send(connection, subject=f"Proposal {number}", send_at=hour(stack, minutes=number + 1))["id"]
        for number in range(7)
    ]
    fault = stack.sandbox.fault("token", "outage", account=ana.email)
    stack.sandbox.fault("any", "expire_access", account=ana.email)
    stack.sandbox.advance(3 * 3600)
    for email in emails:
        ana.email_when(email, "held", 60)
    stack.sandbox.control("DELETE", f"faults/{fault}")
    with window(chromium, ana, timezone_id="Europe/Berlin") as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/emails")
        expect(page.locator("main")).to_contain_text("nothing leaves late unasked")
        page.get_by_role("link", name="Look through them").or_(
            page.get_by_role("button", name="Look through them")
        ).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Send 7 emails")
        expect(page.get_by_label("One a minute")).to_be_checked()
        faults = look_at(page, "overdue-review")
        box = page.get_by_role("checkbox", name="Proposal 0")
        box.uncheck()
        # Enter at a box or in the hour is not “Send”.
        box.press("Enter")
        page.get_by_text("Send later").click()
        page.get_by_label("Day and hour").fill("2031-01-05T09:00")
        page.get_by_label("Day and hour").press("Enter")
        page.wait_for_timeout(300)
        assert "/emails/held/" in page.url
        assert {ana.api("GET", f"emails/{one}").json()["status"] for one in emails} == {"held"}
        page.get_by_role("button", name="Send the ticked ones").click()
        page.wait_for_url(f"{stack.url}/emails")
        expect(page.locator("body")).to_contain_text("6 emails go out, one a minute.")
        assert ana.api("GET", f"emails/{emails[0]}").json()["status"] == "held"
        ana.email_when(emails[1], "sent", 30)
        assert ana.api("GET", f"emails/{emails[6]}").json()["status"] == "queued"
        assert heard == []
        assert faults == []
    stack.sandbox.advance(480)
    for email in emails[1:]:
        ana.email_when(email, "sent", 60)
