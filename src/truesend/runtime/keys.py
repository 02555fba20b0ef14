"""The installation's own keys, made in the data folder on its first start."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from truesend.env import PREFIX
from truesend.runtime.files import read_or_create


def _key_ring() -> str:
    """One new key, ``id:base64``, 32 random bytes; the id is random too, so that rings can be merged."""
    return f"{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(32)).decode('ascii')}"


_MAKERS = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "ENCRYPTION_KEYS": _key_ring,
    "LINK_KEYS": _key_ring,
}


def key_files(data: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``TRUESEND_<NAME>_FILE`` for every key that the environment does not give, making missing files (0600).

    Values never stand in an environment of ours, where ``/proc`` shows them: only the names of files do.
    """
    settings: dict[str, str] = {}
    for name, make in _MAKERS.items():
        if environment.get(PREFIX + name, "").strip() or environment.get(f"{PREFIX}{name}_FILE", ""):
            continue
        path = data / name.lower()
        read_or_create(path, make())
        settings[f"{PREFIX}{name}_FILE"] = str(path)
    return settings


def fingerprint(key: bytes) -> bytes:
    """What tells a key of 32 random bytes from others, and nothing else of it."""
    return hashlib.sha256(key).digest()[:8]
