"""What a mail shows: its HTML and text, links, remote images, inline pictures and attachments."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message as Parsed
from email.parser import BytesParser
from email.policy import compat32
from html.parser import HTMLParser

_PARSER = BytesParser(policy=compat32)
_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


@dataclass(frozen=True)
class Link:
    """A link of a mail: its address as written, and the text on it."""

    url: str
    text: str


@dataclass
class Content:
    """The parts a reader sees. `links` and `images` are in document order, each occurrence once."""

    html: str | None = None
    text: str | None = None
    links: list[Link] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    inline: dict[str, str] = field(default_factory=dict)
    """Content-ID → data: address."""
    attachments: list[tuple[str, int]] = field(default_factory=list)
    """Name and size in bytes."""


def _decoded(part: Parsed) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def read(raw: bytes) -> Content:
    """Parse a mail for showing."""
    content = Content()
    for part in _PARSER.parsebytes(raw).walk():
        if part.is_multipart():
            continue
        kind, name = part.get_content_type(), part.get_filename()
        if kind == "text/html" and content.html is None and not name:
            content.html = _decoded(part)
        elif kind == "text/plain" and content.text is None and not name:
            content.text = _decoded(part)
        else:
            payload = part.get_payload(decode=True)
            data = payload if isinstance(payload, bytes) else b""
            number = (part.get("Content-ID") or "").strip("<> ")
            if number and kind.startswith("image/"):
                content.inline[number] = f"data:{kind};base64,{base64.b64encode(data).decode()}"
            else:
                content.attachments.append((name or kind, len(data)))
    if content.html is not None:
        reader = _Reader()
        reader.feed(content.html)
        reader.close()
        content.links, content.images = reader.finished(), reader.images
    else:
        content.links = [Link(url, url) for url in _URL.findall(content.text or "")]
    return content


def is_web(url: str) -> bool:
    """Whether an address is http or https."""
    return url[:7].lower() == "http://" or url[:8].lower() == "https://"


class _Reader(HTMLParser):
    """Collects links with their text, and remote images."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, list[str]]] = []
        self.images: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: (value or "").strip() for name, value in attrs}
        if tag in ("a", "area"):
            self._open = tag == "a" and is_web(values.get("href", ""))
            if is_web(values.get("href", "")):
                self.links.append((values["href"], []))
        elif tag == "img":
            if is_web(values.get("src", "")):
                self.images.append(values["src"])
            if self._open:
                self.links[-1][1].append(values.get("alt", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.links[-1][1].append(data)

    def finished(self) -> list[Link]:
        return [Link(url, " ".join("".join(words).split())) for url, words in self.links]


class _Rewriter(HTMLParser):
    """Writes the HTML again with other addresses; scripts, handlers and outside frames are left out."""

    _DROPPED = frozenset({"script", "iframe", "object", "embed", "form", "base", "meta", "link"})
    _SILENT = frozenset({"script"})

    def __init__(
        self, link: Callable[[int], str], image: Callable[[int], str], inline: dict[str, str]
    ) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._link = link
        self._image = image
        self._inline = inline
        self._links = 0
        self._images = 0
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._SILENT:
            self._silent += 1
        if tag in self._DROPPED:
            return
        kept = [f"<{tag}"]
        for name, value in attrs:
            changed = self._value(tag, name, (value or "").strip())
            if changed is not None:
                kept.append(f' {name}="{html.escape(changed)}"')
        if tag in ("a", "area"):
            kept.append(' target="_blank" rel="noopener noreferrer"')
        self.out.append("".join(kept) + ">")

    def _value(self, tag: str, name: str, value: str) -> str | None:
        if name.startswith("on") or name in ("srcset", "background", "target", "rel", "ping"):
            return None
        if tag in ("a", "area") and name == "href":
            if is_web(value):
                self._links += 1
                return self._link(self._links - 1)
            return value if value.lower().startswith(("mailto:", "tel:", "#")) else None
        if tag == "img" and name == "src":
            if is_web(value):
                self._images += 1
                return self._image(self._images - 1)
            if value.lower().startswith("cid:"):
                return self._inline.get(value[4:], "")
            return value if value.lower().startswith("data:image/") else None
        return value

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in self._SILENT:
            self._silent -= 1

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT:
            self._silent = max(0, self._silent - 1)
        if tag not in self._DROPPED:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.append(data)

    def handle_entityref(self, name: str) -> None:
        self.out.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.out.append(f"&#{name};")


def shown(content: Content, link: Callable[[int], str], image: Callable[[int], str]) -> str:
    """The mail's HTML with its n-th link and remote image at `link(n)` and `image(n)`."""
    rewriter = _Rewriter(link, image, content.inline)
    rewriter.feed(content.html or "")
    rewriter.close()
    return "".join(rewriter.out)


def pieces(text: str) -> list[tuple[str, int | None]]:
    """Plain text cut at its web addresses: `(piece, number of the link or None)`."""
    cut: list[tuple[str, int | None]] = []
    position = 0
    for number, found in enumerate(_URL.finditer(text)):
        cut.append((text[position : found.start()], None))
        cut.append((found[0], number))
        position = found.end()
    cut.append((text[position:], None))
    return cut
