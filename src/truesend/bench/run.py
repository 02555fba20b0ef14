"""Running a bench and printing what it found."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from truesend.bench import pages, refresh, send, tracking
from truesend.bench.rows import BenchError, Row, table
from truesend.runtime.errors import Refused

BENCHES: dict[str, Callable[..., list[Row]]] = {
    "pages": pages.rows,
    "refresh": refresh.rows,
    "send": send.rows,
    "tracking": tracking.rows,
}


def run(name: str, *, as_json: bool, seconds: float, runs: int, **sizes: int) -> int:
    """Run one bench, or ``all``: 0 when it could be measured, whatever the figures. Raises :class:`Refused`.

    ``sizes`` are what pages are measured with: ``emails`` of one member, ``connections`` of one organization.
    """
    signal.signal(signal.SIGTERM, _stop)
    chosen = BENCHES if name == "all" else {name: BENCHES[name]}
    for number, (title, bench) in enumerate(chosen.items()):
        print(f"Measuring {title}…", file=sys.stderr, flush=True)
        try:
            found = bench(seconds=seconds, runs=runs, **(sizes if title == "pages" else {}))
        except BenchError as error:
            raise Refused(f"bench {title}: {error}") from error
        if as_json:
            print("\n".join(row.as_json() for row in found), flush=True)
        else:
            print(("\n" if number else "") + table(found), flush=True)
    return 0


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """End as after Ctrl-C, so that everything started is ended too."""
    raise KeyboardInterrupt
