"""Which keys this installation has had: a link in a mailbox outlives the ring that signed it, and so does a secret."""

from __future__ import annotations

from django.db import Error as DatabaseUnable
from django.db import connection

from truesend import clock, env
from truesend.env import SettingError
from truesend.organizations.models import KnownKey
from truesend.runtime.keys import fingerprint


def check() -> None:
    """Before a process works: no encryption key at hand is another one than what the database was used with.

    Raises :class:`SettingError` for one that bears a known name and is another: it would open nothing, so that every
    connection would be told broken, and what it sealed the right one would not open. A key that is not at hand at all
    is told by the connections that need it, and by the doctor. A database that is away is not asked.
    """
    try:
        ring = env.encryption_keys()
    except SettingError:
        return  # it is told by whatever needs one
    try:
        known = KnownKey.objects.filter(kind=KnownKey.Kind.ENCRYPTION).order_by("-first_at")
        # The first that was called so is the one.
        first = {one.name: bytes(one.fingerprint) for one in known}
    except DatabaseUnable:
        return
    finally:
        if not connection.in_atomic_block:
            connection.close()
    for name, key in ring:
        if first.get(name) not in {None, fingerprint(key)}:
            raise SettingError(
                f"The encryption key called {name} is another one than what the database was used with. Put back the"
                f" key that was called so; a new one needs a name of its own in {env.PREFIX}ENCRYPTION_KEYS."
            )


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
