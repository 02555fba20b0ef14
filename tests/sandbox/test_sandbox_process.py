"""The sandbox as a process: it survives its own death, ends quickly, and serves this machine only."""

from __future__ import annotations

import itertools
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from tests.ports import free_ports
from tests.sandbox.google_client import READ, SEND, SIGN_IN, GoogleClient, mail
from tests.sandbox_process import Sandbox, running_sandbox, wait_until_healthy

MODULE = [sys.executable, "-m", "truesend_sandbox"]


def test_its_state_survives_kill_nine(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as first:
        google = GoogleClient(first)
        tokens = google.connect(scope=f"{SIGN_IN} {SEND} {READ}")
        sent = google.send(tokens, mail(X_Truesend_Delivery="d-1")).json()
        keys = requests.get(f"{first.url}/oauth2/v3/certs", timeout=10).json()
        first.switch(access_token_lifetime=7200)
        fault = first.fault("revoke", "outage")
        first.consent("next@gmail.com")
        first.advance(1000)
        first.process.kill()
        first.process.wait()
    with running_sandbox(tmp_path) as second:
        again = GoogleClient(second)
        assert again.gmail("GET", f"messages/{sent['id']}", tokens).status_code == 200
        assert again.refresh(tokens.refresh).json()["expires_in"] == 7200
        assert requests.get(f"{second.url}/oauth2/v3/certs", timeout=10).json() == keys
        state = second.control("GET", "state")
        assert 999 < state["clock"]["offset"] < 1001
        assert [item["id"] for item in state["faults"]] == [fault]
        assert [item["account"] for item in state["consents"]] == ["next@gmail.com"]
        assert second.messages(delivery="d-1")[0]["count"] == 1
        assert [call["operation"] for call in second.calls()][:3] == ["authorize", "token.code", "send"]


def test_what_was_answered_is_there_after_a_kill_in_the_middle(tmp_path: Path) -> None:
    answered: list[str] = []
    with running_sandbox(tmp_path) as first:
        google = GoogleClient(first)
        tokens = google.connect()

        def send() -> None:
            for number in itertools.count():
                mark = f"{threading.get_ident()}-{number}"
                try:
                    if google.send(tokens, mail(X_Truesend_Delivery=mark)).status_code == 200:
                        answered.append(mark)
                except requests.RequestException:
                    return

        threads = [threading.Thread(target=send) for _ in range(6)]
        for thread in threads:
            thread.start()
        while len(answered) < 60:
            time.sleep(0.01)
        first.process.kill()
        first.process.wait()
        for thread in threads:
            thread.join()
    with running_sandbox(tmp_path) as second:
        counts = {item["delivery"]: item["count"] for item in second.messages()}
        assert [mark for mark in answered if counts.get(mark) != 1] == []
        assert len(second.calls(operation="send")) == len(counts), (
            "a send and its entry stand or fall together"
        )


@pytest.mark.alone
def test_sigterm_ends_it_at_once_with_open_connections(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        google = GoogleClient(sandbox)
        tokens = google.connect()
        sandbox.fault("send", "never")
        idle = [
            socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))) for _ in range(50)
        ]

        def hang() -> None:
            with pytest.raises(requests.RequestException):
                google.send(tokens)

        hanging = [threading.Thread(target=hang) for _ in range(5)]
        for thread in hanging:
            thread.start()
        time.sleep(0.3)
        started = time.monotonic()
        sandbox.process.send_signal(signal.SIGTERM)
        assert sandbox.process.wait(10) == 0
        assert time.monotonic() - started < 2
        for thread in hanging:
            thread.join()
        for connection in idle:
            connection.close()


def test_two_hundred_connections_kept_alive(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect()
    address = ("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    request = f"GET /v1/userinfo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {tokens.access}\r\n\r\n".encode()
    connections = [socket.create_connection(address, timeout=10) for _ in range(200)]
    for _ in range(2):
        for connection in connections:
            connection.sendall(request)
        for connection in connections:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    for connection in connections:
        connection.close()


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    script = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'truesend_sandbox', '--port', '{port}',"
        f" '--data', {str(tmp_path)!r}])\n"
        "print(child.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_until_healthy(f"http://localhost:{port}", parent)
        parent.kill()
    for _ in range(100):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the sandbox has outlived its parent")


def test_a_socket_handed_over_is_served_and_nothing_is_printed(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        command = [*MODULE, "--fd", str(sock.fileno()), "--data", str(tmp_path)]
        with subprocess.Popen(command, pass_fds=[sock.fileno()], stdout=subprocess.PIPE) as process:
            wait_until_healthy(url, process)
            process.terminate()
            assert process.stdout is not None
            assert process.stdout.read() == b""


def test_it_says_one_line_when_ready(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    command = [*MODULE, "--port", str(port), "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"sandbox ready: http://127.0.0.1:{port}\n".encode()
        process.terminate()
        assert process.stdout.read() == b""


def test_it_refuses_other_addresses_taken_ports_and_a_folder_in_use(tmp_path: Path, sandbox: Sandbox) -> None:
    def refusal(*arguments: str) -> str:
        done = subprocess.run([*MODULE, *arguments], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        return done.stderr.strip()

    assert "not a loopback address" in refusal("--host", "0.0.0.0", "--data", str(tmp_path))  # noqa: S104
    taken = sandbox.url.rpartition(":")[2]
    assert f"cannot listen on 127.0.0.1:{taken}" in refusal("--port", taken, "--data", str(tmp_path))
    used = refusal("--port", str(free_ports(1)[0]), "--data", str(sandbox.data_dir))
    assert "another sandbox already uses" in used


def test_the_clock_file_is_written_in_place_and_kept_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "run" / "clock"
    with running_sandbox(tmp_path / "data", clock_file=path) as sandbox, path.open("rb") as file:
        with mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ) as mapped:
            assert struct.unpack("<d", mapped)[0] == 0
            sandbox.advance(90.5)
            assert struct.unpack("<d", mapped)[0] == 90.5
            sandbox.advance(10)
            assert struct.unpack("<d", mapped)[0] == 100.5
        assert sandbox.control("POST", "clock", {"advance": -1}, expect=400)["error"].startswith(
            "advance must be"
        )
        assert "wants" in sandbox.control("POST", "clock", {"advance": "x"}, expect=400)["error"]
        assert "at most" in sandbox.control("POST", "clock", {"advance": 1e15}, expect=400)["error"]
    with running_sandbox(tmp_path / "data", clock_file=path) as sandbox:
        assert sandbox.control("GET", "clock")["offset"] == 100.5
        sandbox.control("POST", "reset")
        assert struct.unpack("<d", path.read_bytes())[0] == 0


def test_control_answers_mistakes_with_a_sentence(sandbox: Sandbox) -> None:
    for path in ("accounts", "consent", "faults", "switches", "clock"):
        answer = requests.post(f"{sandbox.url}/_sandbox/{path}", data=b"{nonsense", timeout=10)
        assert answer.status_code == 400
        assert "not JSON" in answer.json()["error"]
    for method, path, body, says in (
        ("POST", "accounts", {"provider": "gugel", "email": "a@b.c"}, "unknown provider"),
        ("POST", "accounts", {"provider": "google", "email": "nobody"}, "not an email address"),
        ("POST", "accounts", {"provider": "google", "email": "a@b.c", "colour": "red"}, "has no colour"),
        ("POST", "switches", {"google": {"nope": 1}}, "has no switch 'nope'"),
        ("POST", "switches", {"google": {"code_lifetime": "x"}}, "must be a number"),
        ("POST", "switches", {"google": {"user_type": "x"}}, "one of external, internal"),
        (
            "POST",
            "consent",
            {"provider": "google", "account": "a@b.c", "decision": "maybe"},
            "approve or deny",
        ),
        ("POST", "consent", {"provider": "google", "account": "a@b.c", "page": "x"}, "has no page"),
        ("POST", "consent", {"provider": "google", "account": "a@b.c", "untick": ["x"]}, "has no scope"),
        ("GET", "calls?provider=gugel", None, "unknown provider"),
        ("GET", "messages?from=x", None, "not by from"),
    ):
        assert says in sandbox.control(method, path, body, expect=400)["error"]
    assert "docs/sandbox.md" in sandbox.control("GET", "nonsense", expect=404)["error"]
    elsewhere = requests.post(
        f"{sandbox.url}/_sandbox/reset", headers={"Origin": "https://evil.example"}, timeout=10
    )
    assert elsewhere.status_code == 403


def test_reset_empties_everything_but_the_signing_key(sandbox: Sandbox, google: GoogleClient) -> None:
    keys = requests.get(f"{sandbox.url}/oauth2/v3/certs", timeout=10).json()
    google.send(google.connect())
    sandbox.switch(code_lifetime=5)
    sandbox.fault("any", "outage")
    sandbox.advance(5)
    sandbox.control("POST", "reset")
    state = sandbox.control("GET", "state")
    assert (state["accounts"], state["faults"], state["consents"]) == ([], [], [])
    assert state["clock"]["offset"] == 0
    assert set(state["counts"].values()) == {0}
    assert state["switches"]["google"]["code_lifetime"] == 600
    registered = [client["client_id"] for client in state["clients"]]
    assert registered == [f"sandbox-{name}-client" for name in state["providers"] if name != "stripe"]
    assert requests.get(f"{sandbox.url}/oauth2/v3/certs", timeout=10).json() == keys


def test_calls_are_filtered_by_operation_and_group(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect()
    google.refresh(tokens.refresh)
    google.send(tokens)
    google.gmail("GET", "profile", tokens)
    assert [call["operation"] for call in sandbox.calls(operation="token")] == ["token.code", "token.refresh"]
    (send,) = sandbox.calls(provider="google", operation="send")
    assert (send["account"], send["status"], send["ended"]) == ("ada@gmail.com", 200, "answered")
    assert send["ms"] > 0
    assert [call["status"] for call in sandbox.calls(operation="read")] == [403]
    assert [call["operation"] for call in sandbox.calls(after=send["id"])] == ["profile"]
