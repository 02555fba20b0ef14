"""Pushes: letting providers tell of new mail, renewing that, and taking their calls.

A call is a hint: it makes the next look due now and wakes it, and no more. So one that is forged, late, doubled, lost
or about a connection that is gone changes nothing of what is found.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from procrastinate.exceptions import AlreadyEnqueued

from truesend import clock, env
from truesend.connections import proofs
from truesend.connections.models import Connection, LedgerKind
from truesend.inbox import asking, mailboxes
from truesend.inbox.models import Mailbox, Push, PushCount
from truesend.organizations import installation
from truesend.providers import registry
from truesend.providers.coming_in import Forged
from truesend.providers.contract import Provider
from truesend.providers.errors import ProviderError
from truesend.providers.shapes import PushCall, PushEvent, PushNews
from truesend.runtime import identity

log = logging.getLogger("truesend.inbox")

LARGEST = 1024 * 1024
_DAILY = timedelta(days=1)
_RETRY = timedelta(minutes=15)
_CLAIMED_FOR = timedelta(minutes=5)
_NEW_AT_ONCE = 200


@dataclass(frozen=True)
class Reply:
    """What a call is answered."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def is_on() -> bool:
    """Whether providers can reach this installation, and are to."""
    wanted = env.get("PUSH")
    if wanted not in {None, "on", "off"}:
        raise env.SettingError("TRUESEND_PUSH must be on or off.")
    return wanted == "on" if wanted is not None else env.public_url().lower().startswith("https://")


def providers() -> list[Provider]:
    """Those that push here."""
    return (
        [one for one in registry.PROVIDERS.values() if one.pushes and not one.push_unset()] if is_on() else []
    )


def keep_up() -> None:
    """Begin with mailboxes that are read and of which nobody tells yet; wake the renewals that are due."""
    keys = [one.key for one in providers()]
    if not keys:
        return
    now = clock.now()
    fresh = Mailbox.objects.filter(
        connection__provider__in=keys,
        connection__push=None,
        connection__disconnected_at=None,
        read_at__isnull=False,
    )
    new = [Push(connection_id=pk, renew_at=now) for pk in fresh.values_list("pk", flat=True)[:_NEW_AT_ONCE]]
    Push.objects.bulk_create(new, ignore_conflicts=True)
    if _due().exists():
        from truesend.inbox.tasks import renew_pushes

        with suppress(AlreadyEnqueued):
            renew_pushes.configure(lock="push", queueing_lock="push").defer()


def _due() -> QuerySet[Push]:
    keys = [one.key for one in providers()]
    return Push.objects.filter(
        renew_at__lte=clock.now(),
        connection__provider__in=keys,
        connection__disconnected_at=None,
        connection__token__dead_at=None,
    )


def renew_all() -> None:
    """Renew what is due, one after the other."""
    while not identity.is_stopping() and (row := _due().order_by("renew_at").first()) is not None:
        claimed = Push.objects.filter(pk=row.pk, renew_at=row.renew_at)
        if claimed.update(renew_at=clock.now() + _CLAIMED_FOR) == 1:
            _hold(row.pk)


def _hold(connection_id: UUID) -> None:
    connection = Connection.objects.select_related("organization").get(pk=connection_id)
    if not installation.may_act() or not mailboxes.is_read(connection):
        return
    row = Push.objects.get(pk=connection_id)
    try:
        try:
            _ask(connection, row)
        except ProviderError as error:
            if error.cause != "not_found" or not row.ref:
                raise
            row.ref = ""  # it has ended; another one
            _ask(connection, row)
    except asking.NoKey:
        _failed(connection, row, "", "")
    except ProviderError as error:
        _failed(connection, row, error.cause, error.words)


def _ask(connection: Connection, row: Push) -> None:
    """Hold it, under a new address and secret where nothing is held; committed first, for the provider tries them."""
    adapter = registry.provider(connection.provider)
    token, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    url = f"{env.public_url()}/webhooks/{connection.provider}"
    if not row.ref and not adapter.pushes_signed:
        Push.objects.filter(pk=row.pk).update(
            ref="", token_digest=_digest(token), secret_digest=_digest(secret)
        )
        url = f"{url}/{token}"
    held = asking.with_key(
        connection, lambda access: adapter.hold_push(access, url=url, secret=secret, ref=row.ref)
    )
    now = clock.now()
    renew_at = now + min(_DAILY, max((held.expires_at - now) / 2, timedelta(minutes=1)))
    with transaction.atomic():
        Push.objects.filter(pk=row.pk).update(
            ref=held.ref[:1000], expires_at=held.expires_at, renew_at=renew_at, cause="", words=""
        )
        if row.expires_at is None or row.cause:
            proofs.note(connection, LedgerKind.WEBHOOK, trigger="push", result="ok")


def _failed(connection: Connection, row: Push, cause: str, words: str) -> None:
    log.info(
        "A mailbox's pushes could not be asked for (%s); it is looked into all the same.", cause or "no key"
    )
    with transaction.atomic():
        Push.objects.filter(pk=row.pk).update(
            renew_at=clock.now() + _RETRY, cause=cause[:60], words=words[:500], ref=row.ref
        )
        if cause and cause != row.cause:
            proofs.note(connection, LedgerKind.WEBHOOK, trigger="push", result=cause, words=words)


def receive(provider: str, token: str, call: PushCall) -> Reply:
    """Take a call to a webhook. Forged ones are refused and counted, and so are those about what is gone."""
    adapter = registry.PROVIDERS.get(provider)
    if adapter is None or not adapter.pushes or len(call.body) > LARGEST:
        return Reply(404)
    row = None
    if not adapter.pushes_signed:
        row = Push.objects.filter(token_digest=_digest(token), connection__provider=provider).first()
        if row is None:
            _count(provider, PushCount.Result.UNKNOWN)
            return Reply(404)
    elif token:
        return Reply(404)
    try:
        news = adapter.read_push(call)
    except Forged:
        _count(provider, PushCount.Result.FORGED)
        return Reply(403)
    except ProviderError:
        return Reply(503)  # it comes again
    if news.echo is not None:
        _count(provider, PushCount.Result.HANDSHAKE)
        return Reply(200, news.echo, dict([news.echo_header]) if news.echo_header else {})
    return _take(provider, row, news)


def _take(provider: str, row: Push | None, news: PushNews) -> Reply:
    known = taken = 0
    for event in news.events:
        for connection_id in _meant(provider, row, event):
            known += 1
            taken += _tell(connection_id, event)
    if not known:
        # Of a signed one nobody here may know the mailbox; another's secret is nobody's.
        _count(provider, PushCount.Result.UNKNOWN if row is None else PushCount.Result.FORGED)
        return Reply(204 if row is None else 403)
    _count(provider, PushCount.Result.TAKEN if taken else PushCount.Result.UNKNOWN)
    return Reply(202 if taken else 410)


def _meant(provider: str, row: Push | None, event: PushEvent) -> list[UUID]:
    """The connections that an event is about; none where it does not show what it has to."""
    if row is None:
        same = Connection.objects.filter(
            provider=provider, address__iexact=event.address, disconnected_at=None
        )
        return list(same.values_list("pk", flat=True))
    if event.ref:
        right = event.ref == row.ref and hmac.compare_digest(
            bytes(row.secret_digest or b""), _digest(event.secret)
        )
        return [row.pk] if right else []
    return [row.pk]


def _tell(connection_id: UUID, event: PushEvent) -> bool:
    """Make the look due now; whether there is a mailbox to look into."""
    now = clock.now()
    Push.objects.filter(pk=connection_id).update(told_at=now)
    if event.renew:
        Push.objects.filter(pk=connection_id).update(renew_at=now)
    with transaction.atomic():
        return mailboxes.hurry(connection_id, event=True)


def _count(provider: str, result: PushCount.Result) -> None:
    today = clock.now().date()
    same = PushCount.objects.filter(provider=provider, day=today, result=result)
    if same.update(count=F("count") + 1) == 0:
        PushCount.objects.bulk_create(
            [PushCount(provider=provider, day=today, result=result)], ignore_conflicts=True
        )
        same.update(count=F("count") + 1)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
