"""What the proof runs. Each step is code that ``make test`` runs too, there on a sample."""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from proof import billing, blows, copies, fresh, overdue, renewals, restores, truth
from proof.finding import Finding
from proof.notes import Notes
from tests import figures, tracker_process
from tests import stack as stacks
from tests.integration import test_walk
from tests.storms import hits, kills, mutations

from truesend.bench import pages, refresh, send, tracking
from truesend.bench.installation import data_folder
from truesend.bench.rows import Row

ROOT = Path(__file__).resolve().parents[1]
WALKS, WALK_LIMIT = 5, 5.0
TOKENS, TOKENS_FOLLOWED = 1_000_000, 20_000
STORMS, ROUNDS, EMAILS, HITS, MAILBOXES = 3, 2, 200, 2_000, 10
HITS_KILLS, HITS_HUNG = 10, 12.0

SELECTIONS: dict[str, tuple[str, ...]] = {
    "walk in a browser": ("tests/e2e/test_walk_browser.py",),
    "judges of the sandbox": ("tests/sandbox/test_sandbox_judges.py",),
    "consent matrix": ("tests/integration/test_consent.py", "tests/sandbox/test_sandbox_consent.py"),
    "processes of truesend up": ("tests/integration/test_up.py",),
    "mails as they arrive": (
        "tests/integration/test_rewriting.py",
        "tests/integration/test_rewritten_mails.py",
        "tests/integration/test_tokens_over_http.py",
    ),
    "pages and streams told within a moment": (
        "tests/e2e/test_revoked_browser.py",
        "tests/e2e/test_look_live.py",
        "tests/e2e/test_notices_browser.py",
        "tests/e2e/test_places.py",
        "tests/e2e/test_team_browser.py",
        "tests/integration/test_at_once.py",
        "tests/integration/test_streams.py",
        "tests/integration/test_consent_hanging.py",
        "tests/integration/test_tracker_signals.py",
    ),
    "hits under failures": ("tests/integration/test_tracker.py", "tests/integration/test_tracker_loading.py"),
}
"""Choices of tests that are a figure of their own."""


@dataclass(frozen=True)
class Step:
    """Something to run as a whole; ``key`` names it in the state file."""

    key: str
    what: str
    run: Callable[[int], list[Finding]]


@dataclass(frozen=True)
class LongStep:
    """One that writes down what it has found while it runs, and goes on there when it is started again."""

    key: str
    what: str
    run: Callable[[int, Notes], list[Finding]]


def _selection(name: str) -> Callable[[int], list[Finding]]:
    """A choice of tests: all pass, none is skipped."""

    def run(_: int) -> list[Finding]:
        began = time.monotonic()
        passed, total, last = _pytest(SELECTIONS[name])
        figure = f"{passed} of {total} cases" + ("" if passed == total and total else f"; {last}")
        return [Finding(name, figure, "all", holds=0 < total == passed, seconds=time.monotonic() - began)]

    return run


def _pytest(paths: Sequence[str]) -> tuple[int, int, str]:
    """(passed, all, pytest's last line)."""
    with tempfile.TemporaryDirectory(prefix="truesend-proof-") as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--junitxml={report}",
            *paths,
        ]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=figures.asked(),
            capture_output=True,
            text=True,
            check=False,
            timeout=1800,
        )
        last = (done.stdout.strip().splitlines() or [done.stderr.strip()[-160:]])[-1]
        if not report.exists():
            return 0, 0, last
        # Written by pytest a moment ago, not by somebody else.
        suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314
    assert suite is not None
    counts = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
    wrong = counts["failures"] + counts["errors"] + counts["skipped"]
    return counts["tests"] - wrong, counts["tests"], last


def _walk_by_api(_: int) -> list[Finding]:
    """The whole walk, sign-up included, several times in one running stack."""
    began = time.monotonic()
    slowest = 0.0
    with data_folder() as data, stacks.running(data) as stack:
        for _number in range(WALKS):
            started = time.monotonic()
            test_walk.test_a_tracked_email_is_sent_opened_and_clicked(stack)
            slowest = max(slowest, time.monotonic() - started)
    return [
        Finding(
            "walk by API, with two sign-ups",
            f"{slowest:.2f} s, slowest of {WALKS}",
            f"{WALK_LIMIT:g} s",
            holds=slowest < WALK_LIMIT,
            seconds=time.monotonic() - began,
        )
    ]


def _pages(_: int) -> list[Finding]:
    began = time.monotonic()
    rows = pages.rows(seconds=10, runs=2)
    return _of_bench(rows, time.monotonic() - began)


def _sending(_: int) -> list[Finding]:
    began = time.monotonic()
    rows = send.rows(seconds=10, runs=3)
    return _of_bench(rows, time.monotonic() - began)


def _renewing(_: int) -> list[Finding]:
    began = time.monotonic()
    rows = refresh.rows(seconds=10, runs=2)
    return _of_bench(rows, time.monotonic() - began)


def _tracking(_: int) -> list[Finding]:
    began = time.monotonic()
    rows = tracking.rows(seconds=4, runs=3)
    return _of_bench(rows, time.monotonic() - began)


def _of_bench(rows: Sequence[Row], seconds: float) -> list[Finding]:
    return [
        Finding(
            row.name,
            (
                f"{row.ours:.3g} {row.unit}"
                if row.ratio is None
                else f"{row.ratio:.3f} of {row.compare:.0f} {row.unit}"
            )
            + (
                ""
                if row.median_ms is None
                else f" (median {row.median_ms:.0f}, p99 {row.p99_ms or 0:.0f} ms)"
            ),
            f"{row.limit:g} {row.limit_name}",
            holds=row.holds,
            seconds=seconds / len(rows),
        )
        for row in rows
    ]


def _tokens(seed: int) -> list[Finding]:
    """Changed tokens: most are read in this process, some go to a tracker over HTTP."""
    keys = [("2026", b"n" * 32), ("2025", b"o" * 32)]
    ring = ",".join(f"{name}:{base64.b64encode(secret).decode()}" for name, secret in keys)
    read = mutations.read_all(keys, TOKENS, seed)
    with data_folder() as data, tracker_process.running(data, None, TRUESEND_LINK_KEYS=ring) as tracker:
        followed = mutations.follow_all(tracker.port, keys, TOKENS_FOLLOWED, seed)
    return [
        Finding(
            f"{what}, in {len(books.counts)} ways",
            books.wrong[0] if books.wrong else f"{books.tried:,}",
            "none is believed",
            holds=not books.wrong,
            seconds=books.seconds,
            seed=str(seed),
        )
        for what, books in (("changed tokens read", read), ("changed tokens over HTTP", followed))
    ]


def _storms(seed: int) -> list[Finding]:
    return [_storm(seed + number) for number in range(STORMS)]


def _storm(seed: int) -> Finding:
    with data_folder() as data, stacks.running(data) as stack:
        books = kills.storm(stack, mailboxes=MAILBOXES, emails=EMAILS, hits=HITS, rounds=ROUNDS, seed=seed)
    short = books.shortfalls(emails=EMAILS, hits=HITS, rounds=ROUNDS)
    unknown = books.emails["unknown"]
    held = (
        f"{EMAILS} emails once each, {unknown} of them unknown; {books.hits_acknowledged} hits once each; "
        f"{len(books.kills)} kills"
    )
    return Finding(
        f"storm of {EMAILS} emails, {HITS} hits",
        "; ".join(short) if short else held,
        "nothing lost, nothing double",
        holds=not short,
        seconds=books.seconds,
        seed=str(seed),
    )


def _hits_storm(seed: int) -> list[Finding]:
    """Hits without a pause while tracker, loader and PostgreSQL are killed, PostgreSQL hangs and the disk is full."""
    with data_folder() as data:
        books = hits.storm(data, kills=HITS_KILLS, hung=HITS_HUNG, seed=seed)
    short = books.shortfalls()
    longest = max(books.longest.values(), default=0) / 1000
    held = (
        f"{len(books.answered):,} hits once each under {books.blows.total()} blows, "
        f"{books.lost:,} told as lost on the full disk; longest answer {longest:.1f} s"
    )
    return [
        Finding(
            "hits under blows",
            "; ".join(short) if short else held,
            "each once, every link leads on",
            holds=not short,
            seconds=books.seconds,
            seed=str(seed),
        )
    ]


STEPS: tuple[Step | LongStep, ...] = (
    Step("walk-browser", "the walk in a browser", _selection("walk in a browser")),
    Step("walk-api", "the walk by API", _walk_by_api),
    Step("pages", "pages, streams, end and second start", _pages),
    Step("sending", "sending, against calls that do nothing else", _sending),
    Step("renewing", "renewals, against calls that do nothing else", _renewing),
    Step("tracking", "hits, against an application that does nothing else", _tracking),
    Step(
        "judges",
        "the providers' own libraries against the sandbox",
        _selection("judges of the sandbox"),
    ),
    Step(
        "consent",
        "consents that are forged, stolen, broken or refused",
        _selection("consent matrix"),
    ),
    Step(
        "processes",
        "processes that are killed, refused, ended",
        _selection("processes of truesend up"),
    ),
    Step(
        "hits",
        "hits while database, disk and tracker fail",
        _selection("hits under failures"),
    ),
    Step(
        "moments",
        "what is told within a moment",
        _selection("pages and streams told within a moment"),
    ),
    Step("hits-storm", "hits while everything behind them dies", _hits_storm),
    Step("mails", "mails, their links and their quotes", _selection("mails as they arrive")),
    Step("tokens", "a million changed tokens", _tokens),
    Step("storms", "storms", _storms),
    Step("copies", "a thousand copies from a list", copies.findings),
    Step("overdue", "three hundred scheduled emails and three hours without a way out", overdue.findings),
    Step("billing", "a thousand events of Stripe", billing.findings),
    LongStep("matrix", "blows at every point of a send", blows.kill_matrix),
    Step("race", "processes that race for the same keys", renewals.race),
    LongStep("renewals", "blows at every step of a renewal", renewals.matrix),
    Step("faults", "a provider at its worst", blows.fault_storm),
    LongStep("truth", "verdicts held against the providers", truth.findings),
    Step("restores", "clones and restored backups", restores.findings),
    Step("fresh", "make run in an empty folder", fresh.findings),
)
