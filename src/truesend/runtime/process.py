"""Starting programs that end with us, and finding out which processes run."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_HELPER = str(Path(__file__).with_name("child.py"))
_PROC = Path("/proc")


@dataclass(frozen=True)
class Account:
    """A system user with a passwd entry."""

    name: str
    uid: int
    gid: int


def account(name: str) -> Account | None:
    """The system user of that name, or ``None``."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: IO[bytes] | int,
    as_account: Account | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    fds: Sequence[int] = (),
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command`` (its first word an absolute path) in a session of its own.

    It gets ``death_signal`` from the kernel when this process dies, however that happens. A session of its
    own keeps a Ctrl-C at the terminal away from it: the supervisor alone decides the order in which parts
    end. Call it from the main thread only: the kernel takes the death of the starting thread for the death of
    the parent.
    """
    uid, gid = (str(as_account.uid), str(as_account.gid)) if as_account else ("-", "-")
    helper = [sys.executable, "-I", "-S", _HELPER, str(os.getpid()), str(int(death_signal)), uid, gid]
    return subprocess.Popen(
        [*helper, *command],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=tuple(fds),
        start_new_session=True,
        cwd=folder,
    )


_ASK = """
import os, sys
uid, gid, mode, path = sys.argv[1:]
os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid))
sys.exit(0 if os.access(path, int(mode)) else 3)
"""


def can_reach(path: Path, who: Account, mode: int = os.R_OK | os.X_OK) -> bool:
    """Whether ``who`` gets through all parents to ``path`` and may use it with ``mode``: tried, not computed.

    Only root can ask: a child becomes ``who`` and looks.
    """
    arguments = [str(who.uid), str(who.gid), str(mode), str(path)]
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _ASK, *arguments], stderr=subprocess.DEVNULL, check=False, cwd="/"
    )
    return asked.returncode == 0


def alive(pid: int) -> bool:
    """Whether a process with that id exists and is not a zombie."""
    try:
        state = (
            (_PROC / str(pid) / "stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()
        )
    except OSError:
        return False
    return bool(state) and state[0] not in {"Z", "X"}


def working_in(folder: Path, program: str) -> Iterator[int]:
    """Ids of the living processes called ``program`` whose working directory is ``folder``."""
    wanted = str(folder.resolve())
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (
                os.readlink(entry / "cwd") == wanted
                and (entry / "comm").read_text(encoding="utf-8", errors="replace").strip() == program
                and alive(int(entry.name))
            ):
                yield int(entry.name)
        except OSError:
            continue  # it has ended meanwhile, or belongs to somebody else


def has_in_environment(pid: int, setting: str) -> bool:
    """Whether a living process was started with ``NAME=value`` in its environment."""
    try:
        return setting.encode() in (_PROC / str(pid) / "environ").read_bytes().split(b"\0") and alive(pid)
    except OSError:
        return False


def wait_until(done: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; whether it came true in time."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= until:
            return False
        time.sleep(0.02)
    return True


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that has ended already is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
