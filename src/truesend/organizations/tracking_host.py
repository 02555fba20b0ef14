"""Where an organization's tracked links lead, when not to the installation's own address.

The address is looked at before it is used and every quarter of an hour after (:mod:`truesend.diagnostics.hosts`);
while it does not lead here, new mail has the installation's. Links that are out keep the address they were sent with.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit
from uuid import UUID

import idna
from django.db import transaction

from truesend import clock, env, live_events
from truesend.organizations import audit
from truesend.organizations.models import Member, Organization

_LONGEST = 253
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_ACTION = "organization.tracking_host"


class Unusable(ValueError):
    """What cannot be such an address, in a sentence for whoever typed it."""


def own(organization: Organization) -> str:
    """The organization's own address, without a trailing slash; empty where links lead to the installation's."""
    return organization.tracking_url if organization.tracking_failed_at is None else ""


def read(text: str) -> str:
    """`https://t.northwind.example` of what was typed; empty for the installation's own. Raises :class:`Unusable`.

    In dev an address and a port may be named, and plain http.
    """
    typed = text.strip()
    if not typed:
        return ""
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
        host, port = parts.hostname or "", parts.port
        host = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except ValueError:  # also what idna raises
        raise Unusable("That is no address. Type a host like t.example.com.") from None
    local = env.environment() == "dev"
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise Unusable("Links lead by https alone. Type a host like t.example.com.")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise Unusable("Type the host alone, without what stands before or after it.")
    if not _is_host(host) or not (local or (port is None and _is_name(host))):
        raise Unusable("That is no name of a host. Type one like t.example.com.")
    url = f"{parts.scheme}://{host}{f':{port}' if port else ''}"
    return "" if url == env.tracking_url().lower() else url


def _is_host(host: str) -> bool:
    return 0 < len(host) <= _LONGEST and all(_LABEL.fullmatch(one) for one in host.split("."))


def _is_name(host: str) -> bool:
    """Whether the internet could know it: `t.example.com`, and no number."""
    last = host.rpartition(".")[2]
    return "." in host and not last.isdecimal() and last not in {"localhost", "local", "internal"}


def leads_inside(url: str) -> bool:
    """Whether a host leads into a private network, where no recipient is and nobody may make us look."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, 443, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(not ipaddress.ip_address(one[4][0]).is_global for one in found)


def choose(by: Member, url: str) -> bool:
    """Let new links lead to ``url``, which was seen to lead here; empty: to the installation's. False: so already."""
    with transaction.atomic():
        row = Organization.objects.select_for_update(no_key=True).get(pk=by.organization_id)
        if row.tracking_url == url and row.tracking_failed_at is None:
            return False
        Organization.objects.filter(pk=row.pk).update(
            tracking_url=url, tracking_checked_at=clock.now() if url else None, tracking_failed_at=None
        )
        if row.tracking_url != url:
            here = env.tracking_url()
            audit.record(row.pk, by, _ACTION, words=f"{row.tracking_url or here} → {url or here}")
        live_events.publish(row.pk, "account", [row.pk])
    return True


def note(organization_id: UUID, url: str, why: str) -> bool:
    """Write down that ``url`` leads here (``why`` is empty) or not; whether that is news."""
    now = clock.now()
    rows = Organization.objects.filter(pk=organization_id, tracking_url=url)
    with transaction.atomic():
        if why:
            told = rows.filter(tracking_failed_at=None).update(tracking_failed_at=now)
            words = f"{why} New links lead to {env.tracking_url()} meanwhile."
        else:
            told = rows.filter(tracking_failed_at__isnull=False).update(tracking_failed_at=None)
            words = f"{url} leads here again."
        if told:
            audit.record(organization_id, None, _ACTION, words=words)
            live_events.publish(organization_id, "account", [organization_id])
    return bool(told)
