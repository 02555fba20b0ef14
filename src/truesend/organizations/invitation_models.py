"""Invitations into an organization."""

from __future__ import annotations

import uuid

from django.db import models

from truesend import clock
from truesend.organizations.roles import Role


class Invitation(models.Model):
    """Somebody may join as ``role``, once. Of its token only the SHA-256 is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.CASCADE, related_name="invitations"
    )
    role = models.CharField(
        max_length=10, choices=[(one.value, one.label) for one in Role if one != Role.OWNER]
    )
    # Who alone may use it: whom it was mailed to. Empty: whoever has the link.
    address = models.EmailField(max_length=254, blank=True, default="")
    digest = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(
        "organizations.Member", on_delete=models.CASCADE, related_name="invitations"
    )
    created_at = models.DateTimeField(default=clock.now)
    # When the token in use was made, and until when it is good.
    renewed_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    # When the mail with the token in use left; null of a link, and where no mail could.
    mailed_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(
        "organizations.Member", on_delete=models.SET_NULL, null=True, related_name="accepted"
    )
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=[Role.MANAGER, Role.USER]), name="invitation_role_known"
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True) | models.Q(revoked_at__isnull=True),
                name="invitation_ends_once",
            ),
            # Two who invite the same person at once end in one invitation.
            models.UniqueConstraint(
                fields=["organization", "address"],
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True) & ~models.Q(address=""),
                name="invitation_once_an_address",
            ),
        ]
