"""Which keys this installation has had: a link in a mailbox outlives the ring that signed it."""

from __future__ import annotations

from truesend import clock, env
from truesend.organizations.models import KnownKey
from truesend.runtime.keys import fingerprint


def note() -> None:
    """Remember the keys of this process; a worker does when it begins."""
    now = clock.real_now()
    rings = {KnownKey.Kind.ENCRYPTION: env.encryption_keys(), KnownKey.Kind.LINK: env.link_keys()}
    for kind, ring in rings.items():
        for name, key in ring:
            KnownKey.objects.update_or_create(
                kind=kind,
                name=name,
                fingerprint=fingerprint(key),
                defaults={"last_at": now},
                create_defaults={"first_at": now, "last_at": now},
            )
