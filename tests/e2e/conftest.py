"""A browser for the tests that look at pages."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests import browser as chromiums
from tests import figures

# Of whatever a page is expected to show, where a test does not say it.
expect.set_options(timeout=figures.limit(5.0) * 1000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium of this machine.

    One for each file: while it is there an event loop runs, in which Django touches no database, and which file is
    next in this process is left to chance.
    """
    path = chromiums.find()
    if path is None:
        pytest.skip("there is no Chromium")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=arguments, env={**chromiums.environment()}
        )
        yield browser
        browser.close()
