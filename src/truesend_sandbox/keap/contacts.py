"""Contacts of an app: kept, found, matched with one that is there already (keap.md §2, "Upsert")."""

from __future__ import annotations

import json
from collections.abc import Iterable

from truesend_sandbox.keap import addresses
from truesend_sandbox.keap.contact_fields import Data
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

DUPLICATES = ("Email", "EmailAndName", "EmailAndNameAndCompany")


def data_of(row: Row) -> Data:
    """The contact's fields as v2 spells them."""
    data: Data = json.loads(row["data"])
    return data


def get(world: World, tenant: str, number: str) -> Row | None:
    """The contact of that number in this app."""
    if not number.isdecimal() or len(number) > 15:
        return None
    return world.store.one("SELECT * FROM keap_contacts WHERE id = ? AND tenant = ?", int(number), tenant)


def by_email(world: World, tenant: str, email: str) -> list[Row]:
    """Contacts that have the address in any field, oldest first."""
    return world.store.all(
        "SELECT DISTINCT c.* FROM keap_contact_emails e JOIN keap_contacts c ON c.id = e.contact_id"
        " WHERE e.tenant = ? AND e.email = ? ORDER BY c.id",
        tenant,
        email.strip().lower(),
    )


def everyone(world: World, tenant: str) -> list[Row]:
    """All contacts of the app, oldest first."""
    return world.store.all("SELECT * FROM keap_contacts WHERE tenant = ? ORDER BY id", tenant)


def _index(world: World, tenant: str, number: int, data: Data) -> None:
    world.store.run("DELETE FROM keap_contact_emails WHERE contact_id = ?", number)
    for item in data.get("email_addresses", []):
        world.store.run(
            "INSERT OR IGNORE INTO keap_contact_emails (tenant, email, contact_id, field) VALUES (?, ?, ?, ?)",
            tenant,
            item["email"],
            number,
            item["field"],
        )
        addresses.ensure(world, tenant, item["email"], item.get("opt_in_reason"))


def create(world: World, tenant: str, data: Data) -> Row:
    """A new contact."""
    now = world.clock.now()
    number = world.store.insert(
        "INSERT INTO keap_contacts (tenant, data, created_at, updated_at) VALUES (?, ?, ?, ?)",
        tenant,
        json.dumps({name: value for name, value in data.items() if value is not None}),
        now,
        now,
    )
    _index(world, tenant, number, data)
    row = get(world, tenant, str(number))
    assert row is not None
    return row


def update(world: World, row: Row, data: Data) -> Row:
    """Put the given fields in place of the contact's own; a list is replaced whole."""
    together = {**data_of(row), **data}
    world.store.run(
        "UPDATE keap_contacts SET data = ?, updated_at = ? WHERE id = ?",
        json.dumps({name: value for name, value in together.items() if value is not None}),
        world.clock.now(),
        row["id"],
    )
    if "email_addresses" in data:
        _index(world, row["tenant"], row["id"], data)
    changed = get(world, row["tenant"], str(row["id"]))
    assert changed is not None
    return changed


def delete(world: World, row: Row) -> None:
    """Forget the contact; its addresses keep their status."""
    world.store.run("DELETE FROM keap_contact_emails WHERE contact_id = ?", row["id"])
    world.store.run("DELETE FROM keap_contacts WHERE id = ?", row["id"])


def _same(one: Data, other: Data, names: Iterable[str]) -> bool:
    return all((one.get(name) or "").lower() == (other.get(name) or "").lower() for name in names)


def _company(data: Data) -> str:
    company = data.get("company") or {}
    return str(company.get("id") or company.get("company_name") or "").lower()


def duplicate(world: World, tenant: str, data: Data, option: str) -> Row | None:
    """The oldest contact that is the same by that option; by the primary address of the new one."""
    emails = sorted(data.get("email_addresses", []), key=lambda item: str(item["field"]))
    if not emails:
        return None
    for row in by_email(world, tenant, emails[0]["email"]):
        known = data_of(row)
        if option != "Email" and not _same(known, data, ("given_name", "family_name")):
            continue
        if option == "EmailAndNameAndCompany" and _company(known) != _company(data):
            continue
        return row
    return None
