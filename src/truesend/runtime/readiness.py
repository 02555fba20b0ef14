"""Asking parts whether they are at work, without holding up whoever watches over them."""

from __future__ import annotations

import http.client
import json
import threading

_PATIENCE = 3.0
_PAUSE = 0.03


class Question:
    """Asks ``http://host:port/path`` again and again, in a thread of its own, until it answers 200."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self._where = (host, port, path)
        self._answered = threading.Event()
        self._given_up = threading.Event()
        threading.Thread(target=self._ask, daemon=True).start()

    @property
    def answered(self) -> bool:
        """Whether the 200 has come."""
        return self._answered.is_set()

    def give_up(self) -> None:
        """Stop asking."""
        self._given_up.set()

    def _ask(self) -> None:
        while not self._given_up.wait(_PAUSE):
            if self._once():
                self._answered.set()
                return

    def _once(self) -> bool:
        host, port, path = self._where
        connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
        try:
            connection.request("GET", path, headers={"Host": f"localhost:{port}", "Connection": "close"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def why_not(host: str, port: int, path: str) -> str:
    """The sentence of an answer that is not 200; empty where there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}", "Connection": "close"})
        answer = connection.getresponse()
        return "" if answer.status == 200 else str(json.loads(answer.read()).get("sentence", ""))
    except (OSError, ValueError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
