"""The application's own mail: sign-up confirmations and password resets land in the mailboxes too."""

from __future__ import annotations

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.mailbox.deliver import deliver
from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.world import World

PROVIDER = "system"


def arrive(world: World, raw: bytes, envelope: str | None) -> tuple[int, list[str]]:
    """Deliver to the envelope's addresses (`a, b`), else to those of To, Cc and Bcc.

    Raises `ValueError` with a sentence when it is no mail or has no recipient.
    """
    mail = Mail.parse(raw)
    envelope = envelope or mail.get("x-envelope-to")
    if envelope:
        recipients = [normal_address(part) for part in envelope.split(",") if part.strip()]
    else:
        recipients = mail.addresses("to", "cc", "bcc")
    if not recipients:
        raise ValueError("the mail has no recipient")
    mail.remove("bcc")
    mail.remove("x-envelope-to")
    senders = mail.addresses("from")
    sender = senders[0] if senders else "nobody@localhost"
    number = deliver(world, provider=PROVIDER, sender=sender, recipients=recipients, mail=mail)
    return number, recipients
