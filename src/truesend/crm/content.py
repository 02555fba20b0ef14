"""What is noted of a mail: as its member wrote it, with nothing in it that acts when somebody opens it.

No tracked link, no pixel, no way to unsubscribe: whoever looks into a CRM is not the recipient. What an earlier mail of
ours left in a quote goes too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from truesend import env
from truesend.crm.models import Recording
from truesend.providers.recording import SentElsewhere
from truesend.sending import filling
from truesend.sending.addresses import Mailbox
from truesend.sending.compose import one_line
from truesend.sending.models import Delivery, Recipient, RecipientType
from truesend.sending.plain_text import to_text
from truesend.tracking.html_scan import scan
from truesend.tracking.quoted import OwnMarks
from truesend.tracking.rewrite import rewrite

# The way out of an earlier mail, also inside the address of a gateway that leads people through its own.
_WAY_OUT = re.compile(r"""https?://[^\s"'<>]{1,2000}?(?:/t/u/|%2ft%2fu%2f)[^\s"'<>]+""", re.IGNORECASE)
# Pictures of the text travel as files, which a note does not carry.
_PICTURE = re.compile(r"""<img\b[^>]*?\bsrc\s*=\s*["']?cid:[^>]*>""", re.IGNORECASE)


@dataclass(frozen=True)
class Content:
    """Subject, HTML and plain text of one copy."""

    subject: str
    html: str
    text: str


def of(delivery: Delivery, people: list[Recipient]) -> Content:
    """The content of a copy that ``people`` got, filled in as theirs was."""
    named: dict[str, list[Mailbox]] = {kind: [] for kind in RecipientType.values}
    for one in people:
        named[one.type].append(Mailbox(one.address, one.name))
    copy, keys = filling.of(delivery, named), env.link_keys()
    parts = list(scan(copy.html))
    html = (
        rewrite(copy.html, click_url=None, pixel_url=None, keys=keys, parts=parts).html if copy.html else ""
    )
    text = OwnMarks(keys).in_text(copy.text or to_text(copy.html, parts))
    return Content(
        one_line(copy.subject),
        _WAY_OUT.sub("#", _PICTURE.sub("[picture]", html)),
        _WAY_OUT.sub("[link to unsubscribe]", text),
    )


def letter(row: Recording) -> SentElsewhere:
    """The note of one recording, of which the contact is known.

    Everybody could see who got a visible copy, so Cc is told; who got a hidden one stands with their own contact alone.
    """
    delivery, person = row.delivery, row.recipient
    people = list(Recipient.objects.filter(delivery=delivery).order_by("position"))
    content = of(delivery, people)
    connection = delivery.connection
    return SentElsewhere(
        mark=row.mark,
        contact=row.contact,
        to=person.address,
        cc=tuple(
            one.address for one in people if one.type == RecipientType.CC and one.address != person.address
        ),
        sender=delivery.email.sender or connection.address,
        account=connection.address,
        origin=connection.provider,
        sent_at=delivery.sent_at or row.created_at,
        subject=content.subject,
        html=content.html,
        text=content.text,
    )
