"""A mail's HTML alone in a frame: no scripts, no requests, and so never a live pixel, of quoted mails neither."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.http import HttpResponse

from truesend import env
from truesend.sending.pictures import with_data
from truesend.tracking.rewrite import rewrite
from truesend.web.marks import STYLE, marked

# What a mail program would show where the mail brings no style itself; and what tells our page that it has come.
_START = (
    '<!doctype html><meta charset="utf-8"><meta name="truesend-mail"><title>Email</title><base target="_blank">'
    "<style>html{padding-top:10px}body{font:15px/1.6 Georgia,serif;color:#222;margin:0;overflow-wrap:anywhere}"
    "img{max-width:100%}</style>"
)


def framed(html: str, clicks: Mapping[int, int] | None = None, *, email: UUID | None = None) -> HttpResponse:
    """Foreign HTML as a page of its own that our pages may frame.

    ``clicks`` by the number of the link: then the links carry badges, and our page may look into the frame to keep
    them fresh. That is safe because no script runs in it: its sandbox allows none and its policy neither. ``email``:
    whose pictures the HTML may show.
    """
    html = rewrite(html, click_url=None, pixel_url=None, keys=env.link_keys()).html
    start, same_origin = _START, ""
    if clicks is not None:
        html, start, same_origin = (
            marked(html, clicks),
            f"{_START}<style>{STYLE}</style>",
            " allow-same-origin",
        )
    if email is not None:
        html = with_data(html, email)
    response = HttpResponse(f"{start}{html}")
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
        f"sandbox allow-popups allow-popups-to-escape-sandbox{same_origin}"
    )
    response["Referrer-Policy"] = "no-referrer"
    return response
