"""What stands in the project's files, whoever wrote them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from .files import ROOT, committed, name, texts

LONGEST = 400

# Registries and mirrors. Written in halves, so that this file does not find itself.
_REGISTRIES = re.compile(
    "|".join(
        re.escape(host)
        for host in (
            "registry.npm" + "js.org",
            "registry.yarn" + "pkg.com",
            "files.python" + "hosted.org",
            "pypi." + "org/simple",
            "--index" + "-url",
            "--extra-index" + "-url",
        )
    )
)
# Home and work folders of whoever wrote the file. Examples name folders that every system has.
_MACHINE_PATHS = re.compile(r"(?<![\w.$}/-])/(?:root|home/\w+|Users/\w+|work|mnt|workspace)/[\w.]")


def test_no_file_names_a_package_registry() -> None:
    found = [f"{path}: {match.group()}" for path, text in texts() for match in _REGISTRIES.finditer(text)]

    assert found == []


def test_the_front_ends_lock_names_no_place_to_download_from() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))

    packages: dict[str, dict[str, Any]] = lock["packages"]
    assert len(packages) > 50, "the lock is not read"
    assert [path for path, package in packages.items() if "resolved" in package] == []


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.lock")), ids=lambda path: path.name)
def test_every_python_package_is_locked_with_hashes(lock: Any) -> None:
    text = lock.read_text(encoding="utf-8")
    pinned = re.findall(r"^[a-z0-9][\w.\[\],-]*==", text, re.MULTILINE)
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())

    assert pinned
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    found = [f"{path}: {match.group()}" for path, text in texts() for match in _MACHINE_PATHS.finditer(text)]

    assert found == []


def test_no_source_file_is_too_long() -> None:
    long = []
    for path in committed():
        own = path.suffix in {".py", ".ts", ".css", ".html"} and "/migrations/" not in name(path)
        if own and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST:
            long.append(f"{name(path)}: {lines} lines")

    assert long == []


def test_no_file_holds_a_promise_instead_of_code() -> None:
    words = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
    found = [f"{path}: {match.group()}" for path, text in texts() for match in words.finditer(text)]

    assert [
        line for line in found if not line.startswith(("frontend/package-lock.json", "requirements/"))
    ] == []
