"""The second factor: whether somebody has one, who needs one, and that a code serves once.

allauth keeps the factors and walks people through them; what they are checked against is sealed in a table of ours.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID, uuid4

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.db import transaction

from truesend import env, live_events
from truesend.connections.secretbox import open_sealed, seal
from truesend.organizations import audit
from truesend.organizations.models import FactorSecret, Member, Organization, User
from truesend.organizations.roles import MANAGERS

# A recovery code is no factor of its own: it stands in for one that was lost.
_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# When the last code was taken, as the number of its half minute, in what allauth keeps of an app.
_COUNTER = "counter"


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets sealed like every other one, the public URL's name in passkeys, and our words."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That is not right, or it was used before. Type what your app shows now.",
        "cannot_generate_recovery_codes": "Set up an authenticator app or a passkey first.",
    }

    def encrypt(self, text: str) -> str:
        """Seal it in a row of its own; what allauth keeps is that row's id."""
        row = uuid4()
        FactorSecret.objects.create(id=row, sealed=seal(text, place=f"second_factor.secret:{row}"))
        return str(row)

    def decrypt(self, encrypted_text: str) -> str:
        """What was sealed; raises :class:`truesend.connections.secretbox.SecretUnreadable`."""
        row = FactorSecret.objects.get(pk=UUID(encrypted_text))
        return open_sealed(row.sealed, place=f"second_factor.secret:{row.pk}")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the public URL's host, whatever a request says of it."""
        return {"id": urlsplit(env.public_url()).hostname or "", "name": "Truesend"}

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002
        """“Passkey 2”."""
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"


def forget_secret(data: dict[str, object]) -> None:
    """Of a factor that is gone, what it was checked against goes too."""
    rows = [str(data[name]) for name in ("secret", "seed") if name in data]
    FactorSecret.objects.filter(pk__in=rows).delete()


def has_one(user: User) -> bool:
    """Whether somebody is asked for a second factor when they sign in."""
    return bool(Authenticator.objects.filter(user=user, type__in=_FACTORS).exists())


def forget_all(user: User) -> int:
    """Take away everything somebody has, recovery codes too; how many there were."""
    rows = list(Authenticator.objects.select_for_update().filter(user=user))
    for row in rows:
        row.delete()
    return len(rows)


def is_missing(member: Member) -> bool:
    """Whether a member must set up a second factor before anything else."""
    if not member.organization.second_factor_required or member.role not in MANAGERS:
        return False
    return not has_one(member.user)


def without(organization_id: UUID) -> list[Member]:
    """Owners and managers who have none."""
    active = Member.objects.active().select_related("user")
    people = active.filter(organization=organization_id, role__in=MANAGERS)
    having = Authenticator.objects.filter(type__in=_FACTORS).values("user_id")
    return list(people.exclude(user__in=having).order_by("created_at"))


def require(by: Member, *, required: bool) -> bool:
    """Say whether owners and managers need one; False where it was so already. Open pages follow at once."""
    with transaction.atomic():
        rows = Organization.objects.filter(pk=by.organization_id, second_factor_required=not required)
        if rows.update(second_factor_required=required) != 1:
            return False
        words = "required for owners and managers" if required else "required for nobody"
        audit.record(by.organization_id, by, "organization.second_factor", words=words)
        live_events.publish(by.organization_id, "account", [by.organization_id])
    return True


def counter_of(secret: str, code: str) -> int | None:
    """The half minute whose code this is, of those that count now; ``None`` where it is none."""
    for counter in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, counter))
        if compare_user_code(actual=code, expected=expected):
            return int(counter)
    return None


def begin_behind(user: User, counter: int) -> None:
    """The code that set up an app has served too."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(user=user, type=Authenticator.Type.TOTP)
        row.data[_COUNTER] = counter
        row.save(update_fields=["data"])


def take(user: User, code: str) -> Authenticator | None:
    """Use a code of somebody's app, or a recovery code; the factor it was of, or ``None``.

    Each is taken once, by whoever comes first: of an app none that is as old as the last one taken.
    """
    with transaction.atomic():
        typed = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
        # In one order, the app first, and held: of two who come with one code, one is late.
        rows = Authenticator.objects.select_for_update().filter(user=user, type__in=typed)
        for row in rows.order_by("-type"):
            if row.type == Authenticator.Type.RECOVERY_CODES:
                if row.wrap().validate_code(code):
                    return row
                continue
            counter = counter_of(MFAAdapter().decrypt(row.data["secret"]), code)
            if counter is not None and counter > row.data.get(_COUNTER, -1):
                row.data[_COUNTER] = counter
                row.save(update_fields=["data"])
                return row
    return None
