"""Whether the addresses of this installation lead to it: the pages', and the one in every tracked link."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from truesend import env
from truesend.diagnostics import reach
from truesend.diagnostics.findings import Finding, Fix, ok, unproven, warning, wrong
from truesend.diagnostics.return_addresses import is_local, of_public_url
from truesend.env import PREFIX, SettingError


@dataclass(frozen=True)
class _Part:
    """A part that answers at an address: how it is called, its setting, and the command that starts it alone."""

    check: str
    name: str
    setting: str
    who: str


_WEB = _Part("public address", "web", "PUBLIC_URL", "people")
_TRACKER = _Part("tracking host", "tracker", "TRACKING_URL", "recipients")


def public(noted: str) -> Finding:
    """``noted``: where the web process that was started here answers, as far as it is known."""
    key = env.get("SECRET_KEY") or ""
    found = _asked(_WEB, env.public_url(), [key.encode()], noted)
    return found if found.status != "ok" else of_public_url() or found


def tracking(noted: str) -> Finding:
    """DNS, TLS, and a nonce that the tracker signs with a link key of ours."""
    url = env.tracking_url()
    try:
        keys = [key for _, key in env.link_keys()]
    except SettingError:
        return unproven(_TRACKER.check, "Whose tracker answers cannot be told without link keys.")
    found = _asked(_TRACKER, url, keys, noted)
    if found.status != "ok" or env.environment() == "dev" or not is_local(url):
        return found
    return warning(
        _TRACKER.check,
        f"{PREFIX}TRACKING_URL is {url}, which leads every recipient to their own machine: no open or click arrives.",
        Fix(
            f"Set {PREFIX}TRACKING_URL to an address that the internet reaches, and start Truesend again.",
            settings=(f"{PREFIX}TRACKING_URL=https://HOST.OF.YOURS",),
        ),
    )


def _asked(part: _Part, url: str, keys: list[bytes], noted: str) -> Finding:
    answer = reach.ask(url, keys)
    name = f"{PREFIX}{part.setting}"
    if answer.ours:
        return ok(part.check, f"{url} leads to this installation.")
    if answer.failure:
        sentence = f"{name} is {url}, and nobody answers there: {answer.failure}."
    elif answer.led_to:
        sentence = f"{name} is {url}, which leads on to {_origin(answer.led_to, url)}."
    else:
        sentence = (
            f"{name} is {url}, and somebody else answers there ({answer.status}), not this installation."
        )
    here = noted if noted and noted != url and reach.ask(noted, keys).ours else ""
    return wrong(part.check, sentence, _fix(part, url, answer, here))


def _origin(led_to: str, url: str) -> str:
    parts = urlsplit(led_to)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else url


def _fix(part: _Part, url: str, answer: reach.Answered, here: str) -> Fix:
    name = f"{PREFIX}{part.setting}"
    if answer.led_to and (origin := _origin(answer.led_to, url)) != url:
        return Fix(
            f"Set {name} to where it leads, if that is this installation, and start Truesend again.",
            settings=(f"{name}={origin}",),
        )
    if here:
        return Fix(
            f"This Truesend answers at {here}. Set {name} to that, or to the address of a proxy that leads there, and "
            "start Truesend again.",
            settings=(f"{name}={here}",),
        )
    return Fix(
        f"Start the {part.name}, or have your proxy lead {url} to it; or set {name} to the address at which {part.who} "
        "reach it, and start Truesend again.",
        command=f"truesend {part.name}",
    )
