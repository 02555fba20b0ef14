"""What stands in an archive: its files, in order, each with the sentence that its README and docs/export.md have."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from truesend import clock
from truesend.exports import lines, mail, people
from truesend.exports.archive import Part
from truesend.exports.models import Export, Scope
from truesend.exports.reach import Reach
from truesend.sending.models import Attachment, Delivery
from truesend.tracking.models import Signal

FORMAT = 1
"""Of the archive: raised where somebody's program would read it wrongly."""

Rows = Callable[[Reach], Iterator[dict[str, Any]]]
_TOGETHER = 100


@dataclass(frozen=True)
class Table:
    """Rows that become a file of lines of JSON, and where ``columns`` are named a CSV too."""

    name: str
    about: str
    rows: Rows
    columns: Sequence[str] = ()
    is_whole_only: bool = False
    csv_only: bool = False


TABLES = (
    Table("members", "Who is and was in the organization, with the names of their API tokens.",
          people.members, people.MEMBER, is_whole_only=True),
    Table("invitations", "Invitations, without their links.", people.invitations, is_whole_only=True),
    Table("connections", "Accounts that were connected, without what they were connected by.",
          people.connections, people.CONNECTION),
    Table("emails", "What was written, drafts too; the texts are in the lines of JSON.", mail.emails, mail.EMAIL),
    Table("copies", "Each copy of an email with its recipients, its links and every try to send it.", mail.copies),
    Table("recipients", "Each person of each copy, and whether somebody opened, clicked or answered it.",
          mail.recipients, mail.RECIPIENT, csv_only=True),
    Table("signals", "Opens, clicks, replies, bounces and the like, each with its reason.",
          mail.signals, mail.SIGNAL),
    Table("left_out", "Who did not get a copy because the suppression list names them.", mail.left_out),
    Table("templates", "Templates and snippets with their texts.", people.templates),
    Table("signatures", "Signatures.", people.signatures),
    Table("suppression", "The suppression list with its history.",
          people.suppressions, people.SUPPRESSION, is_whole_only=True),
    Table("audit", "Every administrative act, newest first.", people.acts, people.AUDIT, is_whole_only=True),
)  # fmt: skip


def reach_of(export: Export) -> Reach:
    """What an export may read."""
    whole = export.scope == Scope.ORGANIZATION
    return Reach(export.organization_id, None if whole else export.member_id)


def total(reach: Reach) -> int:
    """About how many rows it writes: what progress is a part of."""
    written = reach.emails().count()
    copies = Delivery.objects.filter(email__organization=reach.organization_id)
    copies = copies if reach.is_whole else copies.filter(email__member=reach.member_id)
    told = Signal.objects.filter(organization=reach.organization_id)
    told = told if reach.is_whole else told.filter(email__in=reach.emails().values("pk"))
    files = Attachment.objects.filter(email__in=reach.emails().values("pk")).count()
    # Emails and signals are written as JSON and as cells, copies as copies and as recipients.
    return 2 * (written + copies.count() + told.count()) + files


def parts(export: Export) -> Iterator[Part]:
    """The files of an archive, README first."""
    reach = reach_of(export)
    yield Part("README.txt", lambda: iter([(0, readme(export))]))
    yield Part("account.json", lambda: iter([(0, lines.line(people.account(export.member)))]))
    if reach.is_whole:
        told = people.organization(reach.organization_id)
        yield Part("organization.json", lambda: iter([(0, lines.line(told))]))
    for table in tables_of(reach):
        if not table.csv_only:
            yield Part(f"{table.name}.jsonl", partial(_json, table, reach), table.about)
        if table.columns:
            yield Part(f"{table.name}.csv", partial(_csv, table, reach), table.about)
    for file in reach.attachments():
        # Most are packed already.
        yield Part(mail.path_of(file), partial(_file, file), packed=False)


def tables_of(reach: Reach) -> list[Table]:
    """Those that are in it."""
    return [one for one in TABLES if reach.is_whole or not one.is_whole_only]


def readme(export: Export) -> str:
    """What is in it, for whoever opens it in ten years."""
    whole = export.scope == Scope.ORGANIZATION
    what = (
        f"Everything of {export.organization.name}"
        if whole
        else f"What is yours in {export.organization.name}"
    )
    told = [
        f"{what}, exported from Truesend by {export.member.user.email} on {lines.moment(clock.now())}.",
        f"Format {FORMAT}. It was read while others worked: each file is of a slightly later moment than the one "
        "before.",
        "",
        "account.json  Your own account.",
        *(["organization.json  What the organization has chosen."] if whole else []),
    ]
    for one in tables_of(reach_of(export)):
        ends = [*([] if one.csv_only else ["jsonl"]), *(["csv"] if one.columns else [])]
        told.append(f"{', '.join(f'{one.name}.{end}' for end in ends)}  {one.about}")
    told += [
        "attachments/  The files of emails, in a folder for each email's id.",
        "",
        ".jsonl: a line of JSON to a row, UTF-8. .csv: for a spreadsheet, UTF-8; a cell that a spreadsheet would "
        "compute begins with an apostrophe. Times are UTC.",
        "Not in it: passwords, keys, tokens and links that open something, and the requests behind opens and clicks.",
        "",
    ]
    return "\r\n".join(told)


def _json(table: Table, reach: Reach) -> Iterator[tuple[int, str]]:
    return _gathered(lines.line(row) for row in table.rows(reach))


def _csv(table: Table, reach: Reach) -> Iterator[tuple[int, str]]:
    yield 0, lines.title(table.columns)
    yield from _gathered(lines.cells(row, table.columns) for row in table.rows(reach))


def _gathered(told: Iterator[str]) -> Iterator[tuple[int, str]]:
    while some := list(itertools.islice(told, _TOGETHER)):
        yield len(some), "".join(some)


def _file(file: Attachment) -> Iterator[tuple[int, bytes]]:
    for piece in mail.pieces(file):
        yield 0, piece
    yield 1, b""
