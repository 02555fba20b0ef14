"""Rows that tests of the domain begin with, written past consent and sign-up."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from truesend import clock
from truesend.connections.models import Connection
from truesend.organizations.models import Member, Organization, User


def member(name: str = "ana") -> Member:
    """The owner of an organization of their own."""
    user = User.objects.create_user(f"{name}@northwind.example")
    organization = Organization.objects.create(name="Northwind")
    return Member.objects.create(organization=organization, user=user, role="owner")


def mailbox(owner: Member, **fields: Any) -> Connection:
    """A personal connection that was asked to send, of which nothing is proved; ``fields`` say otherwise."""
    given = {
        "provider": "google",
        "kind": "personal",
        "subject": uuid4().hex,
        "address": owner.user.email,
        "asked": ["send"],
        "granted_scopes": [],
        "consented_at": clock.now(),
        **fields,
    }
    return Connection.objects.create(organization=owner.organization, member=owner, **given)
