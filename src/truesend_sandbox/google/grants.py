"""Codes, tokens and what ends them: google.md §1, "Refresh-token death list" [O]."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from truesend_sandbox.accounts import Account
from truesend_sandbox.google import scopes as google_scopes
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

PROVIDER = "google"
ISSUER = "https://accounts.google.com"
TESTING_LIFETIME = 7 * 86_400
UNUSED_LIFETIME = 182 * 86_400


@dataclass(frozen=True)
class Issued:
    """What a token answer carries."""

    access_token: str
    expires_in: int
    scopes: tuple[str, ...]
    refresh_token: str | None
    refresh_expires_in: int | None


def granted(world: World, account_id: int, project: str) -> set[str]:
    """Scopes this account has given to any client of the project."""
    text = world.store.value(
        "SELECT scopes FROM grants WHERE account_id = ? AND project = ?", account_id, project
    )
    return set(text.split()) if text else set()


def remember(world: World, account_id: int, project: str, scopes: Iterable[str]) -> None:
    """Add to what the account has given to the project."""
    together = granted(world, account_id, project) | set(scopes)
    world.store.run(
        "INSERT OR REPLACE INTO grants (account_id, project, scopes, at) VALUES (?, ?, ?, ?)",
        account_id,
        project,
        " ".join(sorted(together)),
        world.clock.now(),
    )


def issue(
    world: World, account: Account, client: Row, scopes: Iterable[str], *, with_refresh: bool
) -> Issued:
    """New tokens after a code; above the limit the oldest refresh token dies silently."""
    now = world.clock.now()
    kept = tuple(scopes)
    refresh_token: str | None = None
    refresh_id: int | None = None
    refresh_expires_in: int | None = None
    if with_refresh:
        testing = world.switches.get(PROVIDER, "publishing_status") == "testing"
        if testing and not set(kept) <= google_scopes.SIGN_IN:
            refresh_expires_in = TESTING_LIFETIME - 1
        refresh_token = "1//0" + secrets.token_urlsafe(72)
        refresh_id = world.store.insert(
            "INSERT INTO refresh_tokens (token, client_id, project, account_id, scopes, at, used_at,"
            " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            refresh_token,
            client["client_id"],
            client["project"],
            account.id,
            " ".join(kept),
            now,
            now,
            None if refresh_expires_in is None else now + TESTING_LIFETIME,
        )
        _trim(world, account.id, client["client_id"], now)
    access_token, expires_in = new_access(world, account.id, client, kept, refresh_id)
    return Issued(access_token, expires_in, kept, refresh_token, refresh_expires_in)


def new_access(
    world: World, account_id: int, client: Row, scopes: Iterable[str], refresh_id: int | None
) -> tuple[str, int]:
    """An access token and its life in seconds."""
    now = world.clock.now()
    lifetime = world.switches.get(PROVIDER, "access_token_lifetime")
    token = "ya29.a0" + secrets.token_urlsafe(120)
    world.store.run(
        "INSERT INTO access_tokens (token, refresh_id, client_id, project, account_id, scopes, at,"
        " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        token,
        refresh_id,
        client["client_id"],
        client["project"],
        account_id,
        " ".join(scopes),
        now,
        now + lifetime,
    )
    return token, lifetime


def _trim(world: World, account_id: int, client_id: str, now: float) -> None:
    limit = world.switches.get(PROVIDER, "refresh_tokens_per_account")
    rows = world.store.all(
        "SELECT id FROM refresh_tokens WHERE account_id = ? AND client_id = ? AND dead_at IS NULL"
        " ORDER BY id DESC",
        account_id,
        client_id,
    )
    for row in rows[limit:]:
        kill_refresh(world, row["id"], "limit", now)


def kill_refresh(world: World, refresh_id: int, cause: str, at: float) -> None:
    """End a refresh token, once, with what it dies of."""
    world.store.run(
        "UPDATE refresh_tokens SET dead_at = ?, dead_cause = ? WHERE id = ? AND dead_at IS NULL",
        at,
        cause,
        refresh_id,
    )


def death_of(row: Row, now: float) -> str | None:
    """Why this refresh token does not work now; None when it does."""
    if row["dead_at"] is not None and row["dead_at"] <= now:
        return str(row["dead_cause"])
    if row["expires_at"] is not None and row["expires_at"] <= now:
        return "testing"
    if row["used_at"] + UNUSED_LIFETIME <= now:
        return "unused"
    return None


def find_access(world: World, token: str) -> Row | None:
    """The row of an access token that works now."""
    row = world.store.one("SELECT * FROM access_tokens WHERE token = ?", token)
    now = world.clock.now()
    if row is None or row["expires_at"] <= now or (row["dead_at"] is not None and row["dead_at"] <= now):
        return None
    return row


def revoke_project(world: World, account_id: int, project: str, *, delay: float = 0) -> None:
    """Everything the account gave to the project dies together, all its clients [W]."""
    kill(world, account_id, "revoked", project=project, access=True, at=world.clock.now() + delay)
    world.store.run("DELETE FROM grants WHERE account_id = ? AND project = ?", account_id, project)


def kill(
    world: World,
    account_id: int | None,
    cause: str,
    *,
    project: str | None = None,
    access: bool,
    at: float | None = None,
    gmail_only: bool = False,
) -> None:
    """Refresh tokens die for `cause`, access tokens too when `access`; of one account or of all (None)."""
    moment = world.clock.now() if at is None else at
    rows = world.store.all(
        "SELECT id, scopes FROM refresh_tokens WHERE dead_at IS NULL"
        " AND (?1 IS NULL OR account_id = ?1) AND (?2 IS NULL OR project = ?2)",
        account_id,
        project,
    )
    for row in rows:
        if not gmail_only or set(row["scopes"].split()) & google_scopes.GMAIL:
            kill_refresh(world, row["id"], cause, moment)
    if access:
        world.store.run(
            "UPDATE access_tokens SET dead_at = ?3 WHERE dead_at IS NULL"
            " AND (?1 IS NULL OR account_id = ?1) AND (?2 IS NULL OR project = ?2)",
            account_id,
            project,
            moment,
        )
