"""The data folder: one running Truesend at a time, and how other commands find it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from truesend.env import PREFIX
from truesend.runtime.errors import Refused
from truesend.runtime.files import write_private
from truesend.runtime.process import has_in_environment, send, wait_until


def open_folder(path: Path) -> Path:
    """The data folder, made if it is missing; absolute. Raises :class:`Refused` when we cannot write there.

    A folder that is there keeps its mode. A new one is closed to others; root's lets PostgreSQL's user pass
    through.
    """
    data = path.absolute()
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        try:
            data.mkdir()
        except FileExistsError:
            pass
        else:
            data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        data = data.resolve()
        for name in ("run", "log"):
            (data / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Refused(f"The data folder {data} cannot be used: {error.strerror}.") from None
    return data


class Lock:
    """Held by the one ``truesend up`` of a data folder; the kernel frees it when that process dies."""

    def __init__(self, data: Path) -> None:
        self._path = data / "run" / "lock"
        self._fd = -1

    def take(self) -> None:
        """Raises :class:`Refused` when another process holds it."""
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            self._try_lock()
        except BlockingIOError:
            raise Refused(
                f"Truesend is already running on {self._path.parents[1]}{self._holder()}; "
                "stop it first or choose another folder with --data."
            ) from None
        except OSError as error:
            raise Refused(
                f"The data folder {self._path.parents[1]} cannot be used: {error.strerror}."
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def _try_lock(self) -> None:
        # A command that only looks (held_by_other) holds it for an instant.
        for _ in range(5):
            with contextlib.suppress(BlockingIOError):
                return fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            time.sleep(0.02)
        return fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _holder(self) -> str:
        words = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()
        return f" (process {words})" if words.isdigit() else ""

    def held_by_other(self) -> bool:
        """Whether some process holds it right now."""
        try:
            fd = os.open(self._path, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False


def end_earlier_run(data: Path) -> None:
    """Wait for the parts of a run that was killed, end those that stay, and remove what they left. Call it
    locked.

    They end with their supervisor, but not in the same instant, and until then they hold its ports.
    PostgreSQL is looked after by its own class.
    """
    run = data / "run"
    mine = f"{PREFIX}DATA_DIR={data}"
    pids = set()
    for file in run.glob("*.pid"):
        with contextlib.suppress(OSError, ValueError):
            pids.add(0 if file.name == "postgres.pid" else int(file.read_text(encoding="ascii")))
        file.unlink(missing_ok=True)
    ours = [pid for pid in pids if pid and has_in_environment(pid, mine)]
    if not wait_until(lambda: not any(has_in_environment(pid, mine) for pid in ours), 1.0):
        for pid in ours:
            if has_in_environment(pid, mine):
                send(pid, signal.SIGKILL)
        wait_until(lambda: not any(has_in_environment(pid, mine) for pid in ours), 2.0)
    for name in ("settings.json", "database_url"):
        (run / name).unlink(missing_ok=True)
    forget_addresses(data)


def _settings_file(data: Path) -> Path:
    return data / "run" / "settings.json"


def publish_settings(data: Path, settings: Mapping[str, str]) -> None:
    """Leave the settings of the running parts for commands typed in another terminal."""
    write_private(_settings_file(data), json.dumps(dict(settings), indent=1))


def withdraw_settings(data: Path) -> None:
    """The parts have ended."""
    _settings_file(data).unlink(missing_ok=True)


def note_address(data: Path, part: str, url: str) -> None:
    """Leave where a part really answers, whatever the settings say; nothing where there is no data folder."""
    with contextlib.suppress(OSError):
        write_private(data / "run" / f"{part}.url", url)


def forget_addresses(data: Path) -> None:
    """Nobody answers any more."""
    for file in (data / "run").glob("*.url"):
        file.unlink(missing_ok=True)


def noted_address(data: Path, part: str) -> str:
    """Where a part that was started on this folder answers, or did before it ended; empty where nobody knows."""
    try:
        return (data / "run" / f"{part}.url").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def join_if_running(data: Path) -> bool:
    """Take over the settings of the ``truesend up`` that runs on this folder, where ours say nothing else; whether
    one does."""
    if not Lock(data).held_by_other():
        return False
    with contextlib.suppress(OSError, ValueError):
        for name, value in json.loads(_settings_file(data).read_text(encoding="utf-8")).items():
            os.environ.setdefault(name, value)
    return True


def join_running() -> None:
    """Take over the settings of the ``truesend up`` that runs on this data folder, where ours say nothing
    else.

    Raises :class:`Refused` when no database is set and none runs here.
    """
    data = Path(os.environ.get(f"{PREFIX}DATA_DIR") or "data").absolute()
    join_if_running(data)
    if not any(os.environ.get(PREFIX + name) for name in ("DATABASE_URL", "DATABASE_URL_FILE")):
        raise Refused(
            f"Truesend is not running on {data}; start it with truesend up or set TRUESEND_DATABASE_URL."
        )
