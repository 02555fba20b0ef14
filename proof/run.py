"""``make proof``: every figure that was promised, in full, in one table.

``make test`` runs the same code on samples. What is done is kept in ``var/proof/state.json``, so that a run that was
cut short goes on where it was; a change of the code or of ``--seed`` begins anew, and so does ``--fresh``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from proof.finding import Finding  # noqa: E402 - the project's folder must be on the path first
from proof.notes import Notes  # noqa: E402
from proof.steps import STEPS, LongStep, Step  # noqa: E402
from tests.guards.files import committed  # noqa: E402

from truesend.bench import machine  # noqa: E402

STATE = ROOT / "var" / "proof" / "state.json"
SEED = 20261122
_HEADS = ("name", "figure", "limit", "verdict", "seed", "seconds")


class State:
    """What has been found so far under ``key``, which names the state of the code and the seed."""

    def __init__(self, path: Path, key: str, *, fresh: bool) -> None:
        self._path, self._key = path, key
        self._done: dict[str, list[dict[str, Any]]] = {}
        self._notes: dict[str, dict[str, Any]] = {}
        if not fresh and path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["key"] == self._key:
                self._done, self._notes = kept["done"], kept["notes"]

    def findings(self, step: str) -> list[Finding] | None:
        """Of a step that is done."""
        kept = self._done.get(step)
        return None if kept is None else [Finding(**one) for one in kept]

    def keep(self, step: str, findings: Iterable[Finding]) -> None:
        """Write down a finished step, whatever its verdicts."""
        self._done[step] = [asdict(one) for one in findings]
        self._save()

    def notes(self, step: str) -> Notes:
        """Of a long step that may have been cut short."""
        return Notes(self._notes.setdefault(step, {}), self._save)

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        written = self._path.with_suffix(".new")
        written.write_text(
            json.dumps({"key": self._key, "done": self._done, "notes": self._notes}, indent=1),
            encoding="utf-8",
        )
        written.replace(self._path)


def _digest() -> str:
    """A name for the code as it stands; documents do not count."""
    total = hashlib.sha256()
    for path in committed():
        if path.suffix != ".md" and "docs" not in path.relative_to(ROOT).parts[:1]:
            total.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


def table(findings: Iterable[Finding]) -> str:
    """One line to a figure."""
    lines = [_HEADS, *((f.name, f.figure, f.limit, f.verdict, f.seed, f"{f.seconds:.0f}") for f in findings)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def main() -> int:
    """Exit code 0 when everything that was promised holds."""
    parser = argparse.ArgumentParser(description="Every promised figure, in full, in one table.")
    parser.add_argument("--fresh", action="store_true", help="start over")
    parser.add_argument("--seed", type=int, default=SEED, help="of the first storm; the others follow it")
    parser.add_argument("--only", choices=[step.key for step in STEPS], help="one step, without the others")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    os.chdir(ROOT)
    for name in [name for name in os.environ if name.startswith(("TRUESEND_", "DJANGO_"))]:
        del os.environ[name]  # nothing here is to touch an installation
    state = State(STATE, f"{_digest()}-{options.seed}", fresh=options.fresh)
    found: list[Finding] = []
    began, busy = time.monotonic(), os.getloadavg()[0]
    chosen = [step for step in STEPS if options.only in {None, step.key}]
    for number, step in enumerate(chosen, 1):
        before = state.findings(step.key)
        note = "done before" if before is not None else "…"
        print(f"[{number}/{len(chosen)}] {step.what} {note}", file=sys.stderr, flush=True)
        found += before if before is not None else _run(step, options.seed, state)
    print(table(found), flush=True)
    short = [one for one in found if not one.holds]
    on = machine.description()
    print(
        f"\n{on['machine']}; load of others and ours {busy:.1f} when this began, {on['load_before']} at its end"
    )
    print(
        f"\n{len(found) - len(short)} of {len(found)} hold; {time.monotonic() - began:.0f} s in this run",
        flush=True,
    )
    return 1 if short else 0


def _run(step: Step | LongStep, seed: int, state: State) -> list[Finding]:
    began = time.monotonic()
    try:
        findings = step.run(seed, state.notes(step.key)) if isinstance(step, LongStep) else step.run(seed)
    except Exception as error:  # one step that breaks must not hide the others
        words = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        findings = [Finding(step.what, words, "to run at all", holds=False, seconds=time.monotonic() - began)]
    state.keep(step.key, findings)
    for one in findings:
        print(f"    {one.name}: {one.figure} ({one.verdict})", file=sys.stderr, flush=True)
    return findings


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """End as after Ctrl-C, so that everything started is ended too."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nStopped; make proof goes on from here.", file=sys.stderr)
        sys.exit(130)
