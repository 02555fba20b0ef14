"""Truesend's own mail: verification, password reset, alerts. Never a member's email."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from truesend import env
from truesend.providers import http


class MailNotSent(Exception):
    """The mail server did not take a mail; the message names neither address nor password."""


def is_configured() -> bool:
    """Whether system mail can leave at all."""
    return env.get("EMAIL_URL") is not None


class SystemMail(BaseEmailBackend):
    """Sends by SMTP, or into the sandbox's mailbox, by ``TRUESEND_EMAIL_URL``."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """The number of messages handed over; raises :class:`MailNotSent`."""
        url = env.get("EMAIL_URL")
        if url is None:
            return 0
        parts = urlsplit(url)
        sent = 0
        for message in email_messages:
            mime = message.message()
            try:
                if parts.scheme in {"http", "https"}:
                    self._to_sandbox(url, message.recipients(), mime.as_bytes())
                else:
                    self._by_smtp(parts, message.from_email, message.recipients(), mime.as_bytes())
            except (http.TransportError, OSError, smtplib.SMTPException) as error:
                raise MailNotSent(type(error).__name__) from None
            sent += 1
        return sent

    @staticmethod
    def _to_sandbox(url: str, recipients: list[str], raw: bytes) -> None:
        answer = http.request(
            "POST",
            url,
            operation="system_mail",
            headers={"Content-Type": "message/rfc822", "X-Envelope-To": ", ".join(recipients)},
            body=raw,
            timeout=10,
        )
        if not 200 <= answer.status < 300:
            raise OSError("the sandbox did not take the mail")

    @staticmethod
    def _by_smtp(parts: SplitResult, sender: str, recipients: list[str], raw: bytes) -> None:
        with signed_in(parts, timeout=15) as server:
            server.sendmail(sender, recipients, raw)


@contextmanager
def signed_in(parts: SplitResult, *, timeout: float) -> Iterator[smtplib.SMTP]:
    """The mail server of an `smtp://` or `smtps://` address, greeted, encrypted where it can be, and signed in to.

    Raises :class:`OSError` and :class:`smtplib.SMTPException`.
    """
    secure = parts.scheme == "smtps"
    host, port = parts.hostname or "localhost", parts.port or (465 if secure else 587)
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if secure:
        server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    with server:
        # What it offers is known once it was greeted, and anew behind TLS.
        server.ehlo_or_helo_if_needed()
        if not secure and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server
