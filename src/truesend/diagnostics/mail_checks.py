"""Whether Truesend's own mail can leave: the server is greeted and signed in to, and no mail is sent."""

from __future__ import annotations

import smtplib
import ssl
from urllib.parse import SplitResult, urlsplit

from truesend import env
from truesend.diagnostics.findings import Finding, Fix, ok, warning, wrong
from truesend.env import PREFIX
from truesend.organizations.system_mail import signed_in

_CHECK, _NAME = "system mail", f"{PREFIX}EMAIL_URL"
_SECONDS = 10


def system_mail() -> Finding:
    """SMTP as far as it goes without a mail."""
    url = env.get("EMAIL_URL")
    if url is None:
        return warning(
            _CHECK,
            f"{_NAME} is not set: nobody can reset a password by mail, and nobody is told when a connection fails.",
            Fix(
                f"Set {_NAME} to a mail server, and start Truesend again.",
                settings=(f"{_NAME}=smtp://USER:PASSWORD@HOST:587",),
            ),
        )
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"}:
        return ok(_CHECK, "It goes into the sandbox's mailbox.")
    where = f"{parts.hostname}:{parts.port or (465 if parts.scheme == 'smtps' else 587)}"
    try:
        _greet(parts)
    except smtplib.SMTPAuthenticationError as error:
        return wrong(
            _CHECK,
            f"The mail server {where} refuses user name and password ({error.smtp_code}).",
            Fix(
                f"Correct them in {_NAME}; a letter such as @ stands there as %40. Then start Truesend again."
            ),
        )
    except ssl.SSLCertVerificationError as error:
        return wrong(
            _CHECK,
            f"The certificate of the mail server {where} is not accepted: {error.verify_message}.",
            Fix(f"Name the server in {_NAME} as its certificate does, and start Truesend again."),
        )
    except (OSError, smtplib.SMTPException) as error:
        words = getattr(error, "strerror", None) or type(error).__name__
        return wrong(
            _CHECK,
            f"The mail server {where} cannot be reached: {words}.",
            Fix(
                f"Correct host and port in {_NAME} (smtp:// for 587 and 25, smtps:// for 465), or let this machine out "
                "to them. Then start Truesend again."
            ),
        )
    return ok(_CHECK, f"The mail server {where} takes mail of ours.")


def _greet(parts: SplitResult) -> None:
    """As a mail of ours does, up to the mail itself."""
    with signed_in(parts, timeout=_SECONDS) as server:
        server.noop()
