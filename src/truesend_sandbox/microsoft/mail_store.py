"""An Outlook mailbox: messages with two ids each, folders, conversations."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from truesend_sandbox import accounts
from truesend_sandbox.accounts import Account
from truesend_sandbox.mailbox import content
from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.microsoft import notices
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

FOLDERS = {
    "inbox": "Inbox",
    "drafts": "Drafts",
    "sentitems": "Sent Items",
    "deleteditems": "Deleted Items",
    "junkemail": "Junk Email",
}
"""Well-known name → name shown."""

_IDS = re.compile(r"<[^<>\s]+>")
_PREFIX = re.compile(r"^\s*((re|fwd?|aw|wg)\s*:\s*)+", re.IGNORECASE)


@dataclass
class Kept:
    """What a message has besides its MIME; `properties` are single-value extended ones, id → value."""

    properties: dict[str, str] = field(default_factory=dict)
    categories: list[str] = field(default_factory=list)
    is_read: bool = True
    named: bool = False
    """Its From was chosen by JSON, so that one without the right is refused, not replaced."""

    def stored(self) -> str:
        return json.dumps({"properties": self.properties, "categories": self.categories, "named": self.named})


def new_item_id() -> str:
    """The default id; another one wherever the item lies."""
    return f"AAMkAD{secrets.token_urlsafe(105)}AAA="


def new_immutable_id() -> str:
    """The id that stays when the item moves."""
    return f"AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A{secrets.token_urlsafe(36)}AA="


def new_message_id() -> str:
    """The internetMessageId that Exchange gives."""
    site = f"{secrets.token_hex(3).upper()}MB{secrets.randbelow(10000):04d}"
    return f"<{site}{secrets.token_hex(14).upper()}@{site}.eurprd01.prod.outlook.com>"


def new_conversation() -> str:
    """A conversationId."""
    return f"AAQkAD{secrets.token_urlsafe(66)}="


def folder_id(account_id: int, name: str) -> str:
    """The id of a folder, always the same."""
    digest = hashlib.sha512(f"folder:{account_id}:{name}".encode()).digest()
    return f"AQMkAD{base64.urlsafe_b64encode(digest).decode()[:78]}AAAA="


def folder_named(account_id: int, wanted: str) -> str | None:
    """The well-known name of a folder given by that name or by its id."""
    if wanted.lower() in FOLDERS:
        return wanted.lower()
    return next((name for name in FOLDERS if folder_id(account_id, name) == wanted), None)


def conversation_of(world: World, account_id: int, mail: Mail) -> str:
    """The conversation of the nearest message it refers to, else a new one."""
    text = " ".join(mail.all("references") + mail.all("in-reply-to"))
    for rfc_id in dict.fromkeys(reversed(_IDS.findall(text))):
        found: str | None = world.store.value(
            "SELECT conversation FROM microsoft_messages WHERE account_id = ? AND rfc_id = ?",
            account_id,
            rfc_id,
        )
        if found is not None:
            return found
    if not _IDS.search(text) and world.switches.get(PROVIDER, "conversation_by_topic"):
        return _of_topic(world, account_id, mail) or new_conversation()
    return new_conversation()


def _of_topic(world: World, account_id: int, mail: Mail) -> str | None:
    """The newest conversation of that topic in which the mail's sender was written to [GK]."""
    sender, topic = next(iter(mail.addresses("from")), ""), _topic(mail.text("subject"))
    for row in world.store.all(
        "SELECT conversation, subject, raw FROM microsoft_messages WHERE account_id = ? AND folder = 'sentitems'"
        " ORDER BY seq DESC LIMIT 50",
        account_id,
    ):
        people = Mail.parse(bytes(row["raw"])).addresses("to", "cc", "bcc")
        if _topic(row["subject"]) == topic and sender in people:
            return str(row["conversation"])
    return None


def _topic(subject: str) -> str:
    return _PREFIX.sub("", subject).strip().lower()


def add(
    world: World,
    account: Account,
    mail: Mail,
    folder: str,
    kept: Kept | None = None,
    *,
    conversation: str | None = None,
) -> Row:
    """A new message in a folder; in `drafts` it is a draft."""
    details, now = kept or Kept(), world.clock.now()
    # Shown, and therefore compared, in whole seconds.
    at = float(int(now))
    raw = mail.render()
    delay = float(world.switches.get(PROVIDER, "transit_seconds")) if folder == "sentitems" else 0.0
    seq = world.store.insert(
        "INSERT INTO microsoft_messages (account_id, item, immutable, folder, conversation, rfc_id, draft,"
        " is_read, created_at, changed_at, received_at, sent_at, visible_at, listed_at, version, subject,"
        " sender, attached, kept, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)",
        account.id,
        new_item_id(),
        new_immutable_id(),
        folder,
        conversation or conversation_of(world, account.id, mail),
        mail.get("message-id"),
        int(folder == "drafts"),
        int(details.is_read),
        at,
        at,
        at,
        at,
        now + delay,
        now + delay + float(world.switches.get(PROVIDER, "listing_delay")),
        mail.text("subject"),
        next(iter(mail.addresses("from")), ""),
        int(bool(content.read(raw).attachments)),
        details.stored(),
        raw,
    )
    return _noted(world, by_seq(world, seq), "created")


def _noted(world: World, row: Row, kind: str) -> Row:
    """The message, whose change is written down for `delta`: `created` in its folder, `updated`, or `removed`."""
    world.store.run(
        "INSERT INTO microsoft_changes (account_id, folder, kind, seq, item, immutable) VALUES (?, ?, ?, ?, ?, ?)",
        row["account_id"],
        row["folder"],
        kind,
        row["seq"],
        row["item"],
        row["immutable"],
    )
    if kind == "created" and row["folder"] == "inbox":
        notices.came(world, row["account_id"], row["item"])
    return row


def by_seq(world: World, seq: int) -> Row:
    """The message with a number of ours."""
    row = world.store.one("SELECT * FROM microsoft_messages WHERE seq = ?", seq)
    assert row is not None
    return row


def find(world: World, account_id: int, item_id: str, *, immutable: bool) -> Row | None:
    """A message by either id; one on its way from Drafts to Sent Items is not there.

    `immutable`: the caller speaks of immutable ids, without which the switch hides them.
    """
    row = world.store.one(
        "SELECT * FROM microsoft_messages WHERE account_id = ?1 AND (item = ?2 OR immutable = ?2)",
        account_id,
        item_id,
    )
    if row is None or row["visible_at"] > world.clock.now():
        return None
    strict = bool(world.switches.get(PROVIDER, "immutable_id_needs_header"))
    return None if row["immutable"] == item_id and strict and not immutable else row


def kept_of(row: Row) -> Kept:
    """What the row has besides its MIME."""
    stored: dict[str, Any] = json.loads(row["kept"])
    return Kept(stored["properties"], stored["categories"], bool(row["is_read"]), stored["named"])


def replace(world: World, row: Row, mail: Mail, kept: Kept) -> Row:
    """The message with another content, in its place."""
    raw = mail.render()
    world.store.run(
        "UPDATE microsoft_messages SET raw = ?, rfc_id = ?, subject = ?, sender = ?, attached = ?, kept = ?,"
        " is_read = ?, changed_at = ?, version = version + 1 WHERE seq = ?",
        raw,
        mail.get("message-id"),
        mail.text("subject"),
        next(iter(mail.addresses("from")), ""),
        int(bool(content.read(raw).attachments)),
        kept.stored(),
        int(kept.is_read),
        float(int(world.clock.now())),
        row["seq"],
    )
    return _noted(world, by_seq(world, row["seq"]), "updated")


def move(world: World, row: Row, folder: str) -> Row:
    """Into another folder: the default id becomes another one, the immutable one stays."""
    _noted(world, row, "removed")
    world.store.run(
        "UPDATE microsoft_messages SET item = ?, folder = ?, changed_at = ?, version = version + 1"
        " WHERE seq = ?",
        new_item_id(),
        folder,
        float(int(world.clock.now())),
        row["seq"],
    )
    return _noted(world, by_seq(world, row["seq"]), "created")


def file_as_sent(world: World, row: Row, mail: Mail) -> Row:
    """A draft has left: it goes to Sent Items and is not to be found until it has arrived there."""
    now = world.clock.now()
    arrives = now + float(world.switches.get(PROVIDER, "transit_seconds"))
    moved = move(world, replace(world, row, mail, kept_of(row)), "sentitems")
    world.store.run(
        "UPDATE microsoft_messages SET draft = 0, is_read = 1, sent_at = ?1, received_at = ?1, visible_at = ?2,"
        " listed_at = ?3 WHERE seq = ?4",
        float(int(now)),
        arrives,
        arrives + float(world.switches.get(PROVIDER, "listing_delay")),
        moved["seq"],
    )
    return by_seq(world, moved["seq"])


def remove(world: World, row: Row) -> None:
    """Out of the mailbox."""
    _noted(world, row, "removed")
    world.store.run("DELETE FROM microsoft_messages WHERE seq = ?", row["seq"])


def receive(world: World, address: str, raw: bytes) -> None:
    """Into the Inbox when the address is a mailbox here."""
    account = accounts.find(world, PROVIDER, address)
    if account is not None and usable(account):
        add(world, account, Mail.parse(raw), "inbox", Kept(is_read=False))


def usable(account: Account) -> bool:
    """Whether the account has a mailbox that takes mail."""
    return bool(account.fields.get("mailbox_enabled", True)) and not account.fields.get("deleted")
