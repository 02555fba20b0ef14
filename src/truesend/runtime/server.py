"""Running an ASGI application under uvicorn, in this process, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import uvicorn
import uvloop

from truesend import env
from truesend.runtime import configuration, folder, sockets

GRACE = 4
_LEFTOVER_THREADS = 1.0


class _Server(uvicorn.Server):
    """uvicorn, but a signal first closes event streams, and ending by a signal is a success (exit code 0)."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], object] | None) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handled = (signal.SIGTERM, signal.SIGINT)
        for number in handled:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in handled:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        if self._on_stop is not None:
            # A stream that nobody closes would hold the whole process until the grace is over.
            self._on_stop()


def serve(
    application: Any,
    *,
    fds: Sequence[int] = (),
    listening: Sequence[socket.socket] = (),
    host: str = sockets.LOCALHOST,
    port: int = 8000,
    what: str = "web",
    on_stop: Callable[[], object] | None = None,
) -> None:
    """Serve an ASGI application on ``listening`` sockets, on inherited ones, or on ``host`` and ``port``, until SIGTERM
    or SIGINT.

    ``on_stop`` is called in the event loop as soon as the signal arrives; requests then have 4 s to finish.
    Client addresses are those of the connection: no header is believed here.
    """
    if not listening:
        listening = sockets.adopt(fds) if fds else sockets.listen(host, port, what)
    _note(listening[0], what)
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        interface="asgi3",
        lifespan="auto",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_config=None,
        backlog=sockets.BACKLOG,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=GRACE,
    )
    server = _Server(config, on_stop)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=_non_blocking(listening)))
        # A thread that waits for a slow provider must not keep a process alive that has ended.
        last = threading.Timer(_LEFTOVER_THREADS, os._exit, [0])
        last.daemon = True
        last.start()


def _note(listening: socket.socket, what: str) -> None:
    """For `truesend doctor`, which tells an address that leads elsewhere from one that leads here."""
    if what in {"web", "tracker"}:
        host, port = sockets.reachable_address(listening)
        folder.note_address(env.data_dir(), what, f"http://{configuration.name_for(host)}:{port}")


def _non_blocking(listening: Sequence[socket.socket]) -> list[socket.socket]:
    for one in listening:
        one.setblocking(False)
    return list(listening)
