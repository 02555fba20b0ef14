"""Dumps and copies of a database, made and put back as an operator would."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from truesend.runtime import placement
from truesend.runtime.postgres import Postgres


def program(server: Postgres, name: str, *arguments: str) -> None:
    """One of PostgreSQL's own programs."""
    done = subprocess.run(
        [str(server.place.programs / name), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{name}: {done.stderr}"


def dump(url: str, data: Path, file: Path) -> None:
    """As an operator backs up: pg_dump."""
    done = subprocess.run(
        [str(placement.place(data).programs / "pg_dump"), "-Fc", "-d", url, "-f", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def back_up(database: Postgres, where: Path, kind: str) -> None:
    """A dump, or the files of a cluster that is shut down for it and started again."""
    if kind == "dump":
        program(database, "pg_dump", "-Fc", "-d", database.url, "-f", str(where))
        return
    address = database.url
    database.stop()
    subprocess.run(["cp", "-a", str(database.place.cluster), str(where)], check=True)
    _start(database, address)


def restore(database: Postgres, where: Path, kind: str) -> None:
    """The backup, in place of what is there."""
    if kind == "dump":
        program(
            database, "pg_restore", "--clean", "--if-exists", "--no-owner", "-d", database.url, str(where)
        )
        return
    address = database.url
    database.stop()
    shutil.rmtree(database.place.cluster)
    subprocess.run(["cp", "-a", str(where), str(database.place.cluster)], check=True)
    _start(database, address)


def _start(database: Postgres, address: str) -> None:
    """At the address it had."""
    database.prepare()
    database.start()
    database.wait_ready()
    Path(_socket_folder(address)).symlink_to(_socket_folder(database.url))


def _socket_folder(address: str) -> str:
    return parse_qs(urlsplit(address).query)["host"][0]
