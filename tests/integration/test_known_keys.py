"""An encryption key that is not what it is called: no process works with it."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from tests import up
from tests.ports import free_ports

from truesend.env import SettingError
from truesend.organizations import known_keys
from truesend.organizations.models import KnownKey


def key(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


@pytest.mark.django_db(transaction=True)
def test_the_first_key_of_a_name_is_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, other = key("old"), key("new"), key("old")

    def have(*keys: str) -> None:
        monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", ",".join(keys))

    have(old)
    known_keys.check()  # of a database that knows none
    known_keys.note()
    known_keys.check()
    have(new, old)
    known_keys.check()
    known_keys.note()
    have(new)  # taken out after everything was sealed anew
    known_keys.check()
    have(new, other)
    with pytest.raises(SettingError, match="key called old is another one"):
        known_keys.check()
    known_keys.note()  # by a worker that started while the database was away
    assert KnownKey.objects.filter(kind="encryption", name="old").count() == 2
    with pytest.raises(SettingError):
        known_keys.check()
    have(new, old)
    known_keys.check()
    monkeypatch.delenv("TRUESEND_ENCRYPTION_KEYS")
    known_keys.check()  # told by whatever needs one


def noted(data: Path) -> int:
    """How many keys its worker has noted."""
    with psycopg.connect((data / "run" / "database_url").read_text().strip()) as database:
        row = database.execute("SELECT count(*) FROM organizations_knownkey").fetchone()
    return int(row[0]) if row else 0


@pytest.mark.timeout(300)
def test_up_does_not_start_with_another_key_of_the_same_name(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with up.running(data, sandbox=False):
        up.wait_for(lambda: noted(data) == 2, 30, "a worker that notes its keys")
    file = data / "encryption_keys"
    right = file.read_text()
    name = right.partition(":")[0]
    file.write_text(key(name))
    refused = subprocess.run(
        up.command("up", "--data", str(data), "--port", str(free_ports(2)[0])),
        env=up.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert refused.returncode != 0
    assert (
        f"The encryption key called {name} is another one than what the database was used with."
        in refused.stderr
    )
    assert right.partition(":")[2].strip() not in refused.stderr
    file.write_text(right)
    with up.running(data, sandbox=False):
        pass
    up.remove(data)
