"""What ``truesend rekey`` says at the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from truesend import env
from truesend.connections import homecoming, rekey
from truesend.connections.rekey import Told
from truesend.connections.secretbox import newest_key
from truesend.organizations import installation, known_keys
from truesend.organizations.models import KnownKey
from truesend.runtime.keys import fingerprint
from truesend.sending import workers

_SETTING = f"{env.PREFIX}ENCRYPTION_KEYS"
# So many rows are named for each column and key.
_NAMED = 20


def run() -> int:
    """Seal everything anew and say what came of it: 0 where all of it bears the newest key, else 1.

    Raises :class:`truesend.env.SettingError` for keys that are none, or other ones than they are called.
    """
    known_keys.check()
    newest = newest_key()
    if workers.living().exists() and not _is_known(newest):
        print(
            f"Nothing was changed: Truesend runs without the key called {newest}, and could read nothing that it seals."
            f" Start it again with {newest} in front of the others in {_SETTING}, on every machine, and come back."
        )
        return 1
    if installation.may_act():
        homecoming.bring_all()  # what was kept on this disk with an older key
    found = rekey.rekey()
    for line in _lines(found, newest):
        print(line)
    return 1 if any(one.without or one.damaged or one.left for one in found) else 0


def _is_known(name: str) -> bool:
    """Whether a worker has begun with that key."""
    key = dict(env.encryption_keys())[name]
    return KnownKey.objects.filter(
        kind=KnownKey.Kind.ENCRYPTION, name=name, fingerprint=fingerprint(key)
    ).exists()


def _lines(found: Sequence[Told], newest: str) -> list[str]:
    lines = [f"The newest key is called {newest}."]
    lines += [f"{one.name}: {one.done} sealed anew, {one.before} bore it already." for one in found]
    for one in found:
        for key, rows in sorted(one.without.items()):
            lines.append(
                f"{one.name}: {len(rows)} need the key called {key}, which is not in {_SETTING}. They were left as they"
                f" are: {_some(rows)}"
            )
        if one.damaged:
            lines.append(
                f"{one.name}: {len(one.damaged)} cannot be opened though their key is here. They were left as they are:"
                f" {_some(one.damaged)}"
            )
        if one.left:
            lines.append(f"{one.name}: {one.left} were being renewed all the time. Run this again.")
    older = [name for name, _ in env.encryption_keys() if name != newest]
    if len(lines) == 1 + len(found) and older:
        lines.append(f"Nothing in the database needs {' or '.join(older)} any more. Backups from before do.")
    return lines


def _some(rows: Sequence[str]) -> str:
    more = len(rows) - _NAMED
    return ", ".join(rows[:_NAMED]) + (f" and {more} more." if more > 0 else ".")
