"""A tracking host that leads here no more is told to the owners by mail, once, and once more when it does again."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from truesend import env
from truesend.alerts import post, texts
from truesend.alerts.models import Letter
from truesend.organizations import members, tracking_host
from truesend.organizations.models import Organization


def note(organization_id: UUID, url: str, why: str) -> None:
    """Write down what a look at an organization's host has shown (``why``: empty, or a sentence); tell what is new."""
    with transaction.atomic():
        before = Organization.objects.filter(pk=organization_id, tracking_url=url).first()
        if before is None or not tracking_host.note(organization_id, url, why):
            return
        row = Organization.objects.get(pk=organization_id)
        if row.tracking_failed_at is not None:
            text = texts.host_failed(row, why, env.tracking_url())
            to = [one.user.email for one in members.owners(organization_id)]
            post.plan(Letter.Kind.HOST, _about(row), to, text)
        elif before.tracking_failed_at is not None:
            # What was over before it was sent is told to nobody.
            post.take_back(Letter.Kind.HOST, _about(before))
            to = post.told(Letter.Kind.HOST, _about(before))
            text = texts.host_leads_again(row, before.tracking_failed_at)
            post.plan(Letter.Kind.HOST_LEADS, _about(before), to, text)


def _about(row: Organization) -> str:
    """One trouble: of which organization, and since when."""
    assert row.tracking_failed_at is not None
    return f"host {row.pk} {row.tracking_failed_at.timestamp():.6f}"
