"""`{% load look %}`: icons, states, times, forms for one action, and the front end's built files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from truesend import clock
from truesend.web import components, undoing

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """``{% icon "ok" %}``: an inline picture, hidden from screen readers."""
    return components.icon(name)


@register.simple_tag
def state(name: str, words: str) -> SafeString:
    """``{% state "warn" "Unknown" %}``: shape, colour and words together. ``name`` is ``ok``, ``warn``, ``bad``,
    ``none``, ``accent``, ``eye`` or ``bot``.
    """
    return components.state(name, words)


@register.filter
def verdict_state(verdict: str) -> str:
    """The state that a verdict is drawn with."""
    return components.VERDICT_STATES[verdict]


@register.simple_tag
def strip(days: str) -> SafeString:
    """``{% strip card.strip %}``: the last days as small bars."""
    return components.strip(days)


@register.simple_tag
def asset(entry: str) -> SafeString:
    """``{% asset "main.ts" %}``: the style sheets and the script of one entry of the front end's build."""
    found = components.asset(entry)
    return format_html(
        '{}{}<script type="module" src="{}"></script>',
        format_html_join("", '<link rel="stylesheet" href="{}">', ((static(path),) for path in found.styles)),
        format_html_join(
            "", '<link rel="modulepreload" href="{}">', ((static(path),) for path in found.preloads)
        ),
        static(found.script),
    )


@register.simple_tag(takes_context=True)
def theme(context: Context) -> SafeString:
    """The attribute of ``<html>`` for the theme a person chose; nothing follows the system's."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme") if request is not None else None
    return format_html(' data-theme="{}"', chosen) if chosen in {"light", "dark"} else SafeString("")


@register.simple_tag
def server_now() -> str:
    """Truesend's time as RFC 3339, for the page's relative times."""
    return clock.now().isoformat(timespec="milliseconds")


@register.simple_tag
def moment(at: datetime | str | None, style: str = "clock") -> SafeString:
    """``{% moment item.at "ago" %}``: a ``<time>`` that the page writes in the reader's zone; without scripts it
    reads UTC. ``style`` is ``clock`` (10:12, Fri, 3 Mar), ``point`` (Fri 10:12), ``ago`` (5 min ago) or ``full``.
    A text must be RFC 3339.
    """
    if not at:
        return SafeString("")
    when = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(UTC)
    return format_html(
        '<time datetime="{}" data-time="{}">{}</time>',
        when.isoformat(timespec="milliseconds"),
        style,
        when.strftime("%Y-%m-%d %H:%M UTC") if style == "full" else when.strftime("%-d %b %H:%M"),
    )


@register.inclusion_tag("partials/action.html", takes_context=True)
def action(
    context: Context,
    label: str,
    url: str,
    method: str = "post",
    look: str = "",
    describes: str = "",
) -> dict[str, object]:
    """A button that does one thing: a form of its own, so that it works without scripts and is named as said.

    A ``get`` address may carry a query, which becomes hidden fields. ``look`` is ``primary``, ``text``, ``danger``
    or ``link``; ``describes`` tells a screen reader what it acts on where several buttons are named the same.
    """
    parts = urlsplit(url)
    is_get = method.lower() == "get"
    return {
        "label": label,
        "url": parts._replace(query="").geturl() if is_get else url,
        "method": "get" if is_get else "post",
        "fields": parse_qsl(parts.query, keep_blank_values=True) if is_get else [],
        "button_class": "link-button" if look == "link" else f"btn btn-{look}" if look else "btn",
        "describes": describes,
        "csrf_token": context.get("csrf_token"),
    }


# Addresses that change something take a POST; a fix names only label and address.
_POST_PATHS = re.compile(r"^/(connections|deliveries)/|^/emails/[^/]+/(release|cancel)$")


@register.inclusion_tag("partials/action.html", takes_context=True)
def fix(context: Context, what: Mapping[str, str], look: str = "") -> dict[str, object]:
    """``{% fix gate.fix "primary" %}``: the button that repairs, from ``{label, url, method?}``."""
    method = what.get("method") or ("post" if _POST_PATHS.search(what["url"]) else "get")
    return action(context, what["label"], what["url"], method, look)


@register.inclusion_tag("partials/field.html")
def field(bound: BoundField, hint: str = "") -> dict[str, object]:
    """One field of a form with its label, hint and errors, tied together for screen readers."""
    return {"field": bound, "hint": hint}


@register.simple_tag(takes_context=True)
def offered_undo(context: Context) -> dict[str, object] | None:
    """What was sent a moment ago and can be taken back; nothing where the page itself offers it (`undo`)."""
    return None if context.get("undo") else undoing.offered(context.get("request"))


@register.filter
def plain_text(html: str) -> str:
    """A draft's HTML as editable text."""
    return components.plain_text(html)
