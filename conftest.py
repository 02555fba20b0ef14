"""What every test gets: a real PostgreSQL, keys, Truesend's settings, and no network but loopback.

``make test`` runs in two passes (tests/run.py): most tests in several processes beside each other, then those
marked ``alone``, one by one. Every process has its own of all this.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import django
import pytest
from hypothesis import settings
from tests import browser, bytecode, emptying, network, postgres, prepared, told

from truesend.runtime.keys import key_files

_running = ExitStack()
# How long an example takes says nothing beside other processes.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")
# The files that take longest are begun first, the longest of them first of all, so that no process is left with one of
# them at the end.
_LONGEST = (
    "test_fault_texts_keap.py",
    "test_fault_texts_microsoft.py",
    "test_copies_storm.py",
    "test_matrix.py",
    "test_dead_workers.py",
    "test_adopt.py",
    "test_look.py",
    "test_unknown.py",
    "test_openapi.py",
    "test_access_matrix.py",
    "test_fault_texts.py",
    "test_up.py",
    "test_truth.py",
    "test_renewal_matrix.py",
    "test_fault_storm.py",
    "test_hits_storm.py",
    "test_storm.py",
    "test_connections_standstill.py",
    "test_scheduling.py",
    "test_accounts_without_a_form.py",
    "test_providers_browser.py",
    "test_separate_copies_browser.py",
    "test_tenants.py",
    "test_reconcile.py",
    "test_guessing.py",
    "test_installation.py",
    "test_inbox_keap.py",
    "test_connecting_browser.py",
    "test_billing_browser.py",
    "test_compose_tabs.py",
    "test_sending.py",
    "test_connections.py",
    "test_held.py",
    "test_second_factor_browser.py",
    "test_health.py",
    "test_audit.py",
    "test_inbox.py",
    "test_billing.py",
    "test_keap.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which of the two passes this is; without it everything runs."""
    parser.addoption("--company", choices=["together", "alone"], help="leave out the tests of the other pass")
    parser.addoption("--again", default="", help="a file that names tests which belong to this pass as well")


def pytest_configure(config: pytest.Config) -> None:
    """Runs before pytest-django sets Django up, which reads the settings from the environment."""
    bytecode.keep()
    config.pluginmanager.register(told.Teller(config))
    network.loopback_only()
    _running.enter_context(prepared.kept())
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
    emptying.install()


def pytest_unconfigure(config: pytest.Config) -> None:
    _running.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the tests of this pass; without a browser its tests are skipped, loudly, but fail where CI=true."""
    if company := config.getoption("company"):
        file = config.getoption("again")
        again = set(Path(file).read_text(encoding="utf-8").splitlines()) if file else set()
        others = [
            item
            for item in items
            if bool(item.get_closest_marker("alone")) != (company == "alone") and item.nodeid not in again
        ]
        config.hook.pytest_deselected(items=others)
        left_out = set(others)
        items[:] = sorted((item for item in items if item not in left_out), key=_turn)
    if browser.find() is not None or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(
                pytest.mark.skip(reason="there is no Chromium: install Debian's package chromium")
            )


def _turn(item: pytest.Item) -> int:
    name = item.path.name
    return _LONGEST.index(name) if name in _LONGEST else len(_LONGEST)
