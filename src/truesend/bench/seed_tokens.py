"""Connections whose keys are to be renewed, straight into the database: ``python -m truesend.bench.seed_tokens``.

``stays|once COUNT``: so many connections of the first provider whose refresh tokens stay, or work once; twenty to an
organization, none of them due. Prints the provider's key.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

_EACH = 20
_AT_ONCE = 2_000
_LATER = timedelta(days=30)


def first(*, renews_once: bool) -> str:
    """The key of the first provider of that kind."""
    from truesend.providers.registry import PROVIDERS

    return next(key for key, one in PROVIDERS.items() if one.renews_once == renews_once)


def fill(provider: str, count: int) -> None:
    """Make them, each with its member, its sealed secrets and the proofs that a connection in use has."""
    from django.db import transaction

    from truesend import clock
    from truesend.connections.models import Connection, Proof, Token
    from truesend.connections.secretbox import seal
    from truesend.organizations.models import Member, Organization, Role, User
    from truesend.providers import registry
    from truesend.providers.contract import Capability

    now, scopes = clock.now(), registry.provider(provider).scopes([Capability.SEND])
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        organizations = [Organization(name=f"Northwind {number}") for number in numbers[::_EACH]]
        users = [User(email=f"{provider}-{number}@northwind.example", password="!") for number in numbers]  # noqa: S106 - no sign-in
        members = [
            Member(organization=organizations[place // _EACH], user=user, role=Role.USER)
            for place, user in enumerate(users)
        ]
        connections = [
            Connection(
                organization=member.organization,
                member=member,
                provider=provider,
                kind="personal",
                subject=f"bench-{number}",
                address=member.user.email,
                asked=["send"],
                granted_scopes=scopes,
                consented_at=now,
            )
            for number, member in zip(numbers, members, strict=True)
        ]
        tokens = [
            Token(
                connection=one,
                provider=provider,
                access=seal(f"ya29.a0{'a' * 160}", place=f"token.access:{one.pk}"),
                access_issued_at=now,
                access_expires_at=now + _LATER,
                # All alike: the mark makes the very same call.
                refresh=seal(f"1//0{'r' * 96}", place=f"token.refresh:{one.pk}"),
                due_at=now + _LATER,
            )
            for one in connections
        ]
        proofs = [
            Proof(connection=one, check_name=check, ok=True, call="token.code", at=now)
            for one in connections
            for check in ("grant", "renew", "scope")
        ]
        with transaction.atomic():
            Organization.objects.bulk_create(organizations)
            User.objects.bulk_create(users)
            Member.objects.bulk_create(members)
            Connection.objects.bulk_create(connections)
            Token.objects.bulk_create(tokens)
            Proof.objects.bulk_create(proofs)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truesend.settings")
    import django

    django.setup()
    chosen = first(renews_once=sys.argv[1] == "once")
    fill(chosen, int(sys.argv[2]))
    print(chosen)
