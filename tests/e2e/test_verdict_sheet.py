"""A sheet with a picture of every verdict card, in both themes: `artifacts/verdict-cards-….png`, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.pages import axe, complaints, overflow, window
from tests.stack import Stack
from tests.states import write_there

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def open_all(page: Page) -> int:
    """Open every line; how many there were."""
    lines = page.locator("details.connection-line")
    count = lines.count()
    for number in range(count):
        lines.nth(number).locator("summary").first.click()
    expect(page.locator(".line-more .capabilities")).to_have_count(count, timeout=20_000)
    return count


def test_a_sheet_of_every_verdict_card(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    write_there(ana, "every")
    listed = ana.api("GET", "connections").json()["items"]
    assert len(listed) > 35
    ARTIFACTS.mkdir(exist_ok=True)
    with window(chromium, ana, viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/integration")
        opened = open_all(page)
        assert opened + page.locator("article.connection").count() == len(listed)
        said = page.locator("#cards").inner_text()
        for one in listed:
            assert one["address"] in said
            if one["verdict"] in {"broken", "attention"}:
                assert one["sentence"].partition(". ")[0] in said, one["cause"]
        # Nothing sticks to the window while the whole page is pictured.
        page.set_viewport_size(
            {"width": 1280, "height": page.evaluate("document.documentElement.scrollHeight")}
        )
        for theme in THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.wait_for_timeout(50)
            assert axe(page, None if theme == "light" else "color-contrast") == []
            page.locator("main").screenshot(path=ARTIFACTS / f"verdict-cards-{theme}.png")
        page.set_viewport_size({"width": 390, "height": 844})
        assert overflow(page) == 0
        assert heard == []
