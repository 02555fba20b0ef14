"""Many things wrong with an installation at once: it is brought to green by doing what ``truesend doctor`` prints, and
nothing else."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import requests
from tests import parts
from tests.parts import Parts
from tests.ports import free_ports
from tests.stack import PASSWORD, until

# Many commands, each of which loads Django: two minutes are not enough beside other work.
pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]

ID, SECRET, NEW = "sandbox-google-client", "sandbox-google-secret", "the-secret-of-today"
OPERATOR = "oda@operators.example"
_LINE = re.compile(r"^(ok|unproven|warning|wrong) +(.+?)  +(\S.*)$")
_TODO = re.compile(r"^ +(set|unset|register|run|open): (.+)$")


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Parts]:
    with parts.installed(tmp_path) as made:
        yield made


@dataclass
class Said:
    """One thing that the doctor says is wrong, and what it says to do."""

    check: str
    sentence: str
    words: str
    todo: list[tuple[str, str]]


def doctor(installation: Parts) -> tuple[int, list[Said], str]:
    """Its exit code, what is wrong in its own order, and all that it printed."""
    done = installation.run("doctor")
    assert "Traceback" not in done.stderr, done.stderr
    found: list[Said] = []
    taken = False
    for line in done.stdout.splitlines():
        if (head := _LINE.match(line)) is not None:
            taken = head[1] == "wrong"
            if taken:
                found.append(Said(head[2].strip(), head[3], "", []))
        elif taken and line.strip().startswith("→"):
            found[-1].words = line.strip().removeprefix("→ ")
        elif taken and (todo := _TODO.match(line)) is not None:
            found[-1].todo.append((todo[1], todo[2]))
    return done.returncode, found, done.stdout


class Operator:
    """Somebody who does what is printed. At the provider's console they read and enter what it has."""

    def __init__(self, installation: Parts) -> None:
        self.installation = installation
        self.steps: list[str] = []
        self.secret = SECRET
        self.redirects: list[str] = []

    def follow(self, said: Said) -> None:
        assert said.todo, f"nothing that could be done: {said}"
        for what, value in said.todo:
            self.steps.append(f"{said.check}: {what} {value}")
            self.do(what, value)
        if "start Truesend again" in said.words:
            self.installation.again()

    def do(self, what: str, value: str) -> None:
        """One of the lines below a finding."""
        getattr(self, f"_{what}")(value)

    def _set(self, line: str) -> None:
        name, _, value = line.partition("=")
        self.installation.settings[name] = value

    def _unset(self, name: str) -> None:
        del self.installation.settings[name]

    def _run(self, command: str) -> None:
        words = shlex.split(command)
        if words[0] != "truesend":
            subprocess.run(["sh", "-c", command], check=True)
        elif words[1] in {"web", "tracker", "worker"}:
            self.installation.start(words[1])
        else:
            done = self.installation.run(*words[1:], *(["--yes"] if words[1] == "adopt" else []))
            assert done.returncode == 0, done.stderr

    def _register(self, address: str) -> None:
        self.enter([*self.redirects, address], self.secret)

    def _open(self, page: str) -> None:
        """The page of providers: sign in, paste the secret that the console shows, press the button."""
        browser = requests.Session()
        origin, _, provider = page.partition("/settings/providers#")
        browser.get(f"{origin}/login", timeout=30)
        token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        browser.post(
            f"{origin}/login", {**token, "login": OPERATOR, "password": PASSWORD}, timeout=30
        ).raise_for_status()
        shown = browser.get(page, timeout=30).text
        version = re.search(r'name="version" value="(\d+)"', shown)
        assert version, shown
        typed = {
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            "client_id": ID,
            "secret": self.secret,
            "version": version[1],
        }
        answer = browser.post(f"{origin}/settings/providers/{provider}", typed, timeout=30)
        assert answer.status_code == 200, answer.text

    def enter(self, redirects: list[str], secret: str) -> None:
        """At the provider's console, which shows it from then on."""
        self.redirects, self.secret = redirects, secret
        fields = {"provider": "google", "client_id": ID, "secret": secret, "redirect_uris": redirects}
        self.installation.sandbox.control("POST", "clients", fields)


def test_it_is_brought_to_green_by_what_doctor_prints(
    installation: Parts, capfd: pytest.CaptureFixture[str]
) -> None:
    operator = Operator(installation)
    made = installation.run(
        "user", "create", "--email", OPERATOR, "--password", PASSWORD, "--organization", "Operators", "--operator"
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    for part in ("web", "tracker", "worker"):
        installation.start(part)
    operator.do("open", f"{installation.url}/settings/providers#google")
    operator.do("register", f"{installation.url}/oauth/google/callback")
    until(lambda: doctor(installation)[0], lambda code: code == 0, 60)

    # 1, 2: the provider has another secret than the one stored, and forgot where to send people back.
    operator.enter([], NEW)
    # 3: the database was sealed with a key that the settings no longer name.
    installation.settings["TRUESEND_ENCRYPTION_KEYS"] = parts.another_key()
    # 4, 5: the addresses lead to where nobody is, and to somebody else.
    elsewhere = free_ports(1)[0]
    installation.settings["TRUESEND_PUBLIC_URL"] = f"http://localhost:{elsewhere}"
    installation.settings["TRUESEND_TRACKING_URL"] = installation.sandbox.url
    # 6: nobody sends.
    installation.stop("worker")
    installation.again()
    # 7: another version prepared the database.
    with psycopg.connect(installation.settings["TRUESEND_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("UPDATE truesend_schema SET fingerprint = 'of another version'")
    # 8: everybody on this machine can read the keys.
    (installation.data / "link_keys").chmod(0o644)

    until(lambda: {one.check for one in doctor(installation)[1]}, lambda found: "worker" in found, 60)
    code, wrong, printed = doctor(installation)
    shown = [f"--- at first\n{printed}"]
    assert code == 1
    checks = {one.check for one in wrong}
    assert {
        "data folder",
        "migrations",
        "encryption keys",
        "worker",
        "public address",
        "tracking host",
    } <= checks
    for round_ in range(1, 16):
        if not wrong:
            break
        operator.follow(wrong[0])  # "Begin at the top, and run truesend doctor again."
        shown.append(f"--- step {round_}: {operator.steps[-1]}")
        if wrong[0].check == "worker":
            until(lambda: doctor(installation)[1], lambda now: "worker" not in {one.check for one in now}, 30)
        checks |= {one.check for one in wrong}
        code, wrong, printed = doctor(installation)
    shown.append(f"--- at last\n{printed}")
    with capfd.disabled():
        print("\n".join(["", *shown]))
    assert (code, wrong) == (0, [])
    assert {"Google client", "Google return address"} <= checks | {one.check for one in wrong}
    assert len({step.partition(":")[0] for step in operator.steps}) >= 5
