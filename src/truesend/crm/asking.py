"""Asking a provider in a connection's name: with its key, renewed once where it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from truesend.connections import tokens
from truesend.connections.models import Connection
from truesend.crm.settling import Failure
from truesend.providers.errors import ProviderError

TRIGGER = "record"
_T = TypeVar("_T")


class NoKey(Exception):
    """There is no key to ask with; why is in the proofs already."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@contextmanager
def about(check: str, call: str) -> Iterator[None]:
    """What fails inside is a failure of ``call``, and speaks of the capability ``check``."""
    try:
        yield
    except ProviderError as error:
        raise Failure(check, call, error) from None


def with_key(connection: Connection, ask: Callable[[str], _T]) -> _T:
    """What ``ask`` says with an access token. Raises :class:`NoKey`, ProviderError."""
    try:
        return ask(_access(connection))
    except ProviderError as error:
        if error.cause != "access_refused":
            raise
    return ask(_access(connection, refused=True))


def _access(connection: Connection, *, refused: bool = False) -> str:
    try:
        return tokens.access_token(connection, trigger=TRIGGER, refused=refused)
    except ProviderError as error:
        raise NoKey(error.cause) from None
