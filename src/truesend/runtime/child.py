"""The last step before a part of ``truesend up`` runs: it binds the child to its parent's life.

``child.py PARENT SIGNAL UID GID PROGRAM ARGUMENT…`` drops to the given user (``-`` keeps the present one),
asks the kernel for SIGNAL when PARENT dies, makes sure that PARENT is still there, and becomes PROGRAM.

It is a program of its own, and not a ``preexec_fn``, because that may deadlock in a process with threads. The
order matters: the kernel forgets the death signal at ``setuid``, and a parent that died before the request
sends nothing. The standard library only: it starts with ``python -I -S`` in a few milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def bind_to_parent(parent: int, signal_number: int) -> bool:
    """Ask for ``signal_number`` when the parent dies; false when ``parent`` is gone already.

    "Parent" is the thread that started us, so parts are started by the main thread only (prctl(2)).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return os.getppid() == parent


def main(arguments: list[str]) -> None:
    """Never returns: becomes the program, or exits with 127 when that fails."""
    parent, signal_number, uid, gid, *command = arguments
    try:
        if uid != "-":
            os.setgroups([])
            os.setgid(int(gid))
            os.setuid(int(uid))
        if not bind_to_parent(int(parent), int(signal_number)):
            os._exit(1)
        os.execv(command[0], command)  # noqa: S606 - the program is the supervisor's choice
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
    os._exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
