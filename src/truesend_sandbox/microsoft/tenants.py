"""Who an account is at Microsoft: personal or of a tenant, and its numbers. Facts: microsoft.md, Identity."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid

from truesend_sandbox.accounts import Account
from truesend_sandbox.world import World

PROVIDER = "microsoft"
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant id of every personal account."""

_CONSUMER = re.compile(r"(outlook|hotmail|live)\.[a-z]{2,3}(\.[a-z]{2})?|msn\.com|passport\.com")
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN = re.compile(r"([a-z0-9-]+\.)+[a-z]{2,}", re.IGNORECASE)
_COLLECTIVE = ("common", "organizations", "consumers")


def is_personal(account: Account) -> bool:
    """Whether it is a Microsoft account of a person, not one of an organization."""
    given = account.fields.get("personal")
    return bool(_CONSUMER.fullmatch(_domain(account))) if given is None else bool(given)


def _domain(account: Account) -> str:
    return (account.domain or account.email.partition("@")[2]).lower()


def tenant_of_domain(domain: str) -> str:
    """The tenant id that a domain has here, always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"tenant.{domain.lower()}"))


def tenant_id(account: Account) -> str:
    """`tid`: the fixed one of personal accounts, the account's own field, or that of its domain."""
    if is_personal(account):
        return CONSUMERS
    return str(account.fields.get("tenant") or tenant_of_domain(_domain(account)))


def object_id(account: Account) -> str:
    """`oid`: a GUID that never changes; a personal account's begins with zeros."""
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"microsoft:{account.email}")
    return f"00000000-0000-0000-{str(number)[19:]}" if is_personal(account) else str(number)


def graph_id(world: World, account: Account) -> str:
    """`id` of `GET /me`; a personal account's is the last 16 digits of its object id."""
    full = object_id(account)
    short = is_personal(account) and world.switches.get(PROVIDER, "personal_id") == "short"
    return full[19:].replace("-", "") if short else full


def subject(account: Account, client_id: str) -> str:
    """`sub`: pairwise, another one for every application."""
    digest = hashlib.sha256(f"{client_id}:{object_id(account)}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def user_principal_name(account: Account) -> str:
    """The name an account signs in with; changeable, not always its address."""
    return str(account.fields.get("upn") or account.email)


def exists(world: World, tenant: str) -> bool:
    """Whether `{tenant}` of an address names something: a word, a domain, or the id of a tenant with accounts."""
    if tenant.lower() in _COLLECTIVE or _DOMAIN.fullmatch(tenant):
        return True
    if tenant.lower() == CONSUMERS:
        return True
    found = world.store.value("SELECT 1 FROM microsoft_directory WHERE tenant = ?", tenant.lower())
    return found is not None


def settle(world: World, account: Account) -> None:
    """An account was made or changed: its tenant exists from now on."""
    world.store.run("INSERT OR IGNORE INTO microsoft_directory (tenant) VALUES (?)", tenant_id(account))


def admits(tenant: str, account: Account) -> bool:
    """Whether an account may sign in at that `{tenant}`."""
    name = tenant.lower()
    if name == "common":
        return True
    if name in ("organizations", "consumers"):
        return is_personal(account) == (name == "consumers")
    wanted = name if GUID.fullmatch(name) else tenant_of_domain(name)
    return tenant_id(account) == wanted
