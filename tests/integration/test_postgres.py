"""The embedded PostgreSQL, with real processes and everything as in real life: fsync on, servers killed."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests import postgres

from truesend.runtime.errors import Refused
from truesend.runtime.postgres import Postgres
from truesend.runtime.process import alive, working_in

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")


@pytest.fixture
def data() -> Iterator[Path]:
    folder = postgres.data_folder()
    yield folder
    shutil.rmtree(folder)


def _server(data: Path, said: list[str] | None = None) -> Postgres:
    return Postgres(data, say=(said if said is not None else []).append)


def _up(server: Postgres) -> Postgres:
    server.prepare()
    server.start()
    server.wait_ready()
    return server


def _rows(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM kept ORDER BY n")]


def _keep(url: str, n: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n integer)")
        connection.execute("INSERT INTO kept VALUES (%s)", [n])


def test_the_embedded_postgresql_answers() -> None:
    with psycopg.connect(os.environ["TRUESEND_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        version = connection.execute("SHOW server_version_num").fetchone()
        assert version is not None
        assert int(version[0]) >= 180000


def test_it_is_private_and_durable(data: Path) -> None:
    server = _up(_server(data))
    try:
        with psycopg.connect(server.url) as connection:
            shown = {
                name: connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "listen_addresses")
            }
            encoding = connection.execute("SELECT pg_encoding_to_char(encoding) FROM pg_database").fetchall()
            superuser = connection.execute(
                "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
        assert shown == {"fsync": ("on",), "listen_addresses": ("",)}
        assert set(encoding) == {("UTF8",)}
        assert superuser == (False,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url.replace("truesend:", "truesend:x", 1))
        sockets = Path(server.url.rpartition("host=")[2].replace("%2F", "/"))
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) < 108
        for name in ("postgres_password", "postgres_admin_password"):
            assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
        assert not (server.place.home / "password").exists()
    finally:
        server.stop()
    assert not sockets.exists()
    assert not any(working_in(server.place.cluster, "postgres"))


def test_a_killed_server_repairs_itself_and_keeps_what_was_committed(data: Path) -> None:
    said: list[str] = []
    server = _up(_server(data, said))
    try:
        _keep(server.url, 1)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        while server.poll() is None:
            time.sleep(0.01)
        server.start()
        server.wait_ready()
        assert _rows(server.url) == [1]
        assert any("repairs itself" in sentence for sentence in said)
    finally:
        server.stop()


def test_its_log_keeps_what_only_the_server_knows(data: Path) -> None:
    server = _up(_server(data))
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE once (n integer PRIMARY KEY)")
            connection.execute("INSERT INTO once VALUES (1)")
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO once VALUES (1)")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url.replace("/truesend?", "/elsewhere?"))
    finally:
        server.stop()
    told = server.log.read_text(encoding="utf-8")
    assert "ready to accept connections" in told
    assert 'database "elsewhere" does not exist' in told  # FATAL
    assert "duplicate key" not in told
    assert "INSERT INTO once" not in told


def test_a_server_left_by_an_earlier_run_is_ended_first(data: Path) -> None:
    first = _up(_server(data))
    _keep(first.url, 7)
    first.stop()
    command = [str(first.place.programs / "postgres"), "-D", str(first.place.cluster)]
    command += ["-c", "listen_addresses=", "-c", f"unix_socket_directories={first.place.home}"]
    runs_as = first.place.runs_as
    orphan = subprocess.Popen(
        command,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        user=runs_as.uid if runs_as else None,
        group=runs_as.gid if runs_as else None,
        extra_groups=[] if runs_as else None,
    )
    said: list[str] = []
    second = _server(data, said)
    try:
        until = time.monotonic() + 10
        while not any(working_in(first.place.cluster, "postgres")) and time.monotonic() < until:
            time.sleep(0.02)
        _up(second)
        assert orphan.wait(10) == 0
        assert any("an earlier run left behind" in sentence for sentence in said)
        assert _rows(second.url) == [7]
    finally:
        second.stop()
        if orphan.poll() is None:
            orphan.kill()
            orphan.wait()


def test_a_process_id_that_belongs_to_another_program_by_now_is_no_obstacle(data: Path) -> None:
    server = _up(_server(data))
    kept = (server.place.cluster / "postmaster.pid").read_text()
    server.stop()
    owner = server.place.cluster.stat()
    root = os.geteuid() == 0
    other = subprocess.Popen(
        ["/bin/sleep", "60"],
        cwd="/",
        user=owner.st_uid if root else None,
        group=owner.st_gid if root else None,
        extra_groups=[] if root else None,
    )
    try:
        file = server.place.cluster / "postmaster.pid"
        file.write_text(kept.replace(kept.splitlines()[0], str(other.pid), 1))
        os.chown(file, owner.st_uid, owner.st_gid)
        again = _server(data)
        try:
            _up(again)
            assert again.pid is not None
            assert alive(again.pid)
        finally:
            again.stop()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_first_start_cut_short_begins_again(data: Path) -> None:
    whole = _server(data)
    whole.prepare()
    (whole.place.cluster).rename(whole.place.home / "cluster.new")
    (whole.place.home / "cluster.new" / "PG_VERSION").unlink()
    whole.stop()
    again = _server(data)
    try:
        _up(again)
        _keep(again.url, 3)
        assert _rows(again.url) == [3]
    finally:
        again.stop()


def test_another_major_version_is_refused(data: Path) -> None:
    server = _server(data)
    server.prepare()
    (server.place.cluster / "PG_VERSION").write_text("15\n")
    server.stop()
    with pytest.raises(Refused, match=r"is of PostgreSQL 15; this is PostgreSQL 18"):
        _server(data).prepare()


@as_root
def test_what_postgresql_cannot_reach_goes_to_var_lib(tmp_path: Path) -> None:
    """Below a folder only root may enter; nobody's folder is opened for PostgreSQL."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    inside = closed / "data"
    inside.mkdir(mode=0o755)
    before = {path: path.stat().st_mode for path in (tmp_path, closed, inside)}
    server = _server(inside)
    try:
        _up(server)
        assert server.place.cluster.is_relative_to("/var/lib/truesend")
        _keep(server.url, 1)
        server.stop()
        _up(server)
        assert _rows(server.url) == [1]
        server.stop()
        copy = closed / "copy"
        shutil.copytree(inside, copy)
        with pytest.raises(Refused, match="is a copy of"):
            _server(copy).prepare()
        inside.rename(closed / "moved")
        moved = _server(closed / "moved")
        _up(moved)
        moved.stop()
        assert {path: path.stat().st_mode for path in (tmp_path, closed)} == {
            path: before[path] for path in (tmp_path, closed)
        }
        assert (closed / "moved").stat().st_mode == before[inside]
    finally:
        server.stop()
        shutil.rmtree(server.place.cluster.parents[1])


@as_root
def test_programs_postgresql_cannot_reach_are_copied(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project below a closed folder, as root's home is, with the data folder elsewhere."""
    from truesend.runtime import placement

    real = placement._package()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(real / "pginstall18", closed / real.name / "pginstall18")
    shutil.copytree(real.with_name(f"{real.name}.libs"), closed / f"{real.name}.libs")
    monkeypatch.setattr(placement, "_package", lambda: closed / real.name)
    server = _server(data)
    try:
        _up(server)
        assert server.place.programs.is_relative_to(data / "binaries")
        dump = subprocess.run(
            [str(server.place.programs / "pg_dump"), server.url], capture_output=True, text=True, check=True
        )
        assert "PostgreSQL database dump complete" in dump.stdout
    finally:
        server.stop()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
