"""What the integrations page says first: how a consent or a button ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from truesend import clock
from truesend.connections.causes import CAUSES, Action, Who, cause, consent_sentence
from truesend.connections.consent import astray, parse_connection_id
from truesend.connections.describe import account_label, describe, people_who, provider_admin, start_url
from truesend.connections.models import Connection, Consent
from truesend.organizations.access import access_connection
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Provider
from truesend.web.cards import pressed
from truesend.web.gate import names

# A page that is loaded again later no longer speaks of a consent that is long over.
_FRESH = timedelta(minutes=15)
_NEWS = timedelta(minutes=10)


def notice(member: Member, query: Mapping[str, str]) -> dict[str, Any] | None:
    """The notice for the query a callback or a button came back with, or None."""
    if query.get("cause", "") in CAUSES:
        return failed_consent(member, query["cause"], query.get("provider", ""))
    if (connection := _find(member, query.get("refused", ""))) is not None:
        described = describe(connection)
        return {
            "state": "bad",
            "title": "No test email was sent.",
            "sentence": described.sentence,
            "fix": pressed(described),
            "who": names(described.who),
        }
    if (connection := _find(member, query.get("connected", ""))) is not None and _just_connected(connection):
        return {
            "state": "ok",
            "title": f"{account_label(connection)} is connected.",
            "sentence": "The card below says what is proved.",
        }
    if (connection := _find(member, query.get("tested", ""))) is not None:
        return {
            "state": "ok",
            "title": "A test email is on its way",
            "sentence": f"to {connection.address}. The card says when it was accepted.",
        }
    if (left := astray(member)) is not None:
        name = registry.provider(left.provider).name
        return {
            "state": "warn",
            "title": f"You have not come back from {name}.",
            "sentence": "Some of its error pages lead nowhere. If you saw one, look it up here.",
            "fix": {"label": "What did its page say?", "url": f"/oauth/{left.provider}/pages"},
        }
    return None


def _just_connected(connection: Connection) -> bool:
    return connection.disconnected_at is None and connection.consented_at > clock.now() - _NEWS


def dead_ends(member: Member, adapter: Provider) -> list[dict[str, str]]:
    """Every page at the provider that leads nowhere: its words, what they mean, who can help and how."""
    return [
        {
            "words": page.words,
            "sentence": cause(page.cause).sentence.replace("{provider}", adapter.name),
            "clears": cause(page.cause).clears,
            "who": names(
                provider_admin(adapter.key, "")
                if cause(page.cause).who is Who.PROVIDER_ADMIN
                else people_who(cause(page.cause).who, member)
            ),
        }
        for page in adapter.dead_ends
    ]


def failed_consent(member: Member, code: str, provider: str) -> dict[str, Any]:
    """Cause, the provider's words, who can help and the button that does, of the consent that just failed."""
    consent = (
        Consent.objects.select_related("connection__member__user")
        .filter(member=member, cause=code, returned_at__gt=clock.now() - _FRESH)
        .order_by("-returned_at")
        .first()
    )
    key = consent.provider if consent is not None else provider
    name = registry.provider(key).name if key in registry.PROVIDERS else "The provider"
    words = consent.words if consent is not None else ""
    connection = consent.connection if consent is not None else None
    found = cause(code)
    if found.who is Who.PROVIDER_ADMIN and key in registry.PROVIDERS:
        who = provider_admin(key, connection.address if connection is not None else "")
    else:
        # Whoever went there can go there again; only an operator's or a manager's part is not theirs.
        who = people_who(found.who, member) if found.who in {Who.OPERATOR, Who.OWNER} else []
    return {
        "state": "bad",
        "title": "Not reconnected." if connection is not None else "Not connected.",
        "cause": code,
        "sentence": consent_sentence(code, name, words, reconnecting=connection is not None),
        "words": words,
        "who": names(who),
        "fix": _again(found.action, consent, key),
    }


def _again(action: Action, consent: Consent | None, key: str) -> dict[str, str] | None:
    if action is Action.OPERATOR:
        return {"label": action, "url": "/account#support"}
    if action is Action.WAIT and consent is not None and consent.cause == "not_allowed":
        return None
    if key not in registry.PROVIDERS:
        return None
    if consent is None:
        query = {"capabilities": "send", "kind": "personal", "next": "/integration"}
        return {"label": "Try again", "url": f"/oauth/{key}/start?{urlencode(query)}"}
    if consent.connection is not None:
        return {
            "label": "Reconnect",
            "url": start_url(consent.connection, consent.capabilities, consent.next_path),
        }
    query = {
        "capabilities": ",".join(consent.capabilities),
        "kind": consent.kind,
        "next": consent.next_path,
        **({"test_email": "1"} if consent.test_email else {}),
    }
    return {"label": "Try again", "url": f"/oauth/{key}/start?{urlencode(query)}"}


def _find(member: Member, text: str) -> Connection | None:
    connection_id = parse_connection_id(text) if text else None
    return access_connection(member, connection_id) if connection_id is not None else None
