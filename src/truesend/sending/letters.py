"""From the rows of a delivery to the bytes that leave: recipients, tracking, MIME."""

from __future__ import annotations

from truesend import clock, env
from truesend.connections.describe import Description
from truesend.sending.addresses import Mailbox
from truesend.sending.compose import File, Letter, compose
from truesend.sending.models import Delivery, RecipientType
from truesend.sending.plain_text import to_text
from truesend.sending.readiness import Draft
from truesend.tracking import tokens
from truesend.tracking.rewrite import rewrite

Link = dict[str, str | int]


def build(delivery: Delivery, described: Description) -> tuple[bytes, list[Link], Draft]:
    """(the message, its link targets as rows of `Delivery.links`, the draft as readiness wants it)."""
    email, connection = delivery.email, described.connection
    people: dict[str, list[Mailbox]] = {kind: [] for kind in RecipientType.values}
    for one in sorted(delivery.recipients.all(), key=lambda row: row.position):
        people[one.type].append(Mailbox(one.address, one.name))
    attached = sorted(email.attachments.all(), key=lambda row: row.position)
    files = [File(one.name, one.content_type, one.content) for one in attached]
    html = email.html
    links: list[Link] = []
    if email.track and html:
        html, links = _tracked(delivery, html)
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
            text=email.text or to_text(email.html),
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


def _tracked(delivery: Delivery, html: str) -> tuple[str, list[Link]]:
    keys, base = env.link_keys(), env.tracking_url()
    rewritten = rewrite(
        html,
        click_url=lambda number, target: f"{base}/t/c/{tokens.sign_click(keys, delivery.pk, number, target)}",
        pixel_url=f"{base}/t/o/{tokens.sign_open(keys, delivery.pk)}.gif",
    )
    return rewritten.html, [
        {"index": link.index, "target": link.target, "text": link.text}
        for link in rewritten.links
        if link.reason is None
    ]
