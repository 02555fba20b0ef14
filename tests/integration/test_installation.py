"""An installation through its days: kills, restarts, other ports, more machines; and a copy of its folder."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests import postgres, up
from tests import stack as stacks
from tests.stack import Stack, until

from truesend.organizations import installation
from truesend.organizations.models import Installation, Organization
from truesend.runtime import memory


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose parents PostgreSQL's user can pass, so that the database lies in the data folder itself."""
    made = postgres.data_folder()
    yield made
    for data in made.iterdir():
        if data.is_dir():
            up.remove(data)
    subprocess.run(["rm", "-rf", str(made)], check=True)


def standing(stack: Stack) -> tuple[int, str]:
    """Status and sentence of `/readyz`."""
    answer = requests.get(f"{stack.url}/readyz", timeout=20)
    return answer.status_code, answer.json().get("sentence", "")


def counter(data: Path) -> int:
    """How far the folder remembers to have come."""
    found = memory.recall(data)
    assert found is not None
    return found.counter


@pytest.mark.timeout(400)
def test_kills_and_ports_change_nothing_and_a_copied_folder_stands_still(folder: Path) -> None:
    data, copy = folder / "data", folder / "copy"
    with stacks.running(data, first=True, patience=150) as stack:
        ana = stack.person()
        connection = ana.connect()["id"]
        ana.email_when(ana.send(connection)["id"], "sent")
        until(lambda: counter(data), lambda found: found >= 2, 10)  # counted before it was sent, and after
        # Everything at once, the supervisor first, in the middle of sending.
        for _ in range(5):
            ana.send(connection)
        os.kill(stack.up.process.pid, signal.SIGKILL)
        stack.up.process.wait()
    with stacks.running(data, patience=150) as stack:
        assert standing(stack) == (200, "")
        ana.stack = stack
        assert ana.api("GET", "me").json()["nothing_is_sent"] is None
        ana.email_when(ana.send(connection)["id"], "sent", 60)
    subprocess.run(["cp", "-a", str(data), str(copy)], check=True)
    with stacks.running(copy, patience=150) as stack:
        code, sentence = standing(stack)
        assert code == 503
        assert sentence.startswith("This is a copy of http://localhost:")
        assert sentence in stack.up.stderr.read_text()
        # Nobody takes it over without a word: a person at a terminal is asked, a script says --yes.
        refused = stack.up.run("adopt")
        assert refused.returncode == 1
        assert "With --yes" in refused.stdout
        assert standing(stack)[0] == 503
        told = stack.up.run("adopt", "--yes")
        assert told.returncode == 0, told.stderr
        assert "The data folder, and the database in it, is a copy." in told.stdout
        until(lambda: standing(stack), lambda found: found[0] == 200, 10)
        assert "nothing was changed" in stack.up.run("adopt", "--yes").stdout
    with stacks.running(data, patience=150) as stack:
        assert standing(stack) == (200, "")


@pytest.mark.timeout(400)
def test_another_environment_stands_still_and_a_second_machine_joins(folder: Path) -> None:
    database = postgres.start(_made(folder / "database"), {})
    try:
        settings = {"TRUESEND_DATABASE_URL": database.url}
        with up.running(folder / "one", sandbox=False, settings=settings, patience=150) as one:
            done = one.run(
                "user", "create", "--email", "ana@northwind.example", "--password", stacks.PASSWORD,
                "--organization", "Northwind",
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            with up.running(folder / "two", sandbox=False, settings=settings, patience=150) as two:
                assert [
                    requests.get(f"{each.url}/readyz", timeout=20).status_code for each in (one, two)
                ] == [200, 200]
                first, second = memory.recall(folder / "one"), memory.recall(folder / "two")
                assert first is not None
                assert second is not None
                assert first.installation == second.installation
        stage = {
            **settings,
            "TRUESEND_ENVIRONMENT": "stage",
            "TRUESEND_PUBLIC_URL": "https://stage.example.com",
        }
        with up.running(folder / "one", sandbox=False, settings=stage, patience=150) as one:
            sentence = requests.get(f"{one.url}/readyz", timeout=20).json()["sentence"]
            assert "runs here under other settings" in sentence
            told = one.run("adopt", "--yes")
            assert "runs as dev, this one as stage" in told.stdout, told.stderr
            until(
                lambda: requests.get(f"{one.url}/readyz", timeout=20).status_code,
                lambda code: code == 200,
                10,
            )
    finally:
        database.stop()


def _made(path: Path) -> Path:
    path.mkdir(mode=0o711)
    return path


# -- on rows -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_was_done_is_counted_in_the_database_first() -> None:
    from truesend import env

    Organization.objects.create(name="Northwind")
    assert installation.may_act()
    row = Installation.objects.get()
    assert (row.counter, counter(env.data_dir())) == (1, 1)
    # Another one counted meanwhile: what the folder remembers is behind, and that is all right.
    Installation.objects.update(counter=5)
    installation.look_again()
    assert installation.may_act()
    # The database is older than what the folder remembers: not ours, until somebody says so.
    memory.note(env.data_dir(), row.installation, 7)
    installation.look_again()
    assert installation.standing().reasons == ("older",)
    assert not installation.may_act()


@pytest.mark.django_db(transaction=True)
def test_a_folder_that_cannot_be_written_stops_sending(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Organization.objects.create(name="Northwind")
    assert installation.may_act()
    file = tmp_path / "full"
    file.write_text("")
    monkeypatch.setenv("TRUESEND_DATA_DIR", str(file))  # no folder at all
    installation.forget()
    assert not installation.may_act()
