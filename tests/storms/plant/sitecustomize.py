"""A lie, planted: the verdict follows from the row's existence, as it does in programs that say “connected”.

This folder on PYTHONPATH does it, in the processes of Truesend alone. The truth test has to catch it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

_JUDGED = "truesend.connections.verdict"


def _connected(module: Any) -> None:
    real = module.judge

    def judge(facts: Any, now: Any) -> Any:
        found = real(facts, now)
        if facts.disconnected_at is not None:
            return found
        told = tuple(
            module.CapabilityVerdict(one.name, module.Verdict.WORKING, "", one.proof)
            if one.name in facts.asked
            else one
            for one in found.capabilities
        )
        return module.ConnectionVerdict(module.Verdict.WORKING, "", told, None)

    module.judge = judge


class _Loader(importlib.abc.Loader):
    def __init__(self, real: importlib.abc.Loader) -> None:
        self._real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        _connected(module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != _JUDGED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


sys.meta_path.insert(0, _Finder())
