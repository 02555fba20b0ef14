"""Pictures in the text of an email: files of it that the HTML calls by their content id (`cid:`, RFC 2392)."""

from __future__ import annotations

import base64
import re
from uuid import UUID

from truesend.sending.models import Attachment

LARGEST = 5 * 1024 * 1024
_USED = re.compile(r"""\bcid:([A-Za-z0-9.@_+-]{1,80})""", re.IGNORECASE)
_SHOWN = re.compile(r"""(<img\b[^>]*?\bsrc\s*=\s*["']?)cid:([A-Za-z0-9.@_+-]{1,80})""", re.IGNORECASE)
# How the kinds that every mail program shows begin; what a file claims to be is not believed.
_BEGINNINGS = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)


def kind_of(beginning: bytes) -> str:
    """The media type of a picture by its first bytes; empty for what is none that can stand in a text."""
    return next((kind for pattern, kind in _BEGINNINGS if pattern.match(beginning)), "")


def id_of(attachment_id: UUID) -> str:
    """What a text calls a picture that is stored with its email."""
    return f"{attachment_id}@truesend"


def used_in(html: str) -> set[str]:
    """The content ids that a text names."""
    return set(_USED.findall(html)) if "cid:" in html.lower() else set()


def shown_in(html: str) -> list[str]:
    """The content ids of the pictures that a text shows, in its order."""
    return [found[2] for found in _SHOWN.finditer(html)] if "cid:" in html.lower() else []


def drop_unused(email_id: UUID, html: str) -> None:
    """Of an email that goes out: what was taken out of its text again stays behind."""
    Attachment.objects.filter(email_id=email_id).exclude(content_id="").exclude(
        content_id__in=used_in(html)
    ).delete()


def with_data(html: str, email_id: UUID) -> str:
    """A text whose pictures are in it as `data:`, for a page that may load nothing."""
    wanted = used_in(html)
    if not wanted:
        return html
    stored = Attachment.objects.filter(
        email_id=email_id, content_id__in=wanted, content_type__startswith="image/"
    )
    shown = {
        one.content_id: f"data:{one.content_type};base64,{base64.b64encode(one.content).decode()}"
        for one in stored
        if one.size <= LARGEST
    }
    return _SHOWN.sub(lambda found: found[1] + shown.get(found[2], f"cid:{found[2]}"), html)
