"""Which files of an email travel in the message, and which beside it, since one call does not carry them with it."""

from __future__ import annotations

from functools import partial

from truesend.providers.contract import Enclosure, Limits
from truesend.sending import pictures
from truesend.sending.attachments import read_from
from truesend.sending.models import Attachment, Email
from truesend.sending.plain_text import to_text
from truesend.sending.sizes import encoded


def files_of(email: Email, limits: Limits) -> tuple[list[Attachment], tuple[Enclosure, ...]]:
    """(those inside, those beside it, in order). All or none go beside it, so that their order stays."""
    used = pictures.used_in(email.html)
    stored = email.attachments.order_by("position")
    attached = [one for one in stored if not one.content_id or one.content_id in used]
    if not limits.in_one_piece:
        return attached, ()
    body = len(email.html.encode()) + len((email.text or to_text(email.html)).encode())
    whole = encoded(body + sum(one.size for one in attached))
    if whole <= limits.in_one_piece:
        return attached, ()
    return [], tuple(
        Enclosure(
            one.name,
            one.content_type,
            content_id=one.content_id,
            length=one.size,
            source=partial(read_from, one.pk),
        )
        for one in attached
    )
