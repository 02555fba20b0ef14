"""What came back, as its sender sees it: on the email's page, in the list, on the connection's card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests import stack as stacks
from tests import up
from tests.e2e.pages import axe, complaints, overflow, window
from tests.integration.test_inbox import INES, LEA, READING, TOM, arrived, sent
from tests.stack import Stack

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("inbox")
    with stacks.running(data, settings={"TRUESEND_INBOX_SECONDS": "1"}) as running:
        yield running
    up.remove(data)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_reply_and_a_bounce_show_as_they_come(
    stack: Stack, chromium: Browser, theme: str, width: int
) -> None:
    ana = stack.person()
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection, INES, TOM, LEA)
    arrival = arrived(stack, email)
    with window(chromium, ana, viewport={"width": width, "height": 900}, color_scheme=theme) as context:
        page = context.new_page()
        said = complaints(page)
        page.goto(f"{stack.url}/emails/{email['id']}")
        stack.sandbox.act(arrival, "reply", to="ines@globex.example")
        timeline = page.locator("#timeline, main").first
        expect(timeline.get_by_text("Ines Moreau replied")).to_be_visible(timeout=15_000)
        stack.sandbox.act(arrival, "bounce", to="tom@globex.example")
        expect(timeline.get_by_text("Tom Okafor bounced")).to_be_visible(timeout=15_000)
        page.reload()
        expect(page.get_by_text("It bounced at tom@globex.example.")).to_be_visible()
        assert (axe(page), overflow(page)) == ([], 0)
        page.goto(f"{stack.url}/emails")
        expect(page.get_by_text("Bounced").first).to_be_visible()
        assert (axe(page), overflow(page)) == ([], 0)
        page.goto(f"{stack.url}/integration")
        expect(page.get_by_text("last event received").first).to_be_visible()
        assert (axe(page), overflow(page)) == ([], 0)
        assert said == []
