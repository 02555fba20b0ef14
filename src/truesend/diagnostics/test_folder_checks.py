"""The data folder: closed where it holds secrets, and the command that closes it does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from truesend.diagnostics import folder_checks
from truesend.diagnostics.findings import Status


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder"
    (folder / "run").mkdir(parents=True)
    (folder / "rescue").mkdir()
    folder.chmod(0o700)
    for name in ("encryption_keys", "run/database_url", "rescue/one"):
        (folder / name).write_text("secret")
        (folder / name).chmod(0o600)
    return folder


def test_closed(data: Path) -> None:
    assert folder_checks.folder(data).status is Status.OK


def test_none_at_all(tmp_path: Path) -> None:
    found = folder_checks.folder(tmp_path / "nowhere")
    assert found.status is Status.WRONG
    assert found.fix is not None
    assert found.fix.command == "truesend up"
    assert folder_checks.disk(tmp_path / "nowhere").status is not Status.WRONG


@pytest.mark.parametrize("name", ["encryption_keys", "run/database_url", "rescue/one"])
def test_a_secret_that_others_may_read(data: Path, name: str) -> None:
    (data / name).chmod(0o644)
    found = folder_checks.folder(data)
    assert found.status is Status.WRONG
    assert name in found.sentence
    assert found.fix is not None
    subprocess.run(["sh", "-c", found.fix.command], check=True)
    assert folder_checks.folder(data).status is Status.OK


def test_a_folder_that_others_may_write_in(data: Path) -> None:
    data.chmod(0o777)
    found = folder_checks.folder(data)
    assert found.status is Status.WRONG
    assert found.fix is not None
    subprocess.run(["sh", "-c", found.fix.command], check=True)
    assert folder_checks.folder(data).status is Status.OK
