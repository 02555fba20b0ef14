"""``truesend up`` with real processes: starting, repairing, refusing and ending."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests import figures, postgres
from tests import up as ups
from tests.ports import free_ports

from truesend.runtime.process import account, alive

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
ALL = (*ups.PARTS, "sandbox")


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder that has seen its first start."""
    folder = postgres.data_folder()
    try:
        with ups.running(folder) as up:
            print(f"first start: ready after {up.seconds:.1f} s")
        yield folder
    finally:
        ups.remove(folder)


def _get(url: str, timeout: float = 10) -> int:
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return int(answer.status)


def _nothing_left(data: Path, seconds: float) -> None:
    ups.wait_for(lambda: not ups.processes_of(data), seconds, f"nothing left of {data}")


@pytest.mark.alone
def test_first_start_makes_keys_that_others_cannot_read_and_says_one_line() -> None:
    data = postgres.data_folder()
    try:
        with ups.running(data) as up:
            assert (
                up.line == f"ready: http://localhost:{up.port} sandbox: http://localhost:{up.sandbox_port}\n"
            )
            for name in (
                "secret_key",
                "encryption_keys",
                "link_keys",
                "postgres_password",
                "run/database_url",
            ):
                assert stat.S_IMODE((data / name).stat().st_mode) == 0o600, name
            key_id, _, encoded = (data / "link_keys").read_text().strip().partition(":")
            assert key_id
            assert len(base64.b64decode(encoded)) == 32
            for part in ALL:
                pid = up.pid(part)
                assert pid is not None
                assert alive(pid), part
            code, seconds = up.terminate()
            assert code == 0
            assert seconds < figures.limit(10)
            assert up.rest_of_stdout() == ""
            assert "Creating the database" in up.stderr.read_text()
    finally:
        ups.remove(data)


@pytest.mark.alone
def test_second_start_is_quick_and_the_end_leaves_nothing(data: Path) -> None:
    with ups.running(data) as up:
        print(f"second start: ready after {up.seconds:.1f} s")
        assert up.seconds < figures.limit(10)
        assert "Preparing the database" not in up.stderr.read_text()
        assert _get(f"{up.url}/healthz") == _get(f"{up.tracking_url}/healthz") == 200
        assert _get(f"http://127.0.0.1:{up.port}/healthz") == 200
        sockets = Path((data / "run" / "socket_folder").read_text().strip())
        assert sockets.is_dir()
        code, seconds = up.terminate()
        print(f"end: {seconds:.1f} s")
        assert (code, seconds < 10) == (0, True)
    _nothing_left(data, 0.5)
    assert not sockets.exists()
    assert {path.name for path in (data / "run").iterdir()} <= {"lock", "clock"}


@pytest.mark.alone
def test_every_killed_part_comes_back_and_refuses_no_connection(data: Path) -> None:
    with ups.running(data) as up:
        before = {part: up.pid(part) for part in ALL}
        for part, url in (("web", f"{up.url}/healthz"), ("tracker", f"{up.tracking_url}/healthz")):
            old = up.pid(part)
            assert old is not None
            os.kill(old, signal.SIGKILL)
            ups.wait_for(lambda old=old: not alive(old), 5, f"{part} dies")
            assert _get(url, timeout=30) == 200  # waits in the queue of the socket, which never closed
        for part in ("worker", "sandbox", "postgres"):
            old = up.pid(part)
            assert old is not None
            os.kill(old, signal.SIGKILL)
        for part in ALL:
            ups.wait_for(
                lambda part=part: (up.pid(part) or before[part]) != before[part], 15, f"{part} comes back"
            )
        ups.wait_for((data / "run" / "worker.ready").exists, 20, "the worker works again")
        ups.wait_for(lambda: _readyz(up.url), 20, "web reaches the database again")
        assert _get(f"{up.sandbox_url}/healthz", timeout=30) == 200
        told = up.stderr.read_text()
        for part in ALL:
            assert f"{part} was killed by signal 9 and is started again." in told
    _nothing_left(data, 0.5)


def _readyz(url: str) -> bool:
    try:
        return _get(f"{url}/readyz") == 200
    except OSError:
        return False


@pytest.mark.alone
def test_killing_up_itself_leaves_nothing_and_the_next_start_repairs(data: Path) -> None:
    with ups.running(data) as up:
        assert up.run("user", "create", *_account("killed@example.com")).returncode == 0
        up.process.kill()
        up.process.wait()
        _nothing_left(data, 5)
    with ups.running(data) as up:
        assert up.seconds < figures.limit(15)
        again = up.run("user", "create", *_account("killed@example.com"))
        assert again.returncode == 1
        assert again.stderr.strip().splitlines() == ["killed@example.com has an account already."]


def _account(email: str) -> list[str]:
    return ["--email", email, "--password", "a long enough password", "--organization", "Example"]


def test_commands_in_a_second_terminal_find_the_running_one(data: Path) -> None:
    with ups.running(data, sandbox=False) as up:
        assert up.line == f"ready: http://localhost:{up.port}\n"
        assert up.pid("sandbox") is None
        made = up.run("user", "create", *_account("ann@example.com"))
        assert (made.returncode, made.stderr) == (0, "")
        token = up.run("token", "create", "--email", "ann@example.com")
        assert token.returncode == 0
        assert len(token.stdout.strip()) > 20
        link = up.run("user", "link", "--email", "ann@example.com")
        assert link.stdout.startswith(f"{up.url}/")
        assert up.run("user", "link", "--email", "nobody@example.com").returncode == 1
    alone = up.run("user", "link", "--email", "ann@example.com")
    assert alone.returncode == 1
    assert alone.stderr.strip().splitlines() == [
        f"Truesend is not running on {data}; start it with truesend up or set TRUESEND_DATABASE_URL."
    ]


def _refused(*arguments: str, settings: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        ups.command(*arguments),
        env=ups.environment(settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd="/",
    )
    assert done.returncode != 0
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_second_up_on_the_same_data_folder_is_refused(data: Path) -> None:
    with ups.running(data, sandbox=False) as up:
        port = str(free_ports(2)[0])
        sentence = _refused("up", "--data", str(data), "--port", port)
        assert sentence.startswith(f"Truesend is already running on {data} (process {up.process.pid})")
        assert _get(f"{up.url}/healthz") == 200


@pytest.mark.parametrize(
    ("taken", "address"),
    [
        ("web", "127.0.0.1"),
        ("web", "::1"),
        ("web", "0.0.0.0"),  # noqa: S104
        ("tracker", "127.0.0.1"),
        ("sandbox", "127.0.0.1"),
        ("sandbox", "::1"),
    ],
)
def test_a_taken_port_is_refused_before_anything_starts(taken: str, address: str, tmp_path: Path) -> None:
    ports = dict(zip(("web", "tracker", "sandbox"), free_ports(3), strict=True))
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as other:
        other.bind((address, ports[taken]))
        other.listen()
        sandbox = ["--sandbox", "--sandbox-port", str(ports["sandbox"])]
        sentence = _refused("up", "--data", str(tmp_path / "data"), "--port", str(ports["web"]), *sandbox)
    assert sentence.startswith(f"Port {ports[taken]} for the {taken} is taken by another program")
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"run", "log"}


def test_unsafe_or_senseless_options_are_refused_in_one_sentence(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    port = free_ports(3)[0]
    assert "not for TRUESEND_ENVIRONMENT=prod" in _refused(
        "up", "--data", data, "--port", str(port), "--sandbox", settings={"TRUESEND_ENVIRONMENT": "prod"}
    )
    assert "must be dev, stage or prod" in _refused(
        "up", "--data", data, "--port", str(port), settings={"TRUESEND_ENVIRONMENT": "staging"}
    )
    assert "taken twice" in _refused(
        "up", "--data", data, "--port", str(port), "--sandbox", "--sandbox-port", str(port + 1)
    )
    assert "no port 65536" in _refused("up", "--data", data, "--port", "65535")
    assert "no such host" in _refused(
        "up", "--data", data, "--port", str(port), "--host", "no.such.host.invalid"
    )
    file = tmp_path / "file"
    file.write_text("")
    assert "cannot be used" in _refused("up", "--data", str(file / "data"), "--port", str(port))


def test_a_broken_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "link_keys").write_text("one:very-secret-text\n")
    sentence = _refused("up", "--data", str(data), "--port", str(free_ports(2)[0]))
    assert "TRUESEND_LINK_KEYS must read id:base64" in sentence
    assert "very-secret" not in sentence
    assert not (data / "postgres").exists()


def test_it_uses_the_database_it_is_given(tmp_path: Path) -> None:
    with postgres.running() as server:
        data = tmp_path / "data"
        with ups.running(data, sandbox=False, settings={"TRUESEND_DATABASE_URL": server.url}) as up:
            assert up.pid("postgres") is None
            assert not (data / "postgres").exists()
            assert up.run("user", "create", *_account("bob@example.com")).returncode == 0
            with psycopg.connect(server.url) as connection:
                row = connection.execute("SELECT count(*) FROM organizations_user").fetchone()
            assert row == (1,)
            assert up.terminate()[0] == 0
        _nothing_left(data, 0.5)
        assert server.answers()


@pytest.mark.alone
def test_open_streams_do_not_hold_up_the_end(data: Path) -> None:
    with ups.running(data, sandbox=False) as up:
        up.run("user", "create", *_account("streams@example.com"))
        token = up.run("token", "create", "--email", "streams@example.com").stdout.strip()
        ended: list[bool] = []

        def read(stream: object) -> None:
            with stream:  # type: ignore[attr-defined]
                while stream.read(1024):  # type: ignore[attr-defined]
                    pass
            ended.append(True)

        threads = []
        for _ in range(50):
            request = urllib.request.Request(
                f"{up.url}/api/v1/events", headers={"Authorization": f"Bearer {token}"}
            )
            stream = urllib.request.urlopen(request, timeout=30)
            assert stream.status == 200
            threads.append(threading.Thread(target=read, args=(stream,)))
            threads[-1].start()
        time.sleep(0.5)
        assert not ended
        code, seconds = up.terminate()
        for thread in threads:
            thread.join(5)
    print(f"end with 50 open streams: {seconds:.1f} s")
    assert (code, len(ended)) == (0, 50)
    assert seconds < figures.limit(5)


@pytest.mark.alone
def test_parts_that_do_not_answer_are_ended_all_the_same(data: Path) -> None:
    with ups.running(data) as up:
        for part in ALL:
            pid = up.pid(part)
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
        code, seconds = up.terminate()
    print(f"end with every part frozen: {seconds:.1f} s")
    assert code == 0
    assert seconds < figures.limit(10)
    _nothing_left(data, 0.5)


@as_root
def test_as_an_ordinary_user() -> None:
    nobody = account("nobody")
    assert nobody is not None
    found = ups.python_for(nobody.uid, nobody.gid)
    if found is None:
        pytest.skip("no Python here that an ordinary user can start and that has this project's packages")
    python, extra = found
    home = postgres.data_folder()
    home.chmod(0o755)
    data = home / "theirs" / "data"
    data.parent.mkdir()
    os.chown(data.parent, nobody.uid, nobody.gid)
    try:
        with ups.running(data, python=python, settings=extra, user=(nobody.uid, nobody.gid)) as up:
            for part in ALL:
                pid = up.pid(part)
                assert pid is not None
                assert Path(f"/proc/{pid}").stat().st_uid == nobody.uid, part
            assert stat.S_IMODE(data.stat().st_mode) == 0o700
            assert up.terminate()[0] == 0
        _nothing_left(data, 0.5)
    finally:
        shutil.rmtree(home)


@as_root
def test_as_root_below_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    parents = [closed, *closed.parents]
    before = {path: path.stat().st_mode for path in parents}
    data = closed / "data"
    data.mkdir(mode=0o700)
    try:
        with ups.running(data) as up:
            pid = up.pid("postgres")
            assert pid is not None
            assert Path(f"/proc/{pid}").stat().st_uid != 0
            web = up.pid("web")
            assert web is not None
            up.process.kill()
            up.process.wait()
            _nothing_left(data, 5)
        with ups.running(data) as up:
            assert up.terminate()[0] == 0
        assert {path: path.stat().st_mode for path in parents} == before
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
    finally:
        ups.remove(data)
