"""Who uses which Keap app: an account is a person by email; in each of its apps it is a user with a local id."""

from __future__ import annotations

import hashlib
import re
import string

from truesend_sandbox import accounts
from truesend_sandbox.accounts import Account
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

PROVIDER = "keap"
HOST = ".infusionsoft.com"
"""What follows the app's name in scopes, headers and `tenant` answers (keap.md §1)."""

_TENANT = re.compile(r"[a-z][a-z0-9-]{1,39}")


def tenant_name(text: object) -> str:
    """An app's short name. Raises `ValueError` when it is none; `xy123.infusionsoft.com` is taken too."""
    name = text.strip().lower().removesuffix(HOST) if isinstance(text, str) else ""
    if not _TENANT.fullmatch(name):
        raise ValueError(f"{text!r} is no Keap app; one is called xy123 or the like")
    return name


def _digest(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def default_tenant(email: str) -> str:
    """The app of an address that names none: always the same, and its own."""
    number, letters = _digest(f"tenant:{email}"), ""
    for _ in range(3):
        number, index = divmod(number, 26)
        letters += string.ascii_lowercase[index]
    return f"{letters}{number % 900_000 + 100_000}"


def tenants(account: Account) -> list[str]:
    """The apps this person may use, in order."""
    return account.fields.get("tenants") or [default_tenant(account.email)]


def scope(tenant: str) -> str:
    """`full|xy123.infusionsoft.com`: the scope, and with it which app."""
    return f"full|{tenant}{HOST}"


def tenant_of(scope_text: str) -> str:
    """The app a stored scope belongs to."""
    return scope_text.partition("|")[2].removesuffix(HOST)


def global_user_id(account: Account) -> int:
    """The person's number in all apps; an int64, always the same for an address."""
    return 10**6 + _digest(f"user:{account.email}") % 10**14


def settle(world: World, account: Account) -> None:
    """Make the account a user of each of its apps, and of no other."""
    mine = tenants(account)
    for tenant in mine:
        world.store.run(
            "INSERT INTO keap_users (tenant, account_id, at) VALUES (?, ?, ?)"
            " ON CONFLICT (tenant, account_id) DO UPDATE SET active = 1",
            tenant,
            account.id,
            world.clock.now(),
        )
    marks = ",".join("?" * len(mine))
    world.store.run(
        f"UPDATE keap_users SET active = 0 WHERE account_id = ? AND tenant NOT IN ({marks})",  # noqa: S608  # placeholders only
        account.id,
        *mine,
    )


def admit(world: World, account: Account, tenant: str) -> Account:
    """The account as a user of that app too."""
    mine = tenants(account)
    if tenant in mine:
        return account
    wanted = {"provider": PROVIDER, "email": account.email, "tenants": [*mine, tenant]}
    return accounts.create(world, wanted)[0]


def user(world: World, tenant: str, account: Account) -> Row | None:
    """The account's user row in that app; None when it never was one."""
    return world.store.one("SELECT * FROM keap_users WHERE tenant = ? AND account_id = ?", tenant, account.id)


def may_use(world: World, tenant: str, account: Account) -> bool:
    """Whether the person is an active user of the app."""
    row = user(world, tenant, account)
    gone = account.fields.get("deleted") or account.fields.get("disabled")
    return row is not None and bool(row["active"]) and not gone


def users(world: World, tenant: str) -> list[tuple[Row, Account]]:
    """All users of an app, by their local id."""
    rows = world.store.all("SELECT * FROM keap_users WHERE tenant = ? ORDER BY id", tenant)
    pairs = [(row, accounts.by_id(world, row["account_id"])) for row in rows]
    return [(row, account) for row, account in pairs if account is not None]


def names(account: Account) -> tuple[str, str]:
    """Given and family name."""
    given, _, family = account.name.partition(" ")
    return given, family
