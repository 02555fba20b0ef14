"""Who answers at an address of ours, and if nobody does, why not."""

from __future__ import annotations

import secrets
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from truesend import vouching
from truesend.providers import http

_SECONDS = 8.0


@dataclass(frozen=True)
class Answered:
    """What came of asking. ``ours``: it showed a key of this installation. ``led_to``: it sent us elsewhere."""

    ours: bool = False
    status: int = 0
    led_to: str = ""
    # Why there was no answer, in words; empty where there was one.
    failure: str = ""


def ask(url: str, keys: list[bytes]) -> Answered:
    """Ask ``url``/healthz whose it is; one of ``keys`` must have made the answer."""
    nonce = secrets.token_hex(16)
    try:
        answer = http.request("GET", f"{url}/healthz?vouch={nonce}", operation="vouch", timeout=_SECONDS)
    except http.TransportError as error:
        return Answered(failure=_why(url) or error.words.rstrip("."))
    location = answer.headers.get("Location", "")
    body = answer.json()
    told = body.get("vouch") if isinstance(body, dict) else None
    ours = any(vouching.is_vouched(key, nonce, told) for key in keys)
    return Answered(ours, answer.status, location if 300 <= answer.status < 400 else "")


def _why(url: str) -> str:
    """The stage at which a connection fails, in words; empty where it does not."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    try:
        port = parts.port or (443 if secure else 80)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, UnicodeError):
        return f"the name {host} leads nowhere (DNS)"
    del found
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as connection:
            if secure:
                with ssl.create_default_context().wrap_socket(connection, server_hostname=host):
                    pass
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not accepted ({error.verify_message})"
    except ssl.SSLError:
        return f"no https is spoken at port {port}"
    except ConnectionRefusedError:
        return f"nothing listens at port {port}"
    except TimeoutError:
        return f"port {port} does not answer"
    except OSError as error:
        return f"no connection could be made ({error.strerror or type(error).__name__})"
    return ""
