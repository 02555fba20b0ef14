"""The health line follows what happens, on a page that stands open."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests import stack as stacks
from tests import up
from tests.e2e.pages import axe, complaints, window
from tests.stack import Stack, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose worker may be stopped."""
    data = tmp_path_factory.mktemp("health") / "data"
    with stacks.running(data) as running:
        yield running
    up.remove(data)


def test_a_new_question_is_in_the_line_at_once(chromium: Browser, own: Stack) -> None:
    ana = own.person()
    connection = ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{own.url}/account")
        page.wait_for_selector("body[data-live-state=open]")
        own.sandbox.fault("send", "lost_answer", account=ana.email, times=1)
        sent = ana.send(connection["id"])
        until(
            lambda: ana.api("GET", f"emails/{sent['id']}").json(),
            lambda one: one["status"] == "unknown" and one["deliveries"][0]["look_at"] is None,
            20,
        )
        # The tick comes every 30 s; this is the event, and what rests between two refreshes.
        expect(page.locator("#health")).to_contain_text("1 email needs you", timeout=5_000)
        page.goto(f"{own.url}/emails/{sent['id']}")
        page.wait_for_selector("body[data-live-state=open]")
        page.get_by_role("button", name="It is in your Sent folder").click()
        expect(page.locator("#health")).not_to_contain_text("needs you", timeout=5_000)
        assert heard == []


def test_a_stopped_worker_is_told_on_an_open_page(chromium: Browser, own: Stack) -> None:
    ana = own.person()
    ana.connect()
    worker = own.up.pid("worker")
    assert worker is not None
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{own.url}/account")
        page.wait_for_selector("body[data-live-state=open]")
        line = page.locator("#health")
        os.kill(worker, signal.SIGSTOP)
        stopped = time.monotonic()
        try:
            time.sleep(12)
            assert "Nothing is sent" not in line.inner_text()
            expect(line).to_contain_text("Nothing is sent or renewed right now.", timeout=16_000)
            assert 18 < time.monotonic() - stopped < 28
            assert axe(page) == []
        finally:
            os.kill(worker, signal.SIGCONT)
        expect(line).not_to_contain_text("Nothing is sent", timeout=10_000)
