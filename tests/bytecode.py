"""Compiled modules, kept for the processes of a run: it starts hundreds of them, and each imports the same."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def keep() -> None:
    """Where the environment forbids to write bytecode beside the sources, keep it in the environment's own folder.

    Otherwise every process would compile all of Django anew: with it a ``truesend up`` takes four seconds of
    processor time, without it ten.
    """
    if not sys.dont_write_bytecode or sys.prefix == sys.base_prefix:
        return
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(sys.prefix) / "bytecode"))
