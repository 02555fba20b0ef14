"""``bench pages``: how fast pages come, alone, with many tabs and event streams open, and with years of emails.

And how the whole ends and begins.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from truesend.bench import integrations, lists, machine
from truesend.bench.installation import Installation, data_folder, end
from truesend.bench.rows import BenchError, Row, median, percentile
from truesend.bench.visitor import Visitor, until
from truesend.providers.registry import PROVIDERS

LIMIT_MS = 100.0
LIMIT_S = 10.0
EMAILS, TABS, STREAMS = 30, 10, 200
_LEAST_ROUNDS = 10
_BETWEEN_HITS = 1.0
_QUIET = 2.0


@dataclass
class _Times:
    """Milliseconds by page, and the web process's seconds for all of them and for ``beside`` other answers."""

    pages: dict[str, list[float]] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    beside: int = 0

    @property
    def cpu_ms(self) -> float:
        """For one answer."""
        return self.cpu_seconds * 1000 / (sum(map(len, self.pages.values())) + self.beside)


def rows(
    *, seconds: float, runs: int, emails: int = lists.EMAILS, connections: int = integrations.CONNECTIONS
) -> list[Row]:
    """Measure ``runs`` times ``seconds``: alone, in a crowd, with so many connections, with so many emails of one."""
    alone = _crowded(seconds, runs)
    many = integrations.rows(seconds=seconds, runs=runs, connections=connections)
    return [*alone, *many, *lists.rows(seconds=seconds, runs=runs, emails=emails)]


def _crowded(seconds: float, runs: int) -> list[Row]:
    setup = {
        **machine.description(),
        "installation": f"truesend up --sandbox; one organization, {EMAILS} sent emails",
        "crowd": f"{TABS} tabs fetching their live part at every event, {STREAMS} more event streams, an open "
        f"every {_BETWEEN_HITS:g} s; one page asked for at a time beside that",
    }
    with data_folder() as data:
        installation = Installation(data)
        with installation.running() as (process, first):
            ana = Visitor(installation.port, installation.sandbox_port)
            detail, pixels = _furnish(ana)
            pages = {"/emails": "/emails", "/integration": "/integration", "/emails/new": "/emails/new"}
            pages["/emails/{id}"] = detail
            _measure(ana, pages, 0, installation.pid("web"))  # warm
            alone = _measure(ana, pages, seconds * runs, installation.pid("web"))
            with _crowd(installation.port, ana.cookie, detail) as crowd:
                with _opens(pixels):
                    among = _measure(ana, pages, seconds * runs, installation.pid("web"))
                time.sleep(_QUIET)  # the tabs fetch what the last open changed
                ending = end(process)
                time.sleep(0.2)
        setup["seen"] = (
            "{fetches} fetches by tabs, {failed} failed; {ended} streams ended by the server".format(**crowd)
        )
        if crowd["ended"] != TABS + STREAMS or crowd["failed"]:
            raise BenchError(f"The crowd was not served: {crowd}.")
        among.beside = crowd["fetches"]
        with installation.running() as (_, second):
            setup["first_start_s"] = round(first, 1)
    measured = [_row(name, "alone", alone, setup) for name in pages]
    measured += [_row(name, f"{TABS} tabs, {STREAMS} streams", among, setup) for name in pages]
    return [
        *measured,
        Row(f"SIGTERM with {TABS + STREAMS} streams", ending, "s", LIMIT_S, "s at most", setup=setup),
        Row("second start to ready", second, "s", LIMIT_S, "s at most", setup=setup),
    ]


def _row(page: str, when: str, times: _Times, setup: dict[str, Any]) -> Row:
    measured = times.pages[page]
    return Row(
        name=f"{page} {when}",
        ours=percentile(measured, 95),
        unit="ms",
        limit=LIMIT_MS,
        limit_name="ms at most for 95 of 100",
        cpu_ms=times.cpu_ms,
        p99_ms=percentile(measured, 99),
        median_ms=median(measured),
        setup={**setup, "times_each": min(map(len, times.pages.values()))},
    )


def _furnish(ana: Visitor) -> tuple[str, list[str]]:
    """Sign up, connect, send: the path of an email's page, and pixels of all emails."""
    ana.sign_up()
    connection = ana.connect(next(iter(PROVIDERS)))
    ids = [
        ana.api(
            "POST",
            "emails",
            {
                "connection": connection,
                "to": [f"Ines Moreau <ines{number}@globex.example>"],
                "subject": f"Proposal {number}",
                "html": '<p>Hello, here is the <a href="https://example.com/prices">new price list</a>.</p>',
            },
        )["id"]
        for number in range(EMAILS)
    ]
    sent = until(
        lambda: [ana.api("GET", f"emails/{one}") for one in ids],
        lambda found: all(one["status"] == "sent" for one in found),
        120,
        "The emails were not sent",
    )
    ana.sandbox("clock", {"advance": 30})  # so that opens are more than prefetches
    pixels = [_pixel(ana, one["deliveries"][0]["id"]) for one in sent]
    return f"/emails/{ids[0]}", pixels


def _pixel(ana: Visitor, delivery: str) -> str:
    (message,) = ana.sandbox(f"messages?delivery={delivery}")["items"]
    parsed = email.message_from_string(message["raw"], policy=email.policy.default)
    part = parsed.get_body(("html",))
    found = re.search(r"http://[^\"'\s]+/t/o/[\w.-]+", part.get_content() if part is not None else "")
    if found is None:
        raise BenchError("A sent email has no pixel.")
    return found[0]


def _measure(ana: Visitor, pages: dict[str, str], seconds: float, web: int) -> _Times:
    """Ask for the pages in turn, one at a time, for that long."""
    times = _Times({name: [] for name in pages})
    before, over, rounds = machine.cpu_seconds(web), time.monotonic() + seconds, 0
    while rounds < _LEAST_ROUNDS or time.monotonic() < over:
        for name, path in pages.items():
            began = time.perf_counter()
            ana.get(path)
            times.pages[name].append((time.perf_counter() - began) * 1000)
        rounds += 1
    times.cpu_seconds = machine.cpu_seconds(web) - before
    return times


@contextmanager
def _crowd(port: int, cookie: str, detail: str) -> Iterator[dict[str, int]]:
    """Tabs and streams, open for the time of the block; then filled with what they saw."""
    lists = {"path": "/emails/rows", "kinds": ["email", "signal"]}
    timelines = {"path": f"{detail}/timeline", "kinds": ["email", "signal"]}
    order = {"port": port, "cookie": cookie, "tabs": [lists, timelines] * (TABS // 2), "streams": STREAMS}
    seen: dict[str, int] = {}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "truesend.bench.crowd"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        said = process.stdout.readline().strip()
        if said != "open":
            raise BenchError(f"Not every event stream was opened: {said or 'nothing was'}.")
        yield seen
        seen.update(json.loads(process.communicate(timeout=30)[0]))
    finally:
        process.kill()
        process.wait()


@contextmanager
def _opens(pixels: list[str]) -> Iterator[None]:
    """Emails are opened one after another for the time of the block."""
    over = threading.Event()

    def run() -> None:
        number = 0
        while not over.wait(_BETWEEN_HITS):
            parts = urlsplit(pixels[number % len(pixels)])
            number += 1
            connection = HTTPConnection("127.0.0.1", parts.port or 80, timeout=10)
            try:
                agent = f"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.{number}"
                connection.request("GET", parts.path, headers={"User-Agent": agent, "Accept-Language": "en"})
                connection.getresponse().read()
            except (OSError, HTTPException):
                continue
            finally:
                connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
