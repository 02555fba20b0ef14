"""The peer that keeps nothing: nginx's ``empty_gif``, where nginx is installed."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from truesend.bench.installation import await_true, program
from truesend.bench.machine import free_ports

_CONFIGURATION = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; location / {{ empty_gif; }} }}
}}
"""


def found() -> str | None:
    """The program, where there is one; it is often not on an ordinary user's PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def running(nginx: str, data: Path) -> Iterator[int]:
    """One worker process that answers its pixel to everything and writes nothing: its port."""
    (port,) = free_ports(1)
    folder = data / "nginx"
    folder.mkdir()
    (folder / "nginx.conf").write_text(_CONFIGURATION.format(folder=folder, port=port), encoding="utf-8")
    log = folder / "out.log"
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with program(command, log) as process:
        await_true(lambda: _answers(port), process, log, "nginx", 10)
        yield port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
