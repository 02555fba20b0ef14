"""One mailbox while it is drained: what is due in it, and the facts that readiness asks for.

An email costs its statements and its call, so what many of them share is read once: the due ones some at a time, the
facts again after a second, or at once where something did not go as it should.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import Error as DatabaseUnable
from django.db import close_old_connections

from truesend import clock, live_events
from truesend.connections import proofs, tokens
from truesend.connections.describe import Description, describe_from, facts_of
from truesend.connections.models import Connection, Token
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Capability, Evidence, Provider
from truesend.providers.errors import ProviderError
from truesend.sending import reading
from truesend.sending.models import Delivery, DeliveryStatus
from truesend.sending.pace import Allowance
from truesend.sending.reading import Due
from truesend.writing import senders

log = logging.getLogger("truesend.sending")

# Facts and the newest proof of success are at most this old.
FRESH_SECONDS = 1.0


class Box:
    """A mailbox and what is known of it. For one thread; :meth:`close` it."""

    def __init__(self, connection_id: UUID) -> None:
        self._id = connection_id
        self._due: deque[Due] = deque()
        self._described: Description | None = None
        self._members: dict[UUID, Member] = {}
        self._token: Token | None = None
        self._access: tokens.Held | None = None
        self._fresh_until = 0.0
        self._position: str | None = None
        self._proved_at = float("-inf")
        self._unproved: tuple[Connection, datetime] | None = None
        self._copies: deque[tuple[UUID, str]] = deque()
        self.tracks_shown = False
        self.allowance = Allowance()
        self._granted: tuple[list[str], set[Capability]] | None = None

    def next(self) -> Due | None:
        """What is to be tried now; None where nothing is due."""
        if not self._due:
            close_old_connections()
            self._due.extend(reading.due(self._id, clock.now()))
        return self._due.popleft() if self._due else None

    def described(self) -> Description:
        """The connection with its verdict. Raises Connection.DoesNotExist."""
        if self._described is None or time.monotonic() > self._fresh_until:
            return self.look()
        return self._described

    def look(self) -> Description:
        """The same, as it stands at this moment."""
        until = time.monotonic() + FRESH_SECONDS
        facts = reading.facts(self._id)
        self._described = describe_from(facts.connection, facts_of(facts.proofs), facts.token)
        self._token, self._members = facts.token, {facts.connection.member_id: facts.connection.member}
        self.tracks_shown = facts.tracks_shown
        self._fresh_until = until
        return self._described

    def member(self, delivery: Delivery) -> Member:
        """Who wrote the email."""
        organization = self.described().connection.organization
        key = delivery.email.member_id
        if key not in self._members:
            self._members[key] = reading.writer(key)
            self._members[key].organization = organization
        return self._members[key]

    def access(self, *, refused: bool) -> str:
        """An access token with life left in it, new where the one we have was ``refused``. Raises ProviderError."""
        connection = self.described().connection
        if refused:
            self._access = None
        elif self._token is not None:
            self._access = tokens.held(self._token, self._access)
        if self._access is not None:
            return self._access.text
        fresh = tokens.access_token(connection, trigger="send", refused=refused)
        self.doubt()  # the verdict may tell of the renewal
        return fresh

    def position(self, access: str) -> str:
        """Where the mailbox's history stood when this drain began; empty where it cannot be read."""
        if self._position is None:
            self._position = ""
            if self.can_read():
                # A mailbox that cannot be read just now can still send: the listing will have to do.
                with suppress(ProviderError):
                    self._position = self._adapter().position(access)[:64]
        return self._position

    def look_at_senders(self, *, refused: bool) -> None:
        """Read the other addresses this mailbox may send from, at most once a minute. Raises ProviderError."""
        connection = self.described().connection
        if senders.is_stale(connection, senders.FRESH_TO_SEND):
            senders.look(connection, after=senders.FRESH_TO_SEND, access=self.access(refused=refused))

    def capabilities(self) -> set[Capability]:
        """What its granted scopes allow."""
        scopes = self.described().connection.granted_scopes
        if self._granted is None or self._granted[0] != scopes:
            self._granted = (scopes, self._adapter().granted(scopes))
        return self._granted[1]

    def can_read(self) -> bool:
        """Whether the mailbox's own Sent may be read."""
        return Capability.READ in self.capabilities()

    def _adapter(self) -> Provider:
        return registry.provider(self.described().connection.provider)

    def doubt(self) -> None:
        """Something went otherwise than it should: whatever was read is read again."""
        self._due.clear()
        self._described = self._access = None
        self._proved_at = float("-inf")

    def checks(self) -> list[str]:
        """The checks that a success now is to be written as the proof of: none within a second of the last."""
        if time.monotonic() - self._proved_at < FRESH_SECONDS:
            return []
        return ["grant", "send"]

    def succeeded(self, delivery: Delivery, message_id: str, checks: list[str], at: datetime) -> None:
        """A delivery was accepted ``at`` that time, and ``checks`` were written as proved by it."""
        connection = delivery.connection
        if checks:
            self._proved_at, self._unproved = time.monotonic(), None
            live_events.publish_soon(connection.organization_id, "verdict", [connection.pk])
        else:
            self._unproved = (connection, at)
        if message_id and self.can_read():
            self._copies.append((delivery.pk, message_id))

    def read_a_copy(self) -> bool:
        """Read the real Message-ID of an accepted delivery, where the mailbox may be read; False: none is left.

        For when nothing is due: no email waits for it, and the record stands without it.
        """
        if not self._copies:
            return False
        delivery, message_id = self._copies.popleft()
        try:
            copy = self._adapter().sent_copy(self.access(refused=False), message_id)
        except ProviderError:
            return True
        try:
            Delivery.objects.filter(pk=delivery, status=DeliveryStatus.ACCEPTED).update(
                message_id=copy.internet_message_id[:998]
            )
        except DatabaseUnable:
            log.info("The Message-ID of an accepted delivery could not be noted.")
        return True

    def close(self) -> None:
        """Write the newest success where that was left for later."""
        if self._unproved is None:
            return
        connection, at = self._unproved
        try:
            proofs.keep(connection, [Evidence(check, True, "send") for check in ("grant", "send")], at)
        except DatabaseUnable:
            log.info("The newest success of a mailbox is told by its ledger alone.")
