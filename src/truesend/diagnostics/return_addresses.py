"""Where providers send people back to: what can be said of it from here, and settings that do not belong together.

Rules: each provider's ``setup``. Pure but for the settings.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from truesend import env
from truesend.connections.return_address import redirect_uri
from truesend.diagnostics.findings import Finding, Fix, warning, wrong
from truesend.providers import clients, sandboxed
from truesend.providers.contract import Provider

_PUBLIC_URL = f"{env.PREFIX}PUBLIC_URL"


def is_local(url: str) -> bool:
    """Whether an address leads to the machine of whoever asks."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "localhost.localdomain"} or host.endswith(".localhost") or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_bare(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def refused_by_rule(adapter: Provider) -> Finding | None:
    """A return address that the provider takes from nobody; None where no rule speaks against it.

    What stands in for a provider has rules of its own, so nothing is said of it.
    """
    if clients.is_emulated(adapter.key):
        return None
    check, address = f"return address {adapter.name}", redirect_uri(adapter.key)
    parts = urlsplit(address)
    secure = Fix(
        f"Put Truesend behind a proxy that speaks https, set {_PUBLIC_URL} to its address and start Truesend again.",
        settings=(f"{_PUBLIC_URL}=https://{_host_to_use(parts)}",),
    )
    if adapter.setup.https_only and parts.scheme != "https":
        return wrong(
            check, f"{adapter.name} returns to addresses with https only, and this one is {address}.", secure
        )
    if parts.scheme != "https" and not is_local(address):
        return wrong(
            check,
            f"{adapter.name} takes http only for this machine itself, and people would return to {address}.",
            secure,
        )
    if adapter.setup.names_a_host and _is_bare(parts.hostname or "") and not is_local(address):
        return wrong(
            check,
            f"{adapter.name} takes no bare IP address to return to, and this one is {address}.",
            Fix(f"Set {_PUBLIC_URL} to an address with a host name, and start Truesend again."),
        )
    return None


def _host_to_use(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return "HOST.OF.YOURS" if is_local(parts.geturl()) or _is_bare(host) else host


def mismatches(adapter: Provider) -> list[Finding]:
    """Settings of one provider that do not belong together, or not into this environment."""
    client = clients.client(adapter.key)
    names = dict(clients.endpoints(adapter.key))
    elsewhere = [name for name, default in names.items() if env.given(name) not in {None, default}]
    check, found = f"settings {adapter.name}", []
    half = [part for part in clients.from_environment(adapter.key) if part]
    if len(half) == 1:
        missing = "SECRET" if clients.from_environment(adapter.key)[0] else "ID"
        name = f"{env.PREFIX}{adapter.key.upper()}_CLIENT_{missing}"
        found.append(
            wrong(
                check,
                f"The environment names half a client for {adapter.name}: {name} is not set.",
                Fix(
                    f"Set {name} too, or neither and enter both on the page, and start Truesend again.",
                    page=page_of(adapter.key),
                ),
            )
        )
    if client is None:
        return found
    pretended = client.id == sandboxed.settings("")[f"{adapter.key.upper()}_CLIENT_ID"]
    listed = ", ".join(f"{env.PREFIX}{name}" for name in elsewhere)
    if pretended and not elsewhere:
        found.append(
            wrong(
                check,
                f"The sandbox's client is used at the real {adapter.name}, which does not know it.",
                Fix(f"Enter a client of your own for {adapter.name}.", page=page_of(adapter.key)),
            )
        )
    elif elsewhere and not pretended and (env.sandbox_url() is not None or env.environment() == "prod"):
        found.append(
            warning(
                check,
                f"A real client of {adapter.name} is used beside addresses that lead elsewhere: {listed}.",
                Fix(f"Unset {listed} where {adapter.name} itself is meant, and start Truesend again."),
            )
        )
    elif elsewhere and len(elsewhere) < len(names):
        found.append(
            warning(
                check,
                f"Some addresses of {adapter.name} lead elsewhere ({listed}), the others to {adapter.name} itself.",
                Fix("Set all of them or none, and start Truesend again."),
            )
        )
    return found


def of_public_url() -> Finding | None:
    """An address of this installation that does not fit its environment."""
    url, name = env.public_url(), env.environment()
    if name == "dev" or not is_local(url):
        return None
    return warning(
        "public address",
        f"{_PUBLIC_URL} is {url}, which everybody's browser takes for their own machine, and this is {name}.",
        Fix(
            f"Set {_PUBLIC_URL} to the address that people type, and start Truesend again.",
            settings=(f"{_PUBLIC_URL}=https://HOST.OF.YOURS",),
        ),
    )


def page_of(provider: str) -> str:
    """Where the operator enters a provider's client."""
    return f"{env.public_url()}/settings/providers#{provider}"


def in_console(adapter: Provider, cause: str) -> str:
    """What to do in the provider's console about a cause; empty where nothing there helps."""
    there = adapter.setup.fixes.get(cause, "")
    return f"In the {adapter.setup.console}: {there[:1].lower()}{there[1:]}" if there else ""
