"""This installation's own client at each provider: the id and secret with which it introduces itself.

The environment wins; where it names neither id nor secret, the operator may have stored some on the page of providers.
Adapters may not know of a database, so whoever keeps the stored ones registers a source here. What it says is believed
for a second, so that every process follows a change within two without being started again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from truesend import env
from truesend.providers.errors import ProviderError

KEEP_SECONDS = 1.0

Source = Literal["environment", "stored", "tried"]


@dataclass(frozen=True)
class Client:
    """A registration at a provider. ``extra`` are its further settings, such as a tenant, by name without prefix."""

    id: str
    secret: str = field(repr=False)
    source: Source = "environment"
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """What the operator stored. ``secret`` is None where it cannot be opened: its encryption key is gone."""

    id: str
    secret: str | None = field(repr=False)
    extra: Mapping[str, str] = field(default_factory=dict)


Read = Callable[[], Mapping[str, Stored]]


class _Kept:
    """What the source last said."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: Read | None = None
        self._known: Mapping[str, Stored] | None = None
        self._at = float("-inf")

    def use(self, read: Read) -> None:
        """Ask ``read`` from now on."""
        self._read = read
        self.forget()

    def forget(self) -> None:
        """Ask again at the next question."""
        self._at = float("-inf")

    def all(self) -> Mapping[str, Stored]:
        """Everything stored. Raises what the source raises where it never answered before."""
        known = self._known
        if known is not None and time.monotonic() - self._at <= KEEP_SECONDS:
            return known
        with self._lock:
            if self._known is None or time.monotonic() - self._at > KEEP_SECONDS:
                began = time.monotonic()
                try:
                    self._known = self._read() if self._read is not None else {}
                except Exception:
                    # A database that is away takes nothing back that it said before.
                    if self._known is None:
                        raise
                self._at = began
            return self._known


_kept = _Kept()
use = _kept.use
forget = _kept.forget
# Credentials that are tried before they are stored, in this call alone.
_tried: ContextVar[Mapping[str, Client] | None] = ContextVar("tried", default=None)


@contextmanager
def trying(provider: str, client: Client) -> Iterator[None]:
    """Within the block this thread's calls to ``provider`` are made as ``client``."""
    token = _tried.set({**(_tried.get() or {}), provider: client})
    try:
        yield
    finally:
        _tried.reset(token)


def from_environment(provider: str) -> tuple[str | None, str | None]:
    """Id and secret as the environment names them."""
    prefix = provider.upper()
    return env.get(f"{prefix}_CLIENT_ID"), env.get(f"{prefix}_CLIENT_SECRET")


def client(provider: str) -> Client | None:
    """The client to use at ``provider``; None where there is none, half of one, or one that cannot be read.

    ``provider`` is its key. An id or a secret in the environment leaves the stored ones aside altogether: half of each
    would be a client that nobody registered.
    """
    tried = _tried.get()
    if tried is not None and provider in tried:
        return tried[provider]
    client_id, secret = from_environment(provider)
    if client_id or secret:
        return (
            Client(client_id, secret, "environment", _extra(provider, {})) if client_id and secret else None
        )
    kept = _kept.all().get(provider)
    if kept is None or kept.secret is None:
        return None
    return Client(kept.id, kept.secret, "stored", _extra(provider, kept.extra))


def require(provider: str) -> Client:
    """Like :func:`client`; a missing one is a :class:`ProviderError` with cause ``client_missing``.

    One that was stored and cannot be opened any more has the cause ``client_unreadable``.
    """
    found = client(provider)
    if found is not None:
        return found
    stored = not any(from_environment(provider)) and provider in _kept.all()
    raise ProviderError("client_unreadable" if stored else "client_missing", "")


def _extra(provider: str, stored: Mapping[str, str]) -> dict[str, str]:
    """Further settings: the environment's, else the stored, else the default."""
    found: dict[str, str] = {}
    for name in extra_settings(provider):
        full = f"{provider.upper()}_{name}"
        value = env.given(full) or stored.get(name) or env.get(full)
        if value is not None:
            found[name] = value
    return found


def extra_settings(provider: str) -> tuple[str, ...]:
    """Names, without the provider's prefix, of what belongs to a client besides id and secret."""
    return tuple(name for name in ("TENANT",) if env.is_setting(f"{provider.upper()}_{name}"))


def is_emulated(provider: str) -> bool:
    """Whether an address of the provider points elsewhere than to the provider itself."""
    return any(env.given(name) not in {None, default} for name, default in endpoints(provider))


def endpoints(provider: str) -> list[tuple[str, str | None]]:
    """The provider's addresses that can be pointed elsewhere: names of settings, and their defaults.

    One without a default is no address of the provider's that all have, and pointing it anywhere emulates nothing.
    """
    prefix = f"{provider.upper()}_"
    return [
        (one.name, one.default)
        for one in env.SETTINGS
        if one.name.startswith(prefix) and one.name.endswith("_URL") and one.default is not None
    ]
