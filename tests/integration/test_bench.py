"""The benches run, tell what they ran on, end what they started, and leave an installation beside them alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from proof import run, steps
from proof.finding import Finding
from tests import up

from truesend.bench import load, machine
from truesend.bench.load import read_wrk
from truesend.bench.rows import BenchError, Row, percentile, table

pytestmark = pytest.mark.alone

FIELDS = {"name", "ours", "limit", "limit_name", "cpu_ms", "p99_ms", "setup"}
WRK = """Running 1s test @ http://127.0.0.1:47001
  1 threads and 64 connections
  Latency Distribution
     50%    2.10ms
     99%  903.00us
  12345 requests in 1.01s, 2.20MB read
{trouble}Requests/sec:  12222.77
"""


def bench(
    tmp_path: Path, name: str, *options: str, seconds: str = "1", **settings: str
) -> list[dict[str, Any]]:
    """Rows of a short run in which everything is in ``tmp_path``."""
    before = set(Path("/var/lib/truesend").glob("*"))
    done = subprocess.run(
        up.command("bench", name, "--json", "--seconds", seconds, "--runs", "1", *options),
        env=up.environment({"TMPDIR": str(tmp_path), **settings}),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("truesend-bench-*")) == []
    # Another installation of this machine may have come meanwhile, and runs.
    left = [one for one in Path("/var/lib/truesend").glob("*") if one not in before]
    assert [one for one in left if not any(one.rglob("postmaster.pid"))] == []
    assert up.processes_of(tmp_path / "truesend-bench-") == {}
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(row.keys() >= FIELDS for row in rows)
    assert all("cores" in row["setup"]["machine"] for row in rows)
    return rows


@pytest.mark.parametrize("path", ["with wrk", "without wrk"])
def test_tracking_is_held_against_a_bare_application(tmp_path: Path, path: str) -> None:
    settings = {"PATH": str(tmp_path)} if path == "without wrk" else {}
    rows = bench(tmp_path, "tracking", **settings)
    opens, clicks, p99, many_opens, many_clicks, lag, nginx, once, filled = rows
    for row in (opens, clicks, many_opens, many_clicks):
        assert row["ratio"] == pytest.approx(row["ours"] / row["compare"], abs=0.001)
        # A second beside other work is no figure: what is measured is that both were.
        assert 0 < row["ratio"] < 5
        assert row["cpu_ms"] > opens["setup"]["bare_cpu_ms"] > 0
    assert many_opens["name"] == "tracking opens, 256 connections"
    assert "ratio" not in p99
    assert lag["ours"] > 0
    assert ("nginx_runs_per_s" in nginx["setup"]) == ("compare" in nginx)
    assert "compare" in nginx or "not installed" in nginx["setup"]["nginx"]
    assert filled["name"] == "tracking opens, 200,000 rows in the table"
    assert filled["ratio"] > 0
    assert (once["ours"], once["limit"]) == (0, 0)
    assert "20,000 answered, 20,000 in the table" in once["setup"]["once"]
    if settings:
        assert "wrk is not installed" in opens["setup"]["load"]


@pytest.mark.timeout(300)
def test_pages_are_measured_alone_in_a_crowd_and_with_years_of_emails(tmp_path: Path) -> None:
    # A setting of an installation must not reach the bench: this database does not exist.
    rows = bench(
        tmp_path,
        "pages",
        "--emails",
        "3000",
        "--connections",
        "9",
        TRUESEND_DATABASE_URL="postgresql://nobody@localhost:1/none",
    )
    assert all(0 < row["ours"] <= row["p99_ms"] for row in rows if row["unit"] == "ms")
    crowded, (ending, second), many, years = rows[:8], rows[8:10], rows[10], rows[11:]
    assert "0 failed; 210 streams ended" in crowded[0]["setup"]["seen"]
    assert ending["ours"] < ending["limit"] == 10
    assert second["ours"] < second["limit"] == 10
    assert (many["name"], many["limit"]) == ("/integration, 9 connections", 100)
    assert len(years) == 2 * 16
    assert {row["limit"] for row in years} == {100, 1.3}
    for absolute, relative in zip(years[::2], years[1::2], strict=True):
        assert relative["ratio"] == pytest.approx(absolute["ours"] / relative["compare"], rel=0.01)
    assert years[0]["setup"]["emails"].startswith("3,000, 5 signals")


@pytest.mark.timeout(240)
def test_sending_is_held_against_bare_calls(tmp_path: Path) -> None:
    send, cpu, growth, memory = bench(
        tmp_path, "send", seconds="0.1", TRUESEND_DATABASE_URL="postgresql://nobody@localhost:1/none"
    )
    assert send["ratio"] == pytest.approx(send["ours"] / send["compare"], abs=0.001)
    assert 0 < send["ratio"] < 1
    # The server's 50 ms are in every attempt, and a bare call costs less than a whole email.
    assert 50 <= send["median_ms"] <= send["p99_ms"]
    setup = send["setup"]
    assert cpu["ours"] == pytest.approx(setup["cpu_ms_of_worker"] + setup["cpu_ms_of_postgres"], abs=0.02)
    assert min(setup["cpu_ms_of_worker"], setup["cpu_ms_of_postgres"]) > 0
    # Two statements of its own; what many emails share, and nothing that grows with each.
    assert 2 <= setup["statements_per_email"] < 5
    assert "1,280 emails" in growth["setup"]["tenfold"]
    assert 30 < memory["ours"] < memory["limit"]
    assert [row["limit"] for row in (send, cpu, growth, memory)] == [0.25, 6, 11, 300]


@pytest.mark.timeout(240)
def test_renewing_is_held_against_bare_calls(tmp_path: Path) -> None:
    refresh, cpu, once, once_cpu, memory = bench(
        tmp_path, "refresh", seconds="0.1", TRUESEND_DATABASE_URL="postgresql://nobody@localhost:1/none"
    )
    for rate, time in ((refresh, cpu), (once, once_cpu)):
        assert rate["ratio"] == pytest.approx(rate["ours"] / rate["compare"], abs=0.001)
        assert 0 < rate["ratio"] < 1
        # 24 in flight against a server that takes 50 ms.
        assert rate["compare"] <= 24 / 0.05
        setup = rate["setup"]
        assert time["ours"] == pytest.approx(
            setup["cpu_ms_of_worker"] + setup["cpu_ms_of_postgres"], abs=0.02
        )
        assert setup["cpu_ms_of_worker"] > setup["bare_cpu_ms"] > 0
    assert "200 keys due in one instant" in refresh["setup"]["load"]
    assert 0.5 < memory["ours"] < 2
    rows = (refresh, cpu, once, once_cpu, memory)
    assert [row["limit"] for row in rows] == [0.6, 5, 0.4, 5, 1.2]


def test_only_benches_that_measure_something_are_offered() -> None:
    done = subprocess.run(up.command("bench", "everything"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pages" in done.stderr


def test_a_report_of_wrk_with_errors_is_no_figure() -> None:
    good = read_wrk(WRK.format(trouble=""))
    assert good is not None
    assert (good.answered, good.seconds) == (12345, 1.01)
    assert good.p99_ms == pytest.approx(0.903)
    assert read_wrk(WRK.format(trouble="  Non-2xx or 3xx responses: 3\n")) is None
    assert read_wrk(WRK.format(trouble="  Socket errors: connect 0, read 1, write 0, timeout 0\n")) is None
    assert read_wrk("unable to connect") is None


def test_a_load_that_is_refused_is_an_error(tmp_path: Path) -> None:
    paths = tmp_path / "paths"
    paths.write_text("/a\n/b\n")
    command = [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    server = subprocess.Popen(
        [*command[:1], "-u", *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline().split(" port ")[1].split()[0])
        with pytest.raises(BenchError, match="failed"):
            load.each_once(port, paths, 10, "test")  # all 404
    finally:
        server.kill()
        server.communicate()


def test_processor_time_counts_children_that_have_ended() -> None:
    burn = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    code = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {burn!r}])\n"
        "print('done', flush=True)\n"
        "input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        assert machine.cpu_seconds(process.pid) >= 0.28
    finally:
        process.kill()
        process.communicate()


def test_a_ratio_is_judged_from_below_and_a_time_from_above() -> None:
    slow = Row("opens", 400, "/s", 0.45, "at least", at_least=True, ratio=0.4, compare=1000)
    fast = Row("a page", 99.0, "ms", 100, "at most")
    assert (slow.holds, fast.holds) == (False, True)
    assert "ratio" not in json.loads(fast.as_json())
    assert "FALLS SHORT" in table([slow, fast])
    assert percentile(range(1, 101), 99) == 99


@pytest.mark.parametrize("name", steps.SELECTIONS)
def test_what_the_proof_chooses_is_there(name: str) -> None:
    assert [path for path in steps.SELECTIONS[name] if not (up.ROOT / path).is_file()] == []


def test_the_proof_goes_on_where_it_was_until_code_or_seed_change(tmp_path: Path) -> None:
    path = tmp_path / "var" / "state.json"
    short = Finding("pages", "120 ms", "100 ms", holds=False, seconds=3.0)
    run.State(path, "code-1", fresh=False).keep("pages", [short])

    kept = run.State(path, "code-1", fresh=False)
    assert kept.findings("pages") == [short]  # also what fell short: no trying until it holds
    assert kept.findings("storms") is None
    assert run.State(path, "code-2", fresh=False).findings("pages") is None
    assert run.State(path, "code-1", fresh=True).findings("pages") is None
    assert "FALLS SHORT" in run.table([short])
