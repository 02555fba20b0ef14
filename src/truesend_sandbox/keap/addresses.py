"""Email addresses of an app and what may be sent to them (keap.md §2, "Opt-in" and the table of statuses)."""

from __future__ import annotations

from truesend_sandbox.keap import notices, people
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

STATUSES: dict[str, tuple[str, str]] = {
    "UNENGAGED_MARKETABLE": ("UnengagedMarketable", "Unengaged Marketable"),
    "SINGLE_OPT_IN": ("SingleOptIn", "Unconfirmed"),
    "DOUBLE_OPT_IN": ("DoubleOptin", "Confirmed (Legacy)"),
    "CONFIRMED": ("Confirmed", "Confirmed"),
    "UNENGAGED_NON_MARKETABLE": ("UnengagedNonMarketable", "Unengaged NonMarketable"),
    "NON_MARKETABLE": ("NonMarketable", "Non-marketable"),
    "LOCKDOWN": ("Lockdown", "Lockdown"),
    "BOUNCE": ("Bounce", "Soft Bounce"),
    "HARD_BOUNCE": ("HardBounce", "Hard Bounce"),
    "MANUAL": ("Manual", "Opt-Out"),
    "ADMIN": ("Admin", "Opt-Out: Admin"),
    "SYSTEM": ("System", "Opt-Out: System"),
    "LIST_UNSUBSCRIBE": ("ListUnsubscribe", "List Unsubscribe"),
    "FEEDBACK": ("Feedback", "Provided Feedback"),
    "SPAM": ("Spam", "Reported Spam"),
    "INVALID": ("Invalid", "Invalid Email"),
    "DEACTIVATED": ("Deactivated", "Deactivated/Delinquent Mailbox"),
}
"""v2's word → v1's in a contact, v1's of an address; paired by the order of the three enumerations."""

BLOCKED = frozenset({"HARD_BOUNCE", "SPAM", "INVALID", "LOCKDOWN", "DEACTIVATED", "SYSTEM", "FEEDBACK"})
"""Addresses Keap would not write to at all."""

_MARKETABLE = frozenset({"UNENGAGED_MARKETABLE", "SINGLE_OPT_IN", "DOUBLE_OPT_IN", "CONFIRMED"})
_RAISED_BY_OPT_IN = frozenset(
    {"UNENGAGED_MARKETABLE", "UNENGAGED_NON_MARKETABLE", "NON_MARKETABLE", "MANUAL"}
)
"""From these alone an opt-in leads to SINGLE_OPT_IN [SPEC]."""
_LOWERED_BY_OPT_OUT = _MARKETABLE | {"UNENGAGED_NON_MARKETABLE", "NON_MARKETABLE", "BOUNCE"}


def find(world: World, tenant: str, email: str) -> Row | None:
    """What the app knows of an address; None when it has never met it."""
    return world.store.one(
        "SELECT * FROM keap_addresses WHERE tenant = ? AND email = ?", tenant, email.strip().lower()
    )


def opted_in(world: World, status: str) -> bool:
    """Whether an address of that status counts as opted in."""
    if status == "BOUNCE":
        return bool(world.switches.get(people.PROVIDER, "soft_bounce_is_marketable"))
    return status in _MARKETABLE


def ensure(world: World, tenant: str, email: str, reason: str | None = None) -> Row:
    """The address, new with the status of a new contact; an opt-in reason raises it where that is allowed."""
    email = email.strip().lower()
    world.store.run(
        "INSERT INTO keap_addresses (tenant, email, status, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (tenant, email) DO NOTHING",
        tenant,
        email,
        world.switches.get(people.PROVIDER, "new_contact_status"),
        world.clock.now(),
    )
    if reason:
        return opt(world, tenant, email, wanted=True, reason=reason)
    row = find(world, tenant, email)
    assert row is not None
    return row


def opt(world: World, tenant: str, email: str, *, wanted: bool, reason: str) -> Row:
    """Opt a known address in or out, as far as its status lets one; everything else stays as it is."""
    row = find(world, tenant, email)
    assert row is not None
    if wanted and row["status"] in _RAISED_BY_OPT_IN:
        return put(world, tenant, email, "SINGLE_OPT_IN", reason)
    if not wanted and row["status"] in _LOWERED_BY_OPT_OUT:
        return put(world, tenant, email, world.switches.get(people.PROVIDER, "opt_out_status"), reason)
    return row


def put(world: World, tenant: str, email: str, status: str, reason: str | None = None) -> Row:
    """Set the status, whatever it was."""
    email = email.strip().lower()
    world.store.run(
        "INSERT INTO keap_addresses (tenant, email, status, reason, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, email) DO UPDATE SET status = excluded.status, reason = excluded.reason",
        tenant,
        email,
        status,
        reason,
        world.clock.now(),
    )
    notices.changed(world, tenant)
    row = find(world, tenant, email)
    assert row is not None
    return row
