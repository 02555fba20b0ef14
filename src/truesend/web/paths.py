"""Addresses of this site that came in a query: where a member goes on when something is done."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

from django.utils.http import url_has_allowed_host_and_scheme

HOME = "/integration"


def local_path(path: str) -> str:
    """A path of this site that can be stored, or the integrations page."""
    fine = (
        path.startswith("/")
        and path.isprintable()
        and len(path) <= 500
        and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    )
    return path if fine else HOME


def with_query(path: str, **more: str) -> str:
    """The path with these added to its query."""
    parts = urlsplit(path)
    query = "&".join(part for part in (parts.query, urlencode(more)) if part)
    return urlunsplit(("", "", parts.path, query, parts.fragment))
