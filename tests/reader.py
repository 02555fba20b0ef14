"""One open event stream of a person, by session or by token, and whether the server has ended it."""

from __future__ import annotations

import threading
from types import TracebackType

import requests
from tests.stack import Person, Stack


class Reader:
    """Reads until the stream ends or the block does."""

    def __init__(self, stack: Stack, person: Person, *, bearer: str = "") -> None:
        jar = person.jar.cookies.get_dict()
        session = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else session
        self._answer = requests.get(f"{stack.url}/api/v1/events", stream=True, timeout=30, headers=headers)
        assert self._answer.status_code == 200, self._answer.text
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._answer.close()
        self._thread.join(40)

    def _read(self) -> None:
        try:
            for _ in self._answer.iter_content(1024):
                pass
        except (requests.RequestException, AttributeError, ValueError):
            return  # closed by the test
        self._over.set()

    @property
    def ended(self) -> bool:
        """Whether the server has ended it."""
        return self._over.is_set()

    def ends(self, seconds: float) -> bool:
        """Wait for the server to end it."""
        return self._over.wait(seconds)
