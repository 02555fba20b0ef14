"""Files that a draft is given after it was made, because one call does not carry them with it.

One of less than 3 MB goes in a call of its own, a larger one by an upload session, in stretches of at most 4 MB to an
address that wants no key (Graph, "Attach large files to Outlook messages or events"). Whose answer is lost is asked
about and goes on from there: the session says what it expects next, and once it has ended the draft says how many files
it has. All of it sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from truesend.providers.contract import Enclosure, Request
from truesend.providers.errors import ProviderError
from truesend.providers.http import Answer
from truesend.providers.microsoft import calls, errors, graph

# Stretches are multiples of 320 KiB, at most 4 MB.
CHUNK_BYTES = 10 * 320 * 1024
# Up to here one call carries a file: a request is 4 MB, base64 adds a third.
IN_ONE_CALL = 3_000_000
# Answers in a row that are lost or lead nowhere, of one file, before the whole try is given up.
PATIENCE = 4

_LOST = frozenset({"provider_timeout", "provider_cut_off", "provider_unreachable", "provider_error"})
# A session takes nothing below 3 MB; whether that is 3,000,000 or 3,145,728 bytes is not said.
_TOO_SMALL = "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"


def attach(message_id: str, files: Sequence[Enclosure], access_token: str, base: str) -> None:
    """Give a draft ``files``, in order. Raises :class:`ProviderError`: then it lacks some of them."""
    draft = _Draft(message_id, access_token, base)
    for number, file in enumerate(files):
        if file.size <= IN_ONE_CALL or not _by_session(draft, number, file):
            _at_once(draft, number, file)


class _Draft:
    """The draft that is filled: its calls, and how many files it has."""

    def __init__(self, message_id: str, access_token: str, base: str) -> None:
        self.id, self.access, self.base = message_id, access_token, base

    def has(self, number: int) -> bool:
        """Whether the file with this number, from 0, has come to be attached."""
        listed = calls.ask(graph.files_request(self.id, self.access, self.base))
        found = listed.get("value") if isinstance(listed, Mapping) else None
        if not isinstance(found, list):
            raise calls.garbage("a list of files")
        return len(found) > number


def _at_once(draft: _Draft, number: int, file: Enclosure) -> None:
    request = graph.file_request(draft.id, file, draft.access, draft.base)
    for left in reversed(range(PATIENCE)):
        try:
            calls.ask(request, status=201)
        except ProviderError as error:
            if error.cause not in _LOST or not left:
                raise
            if not draft.has(number):
                continue
        return


def _by_session(draft: _Draft, number: int, file: Enclosure) -> bool:
    """Whether the file is attached; False where it is too small for a session."""
    for left in reversed(range(PATIENCE)):
        address = _open(draft, file)
        if address is None:
            return False
        try:
            _Session(draft, number, file, address).run()
        except _Ended:
            if not left:
                raise
            continue
        break
    return True


class _Ended(ProviderError):
    """The session is gone, and the file is not attached: it begins anew."""

    def __init__(self) -> None:
        super().__init__("provider_error", "The upload of a file ended before all of it had come.")


def _open(draft: _Draft, file: Enclosure) -> str | None:
    """Where the stretches go; None where the file is too small."""
    # One that was opened and never told of ends by itself.
    answer = _patiently(graph.session_request(draft.id, file, draft.access, draft.base))
    body = answer.json()
    address = body.get("uploadUrl") if isinstance(body, Mapping) else None
    if answer.status == 201 and isinstance(address, str) and _is_sound(address, draft.base):
        return address
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, Mapping) and error.get("code") == _TOO_SMALL:
        return None
    raise errors.graph_error(answer) if answer.status != 201 else calls.garbage("an upload session")


def _patiently(request: Request) -> Answer:
    """The answer to a call that may be made again, whatever became of it."""
    for _ in range(PATIENCE - 1):
        try:
            answer = calls.answer_to(request)
        except ProviderError:
            continue
        if answer.status < 500:
            return answer
    return calls.answer_to(request)


def _is_sound(address: str, base: str) -> bool:
    """Encrypted, or where Graph itself is: the mail's files go there, and no key."""
    if len(address) > 8000 or not all("!" <= c <= "~" for c in address):
        return False
    place, own = urlsplit(address), urlsplit(base)
    return bool(place.hostname) and (
        place.scheme == "https" or (place.scheme, place.netloc) == (own.scheme, own.netloc)
    )


class _Session:
    """One file on its way."""

    def __init__(self, draft: _Draft, number: int, file: Enclosure, address: str) -> None:
        self._draft, self._number, self._file, self._address = draft, number, file, address
        self._reader = _Reader(file)

    def run(self) -> None:
        """Send stretch after stretch until it is attached. Raises :class:`ProviderError`."""
        at, vain = 0, 0
        while True:
            following = self._push(at)
            if following is None:
                return
            vain = 0 if following > at else vain + 1
            if vain >= PATIENCE or following >= self._file.size:
                raise _Ended
            at = following

    def _push(self, at: int) -> int | None:
        """Send the stretch from there; what is expected next, None where all of it is there."""
        content = self._reader.stretch(at)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {at}-{at + len(content) - 1}/{self._file.size}",
        }
        # Without `Authorization`: the address itself is the permission.
        request = Request("PUT", self._address, "uploads.part", headers, content)
        try:
            answer = calls.answer_to(request)
        except ProviderError as error:
            if error.cause not in _LOST:
                raise
            return self._expected()
        if answer.status == 201:
            return None
        following = _following(answer)
        if following is not None and answer.status in {200, 202}:
            return following
        if answer.status >= 500 or answer.status in {200, 202, 404, 409, 410, 416}:
            return self._expected()
        raise errors.graph_error(answer)

    def _expected(self) -> int | None:
        """An answer was lost: what the session waits for; None where the file is attached already."""
        answer = _patiently(Request("GET", self._address, "uploads.get", {}))
        following = _following(answer) if answer.status == 200 else None
        if following is not None:
            return following
        if self._draft.has(self._number):
            return None
        raise _Ended


def _following(answer: Answer) -> int | None:
    """Where the next stretch begins, of `nextExpectedRanges` (“4194304”, “4194304-”, “0-8388607”)."""
    body = answer.json()
    ranges = body.get("nextExpectedRanges") if isinstance(body, Mapping) else None
    first = ranges[0] if isinstance(ranges, list) and ranges else None
    text = first.partition("-")[0].strip() if isinstance(first, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


class _Reader:
    """A file in stretches of :data:`CHUNK_BYTES`, of which one is held at a time."""

    def __init__(self, file: Enclosure) -> None:
        self._file = file
        self._pieces: Iterator[bytes] = iter(())
        self._rest = b""
        self._at = -1
        self._last: tuple[int, bytes] = (-1, b"")

    def stretch(self, at: int) -> bytes:
        """The bytes from there on; the same ones again cost nothing."""
        if at == self._last[0]:
            return self._last[1]
        if at != self._at:
            self._pieces, self._rest = self._file.read(at), b""
        parts, size = [self._rest], len(self._rest)
        while size < CHUNK_BYTES and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
            size += len(piece)
        whole = b"".join(parts)
        content, self._rest = whole[:CHUNK_BYTES], whole[CHUNK_BYTES:]
        self._at, self._last = at + len(content), (at, content)
        return content
