"""Answers of a token endpoint that the database would not take: encrypted on disk until it does.

A provider that rotates refresh tokens has ended the old one by the time it answers, so the new one must not be lost
with a transaction. One file a connection: ``rescue/<connection id>`` in the data folder, sealed for that connection
and for the version of the token row it renews; once that row has moved on, the file is worth nothing.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from truesend import env
from truesend.connections.secretbox import SecretUnreadable, open_sealed, seal
from truesend.providers.contract import Grant

log = logging.getLogger("truesend.connections")


@dataclass(frozen=True)
class Kept:
    """A grant read back, and when the provider gave it."""

    grant: Grant
    at: datetime


def _file(connection_id: UUID) -> Path:
    return env.data_dir() / "rescue" / str(connection_id)


def keep(connection_id: UUID, version: int, grant: Grant, at: datetime) -> None:
    """Write the answer to a renewal of token ``version``; it stands on the disk when this returns."""
    told = {
        "access": grant.access_token,
        "refresh": grant.refresh_token,
        "expires_in": grant.expires_in,
        "scopes": sorted(grant.scopes),
        "at": at.isoformat(),
    }
    path = _file(connection_id)
    try:
        sealed = seal(json.dumps(told), place=_place(connection_id, version))
        path.parent.mkdir(mode=0o700, exist_ok=True)
        new = path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        log.error("A renewed key of connection %s could not be kept: %s.", connection_id, error.strerror)
    else:
        log.warning("The database did not take a renewed key of connection %s; it is kept.", connection_id)


def read(connection_id: UUID, version: int) -> Kept | None:
    """What was kept for a renewal of token ``version``, or None."""
    try:
        told = json.loads(
            open_sealed(_file(connection_id).read_bytes(), place=_place(connection_id, version))
        )
    except (OSError, SecretUnreadable):
        return None
    grant = Grant(told["access"], told["expires_in"], told["refresh"], frozenset(told["scopes"]))
    return Kept(grant, datetime.fromisoformat(told["at"]))


def forget(connection_id: UUID) -> None:
    """Remove what was kept; call it once the database has what it needs."""
    with suppress(OSError):
        _file(connection_id).unlink()


def _place(connection_id: UUID, version: int) -> str:
    return f"rescue:{connection_id}:{version}"
