"""An organization's name and time zone: changing them, and what they are to whoever joins."""

from __future__ import annotations

from django.db import transaction

from truesend import live_events, zones
from truesend.organizations import audit
from truesend.organizations.forms import LONGEST_NAME, clean_name
from truesend.organizations.models import Member, Organization, User


class Unusable(ValueError):
    """A name or a zone that cannot be one, in a sentence for whoever typed it."""


def change(by: Member, *, name: str | None = None, zone: str | None = None) -> bool:
    """Set what is given; False where it was so already. Raises :class:`Unusable`, and nothing is changed."""
    wanted: dict[str, str] = {}
    if name is not None:
        wanted["name"] = _name(name)
    if zone is not None:
        if zone and zone not in zones.zones():
            raise Unusable("That is no time zone. Choose one from the list.")
        wanted["zone"] = zone
    with transaction.atomic():
        row = Organization.objects.select_for_update(no_key=True).get(pk=by.organization_id)
        changed = {field: new for field, new in wanted.items() if getattr(row, field) != new}
        if not changed:
            return False
        Organization.objects.filter(pk=row.pk).update(**changed)
        for field, new in changed.items():
            words = f"{getattr(row, field) or 'none'} → {new or 'none'}"
            audit.record(row.pk, by, f"organization.{field}", words=words)
        live_events.publish(row.pk, "account", [row.pk])
    return True


def _name(text: str) -> str:
    name = clean_name(text)
    if not name:
        raise Unusable("Type the name of your organization.")
    if len(name) > LONGEST_NAME:
        raise Unusable(f"A name has at most {LONGEST_NAME} characters.")
    return name


def welcome(user: User, organization: Organization) -> None:
    """Somebody who joins and has chosen no zone begins with the organization's."""
    if organization.zone:
        User.objects.filter(pk=user.pk, zone="").update(zone=organization.zone)
