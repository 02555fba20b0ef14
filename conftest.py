"""What every test gets: a real PostgreSQL, keys, Truesend's settings, and no network but loopback."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack

import django
import pytest
from tests import browser, network, postgres

from truesend.runtime.keys import key_files

_running = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Runs before pytest-django sets Django up, which reads the settings from the environment."""
    network.loopback_only()
    for name in [name for name in os.environ if name.startswith("TRUESEND_")]:
        del os.environ[name]
    server = _running.enter_context(postgres.running())
    data = postgres.data_folder()
    _running.callback(shutil.rmtree, data, ignore_errors=True)
    os.environ.update(key_files(data))
    os.environ["TRUESEND_DATABASE_URL"] = server.url
    os.environ["TRUESEND_DATA_DIR"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "truesend.settings"
    django.setup()  # pytest-django looked for the settings before they were here, and leaves it to us


def pytest_unconfigure(config: pytest.Config) -> None:
    _running.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser its tests are skipped, loudly; where CI=true they fail instead."""
    if browser.find() is not None or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(
                pytest.mark.skip(reason="there is no Chromium: install Debian's package chromium")
            )
