"""Organizations (tenants), users, members with their role, and API tokens."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.crypto import salted_hmac

from truesend import clock
from truesend.organizations import (  # noqa: F401  # tables in files of their own
    audit_models,
    invitation_models,
    session_models,
)
from truesend.organizations.roles import Role

__all__ = ["Role"]  # belongs to a member's row, and is pure

# Django's own, so that an epoch that was never raised changes no session.
_SESSION_SALT = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"


class UserManager(BaseUserManager["User"]):
    """Creates users by address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user with a hashed password; the address is stored in lower case."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """Sign-in by address, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. What they may see is decided by their :class:`Member`."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_operator = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    # The zone in which hours are meant, by its name in the tz database; empty: that of the browser.
    zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    # Raised to end all sessions at once (sessions.py): those of an earlier one are worth nothing.
    session_epoch = models.PositiveIntegerField(default=0, db_default=0)

    objects: ClassVar[UserManager] = UserManager()
    # The membership that is not over, where it came with the user of a session.
    membership: Member | None

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must carry: of the password, as Django has it, and of the epoch."""
        told = f"{self.password}|{self.session_epoch}" if self.session_epoch else self.password
        return salted_hmac(_SESSION_SALT, told, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        """The name, or the address where none was given."""
        return self.name or self.email


class Privacy(models.TextChoices):
    """What is kept of the requests behind opens and clicks once they are judged; each keeps less than the one before.

    What each keeps is done in :mod:`truesend.privacy.hits`.
    """

    FULL = "full", "Full"
    TRUNCATED = "truncated", "Truncated"
    VERDICT = "verdict", "Verdict only"


EVIDENCE_DAYS = 180
"""How long evidence is kept where nobody chose."""


class Organization(models.Model):
    """A tenant: everything belongs to exactly one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=clock.now)
    # Whether links whose text is an address are tracked too; mail programs may warn of them.
    track_shown_addresses = models.BooleanField(default=False, db_default=False)
    # What a new email starts with; each email can say otherwise.
    track_by_default = models.BooleanField(default=True, db_default=True)
    privacy = models.CharField(
        max_length=10, choices=Privacy.choices, default=Privacy.TRUNCATED, db_default=Privacy.TRUNCATED
    )
    # Days after which nothing is left of a request but what it was judged to be.
    evidence_days = models.PositiveIntegerField(default=EVIDENCE_DAYS, db_default=EVIDENCE_DAYS)
    # Months after which opens and clicks themselves go; null: never.
    signal_months = models.PositiveIntegerField(null=True)
    # Whether members may connect mailboxes of their own, beside the shared ones.
    personal_connections_allowed = models.BooleanField(default=True, db_default=True)
    # Whether its owners and managers need a second factor to be let in.
    second_factor_required = models.BooleanField(default=False, db_default=False)
    # The zone of what is written to it and of new members, by its name in the tz database; empty: none was chosen.
    zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    # Where its tracked links lead, when not to the installation's own address; when that was looked at last, and
    # since when it does not lead here (tracking_host.py).
    tracking_url = models.CharField(max_length=300, blank=True, default="", db_default="")
    tracking_checked_at = models.DateTimeField(null=True)
    tracking_failed_at = models.DateTimeField(null=True)
    # When somebody of it was here last, to about ten minutes.
    active_at = models.DateTimeField(null=True)
    # When everything of it is erased; nothing is sent meanwhile. Null: nobody wants that (ending.py).
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(privacy__in=Privacy.values), name="organization_privacy_known"
            ),
            models.CheckConstraint(
                condition=models.Q(evidence_days__gte=1), name="organization_evidence_a_day_at_least"
            ),
            models.CheckConstraint(
                condition=models.Q(signal_months__isnull=True) | models.Q(signal_months__gte=1),
                name="organization_signals_a_month_at_least",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MemberQuerySet(models.QuerySet["Member"]):
    """Members by how they stand; `emails` and the like keep those who were removed."""

    def current(self) -> MemberQuerySet:
        """Those who were not removed, deactivated ones too."""
        return self.filter(removed_at=None)

    def active(self) -> MemberQuerySet:
        """Those who may do something now."""
        return self.filter(removed_at=None, deactivated_at=None, user__is_active=True)


class Member(models.Model):
    """A user in an organization, with a role. The row stays when they are removed: their emails hang on it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(default=clock.now)
    # Since when they may do nothing, until somebody lets them again.
    deactivated_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    # When they were here last, by a page or a token, to about ten minutes.
    seen_at = models.DateTimeField(null=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role_known"),
            # A user is in one organization at a time.
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(removed_at__isnull=True),
                name="member_of_one_organization",
            ),
            models.UniqueConstraint(fields=["organization", "user"], name="member_once_an_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    @property
    def is_active(self) -> bool:
        """Whether they may do something now; the same as :meth:`MemberQuerySet.active`."""
        return self.removed_at is None and self.deactivated_at is None and self.user.is_active


class ApiToken(models.Model):
    """A bearer token of a member; only its SHA-256 is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    digest = models.BinaryField(max_length=32, unique=True)
    # The first characters, so that a person can tell tokens apart.
    start = models.CharField(max_length=12)
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class FactorSecret(models.Model):
    """What a second factor is checked against, sealed; :mod:`truesend.organizations.second_factor` alone opens it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sealed = models.BinaryField()


class SeenFrom(models.Model):
    """An address and browser a member used Truesend with: their own look at a mail is told from a recipient's."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="seen_from")
    ip = models.GenericIPAddressField()
    user_agent = models.CharField(max_length=400)
    seen_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "ip", "user_agent"], name="seen_from_once"),
        ]


class Installation(models.Model):
    """Whose database this is: one row, with where it lies and how far its installation has come.

    Written by :mod:`truesend.organizations.installation` alone.
    """

    only = models.BooleanField(primary_key=True, default=True)
    installation = models.UUIDField()
    # Whom it belonged to before it was taken over.
    earlier = ArrayField(models.UUIDField(), default=list)
    environment = models.CharField(max_length=10)
    public_url = models.CharField(max_length=500)
    # Cluster, database and table by PostgreSQL's own numbers: another place after a restore or in a copy.
    place = models.CharField(max_length=80)
    # The line of its log: a new one begins when a backup or a standby goes on by itself.
    branch = models.CharField(max_length=8)
    counter = models.BigIntegerField(default=0)
    made_at = models.DateTimeField(default=clock.now)
    # The last time it sent, renewed or looked something up.
    seen_at = models.DateTimeField(default=clock.now)
    adopted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="installation_one_row")]


class Standstill(models.Model):
    """A time in which nothing was sent or renewed, as the web processes saw it. Times are real, not the sandbox's."""

    # True while it lasts and null when it is over: at most one lasts, however many web processes look.
    lasts = models.BooleanField(null=True, unique=True, default=True)
    # Since when nobody worked, as far as is known; what stood still is told by the reason.
    began_at = models.DateTimeField()
    reason = models.CharField(max_length=10)
    # The newest heartbeat when it was noticed; null where there has never been one.
    last_beat_at = models.DateTimeField(null=True)
    noticed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lasts=True, ended_at=None)
                | models.Q(lasts__isnull=True, ended_at__isnull=False),
                name="standstill_ends_once",
            ),
        ]


class StandstillMail(models.Model):
    """One mail about a standstill to one address: that it began, or that it is over."""

    standstill = models.ForeignKey(Standstill, on_delete=models.CASCADE, related_name="mails")
    address = models.EmailField(max_length=254)
    # An operator reads what to look at, an owner what it means for them.
    to_operator = models.BooleanField()
    is_over = models.BooleanField()
    # When a web process took it last; it counts as lost a while later.
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["standstill", "address", "is_over"], name="standstill_mailed_once"
            ),
        ]


class KnownKey(models.Model):
    """A key that a worker of this installation has had: what it sealed or signed is out there."""

    class Kind(models.TextChoices):
        """What the key is for."""

        ENCRYPTION = "encryption", "encrypts secrets"
        LINK = "link", "signs links"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=255)
    # The first eight bytes of the SHA-256 of 32 random ones: tells keys apart and nothing else of them.
    fingerprint = models.BinaryField(max_length=8)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["encryption", "link"]), name="known_key_kind_known"
            ),
            models.UniqueConstraint(fields=["kind", "name", "fingerprint"], name="known_key_once"),
        ]
