"""The data folder: whether it is there, ours, closed to others where it holds secrets, and has room."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
from pathlib import Path

from truesend.diagnostics.findings import Finding, Fix, ok, warning, wrong
from truesend.env import PREFIX

_SECRET = (
    "secret_key",
    "encryption_keys",
    "link_keys",
    "postgres_password",
    "run/database_url",
    "run/settings.json",
)
_SECRET_FOLDERS = ("rescue", "exports")
_FULL, _NARROW = 200 * 2**20, 2 * 2**30


def folder(data: Path) -> Finding:
    """Its place and its modes."""
    check = "data folder"
    if not data.is_dir():
        return wrong(
            check,
            f"There is no data folder {data}.",
            Fix(
                f"Start Truesend where it is, or set {PREFIX}DATA_DIR to it; the first start makes it.",
                command="truesend up",
            ),
        )
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return wrong(
            check,
            f"This user cannot write in the data folder {data}.",
            Fix("Run truesend as the user whose folder it is, or give it to this one."),
        )
    open_ = [path for path in _secrets(data) if _mode(path) & 0o077]
    if open_:
        names = ", ".join(str(path.relative_to(data)) for path in open_)
        return wrong(
            check,
            f"Other users of this machine may read secrets in {data}: {names}.",
            Fix(
                "Take their rights away. Whoever may have read an encryption key may have read every token.",
                command=shlex.join(["chmod", "go=", *map(str, open_)]),
            ),
        )
    if _mode(data) & 0o022:
        return wrong(
            check,
            f"Other users of this machine may write in the data folder {data}.",
            Fix("Take that right away.", command=shlex.join(["chmod", "go-w", str(data)])),
        )
    return ok(check, f"{data} is ours, and its secrets are closed to others.")


def _secrets(data: Path) -> list[Path]:
    found = [data / name for name in _SECRET]
    for name in _SECRET_FOLDERS:
        if (data / name).is_dir():
            found += sorted((data / name).iterdir())
    return [path for path in found if path.is_file()]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def disk(data: Path) -> Finding:
    """Room for hits, drafts and the embedded database."""
    check = "disk"
    try:
        free = shutil.disk_usage(data if data.exists() else data.parent).free
    except OSError as error:
        return warning(
            check, f"The room on the disk of {data} cannot be told: {error.strerror}.", Fix("Look at it.")
        )
    room = f"{free / 2**30:.1f} GB" if free >= 2**30 else f"{free // 2**20} MB"
    fix = Fix(
        f"Make room on the disk of {data}, or give it a larger one.",
        command=f"df -h {shlex.quote(str(data))}",
    )
    if free < _FULL:
        return wrong(
            check, f"Only {room} are free for {data}: opens are lost soon, and the database stops.", fix
        )
    if free < _NARROW:
        return warning(check, f"{room} are free for {data}.", fix)
    return ok(check, f"{room} are free for {data}.")
