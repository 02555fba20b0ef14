"""The settings that ``truesend up`` gives its parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from truesend.billing import sandbox as billing
from truesend.env import PREFIX
from truesend.providers import sandboxed
from truesend.runtime.errors import Refused
from truesend.runtime.keys import key_files


def complete(
    given: Mapping[str, str], *, data: Path, host: str, port: int, sandbox_port: int | None
) -> dict[str, str]:
    """Every ``TRUESEND_*`` variable for the parts: those given, and ours where nothing is given.

    ``sandbox_port`` is ``None`` without a sandbox. Makes missing keys in the data folder. Raises
    :class:`Refused` for a sandbox in ``prod``.
    """
    settings = {name: value for name, value in given.items() if name.startswith(PREFIX)}

    def default(name: str, value: str) -> None:
        full = PREFIX + name
        if not settings.get(full, "").strip() and not settings.get(f"{full}_FILE", "").strip():
            settings[full] = value

    settings[f"{PREFIX}DATA_DIR"] = str(data)
    settings.update(key_files(data, settings))
    default("PUBLIC_URL", f"http://{name_for(host)}:{port}")
    default("TRACKING_URL", f"http://{name_for(host)}:{port + 1}")
    if sandbox_port is not None:
        if settings.get(f"{PREFIX}ENVIRONMENT", "").strip() == "prod":
            raise Refused("The sandbox is not for TRUESEND_ENVIRONMENT=prod; leave --sandbox out.")
        url = f"http://localhost:{sandbox_port}"
        settings[f"{PREFIX}SANDBOX_URL"] = url
        settings[f"{PREFIX}CLOCK_FILE"] = str(data / "run" / "clock")
        default("EMAIL_URL", f"{url}/_sandbox/mail")
        for name, value in (sandboxed.settings(url) | billing.settings(url)).items():
            default(name, value)
    return settings


def name_for(host: str) -> str:
    """How a person on this machine types ``host``: loopback and "every address" are localhost."""
    if host in {"", "localhost", "0.0.0.0", "::", "::1"} or host.startswith("127."):  # noqa: S104 - compared
        return "localhost"
    return f"[{host}]" if ":" in host else host
