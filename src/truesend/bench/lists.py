"""My Emails and an email's page where one member has years of emails, beside the same with a hundredth of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from truesend.bench import machine, years
from truesend.bench.installation import Installation, data_folder
from truesend.bench.rows import Row, median, percentile
from truesend.bench.visitor import Visitor
from truesend.providers.registry import PROVIDERS
from truesend.runtime.postgres import ADMIN

LIMIT_MS, RATIO = 100.0, 1.3
EMAILS, FEWER = 1_000_000, 100
_LEAST_ROUNDS, _WARM = 60, 3
_FILTERS = ("opened", "clicked", "doubtful", "failed", "drafts", "needs")


def rows(*, seconds: float, runs: int, emails: int = EMAILS) -> list[Row]:
    """Measure two installations in turn, ``runs`` times ``seconds``: one with ``emails``, one with a hundredth."""
    few = max(emails // FEWER, 100)
    setup: dict[str, Any] = {
        **machine.description(),
        "installation": "truesend up --sandbox; all emails of one member in one mailbox, over three years",
        "emails": f"{emails:,}, {years.SIGNALS} signals to each that was sent; the mark: {few:,}",
        "turns": "each page in turn, of the one installation and of the other",
    }
    with _furnished(few) as small, _furnished(emails) as large:
        small.ana.rested()
        over, rounds = time.monotonic() + seconds * runs, 0
        while rounds < _LEAST_ROUNDS or time.monotonic() < over:
            for name in small.pages:
                for side in (small, large) if rounds % 2 else (large, small):
                    side.ask(name)
            rounds += 1
    found: list[Row] = []
    for name in large.pages:
        found += _rows(name, large, small, setup)
    return found


@dataclass
class _Side:
    """One installation: its pages by name, and the milliseconds of each time one was asked for."""

    ana: Visitor
    pages: dict[str, str]
    times: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, name: str) -> None:
        began = time.perf_counter()
        self.ana.get(self.pages[name])
        self.times[name].append((time.perf_counter() - began) * 1000)


@contextmanager
def _furnished(emails: int) -> Iterator[_Side]:
    """A running installation whose one member has so many emails."""

    def tell(number: int) -> None:
        print(f"{number:,} of {emails:,} emails are there…", file=sys.stderr, flush=True)

    with data_folder() as data:
        installation = Installation(data)
        with installation.running():
            ana = Visitor(installation.port, installation.sandbox_port)
            ana.sign_up()
            mailbox = ana.connect(next(iter(PROVIDERS)))
            newest = years.furnish(_as_admin(data), mailbox, emails, tell)
            ana.rested()
            pages = _pages(ana, f"/emails/{newest}")
            side = _Side(ana, pages, {name: [] for name in pages})
            for _ in range(_WARM):
                for name in pages:
                    side.ask(name)
            yield _Side(ana, pages, {name: [] for name in pages})


def _as_admin(data: Path) -> str:
    """The database of a running installation by the role that made the cluster: it may write past triggers."""
    parts = urlsplit((data / "run" / "database_url").read_text(encoding="utf-8").strip())
    password = (data / "postgres_admin_password").read_text(encoding="utf-8").strip()
    return f"postgresql://{ADMIN}:{quote(password)}@{parts.path}?{parts.query}"


def _pages(ana: Visitor, detail: str) -> dict[str, str]:
    following = ana.api("GET", "emails")["next"]
    for _ in range(20):  # a page that is not among the first
        following = ana.api("GET", f"emails?cursor={following}")["next"] or following
    return {
        "/emails": "/emails",
        "the list, further back": f"/emails?cursor={following}",
        **{f"filter {name}": f"/emails?filter={name}" for name in _FILTERS},
        **{f"search, {what}": f"/emails?q={quote_plus(word)}" for what, word in years.PLACES.items()},
        "search and filter": f"/emails?filter=clicked&q={years.PLACES['one of 200']}",
        "/emails/{id}": detail,
    }


def _rows(page: str, large: _Side, small: _Side, setup: dict[str, Any]) -> list[Row]:
    ours, mark = large.times[page], small.times[page]
    absolute = Row(
        f"{page}, years of emails",
        ours=percentile(ours, 95),
        unit="ms",
        limit=LIMIT_MS,
        limit_name="ms at most for 95 of 100",
        p99_ms=percentile(ours, 99),
        median_ms=median(ours),
        setup={**setup, "times_each": len(ours)},
    )
    beside = percentile(mark, 95)
    relative = replace(
        absolute,
        name=f"{page}, beside a hundredth",
        limit=RATIO,
        limit_name="times as long at most, 95 of 100",
        ratio=percentile(ours, 95) / beside,
        compare=beside,
    )
    return [absolute, relative]
