"""Mailboxes and emails, straight into the database: ``python -m truesend.bench.seed``, orders as lines of JSON.

``{"mailboxes": M, "each": E}`` makes E emails due now in each of the first M mailboxes, all in one transaction, and
answers ``{"emails": …}``. ``{"dissect": E}`` sends E emails of one more mailbox in this very process and answers where
the time went: ``{"letter_ms", "database_ms", "sending_ms", "statements"}``, this side's processor time and statements
per email.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from truesend.connections.models import Connection

_LIFE = timedelta(hours=6)
_LINKS = (
    ("https://example.com/prices?utm_source=mail&utm_medium=email&utm_campaign=spring", "our spring prices"),
    ("https://example.com/customers/harbour-logistics", "Harbour Logistics"),
    ("https://example.com/docs/start", "the ten-minute start"),
    ("https://calendar.example.com/ana/30min", "Choose a time"),
    ("https://www.example.com/", "all we do"),
    ("https://example.com/unsubscribed-never-mind/why", "why you get this"),
)


def html(name: str, number: int) -> str:
    """A usual email of somebody who sells: some paragraphs, a table, six links, a signature; about 5 KB."""
    style = (
        "font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.5;color:#202124;margin:0 0 12px"
    )
    paragraphs = "".join(
        f'<p style="{style}">We looked at how teams of your size plan their week: most of the time goes into asking '
        f'who does what. <a href="{target.replace("&", "&amp;")}" style="color:#1a73e8">{text}</a> shows what changed '
        "for them within a month, and what did not. &ldquo;It was quieter,&rdquo; they say &ndash; nothing more.</p>"
        for target, text in _LINKS
    )
    rows = "".join(
        f'<tr><td style="padding:4px 12px 4px 0">{what}</td><td style="padding:4px 0"><b>{value}</b></td></tr>'
        for what, value in (("Places", "12"), ("Start", "1 March"), ("Per month", "€ 240"), ("Setup", "none"))
    )
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><title>Prices</title></head>'
        f'<body style="background:#ffffff"><p style="{style}">Hello {name},</p>{paragraphs}'
        f'<table role="presentation" cellpadding="0" cellspacing="0" style="{style}">{rows}</table>'
        f'<p style="{style}">Best regards<br>Ana Ruiz<br><span style="color:#5f6368">Northwind, offer {number}</span>'
        "</p></body></html>"
    )


class _Watched:
    """Counts the calls of a function, and this thread's processor time in them, while the block runs."""

    def __init__(self, owner: Any, name: str) -> None:
        self._owner, self._name, self._function = owner, name, getattr(owner, name)
        self.calls, self.seconds = 0, 0.0

    def __enter__(self) -> None:
        function = self._function

        @functools.wraps(function)
        def watched(*arguments: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                self.calls += 1
                self.seconds += time.thread_time() - began

        setattr(self._owner, self._name, watched)

    def __exit__(self, *ending: object) -> None:
        setattr(self._owner, self._name, self._function)


class Seeder:
    """Fills one database; keeps what it has made."""

    def __init__(self) -> None:
        from truesend.organizations.models import Organization

        self._organization = Organization.objects.create(name="Northwind")
        self._connections: list[Connection] = []
        self._made = 0

    def emails(self, mailboxes: int, each: int) -> int:
        """Make emails that are due at once: how many."""
        from django.db import transaction

        self._need(mailboxes)
        with transaction.atomic():
            for connection in self._connections[:mailboxes]:
                self._fill(connection, each)
        return mailboxes * each

    def dissect(self, each: int) -> dict[str, float]:
        """Send emails of a mailbox of its own, here, one after the other."""
        import psycopg

        from truesend.sending import dispatch, letters

        mailbox = self._connection(-1)
        self._fill(mailbox, 10)
        dispatch.drain(mailbox.pk)  # warm
        self._fill(mailbox, each)
        letter, statement = _Watched(letters, "build"), _Watched(psycopg.Cursor, "execute")
        with letter, statement:
            began = time.thread_time()
            dispatch.drain(mailbox.pk)
            spent = time.thread_time() - began
        return {
            "letter_ms": letter.seconds * 1000 / each,
            "database_ms": statement.seconds * 1000 / each,
            "sending_ms": spent * 1000 / each,
            "statements": statement.calls / each,
        }

    def _need(self, mailboxes: int) -> None:
        from django.db import transaction

        with transaction.atomic():
            while len(self._connections) < mailboxes:
                self._connections.append(self._connection(len(self._connections)))

    def _connection(self, number: int) -> Connection:
        """A mailbox that may send, whose token is alive and whose every check has succeeded."""
        from truesend import clock
        from truesend.connections.models import Connection, Proof, Token
        from truesend.connections.secretbox import seal
        from truesend.organizations.models import Member, Role, User
        from truesend.providers.contract import Capability
        from truesend.providers.registry import PROVIDERS

        now = clock.now()
        adapter = next(iter(PROVIDERS.values()))
        address = f"seller-{number}@northwind.example"
        user = User.objects.create(email=address, password="!", name=f"Ana Ruiz {number}")  # noqa: S106 - no sign-in
        member = Member.objects.create(organization=self._organization, user=user, role=Role.USER)
        connection = Connection.objects.create(
            organization=self._organization,
            member=member,
            provider=adapter.key,
            kind="personal",
            subject=f"bench-{number}",
            address=address,
            display_name=user.name,
            asked=["send"],
            granted_scopes=adapter.scopes([Capability.SEND]),
            consented_at=now - timedelta(minutes=5),
        )
        Token.objects.create(
            connection=connection,
            access=seal(f"bench-{'a' * 150}-{number}", place=f"token.access:{connection.pk}"),
            access_issued_at=now,
            access_expires_at=now + _LIFE,
            refresh=seal(f"bench-{number}", place=f"token.refresh:{connection.pk}"),
            due_at=now + _LIFE,
        )
        for check in ("grant", "scope", "send"):
            Proof.objects.create(connection=connection, check_name=check, ok=True, call="send", at=now)
        return connection

    def _fill(self, connection: Connection, each: int) -> None:
        """Emails of one mailbox, one recipient each, tracked."""
        from truesend import clock
        from truesend.sending.models import Delivery, Email, Recipient

        now = clock.now()
        emails, deliveries, recipients = [], [], []
        for number in self._numbers(each):
            name, address = f"Bea {number}", f"bea-{number}@customers.example"
            email = Email(
                organization=self._organization,
                member_id=connection.member_id,
                connection=connection,
                status="queued",
                to=[f"{name} <{address}>"],
                subject=f"Your offer {number} for the spring",
                html=html(name, number),
                send_at=now,
            )
            delivery = Delivery(email=email, connection=connection, status="queued", due_at=now)
            emails.append(email)
            deliveries.append(delivery)
            recipients.append(Recipient(delivery=delivery, position=0, address=address, name=name, type="to"))
        Email.objects.bulk_create(emails)
        Delivery.objects.bulk_create(deliveries)
        Recipient.objects.bulk_create(recipients)

    def _numbers(self, count: int) -> Iterator[int]:
        for _ in range(count):
            self._made += 1
            yield self._made


def main() -> None:
    """Carry out orders until there are no more."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truesend.settings")
    import django

    django.setup()
    seeder = Seeder()
    for line in sys.stdin:
        order = json.loads(line)
        if "dissect" in order:
            print(json.dumps(seeder.dissect(order["dissect"])), flush=True)
        else:
            print(json.dumps({"emails": seeder.emails(order["mailboxes"], order["each"])}), flush=True)


if __name__ == "__main__":
    main()
