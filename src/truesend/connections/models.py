"""Connections and everything that proves or disproves that they work."""

from __future__ import annotations

import random
import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from truesend import clock


class Kind(models.TextChoices):
    """Whose mailbox a connection is."""

    PERSONAL = "personal", "Personal"
    ORGANIZATION = "organization", "Organization"


class Check(models.TextChoices):
    """What one provider answer can prove (design §4)."""

    GRANT = "grant", "an identity call, a refresh or another call with its key was answered"
    SCOPE = "scope", "the granted list names the scope"
    RENEW = "renew", "a refresh was answered"
    REACH = "reach", "the sending call was answered as it has to be when there is nothing to send"
    SEND = "send", "a send was accepted or refused"
    READ = "read", "a list, history or profile call was answered"
    CONTACTS = "contacts", "a list of contacts was answered"


class Connection(models.Model):
    """One authorised account at a provider."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.CASCADE, related_name="connections"
    )
    # Who consented; for a personal connection also whose mailbox it is.
    member = models.ForeignKey("organizations.Member", on_delete=models.PROTECT, related_name="connections")
    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    # The provider's stable id of the account (Google: `sub`); the address may change.
    subject = models.CharField(max_length=255)
    address = models.CharField(max_length=320)
    display_name = models.CharField(max_length=200, blank=True)
    asked = ArrayField(models.CharField(max_length=20))
    granted_scopes = ArrayField(models.CharField(max_length=200))
    consented_at = models.DateTimeField()
    # When its member shared what had been their own; null where it is theirs, or was connected for everybody.
    shared_at = models.DateTimeField(null=True)
    disconnected_at = models.DateTimeField(null=True)
    # When it was last connected again after a disconnect; null where it never was.
    back_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="connection_kind_known"),
            # One row per account and place: a new consent for the same account replaces its grant.
            models.UniqueConstraint(
                fields=["organization", "provider", "subject", "member"],
                condition=models.Q(kind="personal"),
                name="connection_personal_account_once",
            ),
            models.UniqueConstraint(
                fields=["organization", "provider", "subject"],
                condition=models.Q(kind="organization"),
                name="connection_shared_account_once",
            ),
        ]
        indexes = [models.Index(fields=["organization", "disconnected_at"])]

    def __str__(self) -> str:
        return f"{self.provider} {self.address}"


def _first_version() -> int:
    """Not 1: a row that is made anew after a disconnect must not fit what was kept on a disk for the one before."""
    return random.randrange(1, 2**30)  # noqa: S311


class Token(models.Model):
    """The secrets of a connection, encrypted; `version` is the compare-and-swap column."""

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, primary_key=True, related_name="token"
    )
    # The connection's own, which never changes: what is due is taken provider by provider.
    provider = models.CharField(max_length=20)
    version = models.PositiveIntegerField(default=_first_version)
    access = models.BinaryField()
    access_expires_at = models.DateTimeField()
    access_issued_at = models.DateTimeField()
    refresh = models.BinaryField(null=True)
    # Kept until the newer refresh token has worked once.
    previous_refresh = models.BinaryField(null=True)
    # When the access token is to be renewed next; null where it lasts (`Grant.lasting`).
    due_at = models.DateTimeField(null=True)
    # Set when the provider said that the grant is dead: nothing renews it but a new consent.
    dead_at = models.DateTimeField(null=True)
    # When the provider itself ends the grant, where it told so at the consent.
    grant_ends_at = models.DateTimeField(null=True)
    # When the provider is to be asked next what still works; null where there is nothing to ask for.
    probe_due_at = models.DateTimeField(null=True, db_index=True)
    # A renewal of this version is under way whose answer may be the only copy of the next key (`renews_once`): since
    # when, whose it is, on which machine's disk its answer would be kept, and, in real time by the database's clock,
    # until when that answer may still come.
    begun_at = models.DateTimeField(null=True)
    begun_by = models.UUIDField(null=True)
    begun_where = models.CharField(max_length=100, blank=True, default="", db_default="")
    begun_until = models.DateTimeField(null=True)
    # The first renewal of this version that ended without an answer, and how: a cause, or `ended`.
    lost_at = models.DateTimeField(null=True)
    lost_how = models.CharField(max_length=60, blank=True, default="", db_default="")

    class Meta:
        indexes = [
            # Dead ones are due for ever and would stand before all others.
            models.Index(
                fields=["provider", "due_at"], condition=models.Q(dead_at=None), name="token_due_by_provider"
            )
        ]

    def save(self, *arguments: Any, **named: Any) -> None:
        """As any row; the provider is the connection's."""
        self.provider = self.provider or self.connection.provider
        super().save(*arguments, **named)


class Outage(models.Model):
    """A token endpoint that fails whoever asks, or refuses this installation's client: renewals wait for one trial."""

    provider = models.CharField(max_length=20, primary_key=True)
    # In a row, each of another connection than the one before.
    misses = models.PositiveIntegerField(default=0)
    last_missed = models.UUIDField(null=True)
    cause = models.CharField(max_length=60)
    words = models.CharField(max_length=500, blank=True)
    began_at = models.DateTimeField()
    # When one connection may ask again; all others wait for its answer. Null while it may be those few alone.
    ask_at = models.DateTimeField(null=True)


class Consent(models.Model):
    """One started consent, bound to the session of the member who started it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state_digest = models.BinaryField(max_length=32, unique=True)
    session_digest = models.BinaryField(max_length=32)
    member = models.ForeignKey("organizations.Member", on_delete=models.CASCADE, related_name="consents")
    # Reconnecting: the connection whose grant is to be replaced.
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, null=True, related_name="consents")
    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    capabilities = ArrayField(models.CharField(max_length=20))
    verifier = models.BinaryField()
    nonce = models.CharField(max_length=64)
    next_path = models.CharField(max_length=500)
    test_email = models.BooleanField(default=False)
    # The new grant takes the old one's place only once a send with it was accepted.
    resets = models.BooleanField(default=False, db_default=False)
    started_at = models.DateTimeField(default=clock.now)
    # Claimed by the first callback; a second one with the same state is refused.
    returned_at = models.DateTimeField(null=True)
    # What it ended in, and the provider's words, for the page the member comes back to.
    cause = models.CharField(max_length=60, blank=True)
    words = models.CharField(max_length=500, blank=True)


class Proof(models.Model):
    """The newest good and the newest bad provider answer per check of a connection."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="proofs", db_index=False
    )
    check_name = models.CharField(max_length=10, choices=Check.choices)
    ok = models.BooleanField()
    cause = models.CharField(max_length=60, blank=True)
    call = models.CharField(max_length=120)
    words = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    # When the provider says that a failure ends (a limit's own time).
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "check_name", "ok"], name="proof_newest_per_result"
            ),
            models.CheckConstraint(condition=models.Q(check_name__in=Check.values), name="proof_check_known"),
        ]


class LedgerKind(models.TextChoices):
    """What a ledger entry tells of."""

    CONSENT = "consent", "Consent"
    REFRESH = "refresh", "Refresh"
    PROBE = "probe", "Check"
    SEND = "send", "Send"
    WEBHOOK = "webhook", "Webhook"
    DISCONNECT = "disconnect", "Disconnect"
    SHARING = "sharing", "Sharing"
    RECORD = "record", "Record"


class LedgerEntry(models.Model):
    """Append-only record of what happened to a connection."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="ledger", db_index=False
    )
    at = models.DateTimeField(default=clock.now)
    kind = models.CharField(max_length=12, choices=LedgerKind.choices)
    # Who or what set it off: a member's address, `schedule`, `send`, ...
    trigger = models.CharField(max_length=320)
    # `ok` or a cause code.
    result = models.CharField(max_length=60)
    words = models.CharField(max_length=500, blank=True)
    ref = models.CharField(max_length=200, blank=True)
    # What a try to send came to: its cause alone does not say whether something may have left.
    outcome = models.CharField(max_length=8, blank=True, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(fields=["connection", "-at"]),
            # Of many days, what went wrong.
            models.Index(
                fields=["connection", "at"], condition=~models.Q(result="ok"), name="ledger_went_wrong"
            ),
        ]


class ProviderClient(models.Model):
    """This installation's client at a provider, as its operator stored it; the environment wins over it."""

    provider = models.CharField(primary_key=True, max_length=20)
    client_id = models.CharField(max_length=300)
    secret = models.BinaryField()
    secret_set_at = models.DateTimeField()
    # Further settings by name without the provider's prefix.
    extra = models.JSONField(default=dict)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey("organizations.User", on_delete=models.SET_NULL, null=True)
    # Two operators at once: the second one's page is behind.
    version = models.PositiveIntegerField(default=1)


class ClientCheck(models.Model):
    """What a provider last said of the client in use, asked without any user."""

    provider = models.CharField(primary_key=True, max_length=20)
    # Of which client and return address it speaks: a keyed digest.
    fingerprint = models.BinaryField(max_length=32)
    # Since when they are the ones in use, as far as anybody looked.
    since = models.DateTimeField()
    at = models.DateTimeField()
    ok = models.BooleanField()
    cause = models.CharField(max_length=60, blank=True)
    words = models.CharField(max_length=500, blank=True)
    # Whether the return address is registered there; null where the provider does not say.
    address_known = models.BooleanField(null=True)
