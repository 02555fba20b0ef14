"""Files as far as limits ask for them: what they are called and how large they are, in words too. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Enclosed:
    """A file that is to travel with an email; ``size`` in bytes. ``is_picture``: it stands in the text."""

    name: str
    size: int
    is_picture: bool = False


def encoded(size: int) -> float:
    """Bytes that so many become on their way: base64 adds a third, and line breaks."""
    return size * 1.37


def size_words(size: int) -> str:
    """“0 bytes”, “812 bytes”, “14 KB”, “2.4 MB”."""
    if size < 1024:
        return f"{size} byte{'' if size == 1 else 's'}"
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))} KB"
    megabytes = size / (1024 * 1024)
    # What is a little over a whole number does not read like it.
    whole = round(megabytes)
    if 0 < megabytes - whole < 0.005:
        megabytes = whole + 0.01
    digits = 2 if round(megabytes, 1) == whole != round(megabytes, 2) else 1
    return f"{megabytes:.{digits}f} MB".replace(".0 MB", " MB")
