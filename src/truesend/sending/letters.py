"""From the rows of a delivery to what leaves: recipients, tracking, MIME where the provider carries it."""

from __future__ import annotations

import time

from truesend import clock, env
from truesend.connections.describe import Description
from truesend.connections.models import Connection
from truesend.organizations import tracking_host
from truesend.providers.contract import Enclosure, Message, Party
from truesend.sending import carried, carrying, fields, filling, threads, unsubscribing
from truesend.sending.addresses import Mailbox
from truesend.sending.compose import File, Letter, compose, one_line
from truesend.sending.models import Delivery, RecipientType
from truesend.sending.plain_text import to_text
from truesend.sending.readiness import Draft
from truesend.sending.reading import Due
from truesend.sending.sizes import Enclosed
from truesend.tracking import quoted_ways_out, tokens
from truesend.tracking.html_scan import Tag, Text, Unclosed, scan
from truesend.tracking.quoted import OwnMarks
from truesend.tracking.rewrite import rewrite
from truesend.writing import senders

Link = dict[str, str | int]


def build(due: Due, described: Description, *, tracks_shown: bool) -> tuple[Message, list[Link], Draft]:
    """(the message, its link targets as rows of `Delivery.links`, the draft as readiness wants it).

    ``tracks_shown``: the organization tracks links whose text is itself an address.
    """
    delivery, people = due.delivery, due.people
    email, connection = delivery.email, described.connection
    limits = carrying.declared(described)
    thread = threads.of(email, connection.pk)
    inside, apart = carried.files_of(email, limits) if due.has_files else ([], ())
    files = [File(one.name, one.content_type, one.content, one.content_id) for one in inside]
    copy = filling.of(delivery, people)
    keys, base = _signing()
    base = tracking_host.own(connection.organization) or base
    # What was pasted may quote a mail of ours to somebody else.
    html = plain = quoted_ways_out.in_html(copy.html, keys)
    links: list[Link] = []
    # Read once, for the links and for the text.
    written = parts = list(scan(html))
    out = unsubscribing.way_out(due, connection, keys, base)
    if out is not None:
        html = out.in_html(html, parts)
        parts = list(scan(html))
    if html:
        html, links = _rewritten(delivery, html, parts, keys, base, tracks_shown)
    # From what was written: readers of plain text get addresses, not tokens.
    text = quoted_ways_out.in_text(copy.text, keys) or to_text(plain, written)
    text = OwnMarks(keys).in_text(text)
    text = out.in_text(text) if out is not None else text
    to, cc, bcc = (people[one] for one in (RecipientType.TO, RecipientType.CC, RecipientType.BCC))
    if limits.fills_in:
        html = fields.kept(html, limits.fills_in)
    if limits.carries_mime:
        raw = compose(
            Letter(
                delivery=delivery.pk,
                sender=sender_of(email.sender, connection),
                to=to,
                cc=cc,
                bcc=bcc,
                subject=copy.subject,
                html=html,
                text=text,
                files=files,
                date=clock.now(),
                references=thread.references if thread else (),
                unsubscribe=out.url if out is not None else "",
            )
        )
        # One that the mailbox did not find a moment ago is gone: the headers have to do.
        known = thread.id if thread and due.last_cause != "not_found" else ""
        message = Message(mark=str(delivery.pk), raw=raw, apart=apart, thread_id=known)
    else:
        message = Message(
            mark=str(delivery.pk),
            recipients=tuple(Party(one.address, one.name) for one in (*to, *cc, *bcc)),
            subject=one_line(copy.subject),
            html=html,
            text=text,
            files=tuple(Enclosure(file.name, file.content_type, file.content) for file in files),
        )
    draft = Draft(
        connection=described,
        to=to,
        cc=cc,
        bcc=bcc,
        subject=copy.subject,
        html=copy.html,
        text=copy.text,
        files=[
            *(Enclosed(one.name, one.size, bool(one.content_id)) for one in inside),
            *(Enclosed(one.name, one.size, bool(one.content_id)) for one in apart),
        ],
        is_test=email.is_test,
        sender=email.sender,
        one_of_many=due.to_many,
        suppressed=None if due.stopped else {},
    )
    return message, links, draft


def sender_of(chosen: str, connection: Connection) -> Mailbox:
    """From: the connection's own address, or the one that was chosen of its others, as the provider names it."""
    other = senders.find(connection.pk, chosen) if chosen else None
    if other is None:
        return Mailbox(connection.address, connection.display_name)
    return Mailbox(other.address, other.name or connection.display_name)


def _rewritten(
    delivery: Delivery,
    html: str,
    parts: list[Tag | Text | Unclosed],
    keys: tokens.Keys,
    base: str,
    tracks_shown: bool,
) -> tuple[str, list[Link]]:
    """Tracked, or without tracking: what our earlier mails left in quoted text goes in any case."""
    email = delivery.email
    if not email.track:
        return rewrite(html, click_url=None, pixel_url=None, keys=keys, parts=parts).html, []
    rewritten = rewrite(
        html,
        click_url=lambda number, target: f"{base}/t/c/{tokens.sign_click(keys, delivery.pk, number, target)}",
        pixel_url=f"{base}/t/o/{tokens.sign_open(keys, delivery.pk)}.gif",
        keys=keys,
        track_shown=tracks_shown,
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
