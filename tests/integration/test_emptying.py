"""A test that commits leaves nothing to the next one."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from tests import emptying, rows

from truesend.organizations import audit
from truesend.sending.models import Delivery, DeliveryStatus, Email, EmailStatus


@pytest.mark.django_db(transaction=True)
def test_every_row_is_gone_and_what_was_migrated_stays() -> None:
    owner = rows.member()
    mailbox = rows.mailbox(owner)
    email = Email.objects.create(
        organization=owner.organization, member=owner, connection=mailbox, status=EmailStatus.QUEUED
    )
    Delivery.objects.create(email=email, connection=mailbox, status=DeliveryStatus.ACCEPTED)
    audit.record(owner.organization_id, owner, "token.made")
    emptying.empty()
    assert [model for model in apps.get_models() if model._default_manager.exists()] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations")
        assert cursor.fetchone()[0] > 10
