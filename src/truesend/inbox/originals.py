"""A note without what it sends back, and the mail that it sends back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import compat32

from truesend.inbox.ids import ids_in
from truesend.inbox.parts import Headers, Mail, cut, read_headers
from truesend.inbox.phrases import FAILED, plain
from truesend.inbox.texts import decode_bytes

_RULE = r"[\s\-=*_|#>+~]{0,60}"
_BEGINS = re.compile(
    _RULE + r"(?:"
    r"(?:below this line is|this is|enclosed is|included is|attached is|here is|following is|the following is) (?:a |the )?(?:copy|header|original|returned)"
    r"|(?:a )?copy of (?:the |your )?(?:original )?(?:message|mail|e-?mail|headers?)"
    r"|(?:the )?headers? (?:of|from) (?:the |your )?(?:original |returned )?(?:message|mail|e-?mail)"
    r"|(?:the |your )?(?:original|unsent|returned|undelivered|rejected|failed|bounced) (?:message|mail|e-?mail)(?: headers?| text| body| header| content)?(?: (?:is |was )?(?:follows|following|below|attached|as follows|begins|returned))?"
    r"|(?:the )?(?:message|mail) (?:text|headers?|body|contents?)(?: follows?| below| is)?|your (?:original )?(?:message|mail)(?: was| reads| follows| \(first)[^\n]{0,40}|(?:start|begin(?:ning)?) of (?:the )?(?:returned|original|your|attached|forwarded) (?:message|mail)|forwarded message|begin forwarded message|message headers? follow"
    r"|ursprüngliche nachricht|originalnachricht|kopfzeilen|message d'origine|en-têtes (?:du message|d'origine)|mensaje original|encabezados|messaggio originale|intestazioni|mensagem original|cabeçalhos|oorspronkelijk bericht|исходное сообщение|元のメッセージ|原始邮件|原始郵件|원본 메시지"
    r")" + r"[^\n]{0,60}",
    re.IGNORECASE,
)
_KNOWN = {"received", "from", "to", "cc", "subject", "date", "message-id", "return-path", "mime-version", "content-type",
          "content-transfer-encoding", "reply-to", "sender", "x-mailer", "user-agent", "delivered-to", "references",
          "in-reply-to", "dkim-signature", "sent", "importance", "organization", "received-spf"}  # fmt: skip
_SURE = {
    "received",
    "message-id",
    "return-path",
    "mime-version",
    "content-type",
    "dkim-signature",
    "x-mailer",
    "user-agent",
}
_LINE = re.compile(r"\s{0,12}([A-Za-z][A-Za-z-]{1,40})[ \t]{0,2}:")
_COMMENT = re.compile(r"<!--\s{0,9}truesend:delivery=([0-9A-Fa-f-]{36})\s{0,9}-->", re.IGNORECASE)
MARK = "x-truesend-delivery"
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Original:
    """What is known of the mail that came back."""

    headers: Headers
    marks: tuple[str, ...] = ()
    text: str = ""
    """As it stands in the note; empty where it is a part of its own."""

    @property
    def message_ids(self) -> tuple[str, ...]:
        return tuple(ids_in(self.headers.get("message-id")))


def originals(mail: Mail) -> list[Original]:
    """The mails that stand in parts of their own."""
    found = []
    for part in mail.kinds("original"):
        head, body = cut(part.raw.lstrip(b"\n"))
        headers = read_headers(head)
        marks = [value.strip()[:100] for value in headers.all(MARK) if value.strip()]
        marks += [one[1].lower() for one in _COMMENT.finditer(decode_bytes(body[:1_000_000]))]
        marks += _encoded_marks(part.raw.lstrip(b"\n")[:_MOST])
        if headers:
            found.append(Original(headers, tuple(dict.fromkeys(marks))))
    return found


def _encoded_marks(raw: bytes) -> list[str]:
    """Our comment where the mail that came back was encoded for its way (base64, quoted-printable)."""
    found: list[str] = []
    for part in BytesParser(policy=compat32).parsebytes(raw).walk():
        if part.get_content_maintype() != "text" or "content-transfer-encoding" not in part:
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            found += [one[1].lower() for one in _COMMENT.finditer(decode_bytes(content))]
    return found


def divide(text: str) -> tuple[str, Original | None]:
    """A note's own lines, and the mail that follows or stands in it as text."""
    lines = text.split("\n")[:4_000]
    kept: list[str] = []
    at = 0
    began = False
    while at < len(lines):
        line = lines[at]
        if _BEGINS.fullmatch(line.strip()) and _looks_like_header(lines, at + 1, 1):
            began = True
            at += 1
            break
        size = _cluster(lines, at)
        if size:
            if line[:1] not in " \t" and not _comes_first(lines, at, size, kept):
                break  # the mail itself, to the end
            at += size  # a summary of it: the note goes on
            continue
        kept.append(line)
        at += 1
    rest = "\n".join(
        one.strip("\t ") if began and one[:1] == " " and _LINE.match(one) else one for one in lines[at:]
    ).lstrip("\n")
    if not rest:
        summary = _summary(lines)
        return "\n".join(kept), summary
    head, _, body = rest.partition("\n\n")
    headers = read_headers(head)
    marks = [value.strip()[:100] for value in headers.all(MARK) if value.strip()]
    marks += [one[1].lower() for one in _COMMENT.finditer(body)]
    return "\n".join(kept), Original(headers, tuple(dict.fromkeys(marks)), rest) if headers else _summary(
        lines
    )


def _comes_first(lines: list[str], at: int, size: int, kept: list[str]) -> bool:
    """Headers above the note itself: nothing has been said before them, and it is said after."""
    names = {match[1].lower() for line in lines[at : at + size] if (match := _LINE.match(line))}
    after = plain("\n".join(lines[at + size : at + size + 40]))
    return not names & _SURE and not FAILED.search(plain("\n".join(kept))) and bool(FAILED.search(after))


def _summary(lines: list[str]) -> Original | None:
    """The indented lines with which some systems name the mail."""
    for at in range(min(len(lines), 400)):
        size = _cluster(lines, at)
        if size:
            return Original(read_headers("\n".join(line.strip() for line in lines[at : at + size])))
    return None


def _looks_like_header(lines: list[str], at: int, least: int) -> bool:
    """Whether a header line follows within four lines, or nothing does."""
    following = [line for line in lines[at : at + 6] if line.strip()]
    if not following:
        return True
    return (
        sum(
            bool((m := _LINE.match(line)) and (m[1].lower() in _KNOWN or m[1].lower().startswith("x-")))
            for line in following
        )
        >= least
    )


def _cluster(lines: list[str], at: int) -> int:
    """How many lines from here are a block of a mail's headers; 0 where they are none."""
    first = _LINE.match(lines[at])
    if first is None or (first[1].lower() not in _KNOWN and not first[1].lower().startswith(("x-", "arc-"))):
        return 0
    names: set[str] = set()
    size = 0
    indent = len(lines[at]) - len(lines[at].lstrip())
    for line in lines[at : at + 80]:
        match = _LINE.match(line)
        if match and (
            match[1].lower() in _KNOWN or match[1].lower().startswith(("x-", "arc-")) or len(names) >= 3
        ):
            names.add(match[1].lower())
        elif not (line.strip() and len(line) - len(line.lstrip()) > indent):
            break
        size += 1
    known = names & _KNOWN
    return size if len(known) >= 3 or (len(known) >= 2 and known & _SURE) else 0
