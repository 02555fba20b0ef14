"""Files that travel with an email: named safely, counted while they are read, stored piece by piece."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Max, Sum
from django.db.models.functions import Length

from truesend.organizations.models import Member
from truesend.sending import lines, pictures, storage
from truesend.sending.beginnings import begin
from truesend.sending.compose import File
from truesend.sending.models import Attachment, AttachmentPiece, Email, EmailStatus
from truesend.sending.sizes import Enclosed, size_words

MOST_BYTES = 25 * 1024 * 1024
"""Of all files of one email together, before base64."""
MOST_FILES = 100
PIECE_BYTES = 256 * 1024

UNKNOWN_TYPE = "application/octet-stream"
_NAMELESS = "attachment"
_LONGEST_NAME = 180
_LONGEST_ENDING = 20
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
# Composite types describe how a mail is built; a file that claims one would be read as a part of it.
_COMPOSITE = ("multipart/", "message/")
# They make “gpj.exe” read as “exe.jpg”.
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Refused(ValueError):
    """A file cannot be attached; the message is a sentence for the member, and nothing was stored."""


class BadName(Refused):
    """The file's name would not stay on one line."""


class NoDraft(Exception):
    """There is no draft of the member's with that id to attach to (sent, or somebody else's)."""


def clean_name(name: str) -> str:
    """``name`` as a header and a disk can carry it: unicode stays; path parts, and what is not seen, go."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(_carried(one) for one in last)
    return _shortened(unicodedata.normalize("NFC", " ".join(kept.split())).rstrip(". ")) or _NAMELESS


def _carried(letter: str) -> str:
    """What becomes of one character of a name: kept, a blank, or nothing."""
    kind = unicodedata.category(letter)
    if kind in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if kind == "Cs" or letter in _DIRECTION else letter


def _shortened(name: str) -> str:
    """At most 180 bytes of UTF-8, so that every disk and mail program takes it; the ending stays."""
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or not stem or len(ending.encode()) > _LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    room = _LONGEST_NAME - len(f"…{dot}{ending}".encode())
    return f"{stem.encode()[:room].decode(errors='ignore').rstrip()}…{dot}{ending}"


def clean_type(given: str) -> str:
    """The media type as given where it is one that a file may have, without parameters."""
    plain = given.partition(";")[0].strip().lower()
    if len(plain) > 127 or not _TYPE.fullmatch(plain) or plain.startswith(_COMPOSITE):
        return UNKNOWN_TYPE
    return plain


def enclosed(email_id: UUID, html: str) -> list[Enclosed]:
    """The files of an email with this text, as limits ask for them: a picture that it does not name stays behind."""
    rows = Attachment.objects.filter(email_id=email_id).order_by("position")
    used = pictures.used_in(html)
    return [
        Enclosed(name, size, bool(number))
        for name, size, number in rows.values_list("name", "size", "content_id")
        if not number or number in used
    ]


def total_of(email_id: UUID) -> int:
    """Bytes of all files of an email."""
    found = Attachment.objects.filter(email_id=email_id).aggregate(total=Sum("size"))["total"]
    return int(found or 0)


def attach(
    member: Member,
    email_id: UUID,
    *,
    name: str,
    content_type: str,
    read: Callable[[int], bytes],
    announced: int | None = None,
    picture: bool = False,
) -> Attachment:
    """Read a file to its end and store it with a draft, which is made where there is none yet.

    A ``picture`` is to stand in the text: of its kinds, and not too large. ``announced`` is the size somebody claims:
    believed where it is too large, counted anyhow. Raises :class:`Refused` or :class:`NoDraft`; then nothing of the
    file is kept.
    """
    shown = clean_name(name)
    if lines.broken(name):
        raise BadName(
            f"The name of “{shown}” contains a line break or control character. "
            "Rename the file and attach it again."
        )
    stored = storage.of(member)
    _check_storage(stored, shown, announced or 0)
    _draft_of(member, email_id)
    have = total_of(email_id)
    _check_room(shown, have, announced or 0)
    _check_count(Attachment.objects.filter(email_id=email_id).count())
    attachment = Attachment(
        id=uuid4(), email_id=email_id, name=shown, content_type=clean_type(content_type), size=0
    )
    with transaction.atomic():
        # The pieces come first, and the draft is locked only at the end: saving what is typed must not wait for it.
        for piece in _pieces_of(attachment.pk, read):
            attachment.size += len(piece.content)
            if picture:
                _check_picture(attachment, piece)
            _check_room(shown, have, attachment.size, read_on=True)
            _check_storage(stored, shown, attachment.size)
            piece.save(force_insert=True)
        own = Email.objects.select_for_update().filter(pk=email_id, member=member, status=EmailStatus.DRAFT)
        if not own.exists():
            raise NoDraft
        _check_room(shown, total_of(email_id), attachment.size)
        storage.alone(member.pk)
        _check_storage(storage.of(member), shown, attachment.size)
        if picture and not attachment.content_id:
            raise Refused(f"“{shown}” is empty.")
        _place(attachment)
    return attachment


def _check_picture(attachment: Attachment, piece: AttachmentPiece) -> None:
    """Its kind by its first bytes, which is what it is sent and shown as."""
    if piece.position == 0:
        kind = pictures.kind_of(bytes(piece.content))
        if not kind:
            raise Refused(f"“{attachment.name}” is no PNG, JPEG, GIF or WebP picture. Attach it as a file.")
        attachment.content_type, attachment.content_id = kind, pictures.id_of(attachment.pk)
    if attachment.size > pictures.LARGEST:
        most = size_words(pictures.LARGEST)
        raise Refused(
            f"A picture in the text may be {most}; “{attachment.name}” is larger. Attach it as a file."
        )


def _draft_of(member: Member, email_id: UUID) -> None:
    """Make sure that the member has such a draft: a page's first file may come before its first word."""
    email, _ = begin(member, email_id)
    if email.member_id != member.pk or email.status != EmailStatus.DRAFT:
        raise NoDraft


def _pieces_of(attachment_id: UUID, read: Callable[[int], bytes]) -> Iterator[AttachmentPiece]:
    position = 0
    while content := read(PIECE_BYTES):
        yield AttachmentPiece(attachment_id=attachment_id, position=position, content=content)
        position += 1


def _place(attachment: Attachment) -> None:
    """Store the row behind the others; call it with the email locked."""
    found = Attachment.objects.filter(email_id=attachment.email_id)
    _check_count(found.count())
    last = found.aggregate(last=Max("position"))["last"]
    attachment.position = 0 if last is None else last + 1
    attachment.save(force_insert=True)


def _check_room(name: str, have: int, size: int, *, read_on: bool = False) -> None:
    """With ``read_on`` the file may be larger than what was read of it."""
    if have + size <= MOST_BYTES:
        return
    how_large = "is too large" if read_on else f"is {size_words(size)}"
    room = f"; this email has {size_words(have)} already" if have else ""
    raise Refused(f"“{name}” {how_large}. Attachments may be {size_words(MOST_BYTES)} in all{room}.")


def _check_storage(stored: storage.Storage, name: str, size: int) -> None:
    if words := stored.refusal(name, size):
        raise Refused(words)


def _check_count(have: int) -> None:
    if have >= MOST_FILES:
        raise Refused(
            f"An email carries {MOST_FILES} files at most. Put them into one archive (ZIP) and attach that."
        )


def attach_all(email: Email, files: Sequence[File]) -> None:
    """Store files that came whole (by the API) with an email that was just made."""
    used = pictures.used_in(email.html) if files else set()
    for position, file in enumerate(files):
        attachment = Attachment.objects.create(
            email=email,
            position=position,
            name=clean_name(file.name),
            content_type=clean_type(file.content_type),
            size=len(file.content),
            # What the text does not name is a file like any other.
            content_id=file.content_id if file.content_id in used else "",
        )
        stretches = range(0, len(file.content), PIECE_BYTES)
        for number, start in enumerate(stretches):
            AttachmentPiece.objects.create(
                attachment=attachment, position=number, content=file.content[start : start + PIECE_BYTES]
            )


def detach(member: Member, email_id: UUID, attachment_id: UUID) -> bool:
    """Take a file off a draft; False where there is none."""
    own = Attachment.objects.filter(
        pk=attachment_id, email_id=email_id, email__member=member, email__status=EmailStatus.DRAFT
    )
    return own.delete()[0] > 0


def copy(source: UUID, target: UUID, *, pictures_only: bool = False) -> None:
    """Give an email the files of another one, or only those that stand in its text. The bytes stay in the database."""
    files = Attachment.objects.filter(email_id=source)
    if pictures_only:
        files = files.exclude(content_id="")
    with transaction.atomic(), connection.cursor() as cursor:
        for old in files.order_by("position"):
            new = uuid4()
            old_id, old.pk, old.email_id = old.pk, new, target
            old.save(force_insert=True)
            cursor.execute(
                "INSERT INTO sending_attachmentpiece (attachment_id, position, content) "
                "SELECT %s, position, content FROM sending_attachmentpiece WHERE attachment_id = %s",
                [new, old_id],
            )


def read_from(attachment_id: UUID, start: int) -> Iterator[bytes]:
    """A file from an offset on, one stretch after the other, one query each: nobody holds all of it."""
    pieces = AttachmentPiece.objects.filter(attachment_id=attachment_id).order_by("position")
    at = 0
    for position, size in list(pieces.values_list("position", Length("content"))):
        if at + size > start:
            content = bytes(pieces.filter(position=position).values_list("content", flat=True).get())
            yield content[max(0, start - at) :]
        at += size


def read_pieces(attachment: Attachment) -> Iterator[bytes]:
    """The file, one stretch after the other, one query each."""
    position = 0
    while True:
        found = (
            AttachmentPiece.objects.filter(attachment_id=attachment.pk, position=position)
            .values_list("content", flat=True)
            .first()
        )
        if found is None:
            return
        yield bytes(found)
        position += 1
