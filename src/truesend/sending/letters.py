"""From the rows of a delivery to the bytes that leave: recipients, tracking, MIME."""

from __future__ import annotations

import time

from truesend import clock, env
from truesend.connections.describe import Description
from truesend.sending.addresses import Mailbox
from truesend.sending.compose import File, Letter, compose
from truesend.sending.models import Delivery, RecipientType
from truesend.sending.plain_text import to_text
from truesend.sending.readiness import Draft
from truesend.sending.reading import Due
from truesend.tracking import tokens
from truesend.tracking.html_scan import Tag, Text, Unclosed, scan
from truesend.tracking.rewrite import rewrite

Link = dict[str, str | int]


def build(due: Due, described: Description) -> tuple[bytes, list[Link], Draft]:
    """(the message, its link targets as rows of `Delivery.links`, the draft as readiness wants it)."""
    delivery, people = due.delivery, due.people
    email, connection = delivery.email, described.connection
    attached = email.attachments.order_by("position") if due.has_files else ()
    files = [File(one.name, one.content_type, one.content) for one in attached]
    html = email.html
    links: list[Link] = []
    # Read once, for the links and for the text.
    parts = list(scan(html))
    if email.track and html:
        html, links = _tracked(delivery, html, parts)
    raw = compose(
        Letter(
            delivery=delivery.pk,
            sender=Mailbox(connection.address, connection.display_name),
            to=people[RecipientType.TO],
            cc=people[RecipientType.CC],
            bcc=people[RecipientType.BCC],
            subject=email.subject,
            html=html,
            # From what was written: readers of plain text get addresses, not tokens.
            text=email.text or to_text(email.html, parts),
            files=files,
            date=clock.now(),
        )
    )
    draft = Draft(
        connection=described,
        to=people[RecipientType.TO],
        cc=people[RecipientType.CC],
        bcc=people[RecipientType.BCC],
        subject=email.subject,
        html=email.html,
        text=email.text,
        attachment_bytes=sum(len(file.content) for file in files),
    )
    return raw, links, draft


def _tracked(delivery: Delivery, html: str, parts: list[Tag | Text | Unclosed]) -> tuple[str, list[Link]]:
    keys, base = _signing()
    rewritten = rewrite(
        html,
        click_url=lambda number, target: f"{base}/t/c/{tokens.sign_click(keys, delivery.pk, number, target)}",
        pixel_url=f"{base}/t/o/{tokens.sign_open(keys, delivery.pk)}.gif",
        parts=parts,
    )
    return rewritten.html, [
        {"index": link.index, "target": link.target, "text": link.text}
        for link in rewritten.links
        if link.reason is None
    ]


def _signing() -> tuple[tokens.Keys, str]:
    """The keys that sign links, and where links lead: read from their file once a second, not once an email."""
    global _signs  # noqa: PLW0603 - one immutable value, exchanged whole
    if time.monotonic() > _signs[0]:
        _signs = (time.monotonic() + 1.0, (env.link_keys(), env.tracking_url()))
    return _signs[1]


_signs: tuple[float, tuple[tokens.Keys, str]] = (float("-inf"), ([], ""))
