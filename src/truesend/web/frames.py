"""A mail's HTML alone in a frame: no scripts, no requests, and so never a live pixel, of quoted mails neither."""

from __future__ import annotations

from django.http import HttpResponse

from truesend import env
from truesend.tracking.rewrite import rewrite

# What a mail program would show where the mail brings no style itself.
_START = (
    '<!doctype html><meta charset="utf-8"><title>Email</title><base target="_blank">'
    "<style>body{font:15px/1.6 Georgia,serif;color:#222;margin:0;overflow-wrap:anywhere}"
    "img{max-width:100%}</style>"
)


def framed(html: str) -> HttpResponse:
    """Foreign HTML as a page of its own that our pages may frame."""
    html = rewrite(html, click_url=None, pixel_url=None, keys=env.link_keys()).html
    response = HttpResponse(f"{_START}{html}")
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    )
    response["Referrer-Policy"] = "no-referrer"
    return response
