"""What the recipient of a draft will get, in the parts a page shows: nothing here is live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from truesend import clock, env
from truesend.organizations import tracking_host
from truesend.sending import suppressing
from truesend.sending.addresses import Mailbox
from truesend.sending.compose import Letter, compose, one_line
from truesend.sending.letters import sender_of
from truesend.sending.models import Attachment, Email
from truesend.sending.plain_text import to_text
from truesend.sending.readiness import Draft
from truesend.sending.reading import COPIES
from truesend.sending.submit import draft_of
from truesend.sending.unsubscribing import WayOut, shown
from truesend.tracking import tokens
from truesend.tracking.quoted import OwnMarks
from truesend.tracking.rewrite import CLIPPED, CLIPS_AT, Rewritten, rewrite
from truesend.web.copy_preview import copy_of
from truesend.web.drafts import written

# In base64, with its line breaks; and the lines that introduce a part.
_BASE64, _PART_BYTES = 1.37, 400


def of_draft(draft: Email, asked: Mapping[str, str] | None = None, path: str = "") -> dict[str, Any]:
    """Context of partials/preview.html, but for the files.

    {from, to, cc, bcc, subject, text, links: [{text, target, tracked, reason}], track, taken_out, warnings, size, copy,
    ending}

    ``copy`` is which of separate copies it is (:mod:`truesend.web.copy_preview`), as ``asked`` says; None of others.
    ``ending`` is the sentence before the unsubscribe link of mail to many. ``size`` is in bytes. ``taken_out``: how
    many of our own marks in quoted text do not travel.
    """
    people = draft_of(written(draft))
    one = copy_of(draft, people, asked or {})
    ending = _ending(draft, people) if one is not None else None
    if one is not None:
        draft = one.email
        people = replace(people, to=[one.person], cc=[], bcc=[])
    sender = sender_of(draft.sender, draft.connection) if draft.connection else None
    rewritten = _as_sent(draft)
    text = OwnMarks(env.link_keys()).in_text(draft.text or to_text(draft.html))
    text = ending.in_text(text) if ending is not None else text
    return {
        "from": str(sender) if sender else "",
        "to": [str(one) for one in people.to],
        "cc": [str(one) for one in people.cc],
        "bcc": [str(one) for one in people.bcc],
        "subject": one_line(draft.subject),
        "text": text,
        "has_html": bool(draft.html),
        "links": [
            {
                "text": link.text,
                "target": link.target,
                "tracked": draft.track and link.reason is None,
                "reason": link.reason if draft.track else "",
            }
            for link in rewritten.links
        ],
        "track": draft.track and bool(draft.html),
        "taken_out": rewritten.taken_out,
        "warnings": rewritten.warnings,
        "copy": one.context(path) if one is not None else None,
        "ending": ending.sentence if ending is not None else "",
        "size": _size(draft, sender, people, rewritten.html, text),
    }


def _ending(draft: Email, people: Draft) -> WayOut | None:
    """The way out that copies to so many people carry; its link leads nowhere here."""
    recipients = people.recipients
    if len(recipients) < COPIES:
        return None
    if len(recipients) - len(suppressing.left_out(draft.organization_id, recipients)) < COPIES:
        return None
    return shown(draft.organization_id, draft.organization.name, _base(draft))


def _base(draft: Email) -> str:
    return tracking_host.own(draft.organization) or env.tracking_url()


def is_clipped(email: Email) -> bool:
    """Whether a tracked email is so large that mail programs cut it off."""
    if not email.track:
        return False
    if len(email.html) > CLIPS_AT and "/t/" not in email.html:
        return True
    # More than any address of the tracker and its token are: most mails are far from it, which is seen at a glance.
    most = 4 * len(email.html) + 500 * email.html.lower().count("href")
    return most > CLIPS_AT and CLIPPED in _as_sent(email).warnings


def _as_sent(draft: Email) -> Rewritten:
    """The HTML with marks as long as the real ones, of a delivery that does not exist: for measuring, never shown."""
    keys, base, nobody = env.link_keys(), _base(draft), uuid4()
    if not draft.track:
        return rewrite(draft.html, click_url=None, pixel_url=None, keys=keys)
    return rewrite(
        draft.html,
        keys=keys,
        track_shown=draft.organization.track_shown_addresses,
        click_url=lambda number, target: f"{base}/t/c/{tokens.sign_click(keys, nobody, number, target)}",
        pixel_url=f"{base}/t/o/{tokens.sign_open(keys, nobody)}.gif" if draft.html else None,
    )


def _size(draft: Email, sender: Mailbox | None, people: Draft, html: str, text: str) -> int:
    """Bytes of the whole message, near enough to read."""
    message = compose(
        Letter(
            delivery=uuid4(),
            sender=sender or Mailbox("nobody@truesend.invalid"),
            to=people.to,
            cc=people.cc,
            bcc=people.bcc,
            subject=draft.subject,
            html=html,
            text=text,
            files=(),
            date=clock.now(),
        )
    )
    sizes = Attachment.objects.filter(email_id=draft.pk).values_list("size", flat=True)
    return len(message) + sum(round(size * _BASE64) + _PART_BYTES for size in sizes)
