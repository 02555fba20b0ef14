"""The provider's own answer to whether a capability works: it is used, with every gate of ours left open.

A process beside an installation, with its settings and on its database, so that keys and single-use renewals are the
very same. One question in JSON to a line of standard input, `{"connection", "capability", "renew", "quiet"}`, one
answer to a line of standard output, `{"works", "words"}`. ``renew`` uses the connection as it is used from its next
renewal on: a key outlives a grant that has ended. ``quiet`` tells the installation nothing: what is found stands in no
proof.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any
from uuid import uuid4

SINK = "sink@globex.example"


def main() -> int:
    """Answer until standard input ends."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "truesend.settings"
    import django

    django.setup()
    from django.db import close_old_connections

    for line in sys.stdin:
        close_old_connections()
        works, words = _use(**json.loads(line))
        print(json.dumps({"works": works, "words": words}), flush=True)
    return 0


def _use(connection: str, capability: str, renew: bool, quiet: bool) -> tuple[bool, str]:
    from truesend.connections.models import Connection
    from truesend.providers.errors import ProviderError

    row = Connection.objects.get(pk=connection)
    refused = False
    for _ in range(2):
        try:
            access = _quietly(row, renew or refused) if quiet else _key(row, renew, refused)
        except ProviderError as error:
            return False, f"key: {error}"
        works, cause, words = _try(row, capability, access)
        if cause != "access_refused":
            break
        refused = True  # as the worker does: a new key decides
    return works, f"{cause} {words}".strip()


def _key(row: Any, renew: bool, refused: bool) -> str:
    from truesend.connections import tokens

    return tokens.access_token(row, trigger="oracle", renew=renew, refused=refused)


def _quietly(row: Any, renew: bool) -> str:
    """The key that is stored, or one got by hand, while nobody else renews it."""
    from django.db import transaction

    from truesend import clock
    from truesend.connections.models import Token
    from truesend.connections.secretbox import open_sealed

    while True:
        with transaction.atomic():
            token = Token.objects.select_for_update().get(pk=row.pk)
            if token.due_at is None or (not renew and token.access_expires_at > clock.now()):
                return open_sealed(token.access, place=f"token.access:{row.pk}")
            if token.begun_until is None or token.begun_until < clock.real_now():
                return _by_hand(token)
        time.sleep(0.1)


def _by_hand(token: Any) -> str:
    """A renewal that no proof and no ledger hears of; the refresh token before is tried as well, as ours do."""
    from truesend.connections.secretbox import open_sealed
    from truesend.providers import registry
    from truesend.providers.errors import ProviderError

    adapter, dead = registry.provider(token.provider), ProviderError("no_refresh_token", "")
    for sealed in (token.refresh, token.previous_refresh):
        if sealed is None:
            continue
        try:
            grant = adapter.refresh(open_sealed(sealed, place=f"token.refresh:{token.pk}"))
        except ProviderError as error:
            if not error.grant_is_dead:
                raise
            dead = error
        else:
            if adapter.renews_once:
                _keep(token, grant)
            return grant.access_token
    raise dead


def _keep(token: Any, grant: Any) -> None:
    """The old key works no more, so the new one has to be ours. A grant that is shown dead stays so."""
    from datetime import timedelta

    from truesend import clock
    from truesend.connections.secretbox import seal

    token.access = seal(grant.access_token, place=f"token.access:{token.pk}")
    token.previous_refresh = token.refresh
    token.refresh = seal(grant.refresh_token, place=f"token.refresh:{token.pk}")
    token.version += 1
    token.access_issued_at = clock.now()
    token.access_expires_at = clock.now() + timedelta(seconds=grant.expires_in)
    token.save(
        update_fields=[
            "access", "previous_refresh", "refresh", "version", "access_issued_at", "access_expires_at",
        ]
    )  # fmt: skip


def _try(row: Any, capability: str, access: str) -> tuple[bool, str, str]:
    """(whether it works, the cause, words)."""
    from truesend.providers import registry
    from truesend.providers.contract import Capability, ProviderError
    from truesend.providers.errors import Outcome

    adapter = registry.provider(row.provider)
    granted = adapter.granted(row.granted_scopes)
    if capability != "send":
        asked = adapter.probe(access, [Capability(capability)], thorough=True)
        found = [one for one in asked if one.check == capability]
        bad = [one for one in found if not one.ok]
        return bool(found) and not bad, bad[0].cause if bad else "", bad[0].words if bad else ""
    message, reference = _message(row, adapter), ""
    try:
        if adapter.prepares(granted):
            reference = adapter.prepare(message, access, earlier=None)
    except ProviderError as error:
        return False, error.cause, error.words
    result = adapter.send(message, access, reference=reference, fence=lambda: None)
    return result.outcome is Outcome.ACCEPTED, result.cause, result.words


def _message(row: Any, adapter: Any) -> Any:
    from truesend import clock
    from truesend.providers.contract import Message, Party
    from truesend.sending.addresses import Mailbox
    from truesend.sending.compose import Letter, compose

    mark, html = uuid4(), "<p>Asked by the test.</p>"
    if not adapter.limits.carries_mime:
        return Message(
            str(mark), recipients=(Party(SINK),), subject="Oracle", html=html, text="Asked by the test."
        )
    letter = Letter(
        delivery=mark, sender=Mailbox(row.address, ""), to=[Mailbox(SINK, "")], cc=[], bcc=[], subject="Oracle",
        html=html, text="Asked by the test.", files=[], date=clock.now(),
    )  # fmt: skip
    return Message(str(mark), raw=compose(letter))


if __name__ == "__main__":
    sys.exit(main())
