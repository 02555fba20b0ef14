"""Finding a Chromium, and installing Debian's where that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_APT = Path("/usr/bin/apt-get")


def environment() -> dict[str, str]:
    """What a Chromium is started with: Debian's is a shell script that needs more than an almost empty PATH holds."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}"}


def find() -> str | None:
    """The path of a Chromium on this machine; PATH itself may be almost empty."""
    for name in ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"):
        found = shutil.which(name, path=environment()["PATH"])
        if found:
            return found
    return None


def install() -> str | None:
    """Debian's chromium, when we are root and there is an apt-get; ``None`` when it cannot be had."""
    if os.geteuid() != 0 or not _APT.exists():
        return None
    environment = {**os.environ, "PATH": _SYSTEM_PATH, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
        if subprocess.run([str(_APT), *arguments], env=environment, check=False).returncode != 0:
            return None
    return find()
