"""Archives: what is in them and what never is, whose they are, and that they are made whatever happens meanwhile."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from tests import filled
from tests.filled import SECRETS, Filled
from tests.stack import until

from truesend import clock, spreadsheets
from truesend.connections.models import Connection
from truesend.exports import asking, folder, making
from truesend.exports.contents import TABLES
from truesend.exports.models import Export, Scope, Status
from truesend.organizations import access, members
from truesend.organizations.access import Refused
from truesend.organizations.audit_models import AuditEntry
from truesend.organizations.models import ApiToken, Member, Organization
from truesend.sending.models import Email

pytestmark = pytest.mark.django_db(transaction=True)

ODD = 'Ünïcode 🦄 \u2028 zwei\u0085 Zeilen,\r\n"=1+1"\tשלום\u202e'


@pytest.fixture
def team() -> Iterator[Filled]:
    yield filled.organization("Northwind")
    for one in Export.objects.values_list("pk", flat=True):
        folder.remove(one)


def made(member: Member, scope: str = Scope.MEMBER) -> Export:
    Export.objects.filter(
        member=member, status="ready"
    ).delete()  # that of tests/filled.py, which has no file
    export = asking.ask(member, scope)
    making.look(export.pk)
    export.refresh_from_db()
    assert export.status == Status.READY, export.problem
    return export


def opened(export: Export) -> zipfile.ZipFile:
    path = asking.file_of(export)
    assert path is not None
    archive = zipfile.ZipFile(path)
    assert archive.testzip() is None
    return archive


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(one) for one in archive.read(name).decode().split("\n") if one]


def cells(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")))


def everything(archive: zipfile.ZipFile) -> str:
    return "\n".join(archive.read(one).decode("utf-8", "replace") for one in archive.namelist())


# -- what is in it ------------------------------------------------------------------------------------------------


def test_the_whole_organization(team: Filled) -> None:
    Email.objects.filter(pk=team.email.pk).update(subject=f"=HYPERLINK {ODD}", html=f"<p>{ODD}</p>")
    export = made(team.owner, Scope.ORGANIZATION)
    archive = opened(export)
    wanted = {f"{one.name}.jsonl" for one in TABLES if not one.csv_only}
    wanted |= {f"{one.name}.csv" for one in TABLES if one.columns}
    found = {one for one in archive.namelist() if not one.startswith("attachments/")}
    assert found == wanted | {"README.txt", "account.json", "organization.json"}
    for name in wanted:  # nothing is listed and empty: `tests/filled.py` has a row of everything
        assert rows(archive, name) if name.endswith("jsonl") else cells(archive, name), name
    told = {one["id"]: one for one in rows(archive, "emails.jsonl")}
    assert len(told) == Email.objects.count() == len(cells(archive, "emails.csv"))
    email = told[str(team.email.pk)]
    assert (email["subject"], email["html"]) == (f"=HYPERLINK {ODD}", f"<p>{ODD}</p>")
    (file, *_) = email["attachments"]
    assert file["name"] == "../../=prices 2026.csv"
    assert file["path"] == f"attachments/{team.email.pk}/01-_.._=prices 2026.csv"
    assert archive.read(file["path"]) == b"abcdef"
    copies = [one for one in rows(archive, "copies.jsonl") if one["email"] == str(team.email.pk)]
    assert [one["recipients"][0]["address"] for one in sorted(copies, key=str)]
    assert {one["attempts"][0]["outcome"] for one in copies} == {"ACCEPTED"}
    assert {one["recipient"] for one in rows(archive, "signals.jsonl")} == {"person0@globex.example"}
    people = {
        one["address"]: one for one in cells(archive, "recipients.csv") if one["email"] == str(team.email.pk)
    }
    assert people["person0@globex.example"]["opened"] == "yes"
    assert people["person1@globex.example"]["opened"] == "no"
    assert [one["email"] for one in rows(archive, "members.jsonl")] != []
    assert {one["action"] for one in rows(archive, "audit.jsonl")} >= {"organization.exported", "token.made"}
    assert json.loads(archive.read("organization.json"))["unsubscribe_sentence"] == "Northwind, Bergen"
    guide = (Path(__file__).resolve().parents[2] / "docs/export.md").read_text(encoding="utf-8")
    for one in TABLES:
        assert one.about in archive.read("README.txt").decode()
        assert f"| `{one.name}.{'csv' if one.csv_only else 'jsonl'}`" in guide


def test_no_cell_of_any_table_computes(team: Filled) -> None:
    Email.objects.filter(pk=team.email.pk).update(subject="=1+1", to=["@sum@x.example"])
    archive = opened(made(team.owner, Scope.ORGANIZATION))
    found = [name for name in archive.namelist() if name.endswith(".csv") and "/" not in name]
    assert len(found) == 7
    for name in found:
        for row in cells(archive, name):
            assert not [one for one in row.values() if one.startswith(spreadsheets.FORMULA)], name
    assert "'=1+1" in {one["subject"] for one in cells(archive, "emails.csv")}
    assert "'=1+1" in {one["source"] for one in cells(archive, "suppression.csv")}
    assert '\'=HYPERLINK("http://northwind.example")' in {one["about"] for one in cells(archive, "audit.csv")}


def test_what_is_ones_own(team: Filled) -> None:
    Connection.objects.filter(pk=team.box.pk).update(kind="organization", address="sales@northwind.example")
    archive = opened(made(team.user))
    assert {one["subject"] for one in rows(archive, "emails.jsonl")} == {"Of Ben", "Later"}
    assert {one["name"] for one in rows(archive, "templates.jsonl")} == {"Ben's own"}
    assert not {
        one for one in archive.namelist() if one.partition(".")[0] in {"audit", "members", "suppression"}
    }
    own = json.loads(archive.read("account.json"))
    assert own["email"] == "ben@northwind.example"
    assert [one["type"] for one in own["second_factors"]] == ["totp"]
    text = everything(archive)
    # Of a colleague nothing but what they wrote together with: no address, no email.
    assert "ana@northwind.example" not in text
    assert "Contract 0" not in text
    (draft,) = [one for one in rows(archive, "emails.jsonl") if one["status"] == "draft"]
    assert draft["people"]["rows"] == [[1, "eve@northwind.example"]]
    # A shared account is not theirs, but what they send from it is.
    assert rows(archive, "connections.jsonl") == []
    assert draft["from"] == "sales@northwind.example"


@pytest.mark.parametrize("scope", [Scope.MEMBER, Scope.ORGANIZATION])
def test_nothing_of_another_organization_and_no_secret(team: Filled, scope: str) -> None:
    other = filled.organization("Elsewhere")
    bearer = access.create_token(team.owner, "nightly")
    text = everything(opened(made(team.owner, scope))).lower()
    assert [one for one in other.words if one.lower() in text] == []
    hidden = [*SECRETS, bearer, team.owner.user.password, "totp_secret"]
    for one in ApiToken.objects.filter(member=team.owner):
        hidden += [bytes(one.digest).hex(), one.start]
    hidden += [str(one.data["secret"]) for one in _factors(team)]
    hidden += ["198.51.100.4", "203.0.113.7"]  # the requests behind opens, and whence people work
    assert [one for one in hidden if one.lower() in text] == []
    assert "nightly" in text


def _factors(team: Filled) -> list[Any]:
    from allauth.mfa.models import Authenticator

    return list(Authenticator.objects.filter(user__in=team.users))


def test_also_while_the_account_is_inactive_and_while_it_is_to_be_deleted(
    team: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    from truesend.billing import account
    from truesend.closing import deciding

    for name, value in {
        "BILLING": "stripe",
        "STRIPE_SECRET_KEY": "sk_test_x",
        "STRIPE_WEBHOOK_SECRET": "whsec_x",
    }.items():
        monkeypatch.setenv(f"TRUESEND_{name}", value)
    assert account.stopped_by(Organization.objects.get(pk=team.organization.pk)) == "account_inactive"
    made(team.owner, Scope.ORGANIZATION)
    deciding.begin(team.owner, "Northwind")
    assert account.stopped_by(Organization.objects.get(pk=team.organization.pk)) == "organization_ends"
    made(team.user)


def test_many_emails_are_written_in_order_and_once(team: Filled) -> None:
    same = clock.now()
    Email.objects.bulk_create(
        Email(
            organization=team.organization, member=team.owner, connection=team.box, status="sent", subject=str(at),
            created_at=same if at % 3 else same - timedelta(seconds=at),
        )
        for at in range(230)
    )  # fmt: skip
    ids = [one["id"] for one in rows(opened(made(team.owner, Scope.ORGANIZATION)), "emails.jsonl")]
    assert len(ids) == len(set(ids)) == Email.objects.count()


# -- whose it is --------------------------------------------------------------------------------------------------


def test_its_file_is_for_nobody_else_on_the_machine(team: Filled) -> None:
    path = asking.file_of(made(team.owner))
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == [path.name]  # nothing half made beside it


def test_only_who_asked_has_it_and_only_while_they_may(team: Filled) -> None:
    export = made(team.owner, Scope.ORGANIZATION)
    other = filled.organization("Elsewhere")
    assert asking.access_export(team.owner, export.pk) == export
    for stranger in (team.user, other.owner):
        assert asking.access_export(stranger, export.pk) is None
    with pytest.raises(Refused, match="Only an owner"):
        asking.ask(team.user, Scope.ORGANIZATION)
    second = Member.objects.get(pk=team.user.pk)
    Member.objects.filter(pk=second.pk).update(role="owner")
    members.change_role(Member.objects.get(pk=second.pk), team.owner, "manager")
    assert asking.access_export(Member.objects.get(pk=team.owner.pk), export.pk) is None
    assert asking.of(Member.objects.get(pk=team.owner.pk)) == []


def test_who_may_not_any_more_when_its_turn_comes_gets_none(team: Filled) -> None:
    export = asking.ask(team.owner, Scope.ORGANIZATION)
    Member.objects.filter(pk=team.owner.pk).update(role="manager")
    making.look(export.pk)
    export.refresh_from_db()
    assert (export.status, export.problem) == (Status.FAILED, "You may not have it any more.")
    assert asking.file_of(export) is None


def test_asked_again_it_is_the_same_one(team: Filled) -> None:
    first = asking.ask(team.user, Scope.MEMBER)
    assert asking.ask(team.user, Scope.MEMBER) == first
    before = AuditEntry.objects.filter(action="organization.exported").count()
    assert asking.ask(team.owner, Scope.ORGANIZATION) == asking.ask(team.owner, Scope.ORGANIZATION)
    assert AuditEntry.objects.filter(action="organization.exported").count() == before + 1


def test_after_seven_days_it_is_gone(team: Filled) -> None:
    export = made(team.owner)
    path = asking.file_of(export)
    assert path is not None
    Export.objects.filter(pk=export.pk).update(look_at=clock.now(), expires_at=clock.now())
    making.look(export.pk)
    export.refresh_from_db()
    assert export.status == Status.GONE
    assert not path.exists()
    assert asking.of(team.owner) == []


def test_a_new_one_takes_the_place_of_the_one_before(team: Filled) -> None:
    first = made(team.owner, Scope.ORGANIZATION)
    second = asking.ask(team.owner, Scope.ORGANIZATION)
    making.look(second.pk)
    assert [one.pk for one in asking.of(team.owner) if one.scope == Scope.ORGANIZATION] == [second.pk]
    assert not folder.path_of(first.pk).exists()
    assert folder.path_of(second.pk).exists()


def test_dropped_it_is_gone_and_what_is_being_made_ends(team: Filled) -> None:
    export = made(team.owner)
    assert asking.drop(export)
    assert not asking.drop(export)
    assert not folder.path_of(export.pk).exists()
    waits = asking.ask(team.owner, Scope.MEMBER)
    asking.drop(waits)
    making.look(waits.pk)
    waits.refresh_from_db()
    assert waits.status == Status.GONE
    assert not folder.path_of(waits.pk).exists()


def test_files_without_a_row_are_swept_away(team: Filled) -> None:
    kept, lost = made(team.owner), folder.path_of(uuid4())
    for path in (lost, lost.with_name(f"{lost.name}.part")):
        path.write_bytes(b"PK")
    making.sweep()
    assert lost.exists()  # a row may be about to come
    for path in (lost, lost.with_name(f"{lost.name}.part"), folder.path_of(kept.pk)):
        os.utime(path, (1, 1))
    making.sweep()
    assert not lost.exists()
    assert folder.path_of(kept.pk).exists()


# -- whatever happens ---------------------------------------------------------------------------------------------

_WORKER = """
import sys
import django
django.setup()
from uuid import UUID
from truesend.exports import making
making.look(UUID(sys.argv[1]))
"""


def test_a_worker_that_is_killed_leaves_nothing_half_made(team: Filled) -> None:
    Email.objects.bulk_create(
        Email(
            organization=team.organization, member=team.owner, connection=team.box, status="sent", subject=str(at),
            html=os.urandom(30_000).hex(),
        )
        for at in range(100)
    )  # fmt: skip
    export = asking.ask(team.owner, Scope.ORGANIZATION)
    begun = folder.path_of(export.pk)
    begun = begun.with_name(f"{begun.name}.part")
    place, server = database.settings_dict, os.environ["TRUESEND_DATABASE_URL"]
    head, _, query = server.partition("?")
    url = f"{head.rpartition('/')[0]}/{place['NAME']}{f'?{query}' if query else ''}"
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER, str(export.pk)], env={**os.environ, "TRUESEND_DATABASE_URL": url}
    )
    until(lambda: begun.exists() and begun.stat().st_size > 0, bool, 60, steady=True)
    worker.send_signal(signal.SIGKILL)
    worker.wait(30)
    assert not folder.path_of(export.pk).exists()
    export.refresh_from_db()
    assert export.status == Status.MAKING
    Export.objects.filter(pk=export.pk).update(look_at=clock.now() + timedelta(hours=1))
    making.look(export.pk)  # not before its worker is known to be dead
    export.refresh_from_db()
    assert export.status == Status.MAKING
    Export.objects.filter(pk=export.pk).update(look_at=clock.now())
    making.look(export.pk)
    export.refresh_from_db()
    assert (export.status, export.tries) == (Status.READY, 2)
    assert len(rows(opened(export), "emails.jsonl")) == Email.objects.count()
    assert not begun.exists()


def test_what_is_never_finished_is_given_up(team: Filled) -> None:
    export = asking.ask(team.owner, Scope.MEMBER)
    Export.objects.filter(pk=export.pk).update(tries=making.MOST_TRIES)
    making.look(export.pk)
    export.refresh_from_db()
    assert export.status == Status.FAILED
    assert "never finished" in export.problem
    assert asking.ask(team.owner, Scope.MEMBER) != export


def test_a_disk_that_does_not_take_it_is_tried_again(team: Filled) -> None:
    export = asking.ask(team.owner, Scope.MEMBER)
    in_the_way = folder.path_of(export.pk)
    in_the_way.mkdir()
    (in_the_way / "x").touch()
    making.look(export.pk)
    export.refresh_from_db()
    assert export.status == Status.WAITING
    assert export.look_at is not None
    assert export.look_at > clock.now()
    assert "room" in export.problem
    (in_the_way / "x").unlink()
    in_the_way.rmdir()
    Export.objects.filter(pk=export.pk).update(look_at=clock.now())
    making.look(export.pk)
    export.refresh_from_db()
    assert export.status == Status.READY
