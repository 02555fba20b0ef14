"""What is written to an organization tells hours and days by its own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.billing import ana
from tests.copies import mailbox

from truesend.alerts import texts
from truesend.billing import words
from truesend.billing.state import Standing, State
from truesend.connections.describe import described_all
from truesend.connections.models import Connection
from truesend.organizations.models import Member
from truesend.providers.contract import Capability

__all__ = ["ana"]  # a fixture

pytestmark = pytest.mark.django_db


def test_mails_tell_hours_by_the_organizations_clock(ana: Member) -> None:
    ana.organization.zone = "Asia/Tokyo"
    ana.organization.save(update_fields=["zone"])
    made = mailbox(ana, [Capability.SEND])
    (described,) = described_all(Connection.objects.filter(pk=made.pk))
    at = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)
    mail = texts.due(described, at, count=2)
    assert mail.subject.endswith("at 07:30 JST")
    assert "the first at 07:30 JST on 1 January" in mail.body
    assert "not worked since 07:30 JST on 1 January." in texts.recovered(described, at, held=0).body
    tries = Standing(State.TRIAL, None, stops_at=at)
    now = at - timedelta(days=3)
    assert words.ends("N", tries, now, "Asia/Tokyo") == "N's trial ends in 3 days, on 1 January."
    assert words.ends("N", tries, now) == "N's trial ends in 3 days, on 31 December."
