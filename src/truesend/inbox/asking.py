"""Asking a provider in a mailbox's name; a failure is recorded, and the mailbox looked into again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.db import transaction

from truesend import clock
from truesend.connections import asking, proofs
from truesend.connections.asking import NoKey
from truesend.connections.models import Connection, LedgerKind
from truesend.inbox import mailboxes
from truesend.inbox.models import Mailbox
from truesend.providers.contract import Evidence
from truesend.providers.errors import ProviderError

log = logging.getLogger("truesend.inbox")

__all__ = ["CALL", "NoKey", "answered", "with_key"]

CALL = "inbox"
_T = TypeVar("_T")


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
            proofs.record(connection, [evidence], kind=LedgerKind.PROBE, trigger=CALL, at=began)
    return None


def with_key(connection: Connection, ask: Callable[[str], _T]) -> _T:
    """The same, raising :class:`NoKey` and ProviderError."""
    return asking.with_key(connection, ask, trigger=CALL)
