"""What a figure was measured on, and how much processor time processes took."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


def description() -> dict[str, Any]:
    """The machine, and how busy it was when the bench began."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB, {platform.system()}"
        f" {platform.release()}, Python {platform.python_version()}",
        "load_before": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    for line in (_PROC / "cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def cpu_seconds(pid: int) -> float:
    """Processor seconds of a process and its children, living and ended."""
    stats = {int(entry.name): fields for entry in _PROC.glob("[0-9]*") if (fields := _stat(entry))}
    family = {pid}
    while more := {child for child, fields in stats.items() if int(fields[1]) in family} - family:
        family |= more
    # Fields 14 to 17 of proc(5): user and system time, its own and that of its ended children.
    return sum(int(ticks) for one in family if one in stats for ticks in stats[one][11:15]) / _TICKS


def _stat(entry: Path) -> list[str] | None:
    """Fields of ``/proc/PID/stat`` from the third on; the second may hold spaces."""
    try:
        return (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def free_ports(count: int) -> list[int]:
    """So many neighbouring ports that nobody listens on, on either loopback."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        ports = list(range(first, first + count))
        if ports[-1] < 65536 and all(_is_free(port) for port in ports):
            return ports


def _is_free(port: int) -> bool:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.bind((host, port))
        except OSError:
            if family == socket.AF_INET or _has_ipv6():
                return False
    return True


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def clean_environment(**settings: str) -> dict[str, str]:
    """Ours without any setting of Truesend, so that no bench ever touches an installation; and ``settings``."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRUESEND_", "DJANGO_"))
    }
    return {**kept, **settings}
