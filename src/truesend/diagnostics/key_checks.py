"""Whether the keys at hand open what the database holds, and verify the links that are out there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql

from truesend import env
from truesend.connections.secretbox import SEALED, Column, SecretUnreadable, open_sealed
from truesend.diagnostics.database_checks import Connection, missing
from truesend.diagnostics.findings import Finding, Fix, ok, warning, wrong
from truesend.env import PREFIX, SettingError
from truesend.runtime.keys import fingerprint

_NAME = f"{PREFIX}ENCRYPTION_KEYS"


@dataclass
class _Found:
    """How many sealed values there are by the name of their key, and whether one of each opens."""

    counts: dict[str, int] = field(default_factory=dict)
    shut: set[str] = field(default_factory=set)


def encryption(connection: Connection, data: Path) -> Finding:
    """Every key that the database needs is here, and is the right one."""
    check = "encryption keys"
    try:
        ring = dict(env.encryption_keys())
    except SettingError as error:
        return wrong(check, str(error), Fix(f"Set {_NAME} to the keys that this database was used with."))
    found = _Found()
    for column in SEALED:
        if not missing(connection, column.table):
            _look(connection, column, ring, found)
    lost = sorted(found.counts.keys() - ring.keys())
    if lost:
        return _lost(check, lost, found, data)
    if found.shut:
        names = " and ".join(sorted(found.shut))
        return wrong(
            check,
            f"The encryption key called {names} is another one than what the database was sealed with.",
            Fix(f"Put back the key that was called so: into {_NAME}, or into {data / 'encryption_keys'}."),
        )
    total = sum(found.counts.values())
    return ok(
        check,
        {0: "The database holds no secret yet.", 1: "They open the one secret in the database."}.get(
            total, f"They open all {total} secrets in the database."
        ),
    )


def _look(connection: Connection, column: Column, ring: dict[str, bytes], found: _Found) -> None:
    table, row, name = (sql.Identifier(one) for one in (column.table, column.row, column.name))
    key = sql.SQL("substr({0}, 2, get_byte({0}, 0))").format(name)
    query = sql.SQL(
        "SELECT {key}, count(*), (array_agg({row}::text))[1], (array_agg({name}))[1] FROM {table}"
        " WHERE length({name}) > 1 GROUP BY 1"
    ).format(key=key, row=row, name=name, table=table)
    for key_name, count, pk, sample in connection.execute(query):
        named = bytes(key_name).decode("utf-8", "replace")
        found.counts[named] = found.counts.get(named, 0) + count
        if named not in ring:
            continue
        try:
            open_sealed(sample, place=f"{column.place}:{pk}")
        except SecretUnreadable:
            found.shut.add(named)


def _lost(check: str, lost: list[str], found: _Found, data: Path) -> Finding:
    count = sum(found.counts[name] for name in lost)
    names = " and ".join(lost)
    sentence = (
        f"{count} secret{'s' * (count > 1)} in the database cannot be opened: the encryption key called {names} is"
        f" not in {_NAME}."
    )
    file = data / "encryption_keys"
    if _holds(file, found.counts.keys()):
        return wrong(
            check,
            sentence,
            Fix(
                f"{file} holds it, and is not looked at while {_NAME} is set: unset that and start Truesend again.",
                unset=(_NAME,),
            ),
        )
    where = f"{file} holds it. " if _holds(file, set(lost)) else "Look for it in your backup. "
    return wrong(
        check,
        sentence,
        Fix(
            f"{where}Put it back into {_NAME}, behind those that are there (id:base64, with a comma between), and "
            "start Truesend again. If it is lost for good, every account has to be reconnected, and the clients of the "
            "providers entered again."
        ),
    )


def _holds(file: Path, names: Iterable[str]) -> bool:
    """Whether a file of keys holds all of these."""
    try:
        ring = dict(env.keys_of("ENCRYPTION_KEYS", file.read_text(encoding="utf-8").strip()))
    except (OSError, UnicodeDecodeError, SettingError):
        return False
    return set(names) <= ring.keys()


def links(connection: Connection) -> Finding:
    """The links in mails that were sent: each was signed by a key that must stay."""
    check = "link keys"
    try:
        ring = {name: fingerprint(key) for name, key in env.link_keys()}
    except SettingError as error:
        return wrong(
            check, str(error), Fix(f"Set {PREFIX}LINK_KEYS to the keys that signed the links so far.")
        )
    rows = []
    if not missing(connection, "organizations_knownkey"):
        rows = connection.execute(
            "SELECT name, fingerprint, last_at FROM organizations_knownkey WHERE kind = 'link' ORDER BY last_at"
        ).fetchall()
    gone = [(name, at) for name, print_, at in rows if ring.get(name) != bytes(print_)]
    if not gone:
        return ok(check, f"{len(ring)} key{'s' * (len(ring) > 1)}; every link that was sent can be verified.")
    name, at = gone[-1]
    return warning(
        check,
        f"The link key called {name}, in use until {at:%Y-%m-%d}, is not in {PREFIX}LINK_KEYS: links in mails that it"
        " signed lead to a page that says so.",
        Fix(
            f"Put it back into {PREFIX}LINK_KEYS, behind the newest, and start Truesend again. Where it was taken out "
            "on purpose, nothing is to be done."
        ),
    )
