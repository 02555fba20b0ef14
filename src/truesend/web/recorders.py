"""On a connection's card: whether its contacts are told of mail from other accounts, and who may choose that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from truesend.connections.causes import core
from truesend.connections.models import Connection, Kind
from truesend.crm import choosing
from truesend.crm.models import Recorder, Recording
from truesend.crm.states import OPEN
from truesend.organizations.models import Member
from truesend.providers import registry


@dataclass(frozen=True)
class Told:
    """``on``: it is wanted. ``sentence`` says of whose mail, ``wrong`` what is in the way of it, if anything."""

    on: bool
    sentence: str
    wrong: str = ""


def told_by(member: Member, connections: Sequence[Connection]) -> dict[UUID, Told]:
    """Of those whose contacts can be told at all; one query, and none where there are none."""
    able = [one for one in connections if choosing.offers(one)]
    rows = {one.pk: one for one in Recorder.objects.filter(pk__in=[one.pk for one in able])} if able else {}
    return {one.pk: _told(member, one, rows.get(one.pk)) for one in able}


def _told(member: Member, connection: Connection, row: Recorder | None) -> Told:
    name = registry.provider(connection.provider).name
    if row is None:
        whose = "members send" if connection.kind == Kind.ORGANIZATION else "you send"
        return Told(False, f"What {whose} from other accounts is not recorded with its {name} contacts.")
    everybody = f"everybody in {member.organization.name} sends"
    whose = everybody if connection.kind == Kind.ORGANIZATION else "you send"
    if not choosing.includes(member.organization_id):
        on = f"What {whose} from other accounts waits to be recorded with its {name} contacts."
        return Told(True, on, "The plan does not include it now. Once it does, what waits goes on.")
    wrong = core(row.cause, name, row.words) if row.misses and row.cause else ""
    return Told(True, f"What {whose} from other accounts is recorded with its {name} contacts.", wrong)


def waiting(connection: Connection) -> str:
    """Before “Disconnect”: what becomes of what is not recorded yet; empty where nothing waits."""
    count = Recording.objects.filter(connection=connection, status__in=OPEN).count()
    if not count:
        return ""
    one = "One email waits" if count == 1 else f"{count:,} emails wait"
    return f"{one} to be recorded with a contact, and {'goes' if count == 1 else 'go'} on waiting until it is back."
