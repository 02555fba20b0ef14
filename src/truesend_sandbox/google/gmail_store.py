"""Gmail's mailbox: messages, labels, threads and the history of changes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from truesend_sandbox import accounts
from truesend_sandbox.accounts import Account
from truesend_sandbox.google import gmail_watch
from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

_REPLY_PREFIX = re.compile(r"^\s*((re|fwd?|aw|wg)\s*:\s*)+", re.IGNORECASE)
_IDS = re.compile(r"<[^<>\s]+>")
FIRST_HISTORY_ID = 1_000_000


def new_id(world: World) -> str:
    """16 hexadecimal digits: milliseconds and chance, as Gmail's look."""
    return f"{(int(world.clock.now() * 1000) << 20) | secrets.randbits(20):016x}"


def plain_subject(subject: str) -> str:
    """A subject without "Re:" and its kin, for finding the thread."""
    return _REPLY_PREFIX.sub("", subject).strip().lower()


def references(mail: Mail) -> list[str]:
    """Message-IDs the mail refers to, nearest first."""
    text = " ".join(mail.all("references") + mail.all("in-reply-to"))
    return list(dict.fromkeys(reversed(_IDS.findall(text))))


def history(
    world: World, account_id: int, kind: str, message: tuple[str, str, str], changed: str = ""
) -> int:
    """Write down a change of `(message id, thread id, labels)`; returns its history id."""
    number = world.store.insert(
        "INSERT INTO gmail_history (account_id, kind, message_id, thread_id, labels, changed, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        account_id,
        kind,
        *message,
        changed,
        world.clock.now(),
    )
    if "INBOX" in message[2].split():
        gmail_watch.changed(world, account_id, number)
    return number


def add(
    world: World,
    account_id: int,
    mail: Mail,
    labels: Iterable[str],
    thread_id: str | None,
    *,
    message_id: str | None = None,
    record: bool = True,
) -> Row:
    """A new message in the mailbox; without `thread_id` it begins a thread of its own."""
    known = message_id or new_id(world)
    thread = thread_id or known
    names = " ".join(labels)
    raw = mail.render()
    number = history(world, account_id, "messageAdded", (known, thread, names)) if record else 0
    seq = world.store.insert(
        "INSERT INTO gmail_messages (account_id, id, thread_id, labels, at, history_id, rfc_id, subject,"
        " sent, size, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        account_id,
        known,
        thread,
        names,
        world.clock.now(),
        number,
        mail.get("message-id"),
        plain_subject(mail.text("subject")),
        int("SENT" in names.split()),
        len(raw),
        raw,
    )
    for label in names.split():
        world.store.run(
            "INSERT INTO gmail_labels (account_id, label, seq) VALUES (?, ?, ?)", account_id, label, seq
        )
    row = world.store.one("SELECT * FROM gmail_messages WHERE seq = ?", seq)
    assert row is not None
    return row


def get(world: World, account_id: int, message_id: str) -> Row | None:
    """A message of an account by its id."""
    return world.store.one(
        "SELECT * FROM gmail_messages WHERE account_id = ? AND id = ?", account_id, message_id
    )


def remove(world: World, row: Row) -> None:
    """Delete for good; it stands in the history as deleted."""
    _drop_labels(world, row)
    world.store.run("DELETE FROM gmail_messages WHERE seq = ?", row["seq"])
    history(world, row["account_id"], "messageDeleted", (row["id"], row["thread_id"], row["labels"]))


def _drop_labels(world: World, row: Row) -> None:
    for label in row["labels"].split():
        world.store.run(
            "DELETE FROM gmail_labels WHERE account_id = ? AND label = ? AND seq = ?",
            row["account_id"],
            label,
            row["seq"],
        )


def relabel(world: World, row: Row, *, add_labels: Iterable[str] = (), drop: Iterable[str] = ()) -> Row:
    """Change labels; each direction is one change in the history."""
    before = row["labels"].split()
    gone = [label for label in drop if label in before]
    came = [label for label in add_labels if label not in before]
    after = [label for label in before if label not in gone] + came
    names = " ".join(after)
    number = row["history_id"]
    for kind, changed in (("labelRemoved", gone), ("labelAdded", came)):
        if changed:
            number = history(
                world, row["account_id"], kind, (row["id"], row["thread_id"], names), " ".join(changed)
            )
    _drop_labels(world, row)
    for label in after:
        world.store.run(
            "INSERT INTO gmail_labels (account_id, label, seq) VALUES (?, ?, ?)",
            row["account_id"],
            label,
            row["seq"],
        )
    world.store.run(
        "UPDATE gmail_messages SET labels = ?, history_id = ?, sent = ? WHERE seq = ?",
        names,
        number,
        int("SENT" in after),
        row["seq"],
    )
    fresh = get(world, row["account_id"], row["id"])
    assert fresh is not None
    return fresh


def thread_of(world: World, account_id: int, mail: Mail) -> str | None:
    """The thread an incoming mail joins: that of the nearest message it refers to."""
    for rfc_id in references(mail):
        thread: str | None = world.store.value(
            "SELECT thread_id FROM gmail_messages WHERE account_id = ? AND rfc_id = ?", account_id, rfc_id
        )
        if thread is not None:
            return thread
    if references(mail) or not world.switches.get("google", "thread_by_subject"):
        return None
    return _thread_of_subject(world, account_id, mail)


def _thread_of_subject(world: World, account_id: int, mail: Mail) -> str | None:
    """The newest thread of that subject in which the mail's sender was written to [GK]."""
    sender = next(iter(mail.addresses("from")), "")
    for row in world.store.all(
        "SELECT thread_id, raw FROM gmail_messages WHERE account_id = ? AND subject = ? AND sent = 1"
        " ORDER BY seq DESC LIMIT 20",
        account_id,
        plain_subject(mail.text("subject")),
    ):
        if sender in Mail.parse(bytes(row["raw"])).addresses("to", "cc", "bcc"):
            return str(row["thread_id"])
    return None


def last_history_id(world: World, account_id: int) -> int:
    """The number of the newest change in a mailbox."""
    number = world.store.value("SELECT MAX(id) FROM gmail_history WHERE account_id = ?", account_id)
    return int(number or FIRST_HISTORY_ID)


def receive(world: World, address: str, raw: bytes) -> None:
    """Into the INBOX when the address is a Gmail account here."""
    account = accounts.find(world, "google", address)
    if account is not None and usable(account):
        mail = Mail.parse(raw)
        add(world, account.id, mail, ("INBOX", "UNREAD"), thread_of(world, account.id, mail))


def usable(account: Account) -> bool:
    """Whether the account has a mailbox that takes mail."""
    fields = account.fields
    return bool(fields.get("gmail", True)) and not fields.get("deleted") and not fields.get("disabled")
