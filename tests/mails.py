"""Truesend's own mails, as they lie in the sandbox's mailboxes."""

from __future__ import annotations

import email
import email.policy

from tests.stack import Stack, until


def mails(stack: Stack, address: str) -> list[tuple[str, str]]:
    """(subject, text) of every mail of ours to an address, oldest first."""
    found = stack.sandbox.messages(to=address)
    parsed = [email.message_from_string(one["raw"], policy=email.policy.default) for one in found]
    return [
        (str(one["Subject"]), one.get_content())
        for one in parsed
        if not one.is_multipart() and one.get_content_type() == "text/plain"
    ]


def mail(stack: Stack, address: str, subject: str, seconds: float = 15) -> str:
    """The text of the mail whose subject holds ``subject``, once it is there."""

    def found() -> str:
        return next((text for one, text in mails(stack, address) if subject in one), "")

    text: str = until(found, bool, seconds)
    return text
