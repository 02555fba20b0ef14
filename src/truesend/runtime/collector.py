"""The interpreter's collector of cycles, which by itself looks through everything loaded, again and again."""

from __future__ import annotations

import gc


def leave_loaded(*, young: int = 20_000, middle: int = 10, old: int = 10) -> None:
    """What is loaded by now stays for good and is looked through no more; later objects seldom.

    The arguments are those of :func:`gc.set_threshold`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(young, middle, old)
