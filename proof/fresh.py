"""``make run`` in an empty folder, with nothing on the PATH but python3, make and the core utilities.

As whoever runs the proof and, when that is root, as an ordinary user too. Needs the package registries.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from proof.finding import Finding
from tests.guards.files import ROOT, committed
from tests.ports import free_ports
from tests.up import processes_of, remove

PATIENCE = 600.0
_NOT_OURS = ("TRUESEND_", "DJANGO_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHON", "PYENV")
# The programs of GNU coreutils, by its manual.
_UTILITIES = (
    "arch base32 base64 basename cat chgrp chmod chown cksum comm cp csplit cut date dd df dir dirname du echo env "
    "expand expr factor false fmt fold groups head hostid id install join link ln logname ls md5sum mkdir mkfifo "
    "mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pinky pr printenv printf ptx pwd readlink realpath "
    "rm rmdir sha1sum sha256sum shred shuf sleep sort split stat stdbuf stty sum sync tac tail tee test timeout "
    "touch tr true truncate tsort tty uname unexpand uniq unlink users vdir wc who whoami yes"
)


@dataclass(frozen=True)
class _User:
    """Who runs it; ``ids`` is ``None`` for ourselves."""

    words: str
    ids: tuple[int, int] | None
    python: str


def findings(_: int) -> list[Finding]:
    """A line for each kind of user that can be tried here."""
    return [_try(user) for user in _users()]


def _users() -> list[_User]:
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    ours = str(base) if base.exists() else sys.executable
    if os.geteuid() != 0:
        return [_User("an ordinary user", None, ours)]
    nobody = pwd.getpwnam("nobody")
    ids = nobody.pw_uid, nobody.pw_gid
    reachable = [one for one in (ours, "/usr/bin/python3") if _can_run(one, ids)]
    return [_User("root", None, ours), *(_User("an ordinary user", ids, one) for one in reachable[:1])]


def _can_run(python: str, ids: tuple[int, int]) -> bool:
    code = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
    try:
        command = [python, "-I", "-c", code]
        done = subprocess.run(
            command, user=ids[0], group=ids[1], extra_groups=[], cwd="/", capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def _try(user: _User) -> Finding:
    began = time.monotonic()
    with _folder(user) as folder:
        watched = [*folder.parents, Path.home(), Path("/var"), Path("/var/lib"), Path("/run")]
        modes = {path: path.stat().st_mode for path in watched if path.exists()}
        seconds, trouble = _make_run(user, folder)
        changed = [str(path) for path, mode in modes.items() if path.stat().st_mode != mode]
    if changed:
        trouble = f"{trouble} modes changed: {changed}".strip()
    return Finding(
        f"make run in an empty folder as {user.words}",
        trouble or f"ready after {seconds:.0f} s, ended, nothing left running",
        "ready, and no mode changed outside",
        holds=not trouble,
        seconds=time.monotonic() - began,
    )


@contextmanager
def _folder(user: _User) -> Iterator[Path]:
    """A copy of the project as a clone would have it, and a PATH beside it."""
    base = Path(tempfile.mkdtemp(prefix="truesend-proof-"))
    base.chmod(0o711)
    project = base / "project"
    for path in committed():
        target = project / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (base / "home").mkdir()
    (base / "bin").mkdir()
    (base / "bin" / "python3").symlink_to(user.python)
    for name in (*_UTILITIES.split(), "make", "sh"):
        found = shutil.which(name, path="/usr/bin:/bin")
        if found is not None:
            (base / "bin" / name).symlink_to(found)
    if user.ids is not None:
        for path in (project, base / "home", *project.rglob("*")):
            os.chown(path, *user.ids)
    try:
        yield project
    finally:
        remove(project / "data")
        shutil.rmtree(base, ignore_errors=True)


def _make_run(user: _User, project: Path) -> tuple[float, str]:
    """Seconds until ``ready:``, and what went wrong (empty: nothing)."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    environment["PATH"] = str(project.parent / "bin")
    if user.ids is not None:
        environment["HOME"] = str(project.parent / "home")
    port, _, sandbox_port = free_ports(3)
    said = project.parent / "said"
    began = time.monotonic()
    with said.open("wb") as output:
        process = subprocess.Popen(
            [str(project.parent / "bin" / "make"), "run", f"PORT={port}", f"SANDBOX_PORT={sandbox_port}"],
            cwd=project,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user.ids[0] if user.ids else None,
            group=user.ids[1] if user.ids else None,
            extra_groups=[] if user.ids else None,
        )
    try:
        while b"\nready:" not in b"\n" + said.read_bytes():
            if process.poll() is not None or time.monotonic() - began > PATIENCE:
                return 0.0, f"not ready: {said.read_text(errors='replace').strip()[-200:]}"
            time.sleep(0.1)
        ready = time.monotonic() - began
        process.send_signal(signal.SIGTERM)
        process.wait(15)
    except subprocess.TimeoutExpired:
        return 0.0, "SIGTERM did not end it within 15 s"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    left = processes_of(project / "data")
    return ready, f"left running: {sorted(left.values())}" if left else ""
