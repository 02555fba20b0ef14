"""What a data folder remembers, through copies, moves, changes of owner and torn files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from truesend.runtime import memory


def test_nothing_is_remembered_of_nothing(tmp_path: Path) -> None:
    assert memory.recall(tmp_path) is None


def test_it_never_goes_back(tmp_path: Path) -> None:
    ours = uuid4()
    memory.note(tmp_path, ours, 5)
    memory.note(tmp_path, ours, 3)
    found = memory.recall(tmp_path)
    assert found is not None
    assert (found.installation, found.counter, found.copied) == (ours, 5, False)


def test_another_installation_begins_at_its_own_count(tmp_path: Path) -> None:
    memory.note(tmp_path, uuid4(), 500)
    other = uuid4()
    memory.note(tmp_path, other, 2)
    found = memory.recall(tmp_path)
    assert found is not None
    assert (found.installation, found.counter) == (other, 2)


@pytest.mark.parametrize("preserving", [True, False])
def test_a_copy_knows_that_it_is_one_and_the_original_does_not(tmp_path: Path, *, preserving: bool) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    memory.note(original, uuid4(), 7)
    shutil.copytree(original, copy, copy_function=shutil.copy2 if preserving else shutil.copy)
    first, second = memory.recall(original), memory.recall(copy)
    assert first is not None
    assert second is not None
    assert (first.copied, second.copied) == (False, True)
    memory.note(copy, second.installation, 8)
    again = memory.recall(copy)
    assert again is not None
    assert again.copied  # counting on makes no original of it
    memory.note(copy, second.installation, 8, anew=True)
    taken = memory.recall(copy)
    assert taken is not None
    assert not taken.copied


def test_moving_a_folder_and_changing_its_mode_make_no_copy(tmp_path: Path) -> None:
    memory.note(tmp_path / "here", uuid4(), 7)
    (tmp_path / "here").rename(tmp_path / "there")
    for path in (tmp_path / "there" / "installation").iterdir():
        path.chmod(0o640)
        os.chown(path, os.getuid(), os.getgid())
    found = memory.recall(tmp_path / "there")
    assert found is not None
    assert not found.copied


@pytest.mark.parametrize("content", ["", "{", "[]", '{"installation": 5}'])
def test_what_cannot_be_read_belongs_to_nobody(tmp_path: Path, content: str) -> None:
    ours = uuid4()
    memory.note(tmp_path, ours, 7)
    (tmp_path / "installation" / "known.json").write_text(content)
    found = memory.recall(tmp_path)
    assert found is not None
    assert found.installation != ours
