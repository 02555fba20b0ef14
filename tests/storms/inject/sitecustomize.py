"""Stops or kills a worker exactly where a send or a renewal stands, from outside: this folder on PYTHONPATH does it.

Python imports a `sitecustomize` before anything else. Here it wraps, in a worker only, the real functions of both.
While the folder named by STORM_ORDERS holds `order.json` (`{"cell", "point", "count", "act"}`), every thread that
comes to the point counts itself and waits there; the last one writes `fired-<cell>` and does the act:

- `SIGKILL`, `SIGSTOP`: that signal to this very process; after a SIGCONT all go on
- `tell`: all wait until the harness has written `go-<cell>`: it prepares something in PostgreSQL meanwhile, or does
  something to it

Nothing else is changed: what runs before and after is the worker's own code.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

_ORDERS = Path(os.environ.get("STORM_ORDERS", ""))
# Whoever waits at a point goes on after that, so that a mistake ends as a failed cell and not as a hung one.
_PATIENCE = 60.0
# All stand there, or as many as came within this of the first.
_GATHERING = 7.0

_here = threading.local()


class _Gathering:
    """Who stands at the point of one cell."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._cell = ""
        self._stood: set[int] = set()
        self._over = False
        self._first = 0.0

    def stand(self, point: str) -> None:
        """Wait here where an order names this point."""
        order = _order()
        if order is None or order["point"] != point:
            return
        cell = str(order["cell"])
        with self._changed:
            if self._cell != cell:
                self._cell, self._stood, self._over = cell, set(), False
                self._first = time.monotonic()
            if self._over:
                return
            self._stood.add(threading.get_ident())
            if len(self._stood) >= order["count"]:
                self._fire(order)
            while not self._over:
                left = self._first + _GATHERING - time.monotonic()
                if left <= 0:
                    self._fire(order)
                    break
                self._changed.wait(left)

    def _fire(self, order: dict[str, Any]) -> None:
        """Behind the lock: those who come later find it done."""
        cell, act = str(order["cell"]), str(order["act"])
        fired = _ORDERS / f"fired-{cell}"
        written = fired.with_suffix(".new")
        written.write_text(json.dumps({"pid": os.getpid(), "stood": len(self._stood)}), encoding="ascii")
        written.replace(fired)
        if act == "tell":
            go, end = _ORDERS / f"go-{cell}", time.monotonic() + _PATIENCE
            while not go.exists() and time.monotonic() < end:
                time.sleep(0.01)
        else:
            os.kill(os.getpid(), signal.Signals[act])
            # A thread of a process that has stopped itself may run on for an instant: not past this line.
            time.sleep(0.05)
        self._over = True
        self._changed.notify_all()


_gathering = _Gathering()


def _order() -> dict[str, Any] | None:
    """What is ordered and not done yet."""
    try:
        order: dict[str, Any] = json.loads((_ORDERS / "order.json").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if (_ORDERS / f"fired-{order['cell']}").exists() else order


def _wrap_dispatch(module: ModuleType) -> None:
    start: Callable[..., Any] = module._start
    record: Callable[..., Any] = module.record

    def started(*arguments: Any, **options: Any) -> Any:
        _gathering.stand("before_started")
        value = start(*arguments, **options)
        if value is not None:
            _gathering.stand("started")
        return value

    def recorded(*arguments: Any, **options: Any) -> Any:
        _gathering.stand("before_commit")
        value = record(*arguments, **options)
        _gathering.stand("after_commit")
        return value

    module._start = started  # type: ignore[attr-defined]
    module.record = recorded  # type: ignore[attr-defined]


def _wrap_rows(module: ModuleType) -> None:
    prepared: Callable[..., Any] = module.prepared

    def committed(*arguments: Any, **options: Any) -> Any:
        _gathering.stand("prepared")
        _gathering.stand("reference_in_flight")
        value = prepared(*arguments, **options)
        if value:
            _gathering.stand("reference_committed")
        return value

    module.prepared = committed  # type: ignore[attr-defined]


def _wrap_door(module: ModuleType) -> None:
    request: Callable[..., Any] = module.request
    mixin: Any = module._DoorMixin
    send = mixin.send

    def asked(*arguments: Any, fence: Any = None, **options: Any) -> Any:
        """Only a send has a fence."""
        if fence is None:
            return request(*arguments, **options)
        _here.sending, _here.connecting = True, True
        try:
            answer = request(*arguments, fence=fence, **options)
        finally:
            _here.sending = False
        _gathering.stand("answered")
        return answer

    def connected(self: Any, data: Any) -> Any:
        """Before the first byte, on a connection that stands."""
        if getattr(_here, "sending", False) and _here.connecting:
            _here.connecting = False
            if self.sock is None:
                self.connect()
            _gathering.stand("connecting")
        return send(self, data)

    def awaited(self: Any) -> Any:
        """Every byte has left."""
        if getattr(_here, "sending", False):
            _gathering.stand("sent")
        if getattr(_here, "renewing", False):
            _gathering.stand("renewal_sent")
        return super(mixin, self).getresponse()

    module.request = asked  # type: ignore[attr-defined]
    mixin.send, mixin.getresponse = connected, awaited


def _wrap_renewal(module: ModuleType) -> None:
    refresh: Callable[..., Any] = module._refresh

    def refreshed(*arguments: Any, **options: Any) -> Any:
        _gathering.stand("before_call")
        _here.renewing = True
        try:
            grant = refresh(*arguments, **options)
        finally:
            _here.renewing = False
        _gathering.stand("renewal_answered")
        return grant

    module._refresh = refreshed  # type: ignore[attr-defined]


def _wrap_rescue(module: ModuleType) -> None:
    keep: Callable[..., Any] = module.keep
    forget: Callable[..., Any] = module.forget

    def kept(*arguments: Any, **options: Any) -> Any:
        value = keep(*arguments, **options)
        _gathering.stand("rescued")
        return value

    def forgotten(*arguments: Any, **options: Any) -> Any:
        """Once the answer is committed."""
        _gathering.stand("stored")
        return forget(*arguments, **options)

    module.keep, module.forget = kept, forgotten  # type: ignore[attr-defined]


_WRAPS: dict[str, Callable[[ModuleType], None]] = {
    "truesend.sending.dispatch": _wrap_dispatch,
    "truesend.sending.rows": _wrap_rows,
    "truesend.providers.http": _wrap_door,
    "truesend.connections.renewal": _wrap_renewal,
    "truesend.connections.rescue": _wrap_rescue,
}


class _Loader(importlib.abc.Loader):
    """Loads as the real one does, then wraps."""

    def __init__(self, real: importlib.abc.Loader, wrap: Callable[[ModuleType], None]) -> None:
        self._real, self._wrap = real, wrap

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        self._wrap(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds as the others do, for the modules that are wrapped."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        wrap = _WRAPS.get(name)
        if wrap is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, wrap)
        return spec


if "STORM_ORDERS" in os.environ and sys.orig_argv[-1] == "worker":
    sys.meta_path.insert(0, _Finder())
