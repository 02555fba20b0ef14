"""The project's files as the guards read them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BUILT = {".venv", "node_modules", "dist", "data", "var", "__pycache__"}
_BINARY = {".png", ".gif", ".ico", ".woff2", ".eml"}


def committed() -> list[Path]:
    """Every file that belongs to the project: tracked ones, and new ones that git would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        paths = [ROOT / one for one in listed.decode().split("\0") if one]
    except (OSError, subprocess.CalledProcessError):  # no git here, or an unpacked archive
        paths = list(_walk())
    return sorted(path for path in paths if path.is_file())


def _walk() -> Iterator[Path]:
    for folder, inside, files in os.walk(ROOT):
        inside[:] = [one for one in inside if one not in _BUILT and (not one.startswith(".") or one == ".ci")]
        yield from (Path(folder) / one for one in files)


def texts() -> Iterator[tuple[str, str]]:
    """(path from the root, content) of every text file."""
    for path in committed():
        if path.suffix not in _BINARY:
            yield name(path), path.read_text(encoding="utf-8", errors="replace")


def python(folder: str = "src") -> Iterator[tuple[str, str]]:
    """(path from the root, content) of our own Python below a folder, without migrations."""
    for path in committed():
        inside = name(path)
        if path.suffix == ".py" and inside.startswith(f"{folder}/") and "/migrations/" not in inside:
            yield inside, path.read_text(encoding="utf-8")


def name(path: Path) -> str:
    """A path as it is written in the project."""
    return path.relative_to(ROOT).as_posix()
