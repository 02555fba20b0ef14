"""What the integrations page says first: how a consent or a button ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.sessions.backends.base import SessionBase

from truesend import clock
from truesend.connections import admin_consent
from truesend.connections.causes import CAUSES, Action, Who, cause, consent_sentence
from truesend.connections.consent import is_astray, parse_connection_id, unreturned, was_begun_in
from truesend.connections.describe import account_label, describe, people_who, provider_admin, start_url
from truesend.connections.models import Connection, Consent
from truesend.organizations.access import access_connection
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import DeadEnd, Provider
from truesend.web.gate import names
from truesend.web.helping import ask, helps, repair

# A page that is loaded again later no longer speaks of a consent that is long over.
_FRESH = timedelta(minutes=15)
_NEWS = timedelta(minutes=10)


_IF_ASKED = "Did its page say that an administrator has to approve? Forward this address to one:"
# What ended a way to a connection that left no consent: [what, the clock's time], for the page that comes next.
_ENDED = "way_ended"


def remember(session: SessionBase, what: str) -> None:
    """Have the next pages of this session tell of ``what``: a cause or the id of a connection, as in their address."""
    session[_ENDED] = [what, clock.now().timestamp()]


def _remembers(session: SessionBase, what: str) -> bool:
    ended, at = session.get(_ENDED) or ("", 0.0)
    return bool(ended == what and at > (clock.now() - _FRESH).timestamp())


def notice(member: Member, query: Mapping[str, str], session: SessionBase) -> dict[str, Any] | None:
    """The notice for the query a callback or a button came back with, or None.

    An address alone says nothing: a link that somebody kept or made up tells of no consent that did not happen.
    """
    code = query.get("cause", "")
    if code in CAUSES and (_failed(member, code) is not None or _remembers(session, code)):
        return failed_consent(member, code, query.get("provider", ""))
    if (connection := _find(member, query.get("refused", ""))) is not None:
        described = describe(connection)
        return {
            "state": "bad",
            "title": "No test email was sent.",
            "sentence": described.sentence,
            "fix": helps(member, described),
            "who": names(described.who),
        }
    if (
        connection := _find(member, query.get("connected", ""))
    ) is not None and connection.disconnected_at is None:
        consent = _succeeded(member, connection)
        if consent is not None or _remembers(session, str(connection.pk)):
            return _connected(connection, was_reset=consent is not None and consent.resets)
    if (connection := _find(member, query.get("tested", ""))) is not None:
        return {
            "state": "ok",
            "title": "A test email is on its way",
            "sentence": f"to {connection.address}. The card says when it was accepted.",
        }
    left = unreturned(member)
    if left is None:
        return None
    return _astray(left) if is_astray(left) else _back_by_hand(left, session.session_key or "")


def _connected(connection: Connection, *, was_reset: bool) -> dict[str, Any]:
    label = account_label(connection)
    if was_reset:
        return {
            "state": "ok",
            "title": f"{label} is reset.",
            "sentence": "A test email was accepted with the new key, which has taken the place of the old one.",
        }
    return {
        "state": "ok",
        "title": f"{label} is connected.",
        "sentence": "The card below says what is proved.",
    }


def _astray(left: Consent) -> dict[str, Any]:
    """Whoever was sent to the provider minutes ago and did not come back."""
    name = registry.provider(left.provider).name
    return {
        "state": "warn",
        "title": f"You have not come back from {name}.",
        "cause": "consent_unfinished",
        "sentence": "Some of its error pages lead nowhere. If you saw one, look it up here.",
        "fix": _pages(left),
    }


def _back_by_hand(left: Consent, session_key: str) -> dict[str, Any] | None:
    """Whoever was sent there a moment ago, and looks at a page of ours in the same browser."""
    if not was_begun_in(left, session_key):
        return None
    name = registry.provider(left.provider).name
    return {
        "state": "none",
        "title": f"Back from {name} without an answer?",
        "sentence": "If its page showed an error, look it up here.",
        "fix": _pages(left),
        "quiet": True,
    }


def _pages(left: Consent) -> dict[str, str]:
    return {"label": "What did its page say?", "url": f"/oauth/{left.provider}/pages"}


def _succeeded(member: Member, connection: Connection) -> Consent | None:
    """The member's own consent that has just connected it."""
    own = Consent.objects.filter(member=member, connection=connection, cause="")
    return own.filter(returned_at__gt=clock.now() - _NEWS).order_by("-returned_at").first()


def _failed(member: Member, code: str) -> Consent | None:
    """The member's own consent that has just ended in that cause."""
    own = Consent.objects.select_related("connection__member__user").filter(member=member, cause=code)
    return own.filter(returned_at__gt=clock.now() - _FRESH).order_by("-returned_at").first()


def dead_ends(member: Member, adapter: Provider) -> list[dict[str, Any]]:
    """Every page at the provider that leads nowhere: its words, what they mean, who can help and how.

    ``needs_redirect``: what helps is to register our address; ``admin_url``: what an administrator there opens;
    ``setup``: whoever looks can repair it on the page of providers.
    """
    return [_dead_end(member, adapter, page) for page in adapter.dead_ends]


def _dead_end(member: Member, adapter: Provider, page: DeadEnd) -> dict[str, Any]:
    found = cause(page.cause)
    by_admin = found.who is Who.PROVIDER_ADMIN
    return {
        "words": page.words,
        "cause": page.cause,
        "sentence": found.sentence.replace("{provider}", adapter.name),
        "clears": found.clears,
        "who": names(provider_admin(adapter.key, "") if by_admin else people_who(found.who, member)),
        "needs_redirect": page.cause == "redirect_mismatch",
        "admin_url": admin_consent.url_for(page.cause, adapter.key, adapter.capabilities),
        "setup": found.who is Who.OPERATOR and member.user.is_operator,
    }


def start_again(member: Member, provider: str) -> dict[str, str] | None:
    """The way back to where the member went and did not return from."""
    left = unreturned(member)
    if left is None or left.provider != provider:
        return None
    return _again(member, Action.CONNECT, left, provider)


def failed_consent(member: Member, code: str, provider: str) -> dict[str, Any]:
    """Cause, the provider's words, who can help and the button that does, of the consent that just failed."""
    consent = _failed(member, code)
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
    sentence = consent_sentence(code, name, words, reconnecting=connection is not None)
    if code == "other_account" and words and connection is not None:
        sentence = (
            f"You chose {words}; the one to reconnect is {account_label(connection)}. Nothing was changed."
        )
        words = ""
    return {
        "state": "bad",
        "title": _title(consent, connection),
        "cause": code,
        "sentence": sentence,
        "words": "" if words in sentence else words,
        "who": names(who),
        **_forward(code, key, consent),
        "fix": _again(member, found.action, consent, key),
    }


def _forward(code: str, key: str, consent: Consent | None) -> dict[str, str]:
    """What an administrator there opens, and what is said before it.

    Whoever was told there that an administrator must approve, and went back, comes with the answer of a Cancel
    (seen).
    """
    capabilities = consent.capabilities if consent is not None else ()
    if code == "consent_denied" and consent is not None:
        return {"forward": admin_consent.url(key, capabilities), "lead": _IF_ASKED}
    return {"forward": admin_consent.url_for(code, key, capabilities), "lead": ""}


def _title(consent: Consent | None, connection: Connection | None) -> str:
    if consent is not None and consent.resets:
        return "Not reset."
    return "Not reconnected." if connection is not None else "Not connected."


def _again(member: Member, action: Action, consent: Consent | None, key: str) -> dict[str, str] | None:
    if action is Action.OPERATOR:
        return repair(member, key) or {"label": action, "url": "/account#support"}
    if key not in registry.PROVIDERS:
        return None
    if action is Action.WAIT:
        return ask(f"/oauth/{key}/ask", consent.next_path if consent is not None else "")
    if consent is None:
        query = {"capabilities": "send", "kind": "personal", "next": "/integration"}
        return {"label": "Try again", "url": f"/oauth/{key}/start?{urlencode(query)}"}
    if consent.connection is not None:
        url = start_url(consent.connection, consent.capabilities, consent.next_path)
        if consent.resets:
            return {"label": "Reset this connection", "url": f"{url}&reset=1"}
        return {"label": "Reconnect", "url": f"{url}&test_email=1" if consent.test_email else url}
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
