"""Answers of a token endpoint that are not in the database yet: encrypted on disk until they are.

A provider that rotates refresh tokens has ended the old one by the time it answers, so the new one must not be lost
with a transaction or a process. One file a connection: ``rescue/<connection id>`` in the data folder, the version of
the token row that it renews in its first line, the rest sealed for that connection and version. Once that row has moved
on, the file is worth nothing. What a disk does not take is held in memory, by whoever got it.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from truesend import clock, env
from truesend.connections.secretbox import SecretUnreadable, open_sealed, seal
from truesend.providers.contract import Grant

log = logging.getLogger("truesend.connections")

# A file as young may belong to a renewal that is about to be committed.
_SETTLED_SECONDS = 2.0
_HALF_WRITTEN_SECONDS = 3600.0
_LONGEST_FIRST_LINE = 20


@dataclass(frozen=True)
class Kept:
    """A grant read back, and when the provider gave it."""

    grant: Grant
    at: datetime


_in_hand: dict[UUID, tuple[int, Kept]] = {}
_in_hand_lock = threading.Lock()


def keep(connection_id: UUID, version: int, grant: Grant, at: datetime) -> bool:
    """Write the answer to a renewal of token ``version``; True: it stands on the disk. Else this process holds it."""
    try:
        _put(connection_id, version, grant, at)
    except (OSError, env.SettingError) as error:
        words = error.strerror if isinstance(error, OSError) else error
        log.error("A renewed key of connection %s could not be kept on disk: %s.", connection_id, words)
        with _in_hand_lock:
            _in_hand[connection_id] = version, Kept(grant, at)
        return False
    return True


def _put(connection_id: UUID, version: int, grant: Grant, at: datetime) -> None:
    told = {
        "access": grant.access_token,
        "refresh": grant.refresh_token,
        "expires_in": grant.expires_in,
        "scopes": sorted(grant.scopes),
        "ends_in": grant.refresh_expires_in,
        "at": at.isoformat(),
    }
    sealed = seal(json.dumps(told), place=_place(connection_id, version))
    _write(_file(connection_id), b"%d\n" % version + sealed)


def _write(path: Path, content: bytes) -> None:
    """It stands on the disk, whole, when this returns; else nothing of it does."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(connection_id: UUID, version: int) -> Kept | None:
    """What was kept for a renewal of token ``version``, or None."""
    with _in_hand_lock:
        held = _in_hand.get(connection_id)
    if held is not None and held[0] == version:
        return held[1]
    try:
        _, _, sealed = _file(connection_id).read_bytes().partition(b"\n")
        told = json.loads(open_sealed(sealed, place=_place(connection_id, version)))
    except (OSError, SecretUnreadable):
        return None
    grant = Grant(
        told["access"],
        told["expires_in"],
        told["refresh"],
        frozenset(told["scopes"]),
        refresh_expires_in=told["ends_in"],
    )
    return Kept(grant, datetime.fromisoformat(told["at"]))


def forget(connection_id: UUID, version: int | None = None) -> None:
    """Remove what was kept, once the database has what it needs: for ``version`` and those before it, or whatever."""
    with _in_hand_lock:
        held = _in_hand.get(connection_id)
        if held is not None and (version is None or held[0] <= version):
            del _in_hand[connection_id]
    path = _file(connection_id)
    with suppress(OSError, ValueError):
        if version is None or _version(path) <= version:
            path.unlink()


def _version(path: str | Path) -> int:
    with open(path, "rb") as file:
        return int(file.readline(_LONGEST_FIRST_LINE))


def waiting() -> dict[UUID, int]:
    """What is kept here and may be brought home: the versions, by connection."""
    found: dict[UUID, int] = {}
    with suppress(OSError), os.scandir(_folder()) as entries:
        for entry in entries:
            with suppress(OSError, ValueError):
                age = clock.real_now().timestamp() - entry.stat().st_mtime
                if entry.name.startswith(".") and age > _HALF_WRITTEN_SECONDS:
                    os.unlink(entry.path)  # by a process that died over it
                elif age > _SETTLED_SECONDS:
                    found[UUID(entry.name)] = _version(entry.path)
    with _in_hand_lock:
        return found | {connection: version for connection, (version, _) in _in_hand.items()}


def put_down() -> None:
    """Try the disk again for what this process holds in its memory alone."""
    for connection_id, (version, kept) in list(_in_hand.items()):
        with suppress(OSError, env.SettingError):
            _put(connection_id, version, kept.grant, kept.at)
            with _in_hand_lock:
                if _in_hand.get(connection_id) == (version, kept):
                    del _in_hand[connection_id]


def is_held() -> bool:
    """Whether this process has something in its memory alone."""
    return bool(_in_hand)


def _folder() -> Path:
    # Looked into with every renewal, so not resolved first, as `env.data_dir` does.
    return Path(env.require("DATA_DIR"), "rescue")


def _file(connection_id: UUID) -> Path:
    return _folder() / str(connection_id)


def _place(connection_id: UUID, version: int) -> str:
    return f"rescue:{connection_id}:{version}"
