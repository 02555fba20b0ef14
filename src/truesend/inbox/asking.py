"""Asking a provider in a mailbox's name: with its key, renewed once where it is refused; a failure is recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.db import transaction

from truesend import clock
from truesend.connections import proofs, tokens
from truesend.connections.models import Connection, LedgerKind
from truesend.inbox import mailboxes
from truesend.inbox.models import Mailbox
from truesend.providers.contract import Evidence
from truesend.providers.errors import ProviderError

log = logging.getLogger("truesend.inbox")

CALL = "inbox"
_T = TypeVar("_T")


class NoKey(Exception):
    """There is no key to ask with; why is in the proofs already."""


def answered(
    connection: Connection, mailbox: Mailbox, began: datetime, ask: Callable[[str], _T]
) -> _T | None:
    """What ``ask`` says with an access token; None where it failed: its proof is written, and when to look again."""
    try:
        return with_key(connection, ask)
    except NoKey:
        mailboxes.missed(mailbox, connection, clock.now(), None)
    except ProviderError as error:
        log.info("A mailbox could not be read (%s); it is read again.", error.cause)
        with transaction.atomic():
            mailboxes.missed(mailbox, connection, clock.now(), error.retry_at)
            evidence = Evidence("read", False, CALL, error.cause, error.words, until=error.retry_at)
            proofs.record(connection, [evidence], kind=LedgerKind.PROBE, trigger="inbox", at=began)
    return None


def with_key(connection: Connection, ask: Callable[[str], _T]) -> _T:
    """The same, raising: a refused key is renewed once, as before a send. Raises :class:`NoKey`, ProviderError."""
    try:
        return ask(_access(connection))
    except ProviderError as error:
        if error.cause != "access_refused":
            raise
    return ask(_access(connection, refused=True))


def _access(connection: Connection, *, refused: bool = False) -> str:
    try:
        return tokens.access_token(connection, trigger="inbox", refused=refused)
    except ProviderError as error:
        raise NoKey(error.cause) from None
