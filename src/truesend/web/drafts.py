"""Drafts: what comes in by form or JSON, and storing it so that nothing typed is lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.http import Http404
from django.utils.html import linebreaks, urlize

from truesend import clock
from truesend.organizations.access import access_connection
from truesend.organizations.models import Member
from truesend.sending import attachments, people_lists
from truesend.sending.addresses import split
from truesend.sending.beginnings import begin
from truesend.sending.lines import storable
from truesend.sending.models import Email, EmailStatus
from truesend.sending.submit import Written, draft_of

# A pasted list of some thousand people is kept, and told that it is too long.
LONGEST_LINE = 200_000
LONGEST_HTML = 2_000_000


def written(draft: Email) -> Written:
    """A draft as sending wants it."""
    return Written(
        connection=draft.connection,
        to=draft.to,
        cc=draft.cc,
        bcc=draft.bcc,
        subject=draft.subject,
        html=draft.html,
        stored=attachments.enclosed(draft.pk, draft.html),
        separate_copies=draft.separate_copies,
        people=people_lists.of(draft.pk),
        track=draft.track,
        reply_to_id=draft.reply_to_id,
        sender=draft.sender,
    )


class Unreadable(ValueError):
    """What came in is not a draft."""


def fields_of(member: Member, values: dict[str, Any]) -> dict[str, Any]:
    """Form or JSON values as fields of a draft."""
    texts = {name: values.get(name, "") for name in ("to", "cc", "bcc", "subject", "html", "connection")}
    if not all(isinstance(value, str) for value in texts.values()):
        raise Unreadable("A field is not a text.")
    if not all(storable(value) for value in texts.values()):
        raise Unreadable("The text contains a character that cannot be stored.")
    if len(texts["html"]) > LONGEST_HTML or any(
        len(texts[name]) > LONGEST_LINE for name in ("to", "cc", "bcc", "subject")
    ):
        raise Unreadable("The email is too long to keep.")
    if not texts["html"] and isinstance(values.get("text"), str) and values["text"].strip():
        texts["html"] = linebreaks(urlize(values["text"], autoescape=True))
    # “id/address”: another address of that account.
    account, _, sender = texts["connection"].partition("/")
    if sender and (len(sender) > 320 or not sender.isprintable() or "@" not in sender):
        raise Unreadable("The address to send from is not one.")
    try:
        connection = access_connection(member, UUID(account)) if account else None
    except ValueError:
        raise Unreadable("The account to send from is not one.") from None
    return {
        "to": split(texts["to"]),
        "cc": split(texts["cc"]),
        "bcc": split(texts["bcc"]),
        "subject": texts["subject"],
        "html": texts["html"],
        "connection": connection,
        "sender": sender if connection is not None else "",
        **_track(values),
        **_copies(values),
    }


def _track(values: dict[str, Any]) -> dict[str, bool]:
    """The tracking switch where the page has one: an empty box of a plain form is not sent at all."""
    if "track" not in values and "track_shown" not in values:
        return {}
    return {"track": values.get("track", "") in {"on", True}}


def _copies(values: dict[str, Any]) -> dict[str, bool]:
    """The choice of copies where the page has it."""
    if "separate_copies" not in values:
        return {}
    return {"separate_copies": values["separate_copies"] in {"on", True}}


def shown(draft: Email) -> dict[str, str]:
    """A stored draft's fields as the page writes them."""
    return {
        **{name: ", ".join(getattr(draft, name)) for name in ("to", "cc", "bcc")},
        "subject": draft.subject,
        "html": draft.html,
        "connection": "/".join(filter(None, [str(draft.connection_id or ""), draft.sender])),
        "track": "on" if draft.track else "",
        "separate_copies": "on" if draft.separate_copies else "",
    }


class Sent(Exception):
    """The draft is ``email`` already; ``same`` where that says what was to be saved."""

    def __init__(self, email: Email, *, same: bool) -> None:
        super().__init__("sent")
        self.email = email
        self.same = same


class Changed(Exception):
    """The draft has another revision than the page that saves it."""

    def __init__(self, stored: Email, *, same: bool) -> None:
        super().__init__("changed")
        self.stored = stored
        self.same = same


def save(member: Member, email_id: UUID, fields: dict[str, Any], revision: int | None = None) -> int:
    """Store a draft of one's own; its new revision. Somebody else's id is a 404.

    ``revision`` is the one the page was made from (0: none); without it the last save wins. Raises
    :class:`Changed` or :class:`Sent`.
    """
    now = clock.now()
    with transaction.atomic():
        own = Email.objects.filter(pk=email_id, member=member, status=EmailStatus.DRAFT)
        guarded = own if revision is None else own.filter(revision=revision)
        if guarded.update(**fields, updated_at=now, revision=F("revision") + 1):
            return int(own.values_list("revision", flat=True).get())
        email, made = begin(member, email_id, revision=1, **fields)
        if made:
            return 1
        # Two first saves of one page at once: the one without a revision is the page's last word.
        if revision is None and own.update(**fields, updated_at=now, revision=F("revision") + 1):
            return int(own.values_list("revision", flat=True).get())
    if email.member_id != member.pk:
        raise Http404
    if email.status != EmailStatus.DRAFT:
        raise Sent(email, same=same_words(email, fields))
    raise Changed(email, same=all(getattr(email, name) == value for name, value in fields.items()))


def same_words(email: Email, fields: dict[str, Any]) -> bool:
    """Whether a sent email says what a page still shows; addresses were brought into one form when it was sent."""
    shown = draft_of(Written(**fields, people=people_lists.of(email.pk)))
    return (
        email.subject == fields["subject"]
        and email.html == fields["html"]
        and [email.to, email.cc, email.bcc]
        == [[str(one) for one in two] for two in (shown.to, shown.cc, shown.bcc)]
    )


def revision_of(values: dict[str, Any]) -> int | None:
    """The revision a page sends, or None: an old page or a script sends none."""
    if values.get("revision") in (None, ""):
        return None
    text = str(values["revision"])
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Unreadable("The revision is not a number.")
    return int(text)
