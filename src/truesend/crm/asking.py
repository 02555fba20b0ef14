"""Asking a provider on behalf of a record, and what is said of a call that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from truesend.connections import asking
from truesend.connections.asking import NoKey
from truesend.connections.models import Connection
from truesend.crm.settling import Failure
from truesend.providers.errors import ProviderError

__all__ = ["TRIGGER", "NoKey", "about", "with_key"]

TRIGGER = "record"
_T = TypeVar("_T")


@contextmanager
def about(check: str, call: str) -> Iterator[None]:
    """What fails inside is a failure of ``call``, and speaks of the capability ``check``."""
    try:
        yield
    except ProviderError as error:
        raise Failure(check, call, error) from None


def with_key(connection: Connection, ask: Callable[[str], _T]) -> _T:
    """What ``ask`` says with an access token. Raises :class:`NoKey`, ProviderError."""
    return asking.with_key(connection, ask, trigger=TRIGGER)
