"""Asking a provider in a connection's name: with its key, renewed once where it is refused, as before a send."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from truesend.connections import tokens
from truesend.connections.models import Connection
from truesend.providers.errors import ProviderError

_T = TypeVar("_T")


class NoKey(Exception):
    """There is no key to ask with; why is in the proofs already."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def with_key(connection: Connection, ask: Callable[[str], _T], *, trigger: str) -> _T:
    """What ``ask`` says with an access token. Raises :class:`NoKey`, ProviderError."""
    try:
        return ask(_access(connection, trigger))
    except ProviderError as error:
        if error.cause != "access_refused":
            raise
    return ask(_access(connection, trigger, refused=True))


def _access(connection: Connection, trigger: str, *, refused: bool = False) -> str:
    try:
        return tokens.access_token(connection, trigger=trigger, refused=refused)
    except ProviderError as error:
        raise NoKey(error.cause) from None
