"""The conversation an email belongs to, in words: on its own page, and in Compose what its provider makes of it."""

from __future__ import annotations

from typing import Any

from truesend.connections.models import Connection
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Capability
from truesend.sending import threads
from truesend.sending.models import Delivery, DeliveryStatus, Email
from truesend.web.rows import people

_NAMELESS = "(no subject)"


def of_email(member: Member, email: Email) -> dict[str, Any]:
    """Context of emails/detail.html: `conversation` [{url, subject, at, later}], what else the member sent in it."""
    return {
        "conversation": [
            {
                "url": f"/emails/{one.pk}",
                "subject": one.subject or _NAMELESS,
                "at": one.created_at,
                "later": one.reply_to_id is not None and one.created_at > email.created_at,
            }
            for one in threads.beside(member, email)
        ]
    }


def can_answer(deliveries: list[Delivery]) -> bool:
    """Whether “Reply” stands at the head of the email's page: where there are several copies, each has its own."""
    return [one.status for one in deliveries] == [DeliveryStatus.ACCEPTED]


def of_draft(draft: Email) -> dict[str, Any] | None:
    """Context of partials/conversation.html {url, subject, to, sentence, fix}; None for a draft that begins one."""
    if draft.reply_to_id is None:
        return None
    copy = Delivery.objects.select_related("email", "connection").get(pk=draft.reply_to_id)
    email = copy.email
    sentence, fix = _carried(draft, copy)
    return {
        "url": f"/emails/{email.pk}",
        "subject": email.subject or _NAMELESS,
        "to": people([*email.to, *email.cc, *email.bcc]),
        "sentence": sentence,
        "fix": fix,
    }


def _carried(draft: Email, copy: Delivery) -> tuple[str, dict[str, str] | None]:
    """What becomes of the conversation where it is not simply gone on with, and what would help."""
    connection: Connection | None = draft.connection
    if connection is None:
        return "", None
    adapter = registry.provider(connection.provider)
    if not adapter.limits.carries_mime:
        return (
            f"{adapter.name} keeps no conversations: this goes as an email of its own, with the quote.",
            None,
        )
    thread = threads.of(draft, connection.pk)
    if thread is None or thread.references:
        if connection.pk != copy.connection_id:
            return (
                "From another account: people see it in the conversation, that account's own mailbox may not.",
                None,
            )
        return "", None
    reads = Capability.READ in adapter.granted(copy.connection.granted_scopes)
    if reads or copy.connection.disconnected_at is not None:
        return (
            "What the earlier email is called in mailboxes is not known: this goes as an email of its own.",
            None,
        )
    return (
        f"{copy.connection.address} may not be read, so what the earlier email is called in mailboxes is not known: "
        "this goes as an email of its own. With reading, later ones go into their conversation.",
        {"label": "Allow reading", "url": f"/connections/{copy.connection_id}/read"},
    )
