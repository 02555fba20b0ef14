"""Blocked links stay blocked when their organization is erased: its deliveries are known by their ids alone then."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from truesend.blocklist.models import Block, Outlived


def keep(organization_id: UUID, deliveries: Sequence[UUID]) -> None:
    """Note deliveries that are about to go, where the operator has blocked their organization's links."""
    if Block.objects.filter(kind=Block.Kind.ORGANIZATION, value=str(organization_id)).exists():
        rows = [Outlived(delivery=one, organization=organization_id) for one in deliveries]
        Outlived.objects.bulk_create(rows, ignore_conflicts=True)
