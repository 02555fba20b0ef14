"""Whether the settings can be read, fit together, and are safe where it matters. Nothing is asked of anybody."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from truesend import env
from truesend.billing import tiers
from truesend.diagnostics.findings import Finding, Fix, ok, warning, wrong
from truesend.env import PREFIX, SettingError

_CHECK = "settings"
_RINGS = ("ENCRYPTION_KEYS", "LINK_KEYS")
_SCHEMES = {"DATABASE_URL": {"postgresql", "postgres"}, "EMAIL_URL": {"smtp", "smtps", "http", "https"}}
_AGAIN = "and start Truesend again."


def settings() -> list[Finding]:
    """Every setting that is wrong, or one finding that all are right."""
    found = [*_unreadable(), *_misspelt()]
    if found:
        return found
    return [ok(_CHECK, f"{len(env.SETTINGS)} settings, all readable.")]


def are_readable() -> bool:
    """Whether the program can start with them at all."""
    return not any(one.status == "wrong" for one in _unreadable())


def _unreadable() -> Iterator[Finding]:
    for one in env.SETTINGS:
        full = PREFIX + one.name
        try:
            value = env.given(one.name)
        except SettingError as error:
            file = os.environ.get(f"{full}_FILE", "")
            yield wrong(
                _CHECK,
                str(error),
                Fix(
                    f"Make the file {file} one that this user can read, or set {full}_FILE to the right one, {_AGAIN}"
                ),
            )
            continue
        if value is not None and (problem := _problem(one, value)):
            yield wrong(_CHECK, f"{full} {problem}.", Fix(f"Correct {full}, {_AGAIN}"))
    try:
        env.billing()
        unsafe = env.unsafe()
    except SettingError as error:
        if "is not set" in str(error):
            name = str(error).partition(" ")[0]
            yield wrong(
                _CHECK,
                f"{name} is not set, and {PREFIX}BILLING=stripe needs it.",
                Fix(f"Set {name}, or {PREFIX}BILLING to none, {_AGAIN}"),
            )
        return  # everything else is told already
    if env.environment() == "prod" and env.get("TRUSTED_PROXIES") is None:
        # TLS is never ended here, so there is one.
        yield warning(
            _CHECK,
            f"{PREFIX}TRUSTED_PROXIES is not set: to Truesend everybody comes from the address of the proxy in front, "
            "recipients who open and click, and whoever guesses passwords.",
            Fix(f"Set {PREFIX}TRUSTED_PROXIES to how many proxies stand one behind the other, {_AGAIN}"),
        )
    for name, sentence in unsafe:
        yield wrong(_CHECK, sentence, Fix(f"Set {PREFIX}{name} so, {_AGAIN}"))


def _problem(one: env.Setting, value: str) -> str:
    """What is wrong with a value, without the value; empty where nothing is."""
    if one.name == "ENVIRONMENT":
        return "" if value in {"dev", "stage", "prod"} else "must be dev, stage or prod"
    if one.name == "BILLING":
        return "" if value in {"none", "stripe"} else "must be none or stripe"
    if one.name == "STRIPE_PRICES":
        try:
            tiers.read_prices(value)
        except tiers.PricesUnreadable as error:
            return str(error)
        return ""
    if one.name in _RINGS:
        try:
            env.keys_of(one.name, value)
        except SettingError as error:
            return str(error).removeprefix(f"{PREFIX}{one.name} ").rstrip(".")
        return ""
    if one.name.endswith("_URL"):
        return _url_problem(one.name, value)
    is_number = (one.default or "").isdigit() or one.name.endswith(("_PER_SECOND", "_PROXIES"))
    if is_number and not (value.isascii() and value.isdigit() and int(value) > 0):
        return "must be a positive whole number"
    return ""


def _url_problem(name: str, value: str) -> str:
    schemes = _SCHEMES.get(name, {"http", "https"})
    try:
        parts = urlsplit(value)
        sound = parts.scheme.lower() in schemes and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
        parts = None
    if parts is None or not sound:
        return f"must begin with {' or '.join(f'{one}://' for one in sorted(schemes))} and be an address"
    if name != "DATABASE_URL" and not parts.hostname:
        return "names no host"
    return ""


def _misspelt() -> Iterator[Finding]:
    """A variable that looks like a setting and is none: whoever set it meant something."""
    known = {PREFIX + one.name for one in env.SETTINGS}
    known |= {f"{PREFIX}{one.name}_FILE" for one in env.SETTINGS if one.secret}
    for name in sorted(name for name in os.environ if name.startswith(PREFIX)):
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        meant = f" Is {near[0]} meant?" if near else ""
        yield warning(
            _CHECK,
            f"{name} is no setting, so it does nothing.{meant}",
            Fix(
                f"{f'Rename it to {near[0]}' if near else 'Unset it'}, {_AGAIN}",
                unset=() if near else (name,),
            ),
        )


def environment() -> Finding:
    """Which environment this is, and whether anything real is done in it."""
    name, sandbox = env.environment(), env.sandbox_url()
    if sandbox is None:
        real = not any(one.name.endswith("_TOKEN_URL") and env.given(one.name) for one in env.SETTINGS)
        return ok("environment", f"This is {name}; mail goes to real people." if real else f"This is {name}.")
    if name == "stage":
        return warning(
            "environment",
            f"This is stage, and the sandbox at {sandbox} stands in for the providers: no mail reaches anybody.",
            Fix("Start Truesend without --sandbox where real accounts are meant."),
        )
    return ok(
        "environment",
        f"This is {name}, and the sandbox at {sandbox} stands in for the providers: no mail reaches anybody.",
    )


def keys_at_hand(data: Path) -> None:
    """Let the keys in the data folder count as ``truesend up`` would; none is made."""
    for name in ("SECRET_KEY", *_RINGS):
        full = PREFIX + name
        path = data / name.lower()
        if not os.environ.get(full, "").strip() and not os.environ.get(f"{full}_FILE") and path.is_file():
            os.environ[f"{full}_FILE"] = str(path)
