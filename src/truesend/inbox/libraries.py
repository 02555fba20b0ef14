"""Old formats that flufl.bounce, the library of Mailman, knows. Asked only where our own layers found nobody."""

from __future__ import annotations

import contextlib
import logging
from email import message_from_bytes

from flufl.bounce import all_failures

_MOST_BYTES = 64_000
_MOST_BOUNDARIES = 30
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


def known_failures(raw: bytes) -> list[str]:
    """Addresses it finds in a mail, sorted; ``[]`` where it finds none or breaks."""
    raw = raw[:_MOST_BYTES]
    if (
        raw.lower().count(b"boundary=") > _MOST_BOUNDARIES
        or max((len(line) for line in raw.split(b"\n")), default=0) > 4_000
    ):
        return []
    with contextlib.suppress(Exception):  # it raises over mails that are broken in ways it does not expect
        late, failed = all_failures(message_from_bytes(raw))
        found = [one.decode("utf-8", "replace") for one in sorted({*late, *failed})]
        return [one for one in found if "@" in one]
    return []
