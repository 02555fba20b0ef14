"""Choosing an hour with the recipient's clock in sight, in Compose and on the email's page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.pages import complaints, window
from tests.e2e.test_compose_sending import write
from tests.e2e.test_unknown import look_at
from tests.integration.test_inbox import READING, arrived, sent
from tests.stack import Stack

pytestmark = pytest.mark.browser


def test_the_recipients_hour_stands_beside_ones_own(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection, "Ines Moreau <ines@globex.example>")
    stack.sandbox.act(arrived(stack, email), "reply", utc_offset="+0900")
    stack.sandbox.advance(180)  # until the mailbox is looked into
    ana.signals(email["id"], 1, 60)
    with window(chromium, ana, timezone_id="Europe/Berlin") as context:
        page = context.new_page()
        heard = complaints(page)
        draft = write(page, stack)
        page.get_by_text("Send later").click()
        told = page.locator(".their-hours")
        expect(told).to_contain_text("It is now about")
        expect(told).to_contain_text("for ines@globex.example (UTC+9).")
        page.get_by_role("button", name="Tomorrow 9:00").click()
        # Eight hours ahead, seven in summer; with its day, unless there it is that day already.
        expect(told).to_contain_text(re.compile(r"That is about 1[67]:00 (on \w{3} \d+ \w{3} )?for ines"))
        faults = look_at(page, "their-hours-compose")
        page.get_by_role("button", name="Schedule", exact=True).click()
        page.wait_for_url(f"{stack.url}/emails/{draft}")
        expect(page.locator("#timeline")).to_contain_text("for ines@globex.example (UTC+9).")
        page.get_by_text("Change the time").click()
        page.get_by_label("Day and hour").fill(page.get_by_label("Day and hour").input_value()[:11] + "15:30")
        page.get_by_label("Day and hour").dispatch_event("change")
        expect(told).to_contain_text(re.compile(r":30 (on \w{3} \d+ \w{3} )?for ines"))
        faults += look_at(page, "their-hours-email")
    assert heard == []
    assert faults == []
