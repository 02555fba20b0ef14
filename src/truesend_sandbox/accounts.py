"""Accounts at the providers: the people whose mailboxes send."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truesend_sandbox.store import Row
from truesend_sandbox.world import World

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")


@dataclass(frozen=True)
class Account:
    """One account; `fields` are the provider's own."""

    id: int
    provider: str
    email: str
    name: str
    sub: str
    domain: str | None
    """Its Workspace (or tenant) domain; None for a consumer account."""
    fields: dict[str, Any]

    def public(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "provider": self.provider,
            "email": self.email,
            "name": self.name,
            "sub": self.sub,
            "domain": self.domain,
            **self.fields,
        }


def normal_address(text: object) -> str:
    """An address in lower case. Raises `ValueError` when it is none."""
    if not isinstance(text, str) or not _ADDRESS.fullmatch(text.strip()) or len(text) > 254:
        raise ValueError(f"{text!r} is not an email address")
    return text.strip().lower()


def _from_row(row: Row) -> Account:
    return Account(
        row["id"],
        row["provider"],
        row["email"],
        row["name"],
        row["sub"],
        row["domain"],
        json.loads(row["fields"]),
    )


def find(world: World, provider: str, email: str) -> Account | None:
    """The account of a provider by its address."""
    row = world.store.one(
        "SELECT * FROM accounts WHERE provider = ? AND email = ?", provider, email.strip().lower()
    )
    return None if row is None else _from_row(row)


def by_id(world: World, account_id: int) -> Account | None:
    """The account with a number of ours."""
    row = world.store.one("SELECT * FROM accounts WHERE id = ?", account_id)
    return None if row is None else _from_row(row)


def everyone(world: World, provider: str | None = None) -> list[Account]:
    """All accounts, or those of one provider, oldest first."""
    rows = world.store.all(
        "SELECT * FROM accounts WHERE ? IS NULL OR provider = ? ORDER BY id", provider, provider
    )
    return [_from_row(row) for row in rows]


def ensure(world: World, provider: str, email: str) -> Account:
    """The account of that address; created with defaults when there is none."""
    return find(world, provider, email) or create(world, {"provider": provider, "email": email})[0]


def create(world: World, wanted: Mapping[str, Any]) -> tuple[Account, bool]:
    """Create an account, or change the one that has the address: `(account, whether it is new)`.

    Raises `ValueError` with a sentence for anything unknown.
    """
    spec = world.providers.get(str(wanted.get("provider")))
    if spec is None:
        raise ValueError(f"unknown provider; known: {', '.join(sorted(world.providers))}")
    email = normal_address(wanted.get("email"))
    name, domain = wanted.get("name"), wanted.get("domain")
    if not isinstance(name, str | None) or not isinstance(domain, str | None):
        raise ValueError("name and domain must be text")
    own = {key: value for key, value in wanted.items() if key not in ("provider", "email", "name", "domain")}
    fields = spec.check_account(own)
    existing = find(world, spec.name, email)
    with world.store.write():
        if existing is None:
            # A number of 21 digits like Google's, the same each time the address is made again.
            digest = hashlib.sha256(f"{spec.name}:{email}".encode()).hexdigest()
            sub = "1" + str(int(digest, 16) % 10**20).zfill(20)
            local = email.partition("@")[0]
            world.store.run(
                "INSERT INTO accounts (provider, email, name, sub, domain, fields, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                spec.name,
                email,
                name or re.sub(r"[._+-]+", " ", local).title(),
                sub,
                domain,
                json.dumps(fields),
                world.clock.now(),
            )
        else:
            world.store.run(
                "UPDATE accounts SET name = ?, domain = ?, fields = ? WHERE id = ?",
                name or existing.name,
                domain if "domain" in wanted else existing.domain,
                json.dumps({**existing.fields, **fields}),
                existing.id,
            )
        account = find(world, spec.name, email)
        assert account is not None
        spec.settle(world, account)
    return account, existing is None
