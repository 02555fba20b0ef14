"""Planned consents: the next consent screen of a provider answers itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

_KEYS = frozenset({"provider", "account", "decision", "untick", "as_account", "page", "tenant"})


@dataclass(frozen=True)
class Planned:
    """How the next screen answers itself. `as_account` comes back in place of `account`."""

    id: int
    provider: str
    account: str
    decision: str
    untick: tuple[str, ...]
    as_account: str | None
    page: str | None
    tenant: str | None
    """The tenant chosen, where a provider has several for an account."""

    def public(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "provider": self.provider,
            "account": self.account,
            "decision": self.decision,
            "untick": list(self.untick),
            "as_account": self.as_account,
            "page": self.page,
            "tenant": self.tenant,
        }


def _from_row(row: Row) -> Planned:
    return Planned(
        row["id"],
        row["provider"],
        row["account"],
        row["decision"],
        tuple(json.loads(row["untick"])),
        row["as_account"],
        row["page"],
        row["tenant"],
    )


def plan(world: World, wanted: Mapping[str, Any]) -> Planned:
    """Plan one from the body of `POST consent`. Raises `ValueError` with a sentence."""
    spec = world.providers.get(str(wanted.get("provider")))
    if spec is None:
        raise ValueError(f"unknown provider; known: {', '.join(sorted(world.providers))}")
    strange = set(wanted) - _KEYS
    if strange:
        raise ValueError(f"a consent has no {', '.join(sorted(strange))}")
    account = normal_address(wanted.get("account"))
    as_account = None if wanted.get("as_account") is None else normal_address(wanted["as_account"])
    decision = wanted.get("decision", "approve")
    if decision not in ("approve", "deny"):
        raise ValueError("decision must be approve or deny")
    untick = wanted.get("untick") or []
    if not isinstance(untick, list) or not all(isinstance(scope, str) for scope in untick):
        raise ValueError("untick must be a list of scopes")
    page = wanted.get("page")
    if page is not None and page not in spec.error_pages:
        raise ValueError(f"{spec.name} has no page {page!r}; known: {', '.join(spec.error_pages)}")
    tenant = wanted.get("tenant")
    if tenant is not None and spec.check_tenant is None:
        raise ValueError(f"{spec.name} has no tenant to choose")
    number = world.store.insert(
        "INSERT INTO planned_consents (provider, account, decision, untick, as_account, page, tenant)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        spec.name,
        account,
        decision,
        json.dumps(spec.check_untick(untick)),
        as_account,
        page,
        None if tenant is None or spec.check_tenant is None else spec.check_tenant(tenant),
    )
    row = world.store.one("SELECT * FROM planned_consents WHERE id = ?", number)
    assert row is not None
    return _from_row(row)


def waiting(world: World) -> list[Planned]:
    """The plans that no consent screen has taken yet."""
    return [_from_row(row) for row in world.store.all("SELECT * FROM planned_consents ORDER BY id")]


def take(world: World, provider: str, login_hint: str | None) -> Planned | None:
    """The plan for the screen that opens now: the oldest for the hinted account, else the oldest of all."""
    row = world.store.one(
        "SELECT * FROM planned_consents WHERE provider = ? ORDER BY account = ? DESC, id LIMIT 1",
        provider,
        (login_hint or "").lower(),
    )
    if row is None:
        return None
    world.store.run("DELETE FROM planned_consents WHERE id = ?", row["id"])
    return _from_row(row)


def peek(world: World, provider: str, login_hint: str | None) -> str | None:
    """Whom the next plan is about, without using it up."""
    account: str | None = world.store.value(
        "SELECT account FROM planned_consents WHERE provider = ? ORDER BY account = ? DESC, id LIMIT 1",
        provider,
        (login_hint or "").lower(),
    )
    return account
