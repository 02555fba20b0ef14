"""What every test gets: a real PostgreSQL, keys, Truesend's settings, and no network but loopback.

``make test`` runs in two passes (tests/run.py): most tests in several processes beside each other, then those
marked ``alone``, one by one. Every process has its own of all this.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack

import django
import pytest
from tests import browser, network, postgres

from truesend.runtime.keys import key_files

_running = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which of the two passes this is; without it everything runs."""
    parser.addoption("--company", choices=["together", "alone"], help="leave out the tests of the other pass")


def pytest_configure(config: pytest.Config) -> None:
    """Runs before pytest-django sets Django up, which reads the settings from the environment."""
    network.loopback_only()
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return  # only hands tests out
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the tests of this pass; without a browser its tests are skipped, loudly, but fail where CI=true."""
    if company := config.getoption("company"):
        others = [item for item in items if bool(item.get_closest_marker("alone")) != (company == "alone")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]
    if browser.find() is not None or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(
                pytest.mark.skip(reason="there is no Chromium: install Debian's package chromium")
            )
