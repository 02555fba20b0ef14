"""Noting one mail after the other with the contacts of a connection.

The row is the truth. Before the call that notes it is begun the row says so, in a commit of its own: from then on it is
looked up before it is tried again, and tried again only when that call cannot come to pass any more. What fails for the
connection lets everything of it rest; it never touches the mail, which is sent.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from truesend import clock, env
from truesend.crm import asking, choosing, content, due, settling
from truesend.crm.models import Recording, Status
from truesend.crm.settling import Failure
from truesend.organizations import installation
from truesend.providers import registry
from truesend.providers.errors import Outcome, ProviderError, SendResult
from truesend.providers.http import total_timeout
from truesend.runtime import identity
from truesend.sending import bucket

log = logging.getLogger("truesend.crm")

# Bytes may leave only so long after the row says that they do: a worker that was paused must not note it later.
_FENCE_SECONDS = 10.0
_FIRST_LOOK = timedelta(seconds=3)
# Mail of the same client goes first; whoever waited for so long goes all the same.
_YIELDS, _YIELDS_FOR = timedelta(seconds=2), timedelta(hours=1)
# Until the plan is looked at again, where it does not include this.
_ASKS_AGAIN = timedelta(minutes=5)
# These speak of one mail or its contact; every other refusal concerns the connection.
_OF_THE_MAIL = frozenset(
    {"recipient_refused", "message_refused", "message_too_large", "provider_refused", "not_found"}
)


class _FencePassed(Exception):
    """Too late to let the first byte out."""


def drain(connection_id: UUID) -> None:
    """Note everything that is due there, until nothing is, or the provider wants to be left in peace."""
    while not identity.is_stopping() and installation.may_act():
        row = due.following(connection_id)
        if row is None:
            return
        if not choosing.includes(row.connection.organization_id):
            # It waits; another plan, or a reactivation, lets it go on.
            settling.rest(row.connection, clock.now() + _ASKS_AGAIN)
            return
        if not _one(row):
            return


def _one(row: Recording) -> bool:
    """One step; False where the connection is to rest."""
    connection, now = row.connection, clock.now()
    if due.mail_waits(connection.provider) and now - row.created_at < _YIELDS_FOR:
        settling.rest(connection, now + _YIELDS)
        return False
    if wait := bucket.take(connection.provider):
        settling.rest(connection, now + timedelta(seconds=wait))
        return False
    try:
        return _look(row) if row.status == Status.POSTING else _begin(row)
    except Failure as failure:
        settling.missed(connection, failure)
    except asking.NoKey as error:
        # Why is in the proofs already.
        settling.missed(connection, Failure("", "", ProviderError(error.cause, "")))
    return False


def _begin(row: Recording) -> bool:
    """Find the contact, say that it is begun, note it."""
    adapter = registry.provider(row.connection.provider)
    address = row.recipient.address
    with asking.about("contacts", "contacts.list"):
        found = asking.with_key(row.connection, lambda key: adapter.find_contact(key, address))
    settling.answered(row.connection, "contacts", "contacts.list")
    if found is None:
        settling.settle(row, Status.NO_CONTACT)
        return True
    row.contact, row.contact_name = found.id[:100], found.name
    return _post(row)


def _look(row: Recording) -> bool:
    """It may be there already: found, it is recorded; not found, it is noted once no earlier call can come to pass."""
    if _find(row):
        return True
    now = clock.now()
    if row.sure_at is not None and now < row.sure_at:
        begun = row.begun_at or now
        settling.look_again(row, min(row.sure_at, now + max(_FIRST_LOOK, now - begun)))
        return True
    return _post(row)


def _find(row: Recording) -> bool:
    adapter = registry.provider(row.connection.provider)
    mark, contact, since = row.mark, row.contact, row.delivery.email.created_at
    with asking.about("read", "emails.list"):
        number = asking.with_key(
            row.connection, lambda key: adapter.find_record(key, mark, contact, since=since)
        )
    settling.answered(row.connection, "read", "emails.list")
    return bool(number) and settling.recorded(row, number)


def _post(row: Recording) -> bool:
    """The one call that notes it, behind the row that says so."""
    try:
        mail = content.letter(row)
    except Exception:
        # One that cannot be put together must not stop the others.
        log.exception("A note of a mail could not be put together.")
        return settling.give_up(row, "message_unbuildable", "")
    adapter, now = registry.provider(row.connection.provider), clock.now()
    if not settling.begin(row, now, look_at=now + _FIRST_LOOK, sure_at=now + _longest(mail.size)):
        return True  # somebody else has it, or it was turned off
    until = clock.steady() + _FENCE_SECONDS

    def fence() -> None:
        if clock.steady() > until:
            raise _FencePassed

    def call(key: str) -> SendResult:
        result = adapter.record_mail(key, mail, fence=fence)
        if result.outcome is Outcome.NOT_SENT and result.cause == "access_refused":
            raise ProviderError(result.cause, result.words)  # renewed once, as for any other call
        return result

    try:
        result = asking.with_key(row.connection, call)
    except _FencePassed:
        settling.back(row, clock.now())
        return True
    except asking.NoKey:
        settling.back(row, clock.now())
        raise
    except ProviderError as error:
        result = SendResult(Outcome.NOT_SENT, error.cause, error.words, retry_at=error.retry_at)
    return _judge(row, result)


def _judge(row: Recording, result: SendResult) -> bool:
    if result.outcome is Outcome.ACCEPTED:
        settling.recorded(row, result.message_id)
        settling.answered(row.connection, "grant", "emails.create")
        return True
    error = ProviderError(
        result.cause, result.words, retry_at=result.retry_at, client_wide=result.client_wide
    )
    if result.outcome is Outcome.UNKNOWN:
        # The row says `posting` already, and when it is looked up.
        raise Failure("", "emails.create", error)
    if result.cause not in _OF_THE_MAIL:
        settling.back(row, clock.now())
        raise Failure("", "emails.create", error)
    # Its mark may be there from a try that a restored database knows nothing of.
    if _find(row):
        return True
    if row.tries < 2:
        settling.back(row, clock.now())  # its contact may have gone since: it is looked for anew
        return True
    return settling.give_up(row, result.cause, result.words)


def _longest(size: int) -> timedelta:
    """After it a call cannot come to pass any more, and what it made is listed."""
    seconds = _FENCE_SECONDS + total_timeout(size) + env.number("QUIET_TIME")
    return timedelta(seconds=seconds)
