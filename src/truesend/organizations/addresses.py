"""Whose an address is. What somebody only claims signs them in nowhere, opens no account and keeps nobody out."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction

from truesend import clock
from truesend.organizations import audit
from truesend.organizations.models import ApiToken, User


def is_anothers(address: EmailAddress) -> bool:
    """Whether what one account has as a further address is where another account is written to."""
    others = User.objects.filter(email=address.email.lower()).exclude(pk=address.user_id)
    return bool(others.exists())


def owner_of(address: str) -> User | None:
    """The account that is written to there; else one that has verified it as a further address of its own."""
    wanted = address.strip().lower()
    user = User.objects.filter(email=wanted).first()
    if user is None:
        further = EmailAddress.objects.select_related("user").filter(email=wanted, verified=True).first()
        user = further.user if further is not None else None
    return user


def opened_by_mail_to(address: str) -> User | None:
    """The account whose password a link may set that is mailed there.

    Once an account has verified an address, no other opens it: what is not verified may be a stranger's mailbox.
    """
    user = owner_of(address)
    if user is None or not user.is_active:
        return None
    verified = set(EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True))
    return user if not verified or address.strip().lower() in verified else None


def proved_by_mail(user: User) -> int:
    """Somebody set a new password by a link that was mailed: they read that mailbox. How many API tokens went.

    Where no address was verified before, whoever set the account up may have been somebody else, who typed an address
    that was not theirs: what they left to come back by goes.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        if EmailAddress.objects.filter(user=user, verified=True).exists():
            return 0
        own = {"verified": True, "primary": True}
        EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
        EmailAddress.objects.update_or_create(user=user, email=user.email, defaults=own)
        tokens = ApiToken.objects.filter(member__user=user, revoked_at=None)
        names = list(tokens.values_list("name", flat=True))
        tokens.update(revoked_at=clock.now())
        for name in names:
            audit.record_of(user, "token.revoked", about=name, words="the address was not verified before")
    return len(names)
