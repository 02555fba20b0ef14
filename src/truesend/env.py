"""Every setting of Truesend, in one table, read from the environment.

A setting NAME is the environment variable ``TRUESEND_NAME``. A secret may also stand in the file named by
``TRUESEND_NAME_FILE``. ``docs/settings.md`` is written from this table and a test holds the two together.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from pathlib import Path

PREFIX = "TRUESEND_"


class SettingError(ValueError):
    """A setting is missing or cannot be read; the message names the setting, never its value."""


@dataclass(frozen=True)
class Setting:
    """One setting: its name without prefix, default (``None`` = no value), meaning, and whether it is secret."""

    name: str
    default: str | None
    meaning: str
    secret: bool = False


_OR_THE_PAGE = "Unset: the one entered at `/settings/providers`."
_GOOGLE = "Google's endpoint; another emulator can stand in."
_MICROSOFT = "Microsoft's endpoint; another emulator can stand in."
_DIRECTORY = f"{_MICROSOFT} `{{tenant}}` is filled in."
_LOGIN = "https://login.microsoftonline.com"
_KEAP = "Keap's endpoint; another emulator can stand in."

SETTINGS: tuple[Setting, ...] = (
    Setting("ENVIRONMENT", "dev", "`dev`, `stage` or `prod`; `prod` refuses to start with an unsafe value."),
    Setting("PUBLIC_URL", "http://localhost:8000", "Address of the web app as people type it."),
    Setting("TRACKING_URL", "http://localhost:8001", "Address of the tracker as recipients reach it."),
    Setting(
        "DATABASE_URL", None, "PostgreSQL, `postgresql://…`. Unset: `truesend up` runs its own.", secret=True
    ),
    Setting("DATA_DIR", "./data", "Folder for keys, tracking segments, logs and the embedded PostgreSQL."),
    Setting(
        "SECRET_KEY", None, "Signs sessions and forms; made in the data folder on first start.", secret=True
    ),
    Setting(
        "ENCRYPTION_KEYS",
        None,
        "Encrypt tokens at rest: `id:base64,…`, newest first, 32 bytes each.",
        secret=True,
    ),
    Setting("LINK_KEYS", None, "Sign tracking links: `id:base64,…`, newest signs, all verify.", secret=True),
    Setting("EMAIL_URL", None, "System mail: `smtp://user:password@host:587` or `smtps://…`.", secret=True),
    Setting("EMAIL_FROM", "Truesend <truesend@localhost>", "Sender of system mail."),
    Setting("SUPPORT_EMAIL", None, "Address behind “Contact support”."),
    Setting(
        "GUESS_LIMITS", None, "`on` or `off`: limits on guessing passwords. Default: off for dev, else on."
    ),
    Setting(
        "SESSION_IDLE_HOURS",
        "72",
        "Hours after which a browser is signed out in which nobody does anything; three days bridge a weekend.",
    ),
    Setting(
        "SESSION_HOURS",
        "336",
        "Hours after signing in at which a browser is signed out, used or not: two weeks.",
    ),
    Setting(
        "TRUSTED_PROXIES",
        None,
        "How many proxies of yours stand one behind the other in front of web and tracker: `1` for one. Whose a "
        "request is, the outermost of them has written into `X-Forwarded-For`. Only where nobody reaches the ports "
        "around them. Unset: nobody's word is believed.",
    ),
    Setting("GOOGLE_CLIENT_ID", None, f"OAuth client of this installation at Google. {_OR_THE_PAGE}"),
    Setting("GOOGLE_CLIENT_SECRET", None, "Its secret.", secret=True),
    Setting("GOOGLE_AUTHORIZE_URL", "https://accounts.google.com/o/oauth2/v2/auth", _GOOGLE),
    Setting("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token", _GOOGLE),
    Setting("GOOGLE_REVOKE_URL", "https://oauth2.googleapis.com/revoke", _GOOGLE),
    Setting("GOOGLE_USERINFO_URL", "https://openidconnect.googleapis.com/v1/userinfo", _GOOGLE),
    Setting("GOOGLE_JWKS_URL", "https://www.googleapis.com/oauth2/v3/certs", _GOOGLE),
    Setting("GOOGLE_API_URL", "https://gmail.googleapis.com", _GOOGLE),
    Setting(
        "GOOGLE_MAIL_URL", "https://mail.google.com/mail", "Gmail's pages: people are led to Sent there."
    ),
    Setting(
        "GOOGLE_SENDS_PER_SECOND",
        None,
        "Sends a second with this client, all mailboxes together. Default: 160, from Google's quota of a project.",
    ),
    Setting(
        "COPIES_PER_MINUTE",
        None,
        "Separate copies of one email that a mailbox sends in a minute. Default: what its provider takes, 30 to 60.",
    ),
    Setting(
        "MICROSOFT_CLIENT_ID",
        None,
        f"OAuth client (application id) of this installation at Microsoft. {_OR_THE_PAGE}",
    ),
    Setting("MICROSOFT_CLIENT_SECRET", None, "Its secret: the value, not the secret's id.", secret=True),
    Setting(
        "MICROSOFT_TENANT",
        "common",
        "Who may sign in: `common` everybody, `organizations` work accounts, `consumers` personal ones, or the id or "
        "domain of one directory.",
    ),
    Setting("MICROSOFT_AUTHORIZE_URL", f"{_LOGIN}/{{tenant}}/oauth2/v2.0/authorize", _DIRECTORY),
    Setting("MICROSOFT_TOKEN_URL", f"{_LOGIN}/{{tenant}}/oauth2/v2.0/token", _DIRECTORY),
    Setting(
        "MICROSOFT_ADMIN_CONSENT_URL",
        f"{_LOGIN}/{{tenant}}/v2.0/adminconsent",
        f"{_DIRECTORY} Administrators permit Truesend for everybody there.",
    ),
    Setting("MICROSOFT_USERINFO_URL", "https://graph.microsoft.com/oidc/userinfo", _MICROSOFT),
    Setting("MICROSOFT_JWKS_URL", f"{_LOGIN}/common/discovery/v2.0/keys", _MICROSOFT),
    Setting("MICROSOFT_API_URL", "https://graph.microsoft.com/v1.0", _MICROSOFT),
    Setting(
        "MICROSOFT_MAIL_URL",
        "https://outlook.office.com/mail",
        "Outlook on the web: people are led to Sent there.",
    ),
    Setting(
        "MICROSOFT_PERSONAL_MAIL_URL",
        "https://outlook.live.com/mail/0",
        "The same for personal accounts.",
    ),
    Setting("KEAP_CLIENT_ID", None, f"OAuth client (key) of this installation at Keap. {_OR_THE_PAGE}"),
    Setting("KEAP_CLIENT_SECRET", None, "Its secret.", secret=True),
    Setting("KEAP_AUTHORIZE_URL", "https://accounts.infusionsoft.com/app/oauth/authorize", _KEAP),
    Setting("KEAP_TOKEN_URL", "https://api.infusionsoft.com/token", _KEAP),
    Setting("KEAP_API_URL", "https://api.infusionsoft.com/crm/rest", f"{_KEAP} Ends where `/v2` begins."),
    Setting(
        "KEAP_MAIL_URL",
        None,
        "A page of sent mail to lead people to; `?user=` and `&app=` are added. Keap has none that is one for all.",
    ),
    Setting(
        "BILLING",
        "none",
        "`none`: everything is unlocked and there is no billing page. `stripe`: organizations try, then pay "
        "([billing.md](billing.md)).",
    ),
    Setting("STRIPE_SECRET_KEY", None, "Key of this installation at Stripe, `sk_…` or `rk_…`.", secret=True),
    Setting(
        "STRIPE_WEBHOOK_SECRET",
        None,
        "Signs what Stripe tells `/webhooks/stripe`: `whsec_…`, shown where that address is entered there.",
        secret=True,
    ),
    Setting(
        "STRIPE_PRICES",
        None,
        "What is sold: `starter=price_…,business=price_…,premium=price_…`. Of several of a tier the first is sold, the "
        "others go on meaning it.",
    ),
    Setting("STRIPE_API_URL", "https://api.stripe.com", "Stripe's endpoint; another emulator can stand in."),
    Setting("HTTP_TIMEOUT", "30", "Seconds a provider may take for one answer."),
    Setting(
        "PROBE_MINUTES",
        "15",
        "Minutes after which a provider is asked again what still works, while somebody of the organization is here.",
    ),
    Setting(
        "INBOX_SECONDS",
        "120",
        "Seconds between two looks for replies and bounces into a mailbox that sent something lately; quieter ones are "
        "looked into more rarely.",
    ),
    Setting(
        "PUSH",
        None,
        "`on` or `off`: let providers tell of new mail at once, by `/webhooks/…`. Default: on where `PUBLIC_URL` is "
        "https. Without it mailboxes are looked into all the same.",
    ),
    Setting(
        "GOOGLE_PUBSUB_TOPIC",
        None,
        "The Pub/Sub topic that Gmail tells of new mail, `projects/…/topics/…`, in the client's own project. Unset: no "
        "push by Google.",
    ),
    Setting(
        "GOOGLE_PUBSUB_ACCOUNT",
        None,
        "Service account with which the topic's push subscription signs its calls to `/webhooks/google`: its address.",
    ),
    Setting(
        "GOOGLE_PUBSUB_AUDIENCE",
        None,
        "The audience entered at that subscription. Default: `PUBLIC_URL` with `/webhooks/google`.",
    ),
    Setting(
        "QUIET_TIME",
        "120",
        "Seconds after the end of a call in which a provider may still carry it out or show it in Sent. Only after "
        "them is an email that is not there sent again; a provider that takes longer makes it arrive twice.",
    ),
    Setting(
        "DRAFT_STORAGE_MB",
        "500",
        "Megabytes that the files of one member's drafts may hold together; what was sent does not count.",
    ),
    Setting("TRACKER_PROCESSES", "1", "Processes that answer pixels and links; one fills most of a core."),
    Setting("WORKER_CONCURRENCY", "16", "Mailboxes one worker serves at the same time."),
    Setting(
        "WEB_THREADS",
        "16",
        "Requests the web process answers at the same time; one database connection each.",
    ),
    Setting(
        "SANDBOX_URL", None, "Set by `truesend up --sandbox`: where the sandbox answers. Refused in prod."
    ),
    Setting("CLOCK_FILE", None, "Set by `truesend up --sandbox`: the sandbox's clock. Refused in prod."),
)

_BY_NAME = {setting.name: setting for setting in SETTINGS}


def is_setting(name: str) -> bool:
    """Whether there is a setting of that name."""
    return name in _BY_NAME


def given(name: str) -> str | None:
    """The value of a setting or its file's content, without its default; blank counts as unset."""
    setting = _BY_NAME[name]
    value = os.environ.get(PREFIX + name, "")
    if value.strip():
        return value.strip()
    path = os.environ.get(f"{PREFIX}{name}_FILE", "") if setting.secret else ""
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SettingError(f"{PREFIX}{name}_FILE cannot be read: {why}.") from None
    return None


def get(name: str) -> str | None:
    """The value of a setting, its file's content, or its default; blank counts as unset."""
    value = given(name)
    return _BY_NAME[name].default if value is None else value


def require(name: str) -> str:
    """Like :func:`get`, but a missing value is a :class:`SettingError`."""
    value = get(name)
    if value is None:
        raise SettingError(f"{PREFIX}{name} is not set.")
    return value


def number(name: str) -> int:
    """A setting that is a positive whole number."""
    value = require(name)
    if not value.isdigit() or int(value) < 1:
        raise SettingError(f"{PREFIX}{name} must be a positive whole number.")
    return int(value)


def trusted_proxies() -> int:
    """How many proxies in front are believed; 0 where none is."""
    return number("TRUSTED_PROXIES") if get("TRUSTED_PROXIES") is not None else 0


def environment() -> str:
    """``dev``, ``stage`` or ``prod``."""
    value = require("ENVIRONMENT")
    if value not in {"dev", "stage", "prod"}:
        raise SettingError("TRUESEND_ENVIRONMENT must be dev, stage or prod.")
    return value


def billing() -> str:
    """``none`` or ``stripe``; the latter with all it needs, else a :class:`SettingError` names what is missing."""
    value = require("BILLING")
    if value not in {"none", "stripe"}:
        raise SettingError("TRUESEND_BILLING must be none or stripe.")
    if value == "stripe":
        for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_PRICES"):
            require(name)
    return value


def unsafe() -> list[tuple[str, str]]:
    """Values that would put members or recipients at risk in ``prod``: names of settings, and a sentence of each."""
    if environment() != "prod":
        return []
    found = [
        (name, f"{PREFIX}{name} must begin with https:// in prod.")
        for name in ("PUBLIC_URL", "TRACKING_URL")
        if not require(name).lower().startswith("https://")
    ]
    found += [
        (name, f"{PREFIX}{name} is the sandbox's and must not be set in prod.")
        for name in ("SANDBOX_URL", "CLOCK_FILE")
        if get(name) is not None
    ]
    if not require("STRIPE_API_URL").lower().startswith("https://"):
        found.append(("STRIPE_API_URL", f"{PREFIX}STRIPE_API_URL must begin with https:// in prod."))
    if get("GUESS_LIMITS") == "off":
        found.append(("GUESS_LIMITS", f"{PREFIX}GUESS_LIMITS must not be off in prod."))
    if (get("EMAIL_URL") or "").lower().startswith("http"):
        found.append(("EMAIL_URL", f"{PREFIX}EMAIL_URL must begin with smtp:// or smtps:// in prod."))
    return found


def refuse_unsafe() -> None:
    """In ``prod``, raise :class:`SettingError` for a value that would put members or recipients at risk."""
    for _, sentence in unsafe():
        raise SettingError(sentence)


def public_url() -> str:
    """The web app's address without a trailing slash."""
    return require("PUBLIC_URL").rstrip("/")


def tracking_url() -> str:
    """The tracker's address without a trailing slash."""
    return require("TRACKING_URL").rstrip("/")


def database_url() -> str:
    """The PostgreSQL address."""
    return require("DATABASE_URL")


def data_dir() -> Path:
    """The data folder, absolute."""
    return Path(require("DATA_DIR")).resolve()


def sandbox_url() -> str | None:
    """Where the sandbox answers, or ``None``; never outside dev and stage."""
    value = get("SANDBOX_URL")
    return value.rstrip("/") if value and environment() != "prod" else None


def keys_of(name: str, text: str) -> list[tuple[str, bytes]]:
    """Keys as a setting or its file spells them, ``id:base64,…``; a :class:`SettingError` names the setting."""
    keys: list[tuple[str, bytes]] = []
    for part in text.split(","):
        key_id, colon, encoded = part.strip().partition(":")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if not (key_id and colon and len(secret) == 32):
            raise SettingError(f"{PREFIX}{name} must read id:base64,… with 32 bytes to a key.")
        keys.append((key_id, secret))
    if len({key_id for key_id, _ in keys}) != len(keys):
        raise SettingError(f"{PREFIX}{name} names a key id twice.")
    return keys


def encryption_keys() -> list[tuple[str, bytes]]:
    """Keys for secrets at rest as ``(id, 32 bytes)``, newest first."""
    return keys_of("ENCRYPTION_KEYS", require("ENCRYPTION_KEYS"))


def link_keys() -> list[tuple[str, bytes]]:
    """Keys for tracking links as ``(id, 32 bytes)``, newest first."""
    return keys_of("LINK_KEYS", require("LINK_KEYS"))
