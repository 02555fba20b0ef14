"""Which keys this installation has had: a link in a mailbox outlives the ring that signed it."""

from __future__ import annotations

from truesend import clock, env
from truesend.env import SettingError
from truesend.organizations.models import KnownKey
from truesend.runtime.keys import fingerprint


def note() -> None:
    """Remember the keys of this process, as far as it has some; a worker does when it begins."""
    now = clock.real_now()
    for kind, read in ((KnownKey.Kind.ENCRYPTION, env.encryption_keys), (KnownKey.Kind.LINK, env.link_keys)):
        try:
            ring = read()
        except SettingError:
            continue  # it will be told by whatever needs it
        for name, key in ring:
            KnownKey.objects.update_or_create(
                kind=kind,
                name=name,
                fingerprint=fingerprint(key),
                defaults={"last_at": now},
                create_defaults={"first_at": now, "last_at": now},
            )
