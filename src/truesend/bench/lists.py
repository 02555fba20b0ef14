"""My Emails and an email's page where one member has years of emails, beside the same with a hundredth of them."""

from __future__ import annotations

import sys
import time
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
_LEAST_ROUNDS = 30
_FILTERS = ("opened", "clicked", "doubtful", "failed", "drafts", "needs")


@dataclass
class _Times:
    """Milliseconds by page, and the web process's seconds for all of them."""

    pages: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: float = 0.0


def rows(*, seconds: float, runs: int, emails: int = EMAILS) -> list[Row]:
    """Measure ``runs`` times ``seconds``, first with a hundredth of ``emails``, then with all of them."""
    few = max(emails // FEWER, 100)
    setup: dict[str, Any] = {
        **machine.description(),
        "installation": "truesend up --sandbox; all emails of one member in one mailbox, over three years",
        "emails": f"{emails:,}, {years.SIGNALS} signals to each that was sent; the mark: {few:,}",
    }
    with data_folder() as data:
        installation = Installation(data)
        with installation.running():
            ana = Visitor(installation.port, installation.sandbox_port)
            ana.sign_up()
            mailbox = ana.connect(next(iter(PROVIDERS)))
            url = _as_admin(data, installation.pid("web"))

            def tell(number: int) -> None:
                print(f"{number:,} of {emails:,} emails are there…", file=sys.stderr, flush=True)

            web = installation.pid("web")
            newest = years.furnish(url, mailbox, 0, few, total=emails, tell=tell)
            pages = _pages(ana, f"/emails/{newest}")
            _measure(ana, pages, 0, web)  # warm
            small = _measure(ana, pages, seconds * runs, web)
            years.furnish(url, mailbox, few, emails, total=emails, tell=tell)
            pages = _pages(ana, f"/emails/{newest}")
            _measure(ana, pages, 0, web)
            large = _measure(ana, pages, seconds * runs, web)
    found: list[Row] = []
    for name in pages:
        found += _rows(name, large, small, setup)
    return found


def _as_admin(data: Path, web: int) -> str:
    """The database of a running installation by the role that made the cluster: it may write past triggers."""
    environment = Path(f"/proc/{web}/environ").read_text(encoding="utf-8").split("\0")
    url = dict(one.partition("=")[::2] for one in environment)["TRUESEND_DATABASE_URL"]
    password = (data / "postgres_admin_password").read_text(encoding="utf-8").strip()
    parts = urlsplit(url)
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
    times.cpu_ms = (machine.cpu_seconds(web) - before) * 1000 / sum(map(len, times.pages.values()))
    return times


def _rows(page: str, large: _Times, small: _Times, setup: dict[str, Any]) -> list[Row]:
    ours, mark = large.pages[page], small.pages[page]
    absolute = Row(
        f"{page}, years of emails",
        ours=percentile(ours, 95),
        unit="ms",
        limit=LIMIT_MS,
        limit_name="ms at most for 95 of 100",
        cpu_ms=large.cpu_ms,
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
