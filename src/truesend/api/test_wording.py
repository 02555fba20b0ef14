"""What is said of a request that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from truesend.api import wording
from truesend.api.schemas import DraftIn

FILE = {"name": "x", "content_base64": ""}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"to": "a@b.example"}, "to must be a list"),
        ({"to": ["a\x00@b.example"]}, "to.0 contains a NUL character"),
        ({"subject": "\ud800"}, "subject contains half a character"),
        ({"subject": "x" * 999}, "subject may have 998 characters at most"),
        ({"html": "x" * (5 * 1024 * 1024 + 1)}, "html may have 5,242,880 characters at most"),
        ({"k" * 5_000_000: 1}, "k" * 59 + "… is no field of this request"),
        ({"a\u202eb": 1}, "a�b is no field of this request"),
        ({"track": "yes"}, "track must be true or false"),
        (
            {"reply_to_email": "x\r\nBcc: e@x.example"},
            "reply_to_email is not an id",
        ),
        ({"connection": "x"}, "connection is not an id"),
        ({"undo_seconds": -1}, "undo_seconds must be 0 or more"),
        ({"undo_seconds": 10**30}, "undo_seconds may be 3600 at most"),
        ({"undo_seconds": float("inf")}, "undo_seconds must be a whole number"),
        ({"undo_seconds": True}, "undo_seconds is not a number"),
        ({"send_at": "tomorrow"}, "send_at must be a time such as 2026-11-22T10:00:00Z"),
        ({"send_at": "2026-11-22T10:00:00"}, "send_at must name its time zone, such as 2026-11-22T10:00:00Z"),
        ({"send_at": "9999-12-31T23:59:59-23:59"}, "send_at must lie before the year 2100"),
        ({"attachments": [FILE] * 1000}, "attachments may have 100 entries at most"),
        ({"attachments": [{}]}, "attachments.0.name is missing; attachments.0.content_base64 is missing"),
        ({"attachments": [{**FILE, "content_base64": "%%%"}]}, "attachments.0.content_base64 is not base64"),
        ({"attachments": [{**FILE, "content_base64": "YQ"}]}, "attachments.0.content_base64 is not base64"),
        (
            {"attachments": [{**FILE, "name": "n" * 10_240}]},
            "attachments.0.name may have 255 characters at most",
        ),
        ({"attachments": [{**FILE, "name": ""}]}, "attachments.0.name must not be empty"),
        (
            {"attachments": [{**FILE, "type": "text/html\r\nX: y"}]},
            "attachments.0.type must be a media type such as application/pdf",
        ),
        (
            dict.fromkeys(("to", "cc", "bcc", "subject", "html", "text", "attachments"), 3),
            "to must be a list; cc must be a list; bcc must be a list; subject must be a text; html must be a text; "
            "and 2 more",
        ),
    ],
)
def test_every_slip_is_said_in_plain_words(body: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        DraftIn.model_validate(body)
    # As the framework hands them on.
    errors = [{**one, "loc": ("body", "draft", *one["loc"])} for one in refused.value.errors()]
    assert wording.sentence(wording.fields(errors)) == f"The request cannot be read: {said}."


@pytest.mark.parametrize(
    "given", ["text/plain; charset=utf-8", "message/rfc822", "multipart/mixed", "image/svg+xml"]
)
def test_media_types_that_are_taken(given: str) -> None:
    assert DraftIn.model_validate({"attachments": [{**FILE, "type": given}]}).attachments[0].type == given
