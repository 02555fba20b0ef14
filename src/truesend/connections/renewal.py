"""One renewal: lock the row, read again behind the lock, make one call, commit before use.

Where an answer may be the only copy of the next key (`renews_once`), the row says so before the call, in a commit of
its own, and the answer stands on the disk before it goes into the database: a process or a database that dies at any
point loses nothing that the provider lets us keep, and what is lost all the same is told with its time and reason.
"""

from __future__ import annotations

import dataclasses
import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import Error as DatabaseUnable
from django.db import transaction

from truesend import clock, env, live_events
from truesend.connections import answers, death, homecoming, outages, proofs, rescue, schedule, token_rows
from truesend.connections.models import Connection, LedgerKind, Proof
from truesend.connections.schedule import MARGIN
from truesend.connections.secretbox import SecretUnreadable, open_sealed
from truesend.connections.token_rows import Announcement, Taken
from truesend.providers import http, registry
from truesend.providers.contract import Evidence, Grant, Provider
from truesend.providers.errors import ProviderError

log = logging.getLogger("truesend.connections")

# What nobody asked for and no mail waits for.
SCHEDULE = "schedule"
# At most so many in flight per process (design §4), whoever asks.
AT_ONCE = 24
_in_flight = threading.BoundedSemaphore(AT_ONCE)
# Beyond the calls themselves, until it is certain that no answer comes any more.
_SLACK = timedelta(seconds=5)
_LOOK_AGAIN_SECONDS = 0.1

# Looks at a token that was just locked: the access token to take instead of a renewal, or None.
Look = Callable[[Taken], "str | None"]


class _UnderWay(Exception):
    """Somebody else's renewal of this key may still be answered."""


class _Overtaken(Exception):
    """Somebody else has replaced the key meanwhile: what we were told is of the old one, so it was a race, no death."""


@dataclass
class _Try:
    """One renewal and what came of it so far."""

    trigger: str
    taken: Taken | None = None
    # What the provider answered, and when; the sealed refresh token before it.
    grant: Grant | None = None
    at: datetime | None = None
    previous: bytes | None = None
    # It stood on the disk before.
    kept: bool = False
    text: str = ""
    failure: ProviderError | None = None


def on_demand(connection: Connection, version: int, *, trigger: str, began: datetime) -> str:
    """A new access token in the place of that of ``version``; whoever asks at the same time shares one renewal.

    Raises :class:`ProviderError`; the failure is recorded before it is raised. Where the provider is down, what is done
    on schedule waits as what is due does; of those who are overdue that is recorded already.
    """
    if trigger == SCHEDULE and not outages.may_ask(connection.provider):
        raise outages.standing(connection.provider)

    def look(taken: Taken) -> str | None:
        if taken.version != version and taken.access_expires_at - clock.now() > MARGIN:
            return opened(taken.access, f"token.access:{taken.connection}")
        failed = Proof.objects.filter(connection=connection, check_name="renew", ok=False, at__gt=began)
        if (found := failed.first()) is not None:
            # It ended while we waited for our turn: asking again would tell the same.
            raise ProviderError(found.cause, found.words)
        if taken.under_way:
            raise _UnderWay
        return None

    until = time.monotonic() + http.total_timeout(0)
    once = registry.provider(connection.provider).renews_once
    while True:
        this = _Try(trigger)
        try:
            with _carrying_out(this):
                (_announced if once else _locked)(this, lambda: token_rows.take(connection.pk), look)
        except _UnderWay:
            if time.monotonic() > until:
                raise ProviderError(
                    "provider_timeout", "Another renewal of this key has no answer."
                ) from None
            time.sleep(_LOOK_AGAIN_SECONDS)
            continue
        except _Overtaken:
            continue
        if this.taken is None:
            raise ProviderError("disconnected", "")
        if this.failure is not None:
            raise this.failure
        if this.text:
            return this.text


def next_due(provider: str) -> bool:
    """Renew the token of ``provider`` that has been due longest; False where none is. Failures are recorded."""
    this = _Try(SCHEDULE)
    with suppress(_Overtaken), _carrying_out(this):
        if registry.provider(provider).renews_once:
            announcement = _announcement()
            this.taken = token_rows.begin_due(provider, clock.now(), announcement)
            if this.taken is not None:
                _go_on(this, this.taken, announcement.mark)
        else:
            _locked(this, lambda: token_rows.take_due(provider, clock.now()), lambda taken: None)
    return this.taken is not None


@contextmanager
def _carrying_out(this: _Try) -> Iterator[None]:
    """Around one renewal: at most so many at once, and what has to be done once it stands in the database."""
    with _in_flight:
        try:
            yield
        except (DatabaseUnable, _Overtaken):
            _save(this)
            raise
    if this.taken is None:
        return
    if this.grant is not None:
        rescue.forget(this.taken.connection, this.taken.version)
        live_events.publish_soon(this.taken.organization, "verdict", [this.taken.connection])
    if this.failure is not None:
        outages.miss(this.taken.provider, this.taken.connection, this.failure)


def _locked(this: _Try, take: Callable[[], Taken | None], look: Look) -> None:
    """One transaction: the row is locked from the look at it until what came of the call is in it."""
    with transaction.atomic(durable=True):
        this.taken = take()
        if this.taken is None:
            return
        this.text = look(this.taken) or ""
        if not this.text:
            _go_on(this, this.taken, None)


def _announced(this: _Try, take: Callable[[], Taken | None], look: Look) -> None:
    """The renewal is announced by a commit of its own; nobody else begins one until its answer cannot come any more.

    So nothing needs to be locked meanwhile, and what was lost with whoever made the call is seen by the next.
    """
    announcement = _announcement()
    with transaction.atomic(durable=True):
        this.taken = taken = take()
        if taken is None:
            return
        this.text = look(taken) or ""
        if this.text:
            return
        this.taken = taken = token_rows.begin(taken, clock.now(), announcement)
    if taken is not None:
        _go_on(this, taken, announcement.mark)


def _announcement() -> Announcement:
    """This machine's disk is where what is rescued would lie."""
    return Announcement(f"{socket.gethostname()[:40]}:{env.data_dir()}"[:100], _longest())


def _go_on(this: _Try, taken: Taken, mark: UUID | None) -> None:
    """An answer that was kept here makes a call unnecessary, unless it has run out meanwhile."""
    kept = rescue.read(taken.connection, taken.version)
    if kept is None:
        _ask(this, taken, mark)
    else:
        _bring_home(this, taken, kept)


def _bring_home(this: _Try, taken: Taken, kept: rescue.Kept) -> None:
    if not homecoming.store(taken, kept):
        raise _Overtaken
    this.grant, this.at, this.kept = kept.grant, kept.at, True
    if kept.at + timedelta(seconds=kept.grant.expires_in) - clock.now() > MARGIN:
        this.text = kept.grant.access_token


def _ask(this: _Try, taken: Taken, mark: UUID | None) -> None:
    """The call and its record."""
    adapter = registry.provider(taken.provider)
    try:
        this.grant = _call(this, adapter, taken)
    except ProviderError as error:
        _record_failure(this, adapter, taken, mark, error)
        return
    this.at = clock.now()
    if mark is not None:
        rescue.keep(taken.connection, taken.version, this.grant, this.at)
    fresh = answers.fresh(taken, this.grant, this.at, previous=this.previous)
    if not token_rows.store(taken, mark, fresh, trigger=this.trigger):
        raise _Overtaken
    this.text = this.grant.access_token


def _call(this: _Try, adapter: Provider, taken: Taken) -> Grant:
    """The renewal itself; where the newest refresh token is dead, the one before it is tried once."""
    if taken.refresh is None:
        if taken.lasts:
            opened(taken.access, f"token.access:{taken.connection}")
        raise ProviderError("no_refresh_token", "", grant_is_dead=True)
    place = f"token.refresh:{taken.connection}"
    this.previous = taken.refresh
    try:
        return _refresh(adapter, opened(taken.refresh, place))
    except ProviderError as error:
        if not error.grant_is_dead or taken.previous is None:
            raise
        dead = error
    try:
        earlier = opened(taken.previous, place)
        grant = _refresh(adapter, earlier)
    except ProviderError:
        raise dead from None
    this.previous = None
    return dataclasses.replace(grant, refresh_token=grant.refresh_token or earlier)


def _refresh(adapter: Provider, refresh_token: str) -> Grant:
    """By the adapter; whatever it stumbles over is an answer that cannot be read, and holds nobody else up."""
    try:
        return adapter.refresh(refresh_token)
    except (ProviderError, DatabaseUnable):
        raise
    except Exception as error:
        # Its words may hold the answer.
        log.error("A renewal at %s ended in a %s.", adapter.key, type(error).__name__)
        raise ProviderError("provider_garbage", "The answer could not be read.") from None


def _record_failure(
    this: _Try, adapter: Provider, taken: Taken, mark: UUID | None, error: ProviderError
) -> None:
    """Write what failed and when to try again; a grant that is dead gets the reason that we know of."""
    now = clock.now()
    if error.grant_is_dead:
        code, words = death.reason(
            death.Grave(
                provider=adapter.name,
                cause=error.cause,
                words=error.words,
                consented_at=taken.consented_at,
                used_at=taken.access_issued_at,
                ends_at=taken.grant_ends_at,
                lost_at=taken.lost_at,
                lost_how=taken.lost_how,
                idle_days=adapter.idle_days,
            ),
            now,
        )
        error = ProviderError(code, words, grant_is_dead=True)
    due_at = schedule.after_failure(
        now,
        error.cause,
        jitter=random.random(),  # noqa: S311
        retry_at=error.retry_at,
    )
    # A key that lasts is never renewed: what is wrong with it is over with the next call that takes it.
    check, call = ("grant", "token.access") if taken.lasts else ("renew", "token.refresh")
    evidence = Evidence(check, False, call, error.cause, error.words)
    with transaction.atomic():
        if not token_rows.put_off(
            taken,
            mark,
            due_at=None if taken.lasts else due_at,
            dead_at=now if error.grant_is_dead else None,
            lost_how=error.cause if mark is not None and error.cause in death.UNANSWERED else "",
        ):
            raise _Overtaken
        proofs.record(taken.owner(), [evidence], kind=LedgerKind.REFRESH, trigger=this.trigger, at=now)
    this.failure = error


def _save(this: _Try) -> None:
    """The database did not take an answer: it waits on the disk, or in our hands, and is brought home."""
    if this.taken is None or this.grant is None or this.at is None or this.kept:
        return
    connection = this.taken.connection
    if not rescue.keep(connection, this.taken.version, this.grant, this.at):
        homecoming.start()
    log.warning("The database did not take a renewed key of connection %s; it is kept.", connection)


def _longest() -> timedelta:
    """After it no answer to a renewal comes any more: both refresh tokens may be tried."""
    return timedelta(seconds=2 * http.total_timeout(0)) + _SLACK


def opened(sealed: bytes | memoryview, place: str) -> str:
    """A secret in the clear. Raises :class:`ProviderError` where its key is gone."""
    try:
        return open_sealed(sealed, place=place)
    except SecretUnreadable as error:
        raise ProviderError("secret_unreadable", str(error)) from None
