"""A mailbox's day, drawn: in its card, on its page, and what Compose says of it before sending."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.pages import axe, complaints, compose, overflow, window
from tests.stack import Stack, until

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_day_is_drawn_and_told_before(chromium: Browser, stack: Stack, width: int, scheme: str) -> None:
    ana = stack.person()
    box = ana.connect()["id"]
    ana.post(f"/connections/{box}/day/limit", {"most": "30"})
    to = [f"drawn{number}@globex.example" for number in range(20)]
    sent = ana.send(box, to=to, separate_copies=True)
    until(lambda: ana.api("GET", f"emails/{sent['id']}").json()["progress"]["sent"], lambda n: n == 20, 30)
    with window(chromium, ana, viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        page = context.new_page()
        heard = complaints(page)
        compose(page, stack).fill(", ".join(f"more{number}@globex.example" for number in range(12)))
        page.get_by_label("Subject").fill("More")
        page.get_by_label("Copies", exact=True).select_option("on")
        gates = page.locator("#gates")
        expect(gates).to_contain_text("Goes out over 2 days: 7 at first, 5 on", timeout=10_000)
        assert axe(page) == []
        gates.get_by_text("See the mailbox's day").click()
        expect(page.get_by_role("heading", name="The day of")).to_be_visible()
        expect(page.locator(".day")).to_contain_text("20 of 30 emails used in the past 24 hours")
        expect(page.locator(".day")).to_contain_text("3 kept for single emails")
        expect(
            page.get_by_role("img", name="20 of 30 emails in the past 24 hours, 0 planned")
        ).to_be_visible()
        page.get_by_text("By the hour", exact=True).click()
        expect(page.get_by_role("table")).to_contain_text("20")
        assert overflow(page) == 0
        assert axe(page) == []
        if Path("data/shots").exists():
            page.screenshot(path=f"data/shots/day-{width}-{scheme}.png", full_page=True)
        page.get_by_label("At most in 24 hours").fill("25")
        page.get_by_role("button", name="Keep to it").click()
        expect(page.locator(".day")).to_contain_text("20 of 25 emails")
        page.goto(f"{stack.url}/integration")
        page.get_by_text("24 hours · What it may still send").click()
        expect(page.locator(".day-here")).to_contain_text("20 of 25 emails")
        assert axe(page) == []
        assert heard == []
