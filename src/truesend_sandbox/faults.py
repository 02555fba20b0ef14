"""Faults: what goes wrong at a provider on demand, for an account, an operation, a number of times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from truesend_sandbox.clock import Clock
from truesend_sandbox.store import Store
from truesend_sandbox.world import Provider

Params = dict[str, Any]

WIRE_KINDS = ("status", "garbage", "never", "slow", "drop_before", "lost_answer")
"""Kinds that concern the connection and are the same at every provider."""
CONDITION_KINDS = ("outage", "throttle", "daily_limit", "admin_block", "client_secret_expired")
"""Kinds the provider answers in its own words for as long as the fault lasts."""
DAMAGE_KINDS = ("expire_access", "revoke_grant", "expire_grant", "password_changed")
"""Kinds that change the provider's state; what they did stays when the fault is gone."""
KINDS = WIRE_KINDS + CONDITION_KINDS + DAMAGE_KINDS

GROUPS = ("authorize", "token", "send", "read", "revoke", "identity", "contacts", "draft", "any")
"""Names for several operations at once, the same for every provider."""

GRANT_CAUSES = (
    "revoked",
    "testing",
    "unused",
    "password",
    "limit",
    "deleted",
    "disabled",
    "admin_policy",
    "rapt",
    "mfa",
    "sign_in_frequency",
    "conditional_access",
    "consent_removed",
)
"""Why a grant died: `expire_grant {cause}`; each provider has some of them."""

COMMON_KEYS = frozenset({"provider", "account", "operation", "kind", "times", "seconds"})
KIND_KEYS: Mapping[str, frozenset[str]] = {
    "status": frozenset({"status", "body", "content_type", "headers"}),
    "garbage": frozenset({"status", "body", "content_type"}),
    "never": frozenset({"when"}),
    "slow": frozenset({"ms", "when"}),
    "outage": frozenset({"status"}),
    "throttle": frozenset({"retry_after"}),
    "daily_limit": frozenset({"retry_after"}),
    "expire_grant": frozenset({"cause"}),
    "password_changed": frozenset({"by"}),
}

_CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "slow": {"when": ("before", "after")},
    "never": {"when": ("before", "after")},
    "expire_grant": {"cause": GRANT_CAUSES},
    "password_changed": {"by": ("user", "admin")},
}
"""Parameters that are one of a few words; the first is the default."""


@dataclass
class Fault:
    """One fault. `times` is what is left of it (None: no end), `until` when it ends by itself."""

    id: int
    provider: str
    account: str | None
    operation: str
    kind: str
    params: Params
    times: int | None
    until: float | None
    hits: int = 0

    def public(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "provider": self.provider,
            "account": self.account,
            "operation": self.operation,
            "kind": self.kind,
            **self.params,
            "times": self.times,
            "until": self.until,
            "hits": self.hits,
        }


@dataclass
class Plan:
    """What meets one call: delays, damage done first, and at most one fault that decides the answer."""

    before_ms: float = 0
    after_ms: float = 0
    damage: list[Fault] = field(default_factory=list)
    decides: Fault | None = None
    ids: list[int] = field(default_factory=list)


def _number(params: Params, name: str, default: float | None, *, low: float, high: float) -> float:
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}")
    return float(value)


def _check_params(kind: str, params: Params) -> Params:
    """The kind's own parameters with their defaults. Raises `ValueError`."""
    checked = dict(params)
    if kind == "status":
        checked["status"] = int(_number(params, "status", 500, low=200, high=599))
        checked.setdefault("body", "")
        if not isinstance(checked.get("headers", {}), dict):
            raise ValueError("headers must be an object of names and values")
    elif kind == "garbage":
        checked["status"] = int(_number(params, "status", 200, low=200, high=599))
        checked.setdefault("body", '<!doctype html><title>502</title>{"access_token":')
        checked.setdefault("content_type", "text/html")
    elif kind == "slow":
        checked["ms"] = _number(params, "ms", None, low=0, high=3_600_000)
    elif kind == "outage":
        checked["status"] = int(_number(params, "status", 503, low=500, high=599))
    elif kind in ("throttle", "daily_limit"):
        default = 60.0 if kind == "throttle" else 86_400.0
        checked["retry_after"] = _number(params, "retry_after", default, low=0, high=31_536_000)
    for name, choices in _CHOICES.get(kind, {}).items():
        checked.setdefault(name, choices[0])
        if checked[name] not in choices:
            raise ValueError(f"unknown {name} {checked[name]!r}; known: {', '.join(choices)}")
    if not isinstance(checked.get("content_type", ""), str):
        raise ValueError("content_type must be text")
    return checked


class Faults:
    """The faults in force, in the order they were set; kept in the store so that they survive a kill."""

    def __init__(self, store: Store, clock: Clock, providers: Mapping[str, Provider]) -> None:
        self._store = store
        self._clock = clock
        self._providers = providers
        self._faults: list[Fault] = []
        self.load()

    def load(self) -> None:
        self._faults = [
            Fault(
                row["id"],
                row["provider"],
                row["account"],
                row["operation"],
                row["kind"],
                json.loads(row["params"]),
                row["times"],
                row["until"],
                row["hits"],
            )
            for row in self._store.all("SELECT * FROM faults WHERE times IS NOT 0 ORDER BY id")
        ]

    def add(self, wanted: Mapping[str, Any]) -> Fault:
        """Set a fault from the body of `POST faults`. Raises `ValueError` with a sentence."""
        provider = self._providers.get(str(wanted.get("provider")))
        if provider is None:
            raise ValueError(f"unknown provider; known: {', '.join(sorted(self._providers))}")
        kind = wanted.get("kind")
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}; known: {', '.join(KINDS)}")
        operation = wanted.get("operation", "any")
        known = {*GROUPS, *provider.operations}
        if operation not in known:
            raise ValueError(f"unknown operation {operation!r}; known: {', '.join(sorted(known))}")
        strange = set(wanted) - COMMON_KEYS - KIND_KEYS.get(kind, frozenset())
        if strange:
            raise ValueError(f"{kind} has no {', '.join(sorted(strange))}")
        account = wanted.get("account")
        if account is not None and not isinstance(account, str):
            raise ValueError("account must be an email address")
        times = None
        if wanted.get("times") is not None:
            times = int(_number(dict(wanted), "times", None, low=1, high=1_000_000_000))
        until = None
        if wanted.get("seconds") is not None:
            until = self._clock.now() + _number(dict(wanted), "seconds", None, low=0, high=1_000_000_000)
        params = _check_params(kind, {k: v for k, v in wanted.items() if k not in COMMON_KEYS})
        if kind == "expire_grant" and params["cause"] not in provider.grant_causes:
            raise ValueError(
                f"a grant of {provider.name} does not end for {params['cause']!r};"
                f" known: {', '.join(provider.grant_causes)}"
            )
        if kind in DAMAGE_KINDS and times is None and until is None:
            times = 1
        fault = Fault(0, provider.name, account and account.lower(), operation, kind, params, times, until)
        fault.id = self._store.insert(
            "INSERT INTO faults (provider, account, operation, kind, params, times, until)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            fault.provider,
            fault.account,
            fault.operation,
            fault.kind,
            json.dumps(fault.params),
            fault.times,
            fault.until,
        )
        self._faults.append(fault)
        return fault

    def remove(self, fault_id: int) -> bool:
        """End a fault; False when there is none of that number."""
        self._faults = [fault for fault in self._faults if fault.id != fault_id]
        return self._store.run("DELETE FROM faults WHERE id = ?", fault_id).rowcount == 1

    def active(self) -> list[Fault]:
        """Those that can still meet a call."""
        now = self._clock.now()
        return [fault for fault in self._faults if fault.until is None or fault.until > now]

    def use(self, fault: Fault, *, spent: bool = True) -> None:
        """Count one meeting; a used-up fault keeps its row, so that ending it later is no mistake.

        Not `spent`: a call that could only be refused has met it, which takes nothing from its `times`.
        """
        fault.hits += 1
        if spent and fault.times is not None:
            fault.times -= 1
        self._store.run(
            "UPDATE faults SET hits = ?, times = ? WHERE id = ?", fault.hits, fault.times, fault.id
        )
        if fault.times == 0:
            self._faults = [other for other in self._faults if other is not fault]

    def meet(self, provider: str, operation: str, account: str | None) -> Plan | None:
        """The faults that meet this call, used up by one; None when there are none.

        Every matching delay and damage applies; of those that decide the answer only the oldest does, and the
        others keep their count. A call that only asks (`Provider.asks`) meets them like the real one and leaves
        them their count; damage alone happens and is used up, since it cannot be undone.
        """
        if not self._faults:
            return None
        spec = self._providers[provider]
        names = {"any", operation, *spec.operations.get(operation, ())}
        plan = Plan()
        for fault in self.active():
            if fault.provider != provider or fault.operation not in names:
                continue
            if fault.account is not None and fault.account != account:
                continue
            if not spec.fault_concerns(fault.kind, operation):
                continue
            if fault.kind == "slow":
                if fault.params["when"] == "before":
                    plan.before_ms += fault.params["ms"]
                else:
                    plan.after_ms += fault.params["ms"]
            elif fault.kind in DAMAGE_KINDS:
                plan.damage.append(fault)
            elif plan.decides is None:
                plan.decides = fault
            else:
                continue
            self.use(fault, spent=operation not in spec.asks or fault.kind in DAMAGE_KINDS)
            plan.ids.append(fault.id)
        return plan if plan.ids else None
