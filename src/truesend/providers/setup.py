"""How an operator gets a client at a provider: what the page of providers and ``truesend doctor`` say of it.

Labels are those of the provider's own console, in its own spelling; a folder's ``setup.py`` names where they were read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One thing to do in the console; ``url`` leads to its page there, the others say what is to be pasted."""

    words: str
    url: str = ""
    needs_redirect: bool = False
    needs_scopes: bool = False


@dataclass(frozen=True)
class Scope:
    """A permission to list in the console, and what it is for."""

    name: str
    what_for: str


@dataclass(frozen=True)
class Extra:
    """A further setting beside id and secret. ``name`` is that of the setting without the provider's prefix.

    ``pattern`` is what a value must look like as a whole, and ``shape`` says it in words.
    """

    name: str
    label: str
    hint: str
    pattern: str
    shape: str


@dataclass(frozen=True)
class Setup:
    """Everything an operator needs to know. ``fixes`` tell, by cause, what to do in the console.

    ``labels`` are what it calls id and secret, ``redirect_label`` the field that takes the redirect URI; empty where
    none is registered. ``https_only``: not even this machine itself may be returned to without https. ``names_a_host``:
    it has to be a name, no bare address. ``can_be_silent``: its consent page knows ``prompt=none``, and says
    ``redirect_refused`` (a pattern) of an address that is not registered. ``key_lasts``: how long a secret lives, where
    it ends by itself (“24 months at most”).
    """

    console: str = ""
    console_url: str = ""
    labels: tuple[str, str] = ("Client ID", "Client secret")
    redirect_label: str = "Redirect URI"
    steps: tuple[Step, ...] = ()
    scopes: tuple[Scope, ...] = ()
    notes: tuple[str, ...] = ()
    fixes: Mapping[str, str] = field(default_factory=dict)
    extras: tuple[Extra, ...] = ()
    https_only: bool = False
    names_a_host: bool = False
    can_be_silent: bool = False
    redirect_refused: str = ""
    key_lasts: str = ""
