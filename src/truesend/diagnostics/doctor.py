"""``truesend doctor``: everything that can be wrong with an installation, each with what helps.

It works whatever is wrong: what cannot be looked at, since something before it is wrong, is ``unproven``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from truesend import env
from truesend.diagnostics import database_checks, folder_checks, settings_checks
from truesend.diagnostics.findings import Finding, Fix, Status, unproven
from truesend.env import PREFIX
from truesend.runtime import folder

_FIRST_SETTINGS = "Not looked at: the settings come first."
_FIRST_DATABASE = "Not looked at: the database comes first."


def run(*, as_json: bool) -> int:
    """Look, print, and say by the exit code whether something is wrong."""
    data = Path(os.environ.get(f"{PREFIX}DATA_DIR") or "data").absolute()
    running = folder.join_if_running(data)
    settings_checks.keys_at_hand(data)
    findings = examine(data, running=running)
    print(json.dumps(_as_json(findings), indent=1) if as_json else in_words(findings))
    return 0 if all(one.status is not Status.WRONG for one in findings) else 1


def examine(data: Path, *, running: bool, at_once: int = 8) -> list[Finding]:
    """Every check, in an order in which the first ones explain the later.

    ``running``: a ``truesend up`` runs here. ``at_once``: so many are asked at the same time, each on a connection to
    the database of its own.
    """
    found = [*settings_checks.settings()]
    readable = settings_checks.are_readable()
    if readable:
        found.append(settings_checks.environment())
    found += [folder_checks.folder(data), folder_checks.disk(data)]
    if not readable:
        return [*found, unproven("everything else", _FIRST_SETTINGS)]
    return [*found, *_outside(data, running=running, at_once=at_once)]


def _outside(data: Path, *, running: bool, at_once: int) -> Iterator[Finding]:
    """What is asked of others."""
    _set_django_up()
    # Only now: they import models.
    from truesend.diagnostics import address_checks, mail_checks
    from truesend.diagnostics.installation_checks import installation
    from truesend.diagnostics.provider_checks import provider
    from truesend.diagnostics.push_checks import pushes
    from truesend.providers import registry

    in_database = list(_database(data, running=running))
    usable = all(
        one.status is not Status.WRONG for one in in_database if one.check in {"database", "migrations"}
    )
    asked: list[Callable[[], list[Finding]]] = [lambda: [mail_checks.system_mail()]]
    if runs := env.get("DATABASE_URL") is not None:
        asked.insert(0, lambda: [address_checks.public(folder.noted_address(data, "web"))])
        asked.insert(1, lambda: [address_checks.tracking(folder.noted_address(data, "tracker"))])
    names = [adapter.name for adapter in registry.PROVIDERS.values()]
    if usable:
        asked.insert(0, lambda: [installation()])
        asked += [_of_provider(provider, key) for key in registry.PROVIDERS]
        asked.append(pushes)
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        answers = [one for found in pool.map(_closing, asked) for one in found]
    yield from in_database
    if not usable:
        yield unproven("installation", _FIRST_DATABASE)
    if not runs:
        yield from (
            unproven(check, "Not looked at: nothing runs here.")
            for check in ("public address", "tracking host")
        )
    yield from answers
    if not usable:
        yield from (unproven(f"{name} client", _FIRST_DATABASE) for name in names)


def _of_provider(check: Callable[[str], list[Finding]], key: str) -> Callable[[], list[Finding]]:
    return lambda: check(key)


def _closing(check: Callable[[], list[Finding]]) -> list[Finding]:
    """Run a check in its thread and close what it opened there."""
    from django.db import connection

    try:
        return check()
    finally:
        connection.close()


def _database(data: Path, *, running: bool) -> Iterator[Finding]:
    """Everything that needs nothing but PostgreSQL."""
    from truesend.diagnostics import key_checks

    embedded = running and os.environ.get(f"{PREFIX}DATABASE_URL_FILE", "") == str(
        data / "run" / "database_url"
    )
    later = ("migrations", "connections", "encryption keys", "link keys", "worker")
    if env.get("DATABASE_URL") is None:
        yield database_checks.none_named(data)
        yield from (unproven(check, _FIRST_DATABASE) for check in later)
        return
    try:
        with database_checks.connected() as connection:
            yield database_checks.database(connection)
            yield database_checks.migrations()
            yield database_checks.budget(connection)
            yield key_checks.encryption(connection, data)
            yield key_checks.links(connection)
            yield database_checks.worker(connection, data, running=running)
    except (psycopg.Error, OSError) as error:
        yield database_checks.unreachable(error, data, embedded=embedded)
        yield from (unproven(check, _FIRST_DATABASE) for check in later)


def _set_django_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truesend.settings")
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()


def _as_json(findings: list[Finding]) -> dict[str, object]:
    return {
        "ok": all(one.status is not Status.WRONG for one in findings),
        "checks": [one.as_json() for one in findings],
    }


def in_words(findings: list[Finding]) -> str:
    """For a terminal: a line a check, and below it what helps, each thing to do on a line of its own."""
    lines: list[str] = []
    width = max(len(one.check) for one in findings)
    for one in findings:
        lines.append(f"{one.status.value:<9} {one.check:<{width}}  {one.sentence}")
        if one.fix is not None:
            lines += [f"{'':9} {'':{width}}  {line}" for line in _fix_lines(one.fix)]
    return "\n".join([*lines, "", summary(findings)])


def _fix_lines(fix: Fix) -> Iterator[str]:
    yield f"→ {fix.words}"
    yield from (f"  set: {line}" for line in fix.settings)
    yield from (f"  unset: {name}" for name in fix.unset)
    if fix.register:
        yield f"  register: {fix.register}"
    if fix.command:
        yield f"  run: {fix.command}"
    if fix.page:
        yield f"  open: {fix.page}"


def summary(findings: list[Finding]) -> str:
    """How many things are wrong, in a sentence."""
    bad = sum(one.status is Status.WRONG for one in findings)
    odd = sum(one.status is Status.WARNING for one in findings)
    warned = f" {odd} warning{'s' * (odd > 1)}." if odd else ""
    if not bad:
        return f"Nothing is wrong.{warned}"
    things = "1 thing is" if bad == 1 else f"{bad} things are"
    return f"{things} wrong.{warned} Begin at the top and look again: the first may explain the rest."
