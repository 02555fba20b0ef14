"""A person at a browser: their pages, and what went wrong in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect
from tests.stack import Person, Stack

AXE = Path(__file__).resolve().parents[2] / "frontend/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def window(chromium: Browser, person: Person | None = None, **options: Any) -> Iterator[BrowserContext]:
    """A browser window of its own, signed in as somebody who signed in by form."""
    context = chromium.new_context(**options)
    if person is not None:
        context.add_cookies(
            [
                {"name": str(one.name), "value": str(one.value), "url": person.stack.url}
                for one in person.jar.cookies
            ]
        )
    try:
        yield context
    finally:
        context.close()


def complaints(page: Page) -> list[str]:
    """A list that fills with the console's errors and warnings; a breach of the content security policy is one."""
    heard: list[str] = []
    page.on("console", lambda one: heard.append(one.text) if one.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def axe(page: Page, only: str | None = None) -> list[str]:
    """What axe finds wrong, one line each; ``only`` names the single rule to ask."""
    # Evaluated, not added as a tag: the page's policy forbids inline scripts.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, iframes: false}).then(r => r.violations)",
        [only] if only else RULES,
    )
    return [
        f"{one['id']}: {', '.join(str(node['target']) for node in one['nodes'])}: "
        f"{one['nodes'][0]['failureSummary']}"
        for one in found
    ]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return max(wider, 0)


def compose(page: Page, stack: Stack, path: str = "/emails/new") -> Locator:
    """Compose with its scripts running, a new email unless told otherwise; its To line."""
    page.goto(stack.url + path)
    page.get_by_role("textbox", name="Message").wait_for()
    return page.get_by_label("To", exact=True)


def draft_id(page: Page) -> str:
    """The id of the draft that Compose shows."""
    found = page.locator("form#compose").get_attribute("data-draft")
    assert found
    return found


def saved(page: Page) -> None:
    """Wait until everything is stored."""
    expect(page.locator("#saved")).to_have_text("Saved", timeout=8000)


def caught(page: Page, held: list[Route], seconds: float = 20) -> Route:
    """The first request that a route's handler kept: the page may say that it asks before the request gets here."""
    until = time.monotonic() + seconds
    while not held and time.monotonic() < until:
        page.wait_for_timeout(20)
    return held[0]


def fine(page: Page) -> None:
    """Nothing for axe, and nothing beside the window, in both looks and widths."""
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert axe(page) == []
            assert overflow(page) == 0
