"""Tokens that were changed, cut, glued and forged in every way that keeps them looking like tokens.

None may be read, and none may lead anywhere: over HTTP each is answered 404, without a place to go and never by 500.
"""

from __future__ import annotations

import base64
import http.client
import string
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote
from uuid import UUID

from truesend.tracking import tokens

EVIL = "https://evil.example/"
_ALPHABET = string.ascii_letters + string.digits + "-_"
_BEYOND = "=+/.%~ \t\n\x00éß中\ud800"


@dataclass
class Books:
    """What came of it: ``counts`` by kind of change, ``wrong`` the first tokens that were believed, or worse."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def tried(self) -> int:
        """How many tokens."""
        return self.counts.total()


def signed(keys: tokens.Keys, random: Random, count: int = 200) -> list[str]:
    """Real tokens of all sizes, by every key, some of which lead to the same delivery or target."""
    made = []
    for number in range(count):
        key = keys[number % len(keys) :] or keys
        delivery = UUID(int=random.getrandbits(128 if number % 3 else 4))
        if number % 4 == 0:
            made.append(tokens.sign_open(key, delivery))
        else:
            target = "https://shop.example/" + "x" * random.choice([0, 1, 2, 3, 30, 300])
            made.append(tokens.sign_click(key, delivery, random.randrange(40), target))
    return made


def _bytes(token: str) -> bytearray:
    return bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))


def _token(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _replaced(token: str, other: str, random: Random) -> str:
    at = random.randrange(len(token))
    return token[:at] + random.choice(_ALPHABET) + token[at + 1 :]


def _foreign(token: str, other: str, random: Random) -> str:
    at = random.randrange(len(token) + 1)
    return token[:at] + random.choice(_BEYOND) + token[at + random.randrange(2) :]


def _inserted(token: str, other: str, random: Random) -> str:
    at = random.randrange(len(token) + 1)
    return token[:at] + "".join(random.choices(_ALPHABET, k=random.randrange(1, 5))) + token[at:]


def _cut(token: str, other: str, random: Random) -> str:
    at, size = random.randrange(len(token)), random.randrange(1, 5)
    return random.choice([token[:at] + token[at + size :], token[:at], token[at + 1 :]])


def _swapped(token: str, other: str, random: Random) -> str:
    at = random.randrange(len(token) - 1)
    return random.choice(
        [token[:at] + token[at + 1] + token[at] + token[at + 2 :], token.swapcase(), token[::-1]]
    )


def _last(token: str, other: str, random: Random) -> str:
    """Other spellings of the same bytes."""
    return token[:-1] + random.choice(_ALPHABET) + random.choice(["", "=", "==", "A"])


def _spliced(token: str, other: str, random: Random) -> str:
    at, to = random.randrange(len(token)), random.randrange(len(other))
    return random.choice([token[:at] + other[to:], token + other, token[:-22] + other[-22:]])


def _bit(token: str, other: str, random: Random) -> str:
    content = _bytes(token)
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    return _token(bytes(content))


def _head(token: str, other: str, random: Random) -> str:
    """Version, purpose, length of the key's name: what is read before the signature."""
    content = _bytes(token)
    content[random.randrange(min(12, len(content)))] = random.choice(
        [0, 1, 2, 99, 111, 127, 255, random.randrange(256)]
    )
    return _token(bytes(content))


def _retargeted(token: str, other: str, random: Random) -> str:
    """The signature of another target, or of none."""
    content = bytes(_bytes(token))
    start = 3 + content[2] + 16
    mac = random.choice([content[-16:], bytes(16), b"", random.randbytes(16), bytes(_bytes(other))[-16:]])
    return _token(content[:1] + b"c" + content[2:start] + b"\x00\x00" + EVIL.encode() + mac)


def _resigned(token: str, other: str, random: Random) -> str:
    """Signed in full, by a key that is not ours: of a name that is, or of none we know."""
    content = _bytes(token)
    name = bytes(content[3 : 3 + content[2]]).decode("latin-1")
    key = (random.choice([name, "stranger"]), random.randbytes(32))
    return tokens.sign_click([key], UUID(int=random.getrandbits(128)), 0, EVIL)


def _nothing(token: str, other: str, random: Random) -> str:
    return "".join(random.choices(_ALPHABET, k=random.choice([0, 1, 2, 3, 4, 22, 66, 500])))


CHANGES: dict[str, Callable[[str, str, Random], str]] = {
    change.__name__.strip("_"): change
    for change in (
        _replaced, _foreign, _inserted, _cut, _swapped, _last, _spliced, _bit, _head, _retargeted, _resigned, _nothing,
    )
}  # fmt: skip


def changed(real: Sequence[str], random: Random) -> tuple[str, str]:
    """(kind of change, a token that is none of the real ones)."""
    known = set(real)
    kinds = list(CHANGES)
    while True:
        kind = random.choice(kinds)
        token = CHANGES[kind](random.choice(real), random.choice(real), random)
        if token not in known:
            return kind, token


def read_all(keys: tokens.Keys, count: int, seed: int) -> Books:
    """Have ``count`` changed tokens read in this process."""
    random, books, began = Random(seed), Books(), time.monotonic()
    real = signed(keys, random)
    known, kinds = set(real), list(CHANGES.items())
    for token in real:
        tokens.read(keys, token)
    while books.tried < count:
        kind, change = random.choice(kinds)
        token = change(random.choice(real), random.choice(real), random)
        if token in known:
            continue
        books.counts[kind] += 1
        try:
            books.wrong.append(f"{kind}: {token!r} was read as {tokens.read(keys, token)}")
        except tokens.TokenError:
            pass
        except Exception as error:
            books.wrong.append(f"{kind}: {token!r} ended in {error!r}")
        if len(books.wrong) > 9:
            break
    books.seconds = time.monotonic() - began
    return books


def follow_all(port: int, keys: tokens.Keys, count: int, seed: int) -> Books:
    """Ask the tracker at ``port``, which has ``keys``, for ``count`` changed tokens, as links and as pixels."""
    random, books, began = Random(seed), Books(), time.monotonic()
    real = signed(keys, random)
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    try:
        while books.tried < count and len(books.wrong) < 10:
            kind, token = changed(real, random)
            books.counts[kind] += 1
            name = quote(token.encode("utf-8", "surrogatepass"), safe="")
            path = random.choice([f"/t/c/{name}", f"/t/o/{name}.gif", f"/t/c/{name}?u={quote(EVIL)}"])
            connection.request(random.choice(["GET", "HEAD"]), path)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 404 or answer.getheader("Location") or EVIL.encode() in body:
                books.wrong.append(f"{kind}: {path} was answered {answer.status}")
    finally:
        connection.close()
    books.seconds = time.monotonic() - began
    return books
