"""`truesend rekey`: everything stored is sealed anew with the newest key, whatever happens meanwhile."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection as database
from django.db import transaction
from tests import rows, up
from tests import stack as stacks
from tests.connections import proved
from tests.stack import Stack, until

from truesend import clock, env
from truesend.closing.models import Revocation
from truesend.connections import rekey
from truesend.connections.models import Connection, Consent, ProviderClient, Token
from truesend.connections.secretbox import SecretUnreadable, open_sealed, seal
from truesend.diagnostics import rekey_command
from truesend.organizations import known_keys
from truesend.organizations.models import Member
from truesend.organizations.second_factor import MFAAdapter
from truesend.sending import workers

PROVIDERS = ("google", "microsoft", "keap")


def key(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


@pytest.fixture
def have(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the keys, newest first."""

    def set_(*keys: str) -> None:
        monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", ",".join(keys))

    return set_


def mailbox(owner: Member, number: int = 0) -> Connection:
    made = rows.mailbox(owner, address=f"box{number}@northwind.example")
    now = clock.now()
    access, refresh = (f"token.{part}:{made.pk}" for part in ("access", "refresh"))
    Token.objects.create(
        connection=made,
        access=seal("access", place=access),
        refresh=seal("refresh", place=refresh),
        previous_refresh=seal("before", place=refresh),
        access_expires_at=now,
        access_issued_at=now,
        due_at=now + timedelta(hours=1),
    )
    return made


def opens(made: Connection) -> bool:
    """Whether each of its secrets is what it was, under the keys of now."""
    token = Token.objects.get(pk=made.pk)
    pairs = (("access", token.access), ("refresh", token.refresh), ("before", token.previous_refresh))
    for text, sealed in pairs:
        place = f"token.{'access' if text == 'access' else 'refresh'}:{made.pk}"
        assert sealed is not None
        try:
            if open_sealed(sealed, place=place) != text:
                return False
        except SecretUnreadable:
            return False
    return True


def counts(told: list[rekey.Told]) -> dict[str, tuple[int, int]]:
    return {one.name.removeprefix("connections_"): (one.done, one.before) for one in told}


@pytest.mark.django_db(transaction=True)
def test_every_sealed_column_is_sealed_anew_and_nothing_else_changes(have: Any) -> None:
    old, new = key("old"), key("new")
    have(old)
    ana = rows.member()
    boxes = [mailbox(ana, number) for number in range(3)]
    consent = Consent(member=ana, provider="google", kind="personal", capabilities=["send"], next_path="/")
    consent.state_digest = consent.session_digest = os.urandom(32)
    consent.verifier = seal("verifier", place=f"consent.verifier:{consent.pk}")
    consent.save()
    used = Consent(member=ana, provider="google", kind="personal", capabilities=["send"], next_path="/")
    used.state_digest, used.session_digest, used.verifier = os.urandom(32), os.urandom(32), b""
    used.save()
    sealed = seal("secret", place="client.secret:google")
    ProviderClient.objects.create(
        provider="google", client_id="x", secret=sealed, secret_set_at=clock.now(), changed_at=clock.now()
    )
    factor = MFAAdapter().encrypt("JBSWY3DPEHPK3PXP")
    ended = Revocation(organization=ana.organization, provider="google", subject="1")
    ended.secret = seal("permission", place=f"revocation.secret:{ended.pk}")
    ended.save()
    versions = list(Token.objects.order_by("pk").values_list("version", flat=True))
    have(new, old)
    assert counts(rekey.rekey()) == {
        "token.access": (3, 0),
        "token.refresh": (3, 0),
        "token.previous_refresh": (3, 0),
        "consent.verifier": (1, 0),
        "providerclient.secret": (1, 0),
        "organizations_factorsecret.sealed": (1, 0),
        "closing_revocation.secret": (1, 0),
    }
    assert rekey_command.run() == 0
    assert {one[0] for one in counts(rekey.rekey()).values()} == {0}
    have(new)
    assert all(opens(one) for one in boxes)
    consent.refresh_from_db()
    assert open_sealed(consent.verifier, place=f"consent.verifier:{consent.pk}") == "verifier"
    secret = ProviderClient.objects.get().secret
    assert open_sealed(secret, place="client.secret:google") == "secret"
    assert MFAAdapter().decrypt(factor) == "JBSWY3DPEHPK3PXP"
    ended.refresh_from_db()
    assert open_sealed(ended.secret, place=f"revocation.secret:{ended.pk}") == "permission"
    assert bytes(Consent.objects.get(pk=used.pk).verifier) == b""
    assert list(Token.objects.order_by("pk").values_list("version", flat=True)) == versions


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_opened_is_named_and_left(have: Any, capsys: pytest.CaptureFixture[str]) -> None:
    old, gone, new = key("old"), key("gone"), key("new")
    ana = rows.member()
    have(gone)
    lost = mailbox(ana, 1)
    have(old)
    damaged, fine = mailbox(ana, 2), mailbox(ana, 3)
    elsewhere = seal("access", place="token.access:another")
    Token.objects.filter(pk=damaged.pk).update(access=elsewhere)
    before = bytes(Token.objects.get(pk=lost.pk).refresh or b"")
    have(new, old)
    assert rekey_command.run() == 1
    said = capsys.readouterr().out
    assert "The newest key is called new." in said
    assert "connections_token.access: 1 sealed anew, 0 bore it already." in said
    told = "1 need the key called gone, which is not in TRUESEND_ENCRYPTION_KEYS. They were left as they are:"
    assert f"connections_token.refresh: {told} {lost.pk}." in said
    told = "1 cannot be opened though their key is here. They were left as they are:"
    assert f"connections_token.access: {told} {damaged.pk}." in said
    assert "Nothing in the database needs" not in said
    assert bytes(Token.objects.get(pk=lost.pk).refresh or b"") == before
    # The key is found again.
    have(new, old, gone)
    Token.objects.filter(pk=damaged.pk).update(access=seal("access", place=f"token.access:{damaged.pk}"))
    assert rekey_command.run() == 0
    assert "Nothing in the database needs old or gone any more." in capsys.readouterr().out
    have(new)
    assert all(opens(one) for one in (lost, damaged, fine))


@pytest.mark.django_db(transaction=True)
def test_a_key_that_the_running_workers_do_not_have_seals_nothing(
    have: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = key("old"), key("new")
    have(old)
    made = mailbox(rows.member())
    workers.beat("a worker", None)
    have(new, old)
    assert rekey_command.run() == 1
    assert "Truesend runs without the key called new" in capsys.readouterr().out
    have(old)
    assert opens(made)
    have(new, old)
    known_keys.note()  # as a worker does when it begins
    assert rekey_command.run() == 0


@pytest.mark.django_db(transaction=True)
def test_a_renewal_under_way_is_waited_for(have: Any) -> None:
    """Its end writes back what it has read: with an older key."""
    old, new = key("old"), key("new")
    have(old)
    made = mailbox(rows.member())
    read = bytes(Token.objects.get(pk=made.pk).refresh or b"")
    Token.objects.filter(pk=made.pk).update(
        begun_at=clock.now(), begun_until=clock.real_now() + timedelta(minutes=5)
    )
    have(new, old)
    told = rekey.rekey(patience=0)
    assert [one.left for one in told[:3]] == [1, 1, 1]
    assert sum(one.done for one in told) == 0
    found: list[list[rekey.Told]] = []

    def seal_all() -> None:
        found.append(rekey.rekey(patience=30))
        database.close()

    other = threading.Thread(target=seal_all)
    other.start()
    rows_ = Token.objects.filter(pk=made.pk)
    rows_.update(
        previous_refresh=read,
        refresh=seal("refresh", place=f"token.refresh:{made.pk}"),
        begun_at=None,
        begun_until=None,
    )
    other.join(60)
    assert all(one.left == 0 for one in found[0])
    have(new)
    token = Token.objects.get(pk=made.pk)
    assert token.previous_refresh is not None
    assert open_sealed(token.previous_refresh, place=f"token.refresh:{made.pk}") == "refresh"


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on_where_it_was(have: Any) -> None:
    old, new = key("old"), key("new")
    have(old)
    ana = rows.member()
    boxes = sorted((mailbox(ana, number) for number in range(250)), key=lambda one: one.pk)
    have(new, old)

    def anew() -> int:
        sealed = Token.objects.values_list("access", flat=True)
        return sum(bytes(one).startswith(b"\x03new") for one in sealed)

    # This test's own.
    name = database.settings_dict["NAME"]
    url = urlsplit(env.database_url())._replace(path=f"/{name}").geturl()
    settings = {**os.environ, "TRUESEND_DATABASE_URL": url}
    with psycopg.connect(url) as other:
        # It cannot end before this one lets go.
        other.execute("SELECT FROM connections_token WHERE connection_id = %s FOR UPDATE", [boxes[120].pk])
        running = subprocess.Popen(up.command("rekey"), env=settings, stdout=subprocess.DEVNULL)
        try:
            until(anew, lambda count: count >= rekey.AT_ONCE, 60)
        finally:
            running.send_signal(signal.SIGKILL)
            running.wait(30)
    half = anew()
    assert 0 < half < 250
    assert all(opens(one) for one in boxes)
    told = counts(rekey.rekey())
    assert told["token.access"] == (250 - half, half)
    have(new)
    assert all(opens(one) for one in boxes)


@pytest.mark.django_db(transaction=True)
def test_what_was_replaced_in_between_stays(have: Any) -> None:
    """A secret is replaced only while it is the one that was opened."""
    old, new = key("old"), key("new")
    have(old)
    ana = rows.member()
    boxes = sorted((mailbox(ana, number) for number in range(rekey.AT_ONCE + 1)), key=lambda one: one.pk)
    have(new, old)
    last = boxes[-1]

    def renewed() -> None:
        with transaction.atomic():
            fresh = seal("renewed", place=f"token.access:{last.pk}")
            Token.objects.filter(pk=last.pk).update(access=fresh)

    told = rekey.rekey(after_a_lot=renewed)
    assert told[0].done == rekey.AT_ONCE
    assert open_sealed(Token.objects.get(pk=last.pk).access, place=f"token.access:{last.pk}") == "renewed"


@pytest.mark.timeout(400)
def test_a_key_is_changed_while_renewals_run_and_the_old_one_is_taken_out(tmp_path: Path) -> None:
    """As docs/backup.md says it, with an account at each provider."""
    data = tmp_path / "data"
    file = data / "encryption_keys"
    with stacks.running(data) as stack:
        ana = stack.person()
        boxes = {one: str(proved(ana, provider=one)["id"]) for one in PROVIDERS}
    old, newer = file.read_text().strip(), key("newer")
    file.write_text(f"{newer},{old}\n")

    def sends(stack: Stack) -> None:
        ana.stack = stack
        for one in boxes.values():
            ana.email_when(ana.send(one)["id"], "sent", 60)

    with stacks.running(data) as stack:
        sends(stack)
        for one in PROVIDERS:
            stack.sandbox.fault("token", "slow", one, ms=2500, when="after", times=2)
        stack.sandbox.advance(timedelta(hours=20).total_seconds())  # everything is due
        done = stack.up.run("rekey")
        assert (done.returncode, done.stderr) == (0, "")
        assert "The newest key is called newer." in done.stdout
        assert f"Nothing in the database needs {old.partition(':')[0]} any more." in done.stdout
        again = stack.up.run("rekey")
        assert again.returncode == 0
        assert "connections_token.access: 0 sealed anew, 3 bore it already." in again.stdout
    file.write_text(f"{newer}\n")
    with stacks.running(data) as stack:
        sends(stack)
        for one in boxes.values():
            assert ana.api("POST", f"connections/{one}/verify").json()["verdict"] == "working"
        stack.sandbox.advance(timedelta(hours=20).total_seconds())
        sends(stack)
    up.remove(data)
