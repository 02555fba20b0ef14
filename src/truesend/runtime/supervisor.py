"""Keeps the parts of ``truesend up`` running, and ends them in order."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from truesend import env
from truesend.runtime.errors import Refused
from truesend.runtime.parts import LONGEST_PAUSE, Command, Part, last_words
from truesend.runtime.postgres import Postgres
from truesend.runtime.readiness import Question
from truesend.runtime.signals import Signals

_TICK = 0.25
# All of it under ten seconds. The worker asks for six: a send that is cut off ends as "unknown", and somebody
# has to look for it. PostgreSQL gets what is left, at least so much.
_WHOLE, _DRAIN, _SANDBOX_DRAIN, _POSTGRES_DRAIN = 8.5, 6.3, 1.0, 1.2
# So many deaths before everything was ready once: this installation does not start.
_HOPELESS = 5
_STILL_WAITING = 30.0
# Whoever follows a link waits as long as this part is away: its connection stands in the queue of the held socket.
_LONGEST_PAUSES = {"tracker": 0.8}


class _PostgresProgram:
    """The embedded PostgreSQL in the shape of a supervised program."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    @property
    def log(self) -> Path:
        return self._postgres.log

    @property
    def pid(self) -> int | None:
        return self._postgres.pid

    def start(self) -> None:
        self._postgres.start()

    def poll(self) -> int | None:
        return self._postgres.poll()


class Supervisor:
    """Runs in the main thread; the parts that were added start in :meth:`run`, PostgreSQL at once."""

    def __init__(self, data: Path, *, say: Callable[[str], None], signals: Signals) -> None:
        self._run_folder = data / "run"
        self._say = say
        self._signals = signals
        self._parts: dict[str, Part] = {}
        self._questions: dict[str, tuple[str, int, str]] = {}
        self._postgres: Postgres | None = None
        self._postgres_part: Part | None = None

    def add_postgres(self, postgres: Postgres) -> None:
        """Start a prepared PostgreSQL and keep it running from now on."""
        self._postgres = postgres
        self._postgres_part = self._part("postgres", _PostgresProgram(postgres))
        self._postgres_part.start()

    def add(self, name: str, command: Command, *, path: str | None, address: tuple[str, int] | None) -> None:
        """A part; ready when ``path`` at ``address`` answers 200, or without these by its ready file."""
        self._parts[name] = self._part(name, command)
        if path is not None and address is not None:
            self._questions[name] = (*address, path)

    def _part(self, name: str, program: Command | _PostgresProgram) -> Part:
        return Part(
            name,
            program,
            run_folder=self._run_folder,
            say=self._say,
            is_excused=self._database_is_away,
            longest_pause=_LONGEST_PAUSES.get(name, LONGEST_PAUSE),
        )

    @staticmethod
    def _database_is_away() -> bool:
        """A worker that waits for a database that hangs is not the one to be ended."""
        try:
            with psycopg.connect(env.database_url(), connect_timeout=3) as connection:
                connection.execute("SET statement_timeout = 3000")
                connection.execute("SELECT 1")
        except psycopg.Error:
            return True
        return False

    def run(self, ready: Callable[[], None]) -> None:
        """Start the parts, call ``ready`` once when all are at work, and repair until asked to stop.

        Raises :class:`Refused` when a part refuses its settings or never gets ready.
        """
        for part in self._parts.values():
            part.start()
        if self._await_ready():
            ready()
        while not self._signals.stop:
            self._watch()
            self._signals.wait(_TICK)

    def _await_ready(self) -> bool:
        asked = {name: Question(*question) for name, question in self._questions.items()}
        began = reminded = time.monotonic()
        try:
            while not self._signals.stop:
                self._watch()
                waiting = [name for name, question in asked.items() if not question.answered]
                waiting += [
                    name for name, part in self._parts.items() if name not in asked and not part.says_ready
                ]
                if not waiting:
                    return True
                self._give_up_if_hopeless()
                if time.monotonic() - reminded > _STILL_WAITING:
                    reminded = time.monotonic()
                    logs = ", ".join(
                        str(self._run_folder.with_name("log") / f"{name}.log") for name in waiting
                    )
                    self._say(f"Still waiting after {reminded - began:.0f} s; see {logs}.")
                self._signals.wait(0.02)
        finally:
            for question in asked.values():
                question.give_up()
        return False

    def _give_up_if_hopeless(self) -> None:
        for name, part in self._parts.items():
            if part.refusal is not None:
                raise Refused(f"{name} does not start: {part.refusal}")
            if part.deaths >= _HOPELESS:
                log = self._run_folder.with_name("log") / f"{name}.log"
                raise Refused(f"{name} does not start: {last_words(log)} See {log}.")

    def _watch(self) -> None:
        for part in self._all():
            part.watch()

    def _all(self) -> list[Part]:
        postgres = [self._postgres_part] if self._postgres_part is not None else []
        return [*postgres, *self._parts.values()]

    def end(self) -> None:
        """End everything: web, tracker and worker together, then the sandbox, PostgreSQL last."""
        sandbox = [part for name, part in self._parts.items() if name == "sandbox"]
        others = [part for name, part in self._parts.items() if name != "sandbox"]
        began = time.monotonic()
        self._drain(others, _DRAIN)
        self._drain(sandbox, _SANDBOX_DRAIN)
        if self._postgres is not None:
            self._postgres.stop(max(_POSTGRES_DRAIN, began + _WHOLE - time.monotonic()))
            (self._run_folder / "postgres.pid").unlink(missing_ok=True)

    def _drain(self, parts: list[Part], seconds: float) -> None:
        """SIGTERM, and SIGKILL after ``seconds`` or as soon as somebody asks a second time."""
        for part in parts:
            part.ask_to_end()
        until = time.monotonic() + seconds
        while any(part.running for part in parts):
            if time.monotonic() >= until or self._signals.requests > 1:
                for part in parts:
                    part.kill()
                until = float("inf")
            self._signals.wait(0.05)
            for part in parts:
                part.watch(restart=False)
