"""Pages for people: templates with autoescape, one style sheet, a strict policy."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from truesend_sandbox.world import World

# form-action is left open on purpose: a consent form ends in a redirect to the application.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'"

_STYLE = files("truesend_sandbox").joinpath("static/sandbox.css").read_bytes()


def environment() -> Environment:
    """Jinja2 with everything escaped."""
    made = Environment(
        loader=PackageLoader("truesend_sandbox"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters["clock"] = _clock
    made.globals["urlpath"] = _path
    return made


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y, %H:%M:%S} UTC"


def _path(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="@")


def render(world: World, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A page that nobody caches, frames or runs scripts in."""
    html = world.templates.get_template(template).render(**values)
    return web.Response(
        status=status,
        text=html,
        content_type="text/html",
        headers={
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )


async def style(_: web.Request) -> web.Response:
    """The sandbox's own style sheet."""
    return web.Response(body=_STYLE, content_type="text/css", headers={"Cache-Control": "max-age=60"})
