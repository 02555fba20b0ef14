"""``truesend up``: everything in one terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket

import psycopg

from truesend import env
from truesend.runtime import configuration, folder, schema, sockets
from truesend.runtime.errors import Refused
from truesend.runtime.files import write_private
from truesend.runtime.parts import Command, fresh_log, last_words
from truesend.runtime.postgres import Postgres
from truesend.runtime.process import send, spawn
from truesend.runtime.readiness import why_not
from truesend.runtime.signals import Signals
from truesend.runtime.supervisor import Supervisor

# How long a database given by TRUESEND_DATABASE_URL may take to appear: containers start in any order.
_DATABASE_PATIENCE = 30.0


@dataclass(frozen=True)
class Options:
    """The options of ``truesend up``; ``sandbox_port`` is ``None`` without a sandbox."""

    data: Path
    host: str = sockets.LOCALHOST
    port: int = 8000
    sandbox_port: int | None = None


@dataclass
class Listening:
    """The listening sockets of every part that has some."""

    parts: dict[str, list[socket]] = field(default_factory=dict)

    def open(self, part: str, host: str, port: int) -> None:
        """Bind one part's address, or close all and raise :class:`Refused`."""
        try:
            self.parts[part] = sockets.listen(host, port, part)
        except Refused:
            self.close()
            raise

    def close(self) -> None:
        """Close our copies."""
        for opened in self.parts.values():
            sockets.close(opened)

    def fds(self, part: str) -> list[int]:
        """Descriptors to hand on."""
        return [one.fileno() for one in self.parts[part]]

    def options(self, part: str) -> list[str]:
        """The same as options of a command."""
        return [word for fd in self.fds(part) for word in ("--fd", str(fd))]


def say(sentence: str) -> None:
    """Progress and trouble go to stderr; stdout gets the one ready line."""
    print(sentence, file=sys.stderr, flush=True)


def up(options: Options) -> int:
    """Run until SIGTERM or Ctrl-C; the exit code. Raises :class:`Refused`, if it can before any start."""
    if not sys.platform.startswith("linux"):
        raise Refused("truesend up runs on Linux: its parts end with it by a service of that kernel.")
    data = folder.open_folder(options.data)
    lock = folder.Lock(data)
    lock.take()
    folder.end_earlier_run(data)
    os.umask(0o077)
    listening = _listen(options)
    settings = configuration.complete(
        os.environ, data=data, host=options.host, port=options.port, sandbox_port=options.sandbox_port
    )
    os.environ.update(settings)
    _check_settings()
    signals = Signals()
    postgres = None if env.get("DATABASE_URL") else Postgres(data, say=say)
    supervisor = Supervisor(data, say=say, signals=signals)
    try:
        if postgres is None:
            _await_database(signals)
        else:
            postgres.prepare()
            supervisor.add_postgres(postgres)
            postgres.wait_ready(lambda: signals.stop)
            write_private(data / "run" / "database_url", postgres.url)
            settings[f"{env.PREFIX}DATABASE_URL_FILE"] = str(data / "run" / "database_url")
            os.environ.update(settings)
        if not signals.stop:
            _migrate(data, signals)
        if not signals.stop:
            _add_parts(supervisor, listening, options, data)
            folder.publish_settings(data, settings)
            supervisor.run(ready=lambda: _announce(options, listening))
    finally:
        folder.withdraw_settings(data)
        listening.close()
        supervisor.end()
        folder.forget_addresses(data)
        (data / "run" / "database_url").unlink(missing_ok=True)
    return 0


def _listen(options: Options) -> Listening:
    ports = {"web": options.port, "tracker": options.port + 1}
    if options.sandbox_port is not None:
        ports["sandbox"] = options.sandbox_port
    if len(set(ports.values())) != len(ports):
        raise Refused(f"Port {options.sandbox_port} is taken twice; choose another with --sandbox-port.")
    listening = Listening()
    for part, port in ports.items():
        listening.open(part, sockets.LOCALHOST if part == "sandbox" else options.host, port)
    if "sandbox" in listening.parts:
        # It takes one socket. ::1 was bound to see that nobody else is localhost there; browsers then fall
        # back.
        listening.parts["sandbox"], spare = listening.parts["sandbox"][:1], listening.parts["sandbox"][1:]
        sockets.close(spare)
    return listening


def _check_settings() -> None:
    """Refuse what no part could start with, before anything is started."""
    env.refuse_unsafe()
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "LINK_KEYS", "DATABASE_URL"):
        env.get(name)
    env.encryption_keys()
    env.link_keys()


def _await_database(signals: Signals) -> None:
    until = time.monotonic() + _DATABASE_PATIENCE
    told = False
    while not signals.stop:
        try:
            psycopg.connect(env.database_url(), connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            words = str(error).strip().splitlines()[-1].strip()
        except psycopg.ProgrammingError:
            raise Refused(
                "TRUESEND_DATABASE_URL cannot be read; it should look like postgresql://…."
            ) from None
        if time.monotonic() > until:
            raise Refused(f"The database of TRUESEND_DATABASE_URL does not answer: {words}")
        if not told:
            say(f"Waiting for the database of TRUESEND_DATABASE_URL ({words})…")
            told = True
        signals.wait(0.5)


def _migrate(data: Path, signals: Signals) -> None:
    if schema.is_current(env.database_url()):
        return
    say("Preparing the database…")
    log = fresh_log(data / "log" / "migrate.log")
    with log.open("ab") as opened:
        child = spawn(_truesend("migrate"), environment=os.environ, log=opened.fileno())
    while child.poll() is None and not signals.stop:
        signals.wait(0.5)
    if signals.stop:
        send(child.pid, signal.SIGKILL)
        child.wait()
    elif child.returncode != 0:
        raise Refused(f"The database could not be prepared: {last_words(log)} See {log}.")


def _truesend(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "truesend.cli", *arguments]  # -P: not the folder we are in


def _add_parts(supervisor: Supervisor, listening: Listening, options: Options, data: Path) -> None:
    # PYTHONUNBUFFERED: the last words of a part that is killed are in its log.
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}

    def add(part: str, command: list[str], path: str | None = None) -> None:
        log = fresh_log(data / "log" / f"{part}.log")
        fds = listening.fds(part) if part in listening.parts else []
        address = sockets.reachable_address(listening.parts[part][0]) if path else None
        supervisor.add(part, Command(command, environment, log, fds), path=path, address=address)

    if options.sandbox_port is not None:
        clock = data / "run" / "clock"
        if not clock.exists():
            clock.write_bytes(struct.pack("<d", 0.0))  # the sandbox moves it; everybody maps it
        command = [sys.executable, "-P", "-m", "truesend_sandbox", "--host", sockets.LOCALHOST]
        command += ["--port", str(options.sandbox_port), *listening.options("sandbox")]
        command += ["--data", str(data / "sandbox"), "--clock-file", str(clock)]
        command += ["--tracking-url", env.tracking_url()]
        # By loopback, whatever the public address is: the sandbox calls nobody else.
        port = sockets.reachable_address(listening.parts["web"][0])[1]
        command += ["--stripe-webhook-url", f"http://localhost:{port}/webhooks/stripe"]
        add("sandbox", command, "/healthz")
    add("web", _truesend("web", *listening.options("web")), "/readyz?part")
    add("worker", _truesend("worker"))
    add("tracker", _truesend("tracker", *listening.options("tracker")), "/healthz")


def _announce(options: Options, listening: Listening) -> None:
    if told := why_not(*sockets.reachable_address(listening.parts["web"][0]), "/readyz"):
        say(told)
    line = f"ready: http://{configuration.name_for(options.host)}:{options.port}"
    if options.sandbox_port is not None:
        line += f" sandbox: http://localhost:{options.sandbox_port}"
    with contextlib.suppress(OSError):  # nobody reads it
        print(line, flush=True)
