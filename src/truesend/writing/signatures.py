"""Signatures: one for each connection of a member, put into an email where its writer sees it, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from truesend import clock
from truesend.organizations.models import Member
from truesend.sending.quoting import SIGNATURE_CLASS
from truesend.writing.models import Signature


def of(member: Member, connection_id: UUID) -> str:
    """The HTML of a member's signature for a connection; empty where there is none."""
    found = Signature.objects.filter(member=member, connection_id=connection_id).first()
    return found.html if found is not None else ""


def of_all(member: Member, connections: Iterable[UUID]) -> dict[UUID, str]:
    """The same of many, without those that have none."""
    rows = Signature.objects.filter(member=member, connection__in=list(connections))
    return dict(rows.values_list("connection_id", "html"))


def keep(member: Member, connection_id: UUID, html: str) -> None:
    """Keep it; without words there is none any more."""
    if not html.strip():
        Signature.objects.filter(member=member, connection_id=connection_id).delete()
        return
    Signature.objects.update_or_create(
        member=member, connection_id=connection_id, defaults={"html": html, "updated_at": clock.now()}
    )


def block(html: str) -> str:
    """A signature as it stands in an email; nothing where there is none."""
    return f'<div class="{SIGNATURE_CLASS}">{html}</div>' if html else ""
