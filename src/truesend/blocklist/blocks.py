"""Blocking and unblocking, for the operator of an installation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.db import connection, transaction

from truesend import env
from truesend.blocklist.hosts import host_of, is_host
from truesend.blocklist.mirror import CHANNEL
from truesend.blocklist.models import Block
from truesend.organizations import audit
from truesend.organizations.models import Organization, User
from truesend.sending.models import Delivery
from truesend.tracking import tokens

log = logging.getLogger("truesend.blocklist")

LONGEST_REASON = 500


class NotABlock(ValueError):
    """What was typed cannot be blocked; the message says why and what helps."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A block as the page shows it; ``label`` names what is blocked for people, ``sender`` whose copy it was."""

    block: Block
    label: str
    sender: str


def add(by: User | None, kind: str, what: str, reason: str) -> tuple[Block, bool]:
    """Block something; the block and whether it is new. Trackers follow within a second. Raises :class:`NotABlock`."""
    reason = " ".join(reason.split())
    if not reason:
        raise NotABlock("Type a reason: whoever looks at this list later wants to know it.")
    value = _value(kind, what.strip())
    with transaction.atomic():
        block, made = Block.objects.get_or_create(
            kind=kind, value=value, defaults={"reason": reason[:LONGEST_REASON], "created_by": by}
        )
        if made:
            audit.record_of(by, "installation.blocked", about=value, words=reason, ref=str(block.pk))
        _tell()
    if made:
        log.warning("Blocked by user %s: %s %s.", by.pk if by else "-", kind, value)
    return block, made


def remove(by: User | None, block: Block) -> None:
    """Lift a block; twice is fine."""
    with transaction.atomic():
        gone, _ = Block.objects.filter(pk=block.pk).delete()
        if gone:
            audit.record_of(by, "installation.unblocked", about=block.value, ref=str(block.pk))
        _tell()
    if gone:
        log.warning("Block lifted by user %s: %s %s.", by.pk if by else "-", block.kind, block.value)


def listed() -> list[Listed]:
    """All blocks, newest first."""
    blocks = list(Block.objects.select_related("created_by").order_by("-created_at", "value"))
    names = _names([UUID(one.value) for one in blocks if one.kind == Block.Kind.ORGANIZATION])
    senders = _senders([UUID(one.value) for one in blocks if one.kind == Block.Kind.DELIVERY])
    return [Listed(one, names.get(one.value, one.value), senders.get(one.value, "")) for one in blocks]


def _names(ids: Sequence[UUID]) -> dict[str, str]:
    return {str(pk): name for pk, name in Organization.objects.filter(pk__in=ids).values_list("pk", "name")}


def _senders(ids: Sequence[UUID]) -> dict[str, str]:
    found = Delivery.objects.filter(pk__in=ids).values_list("pk", "email__organization__name")
    return {str(pk): name for pk, name in found}


def _tell() -> None:
    def notify() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])

    transaction.on_commit(notify)


def _value(kind: str, what: str) -> str:
    if not what:
        raise NotABlock("Type what to block.")
    if kind == Block.Kind.HOST:
        return _host(what)
    if kind == Block.Kind.DELIVERY:
        return _delivery(what)
    if kind == Block.Kind.ORGANIZATION:
        return _organization(what)
    raise NotABlock("Choose what to block: a host, an organization, or one copy of an email.")


def _host(what: str) -> str:
    """Of a host, an address, or one of our tracking links, which is what a complaint quotes."""
    token = _token(what)
    text = token.target if isinstance(token, tokens.ClickToken) else what.removeprefix("*.")
    host = host_of(text)
    if not is_host(host):
        raise NotABlock(
            f"“{what[:80]}” is no host that can be blocked. Type one like evil.example, or an address on it."
        )
    if host in {host_of(env.public_url()), host_of(env.tracking_url())}:
        raise NotABlock("That is this installation's own host.")
    return host


def _delivery(what: str) -> str:
    token = _token(what)
    delivery = token.delivery if token is not None else _id(what)
    if delivery is None:
        raise NotABlock("Type the id of a delivery, or paste one of its links as it stands in the mail.")
    return str(delivery)


def _organization(what: str) -> str:
    wanted = _id(what)
    token = _token(what)
    if token is not None:
        sent = Delivery.objects.filter(pk=token.delivery).values_list("email__organization_id", flat=True)
        wanted = sent.first()
    found = Organization.objects.filter(pk=wanted) if wanted else Organization.objects.filter(name=what)
    ids = list(found.values_list("pk", flat=True)[:2])
    if not ids:
        raise NotABlock(
            f"No organization is called “{what[:80]}”. Its name, its id, or one of its links will do."
        )
    if len(ids) > 1:
        raise NotABlock(
            f"Several organizations are called “{what[:80]}”. Type its id, or paste one of its links."
        )
    return str(ids[0])


def _token(what: str) -> tokens.OpenToken | tokens.ClickToken | None:
    """What a pasted tracking address holds, where our keys verify it."""
    if "/" not in what:
        return None
    try:
        return tokens.read(env.link_keys(), urlsplit(what).path.rpartition("/")[2].removesuffix(".gif"))
    except ValueError:  # no address, or none of ours
        return None


def _id(what: str) -> UUID | None:
    try:
        return UUID(what)
    except ValueError:
        return None
