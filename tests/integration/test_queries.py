"""No page of emails asks the database more than a dozen times, whatever is on it."""

from __future__ import annotations

import random
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.copies import Copy, email_of, mailbox, member_of
from tests.integration.test_finding import signals

from truesend.organizations.models import Member, Organization, Role
from truesend.providers.contract import Capability
from truesend.tracking.models import Signal

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 12
# Whose installation this is, and its clients at providers, are believed for a second each and asked in between.
_ASIDE = re.compile("organizations_installation|connections_providerclient")
KINDS = (
    [Copy("accepted")],
    [Copy("accepted")] * 20,
    [Copy("refused", "recipient_refused", "No such user")],
    [Copy("accepted"), Copy("refused", "recipient_refused")],
    [Copy("queued", held="grant_revoked")],
    [Copy("queued", held="daily_limit", due=3600)],
    [Copy("unknown", look=60)],
    [Copy("unknown")],
    [Copy("queued", due=0)],
    [Copy("accepted"), Copy("sending")],
)


@pytest.fixture
def ana() -> Member:
    """With emails of every kind, and signals of every kind."""
    member = member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)
    box, dice = mailbox(member, [Capability.SEND, Capability.READ]), random.Random(7)
    for copies in KINDS * 3:
        email = email_of(member, box, *copies)
        ids = list(email.deliveries.values_list("pk", flat=True))
        Signal.objects.bulk_create(signals(email, ids, dice, 12))
    return member


def asked(ana: Member, path: str) -> list[str]:
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(ana.user)
    client.get(path)  # what a session writes at first
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get(path)
    assert answer.status_code == 200
    return [one["sql"] for one in queries.captured_queries if not _ASIDE.search(one["sql"])]


@pytest.mark.parametrize(
    "path",
    [
        "/emails",
        "/emails/rows",
        "/emails?q=contract",
        "/emails?filter=opened",
        "/emails?filter=needs",
        "/emails?filter=failed&q=contract",
    ],
)
def test_the_list(ana: Member, path: str) -> None:
    told = asked(ana, path)
    assert len(told) <= MOST, "\n".join(told)


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_an_email(ana: Member, kind: int) -> None:
    email = list(ana.emails.order_by("created_at"))[kind]
    for path in (f"/emails/{email.pk}", f"/emails/{email.pk}/timeline"):
        told = asked(ana, path)
        assert len(told) <= MOST, "\n".join(told)
