"""What every part of the sandbox shares, and what a provider brings."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession, web
from jinja2 import Environment

from truesend_sandbox.clock import Clock
from truesend_sandbox.store import Store
from truesend_sandbox.switches import Switch, Switches

if TYPE_CHECKING:
    from truesend_sandbox.accounts import Account
    from truesend_sandbox.door import Call
    from truesend_sandbox.faults import Faults
    from truesend_sandbox.mailbox.headers import Mail


@dataclass(frozen=True)
class Provider:
    """One provider as the rest of the sandbox sees it."""

    name: str
    title: str
    switches: tuple[Switch, ...]
    operations: Mapping[str, tuple[str, ...]]
    """Operation as it stands in the calls → the groups a fault may name instead."""
    error_pages: tuple[str, ...]
    """Pages of its consent that never return; a planned consent may ask for one."""
    routes: Callable[[World], list[web.RouteDef]]
    prepare: Callable[[World], None]
    """Called at start and after a reset: whatever must always be there."""
    fault_answer: Callable[[Call, str, Mapping[str, Any]], web.Response]
    """The provider's own answer for a fault of that kind."""
    fault_concerns: Callable[[str, str], bool]
    """Whether a fault of that kind has a meaning at that operation."""
    apply_damage: Callable[[World, str, str | None, Mapping[str, Any]], None]
    """Do what a state-changing fault does (kill tokens, …) to one account, or to all."""
    check_account: Callable[[Mapping[str, Any]], dict[str, Any]]
    """The provider's own fields of `POST accounts`; raises `ValueError` for an unknown one."""
    check_untick: Callable[[list[str]], list[str]]
    """Scopes of a planned consent in their full form; raises `ValueError` for an unknown one."""
    receive: Callable[[World, str, bytes], None]
    """Put a mail into that address's mailbox at the provider, when the provider has such an account."""
    grant_causes: tuple[str, ...]
    """What a grant can end of here: the causes `expire_grant` takes."""
    asks: frozenset[str] = frozenset()
    """Operations that can do nothing but be refused; they meet faults without using them up."""
    report: Callable[[str, Mail, str, str, str, Mapping[str, Any]], tuple[str, bytes]] | None = None
    """`(bounce or delay, original, recipient, sender, date, wishes)` → who reports, and the report; None: Gmail's."""
    controls: Callable[[World], list[web.RouteDef]] = lambda _: []
    """Addresses of its own below `/_sandbox`."""
    settle: Callable[[World, Account], None] = lambda _, __: None
    """Called when an account was made or changed."""
    returned: Callable[[World, int, str, str], bool] | None = None
    """Told of an arrival that bounces at an address with a status; true when its sender gets no mail about it."""
    elapse: Callable[[World], None] = lambda _: None
    """Called several times a second, and when the clock was moved: what falls due by itself happens now."""
    check_tenant: Callable[[object], str] | None = None
    """The tenant of a planned consent in its plain form; None where there is none to choose."""


@dataclass
class World:
    """The running sandbox."""

    store: Store
    clock: Clock
    switches: Switches
    faults: Faults
    templates: Environment
    providers: dict[str, Provider]
    tracking_url: str | None
    stripe_webhook_url: str | None
    """Where Stripe sends its events while no switch says otherwise."""
    data: Path
    started_at: float
    spent: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)
    """Quota units used lately, by account; kept in memory only."""
    http: ClientSession = field(init=False)
    """Its client for acting as a recipient; set when the server starts."""


WORLD: web.AppKey[World] = web.AppKey("world")
