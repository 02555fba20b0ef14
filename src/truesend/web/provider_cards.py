"""A provider as a card on the operator's page: its client, what the provider says of it, and how to get one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truesend import env
from truesend.connections import clients as ours
from truesend.connections.causes import core
from truesend.connections.client_troubles import Trouble, troubles
from truesend.connections.clients import Known
from truesend.connections.return_address import redirect_uri
from truesend.diagnostics import return_addresses
from truesend.providers import clients, registry
from truesend.providers.contract import Provider
from truesend.web.integrations import number


@dataclass(frozen=True)
class Typed:
    """A form that came back: what was typed, without its secret, and why it was not saved."""

    client_id: str
    extra: Mapping[str, str]
    problem: str = ""
    faulty: str = ""
    # Cause and words of a refusal, after which the operator may insist.
    cause: str = ""
    words: str = ""
    # How many connections would end with another client.
    ends: int = 0
    insists: frozenset[str] = frozenset()


def cards(typed: Mapping[str, Typed] | None = None) -> list[dict[str, Any]]:
    """All providers; ``typed``: forms that came back, by provider."""
    refused = {one.provider: one for one in troubles()}
    found = [
        _card(adapter, refused.get(adapter.key), (typed or {}).get(adapter.key))
        for adapter in registry.PROVIDERS.values()
    ]
    # Whoever has set one up knows where to look; the first time the way lies open.
    first = not any(one["is_set"] or one["read_only"] for one in found)
    return [{**one, "steps_open": first} for one in found]


def summary(found: list[dict[str, Any]]) -> str:
    """“One is accepted, one is refused, one is not set up.”"""
    words = {
        "ok": "accepted",
        "bad": "in trouble",
        "warn": "not certain",
        "unchecked": "not checked yet",
        "none": "not set up",
    }
    counted = [(sum(one["kind"] == kind for one in found), said) for kind, said in words.items()]
    parts = [f"{number(count)} {'is' if count == 1 else 'are'} {said}" for count, said in counted if count]
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _card(adapter: Provider, trouble: Trouble | None, typed: Typed | None) -> dict[str, Any]:
    known, setup = ours.known(adapter.key), adapter.setup
    kind, word, sentence = _state(adapter, known, trouble)
    told = _trouble(adapter, trouble, known)
    rule = return_addresses.refused_by_rule(adapter)
    from_environment = any(clients.from_environment(adapter.key))
    row = known.row
    id_label, secret_label = setup.labels
    return {
        "key": adapter.key,
        "name": adapter.name,
        "initial": adapter.name[:1],
        "kind": kind,
        "state": "none" if kind == "unchecked" else kind,
        "word": word,
        "sentence": sentence,
        "checked_at": known.check.at if known.check is not None else None,
        "trouble": told,
        "findings": [
            {"state": "bad" if one.status == "wrong" else "warn", "sentence": one.sentence, "fix": one.fix}
            for one in [*([rule] if rule else []), *return_addresses.mismatches(adapter)]
        ],
        "read_only": from_environment,
        "settings": _settings(adapter) if from_environment else [],
        "is_set": known.client is not None or row is not None,
        "can_check": known.client is not None,
        "client_id": typed.client_id if typed else row.client_id if row else "",
        "shown_id": known.client.id if known.client else "",
        "secret_set_at": row.secret_set_at if row and not from_environment else None,
        "changed_by": row.changed_by.email if row and row.changed_by else "",
        "version": row.version if row else 0,
        "typed": typed,
        "refusal": _refusal(adapter, typed),
        "labels": {"id": id_label, "secret": secret_label},
        "extras": [
            {
                "name": one.name,
                "label": one.label,
                "hint": one.hint,
                "value": typed.extra.get(one.name, "")
                if typed
                else (row.extra if row else {}).get(one.name, ""),
                "setting": f"{env.PREFIX}{adapter.key.upper()}_{one.name}",
                "given": env.given(f"{adapter.key.upper()}_{one.name}") or "",
            }
            for one in setup.extras
        ],
        "setup": setup,
        "redirect_uri": redirect_uri(adapter.key),
        "returned_at": known.returned_at,
        "address_known": known.check.address_known if known.check is not None else None,
        "scopes": "\n".join(one.name for one in setup.scopes),
        "ends": ours.connected(adapter.key) if row and not from_environment else 0,
    }


def _state(adapter: Provider, known: Known, trouble: Trouble | None) -> tuple[str, str, str]:
    """What kind of state it is, in a word, and in a sentence."""
    if trouble is not None:
        return "bad", "Cannot be read" if known.unreadable else "Refused", ""
    if known.client is None:
        half = any(clients.from_environment(adapter.key))
        return ("bad", "Half set", "") if half else ("none", "Not set up", "Nobody can connect it yet.")
    if known.check is None:
        return "unchecked", "Not checked yet", f"{adapter.name} was not asked about this id and secret."
    if known.check.address_known is False:
        return "bad", "Return address not registered", ""
    if known.check.ok:
        return "ok", "Accepted", f"{adapter.name} took id and secret; it refused only a code that we made up."
    return "warn", "Could not be asked", core(known.check.cause, adapter.name, known.check.words)


def _trouble(adapter: Provider, trouble: Trouble | None, known: Known) -> dict[str, Any] | None:
    if trouble is not None:
        return {
            "sentence": core(trouble.cause, adapter.name, trouble.words),
            "words": trouble.words,
            "fix": fix_words(adapter, trouble.cause),
            "at": trouble.at,
        }
    if known.check is not None and known.check.address_known is False:
        return {
            "sentence": core("redirect_mismatch", adapter.name),
            "words": "",
            "fix": fix_words(adapter, "redirect_mismatch"),
            "at": known.check.at,
        }
    return None


def fix_words(adapter: Provider, cause: str) -> str:
    """What to do in the provider's console, and here."""
    if cause == "client_unreadable":
        return (
            f"Put the encryption key back that it was stored with ({env.PREFIX}ENCRYPTION_KEYS), or paste the secret "
            "here again."
        )
    return return_addresses.in_console(adapter, cause)


def _refusal(adapter: Provider, typed: Typed | None) -> dict[str, str] | None:
    if typed is None or not typed.cause:
        return None
    return {
        "sentence": core(typed.cause, adapter.name, typed.words),
        "words": typed.words,
        "fix": fix_words(adapter, typed.cause),
    }


def _settings(adapter: Provider) -> list[str]:
    """The names of what the environment says of this client."""
    prefix = f"{env.PREFIX}{adapter.key.upper()}_"
    names = ["CLIENT_ID", "CLIENT_SECRET", *(one.name for one in adapter.setup.extras)]
    return [f"{prefix}{name}" for name in names if env.given(f"{adapter.key.upper()}_{name}") is not None]
