"""A clone beside the live one, and an older backup in its place: nothing leaves twice, nothing leaves before adopt."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.storms import restore

SECONDS, EACH = 4.0, 1


@pytest.mark.storm
@pytest.mark.timeout(400)
def test_a_clone_beside_the_live_one_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    books = restore.clone(tmp_path, each=EACH, seconds=SECONDS)
    with capsys.disabled():
        print(f"\nclone: {books}")
    assert books.sentences[0].startswith("This is a copy of http://localhost:")
    assert books.shortfalls(each=EACH) == []
    assert books.arrived == {1: 6 * EACH + 1}


@pytest.mark.storm
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["dump", "files"])
def test_an_older_backup_in_its_place_does_nothing_until_adopt(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    books = restore.in_place(tmp_path, kind=kind, each=EACH, seconds=SECONDS)
    with capsys.disabled():
        print(f"\nrestore of {kind}: {books}")
    assert books.shortfalls(each=EACH) == []
    assert books.arrived == {1: 8 * EACH}
