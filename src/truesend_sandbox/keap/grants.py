"""Pairs of tokens, keys, and what ends them (keap.md §1)."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass

from truesend_sandbox.accounts import Account
from truesend_sandbox.keap import people
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

CAUSES = ("revoked", "unused", "deleted", "disabled", "admin_policy")
"""What a grant may die of at Keap; the answer is the same for each."""

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Issued:
    """A new pair, as a token answer carries it."""

    access_token: str
    refresh_token: str
    expires_in: int
    tenant: str


def _token(world: World) -> str:
    length = world.switches.get(people.PROVIDER, "token_length")
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def issue(world: World, account_id: int, client_id: str, tenant: str) -> Issued:
    """A new pair for a person, a client and an app."""
    now = world.clock.now()
    lifetime = world.switches.get(people.PROVIDER, "access_token_lifetime")
    refresh_lifetime = world.switches.get(people.PROVIDER, "refresh_token_lifetime")
    issued = Issued(_token(world), _token(world), lifetime, tenant)
    world.store.run(
        "INSERT INTO keap_pairs (refresh_token, access_token, client_id, tenant, account_id, at,"
        " refresh_expires_at, access_expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        issued.refresh_token,
        issued.access_token,
        client_id,
        tenant,
        account_id,
        now,
        now + refresh_lifetime,
        now + lifetime,
    )
    return issued


def by_refresh(world: World, token: str | None) -> Row | None:
    """The pair of a refresh token, alive or not."""
    return world.store.one("SELECT * FROM keap_pairs WHERE refresh_token = ?", token)


def by_access(world: World, token: str | None) -> Row | None:
    """The pair of an access token, alive or not."""
    return world.store.one("SELECT * FROM keap_pairs WHERE access_token = ?", token)


def refreshable(row: Row, now: float) -> bool:
    """Whether the pair's refresh token works now."""
    ended = row["refresh_dead_at"] is not None and row["refresh_dead_at"] <= now
    return not ended and row["refresh_expires_at"] > now


def spend(world: World, row: Row) -> None:
    """Its refresh token has been used: it ends, after the grace if there is one; by switch the access token too."""
    now = world.clock.now()
    world.store.run(
        "UPDATE keap_pairs SET refresh_dead_at = ? WHERE id = ? AND refresh_dead_at IS NULL",
        now + world.switches.get(people.PROVIDER, "refresh_grace"),
        row["id"],
    )
    if world.switches.get(people.PROVIDER, "refresh_ends_access_token"):
        world.store.run(
            "UPDATE keap_pairs SET access_dead_at = ? WHERE id = ? AND access_dead_at IS NULL", now, row["id"]
        )


_END = (
    "UPDATE keap_pairs SET access_dead_at = MIN(COALESCE(access_dead_at, ?1), ?1),"
    " refresh_dead_at = MIN(COALESCE(refresh_dead_at, ?1), ?1)"
)


def end_earlier(world: World, account_id: int, client_id: str, tenant: str) -> None:
    """What a new consent ends of the earlier ones, by switch."""
    which = world.switches.get(people.PROVIDER, "new_consent_ends")
    if which != "nothing":
        world.store.run(
            f"{_END} WHERE client_id = ?2 AND tenant = ?3 AND (?4 IS NULL OR account_id = ?4)",
            world.clock.now(),
            client_id,
            tenant,
            account_id if which == "same_user" else None,
        )


def kill(world: World, account_id: int | None, cause: str) -> None:
    """What a person has given, or everybody (None), ends now. `unused` spares access tokens and keys."""
    now = world.clock.now()
    if cause == "unused":
        world.store.run(
            "UPDATE keap_pairs SET refresh_expires_at = MIN(refresh_expires_at, ?1)"
            " WHERE ?2 IS NULL OR account_id = ?2",
            now,
            account_id,
        )
        return
    world.store.run(f"{_END} WHERE ?2 IS NULL OR account_id = ?2", now, account_id)
    if cause != "password":
        world.store.run(
            "UPDATE keap_keys SET dead_at = ?1 WHERE dead_at IS NULL AND (?2 IS NULL OR account_id = ?2)",
            now,
            account_id,
        )


def expire_access(world: World, account_id: int | None) -> None:
    """Access tokens are past their time now; keys have none."""
    world.store.run(
        "UPDATE keap_pairs SET access_expires_at = MIN(access_expires_at, ?1)"
        " WHERE ?2 IS NULL OR account_id = ?2",
        world.clock.now(),
        account_id,
    )


def make_key(world: World, account: Account, tenant: str, kind: str) -> str:
    """A Personal Access Token (`pat`) or Service Account Key (`sak`) of a user in an app."""
    key = "KeapAK-" + secrets.token_hex(25)
    world.store.run(
        "INSERT INTO keap_keys (key, kind, tenant, account_id, at) VALUES (?, ?, ?, ?, ?)",
        key,
        kind,
        tenant,
        account.id,
        world.clock.now(),
    )
    return key


def find_key(world: World, key: str | None) -> Row | None:
    """A key, alive or not."""
    return world.store.one("SELECT * FROM keap_keys WHERE key = ?", key)
