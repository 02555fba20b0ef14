"""Looking into a mailbox: what came since the last look, of it what concerns us, and the cursor moved with it.

The cursor moves in the transaction that writes what was found behind it, and only from where this look began: nothing
is lost by a worker that dies, nothing is found twice by two that look at once.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from uuid import UUID

from truesend import clock
from truesend.connections.models import Connection
from truesend.inbox import asking, copies, letters, mailboxes, matching, recording, states
from truesend.inbox.incoming import Incoming
from truesend.inbox.matching import Letter
from truesend.inbox.models import Mailbox
from truesend.inbox.reading import read
from truesend.inbox.recording import Look
from truesend.organizations import installation
from truesend.providers import registry
from truesend.providers.contract import InboxPage, Provider, Received
from truesend.providers.errors import ProviderError
from truesend.runtime import identity

log = logging.getLogger("truesend.inbox")

# Of one look; what is left is read by the next, which comes at once.
_PAGES = 5
# A look that dies halfway is made again after so long.
_CLAIMED_FOR = timedelta(minutes=5)
# Mails that may concern us, by the provider's id.
Found = list[tuple[str, Letter]]


def read_all() -> None:
    """Read one mailbox after the other until none is due or this worker is to end."""
    while not identity.is_stopping() and (found := mailboxes.due(mailboxes.LOOKED_AT)):
        # Whoever does the same takes another one.
        read_if_due(random.choice(found))  # noqa: S311


def read_if_due(connection_id: UUID) -> None:
    """Read one mailbox that is due. Claimed first by a later due time, which a death halfway leaves standing."""
    now = clock.now()
    claimed = Mailbox.objects.filter(pk=connection_id, due_at__lte=now).update(due_at=now + _CLAIMED_FOR)
    connection = Connection.objects.select_related("organization").filter(pk=connection_id).first()
    if claimed != 1 or connection is None or not installation.may_act():
        return
    if not mailboxes.is_read(connection):
        # Permission went; when it comes back, the row is due again.
        Mailbox.objects.filter(pk=connection_id).update(due_at=None)
        return
    if registry.provider(connection.provider).has_inbox:
        look(connection)
    else:
        states.look(connection)


def look(connection: Connection) -> None:
    """Read what came, page by page. A failure is recorded, not raised."""
    for _ in range(_PAGES):
        mailbox = Mailbox.objects.filter(pk=connection.pk).first()
        if mailbox is None or not _look_once(connection, mailbox):
            return


def _look_once(connection: Connection, mailbox: Mailbox) -> bool:
    """One page; whether there is more to be read now."""
    adapter = registry.provider(connection.provider)
    began = clock.now()
    since = copies.since(connection, mailbox.read_at, began)

    def page_of(access: str) -> tuple[InboxPage, Found]:
        page = adapter.inbox(access, mailbox.cursor, since=since)
        return page, _letters(connection, adapter, access, page, began)

    answer = asking.answered(connection, mailbox, began, page_of)
    if answer is None:
        return False
    page, found = answer
    matched = _matched(connection, found)
    following = began if not page.complete else mailboxes.after_look(connection, began)
    newest = max((one.at for one in page.received if one.at is not None), default=None)
    told = Look(began, page.cursor, following, newest)
    found_here = [recording.found_of(*one) for one in matched]
    return recording.record(connection, mailbox, told, found_here) and not page.complete


def _letters(connection: Connection, adapter: Provider, access: str, page: InboxPage, now: datetime) -> Found:
    """The mails that may concern us, read whole; nobody looks into the others."""
    received = [one for one in page.received if not one.own]
    if not received:
        return []
    ids = {number for one in received for number in letters.refers_to(one)}
    threads = {one.thread_id for one in received if one.thread_id.isprintable()} - {""}
    rows = copies.find(connection, ids, threads)
    known_ids = {row.message_id.strip().strip("<>") for row in rows}
    known_threads = {row.provider_thread_id for row in rows if row.connection_id == connection.pk} - {""}
    found: Found = []
    for one in received:
        if letters.concerns(one, known_ids, known_threads):
            raw = _whole(adapter, access, one)
            if raw is not None:
                found.append((one.message_id, letters.letter(one, _read(raw, one), now)))
    return found


def _read(raw: bytes, received: Received) -> Incoming:
    """The mail as it was read; one that cannot be must not stop the mailbox behind it, and is told by its headers."""
    try:
        return read(raw)
    except Exception:
        log.exception("A mail could not be read whole; its headers have to do.")
        return read(letters.head_of(received))


def _whole(adapter: Provider, access: str, received: Received) -> bytes | None:
    """The mail; its headers alone where it is too large; None where it is gone."""
    if received.size > letters.LARGEST:
        return letters.head_of(received)
    try:
        return adapter.inbox_mail(access, received.message_id)
    except ProviderError as error:
        if error.cause == "not_found":
            return None
        raise


def _matched(connection: Connection, found: Found) -> list[tuple[str, Letter, matching.Match]]:
    """Whose mail each of them is to; the others are forgotten here."""
    if not found:
        return []
    home = copies.home_of(connection)
    ids, threads, marks = matching.keys(letter for _, letter in found)
    ours = copies.copies(copies.find(connection, ids, threads, marks))
    judged = ((number, letter, matching.match(letter, home, ours)) for number, letter in found)
    return [(number, letter, match) for number, letter, match in judged if match is not None]
