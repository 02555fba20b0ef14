"""Templates and snippets: made, found, changed, copied, deleted and brought back.

Who sees and changes one is decided in `organizations/access.py`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from truesend import clock
from truesend.organizations.models import Member
from truesend.sending import lines, merge
from truesend.writing.models import Template, TemplateKind

LONGEST_HTML = 500_000
MOST = 2_000
"""Of one member, and as many that are shared."""
# A deleted one can be brought back so long.
KEPT = timedelta(days=1)
_PICTURE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)


class Refused(ValueError):
    """It cannot be kept so; the message is a sentence for the member."""


class Changed(Exception):
    """Somebody else has changed it meanwhile."""


def checked(values: dict[str, str]) -> dict[str, str]:
    """`name, subject, html` fit to be kept. Raises :class:`Refused`."""
    found = {name: values.get(name, "") for name in ("name", "subject", "html")}
    if not all(lines.storable(value) for value in found.values()):
        raise Refused("The text contains a character that cannot be stored.")
    found["name"] = " ".join(found["name"].split())
    if not found["name"]:
        raise Refused("Give it a name by which you find it again.")
    if len(found["name"]) > 120:
        raise Refused(f"The name may have 120 characters; this one has {len(found['name'])}.")
    if problem := lines.problem("The subject", found["subject"]):
        raise Refused(problem)
    if len(found["subject"]) > 998:
        raise Refused("The subject may have 998 characters.")
    if len(found["html"]) > LONGEST_HTML:
        raise Refused("The text is too long for a template.")
    # A picture belongs to the email it was put into.
    found["html"] = _PICTURE.sub("", found["html"])
    return found


def problems(template: Template) -> list[str]:
    """Sentences about what looks like a merge field in it and is none."""
    return list(merge.template(template.subject, template.html, "").problems)


def create(member: Member, kind: str, values: dict[str, str], *, shared: bool) -> Template:
    """A new one. Raises :class:`Refused`."""
    if kind not in TemplateKind.values:
        raise Refused("Choose whether it is a template or a snippet.")
    fields = checked(values)
    have = Template.objects.filter(organization=member.organization, shared=shared, deleted_at=None)
    if (have if shared else have.filter(member=member)).count() >= MOST:
        raise Refused(f"There are {MOST:,} already. Delete some that nobody uses.")
    return Template.objects.create(
        organization=member.organization, member=member, kind=kind, shared=shared, **fields
    )


def change(template: Template, values: dict[str, str], *, revision: int, shared: bool) -> None:
    """Write another text in its place. Raises :class:`Refused` or :class:`Changed`."""
    fields: dict[str, Any] = checked(values)
    # Who takes a shared one for themselves must be able to find it again.
    own = Template.objects.filter(pk=template.pk, revision=revision, deleted_at=None)
    if own.update(**fields, shared=shared, updated_at=clock.now(), revision=F("revision") + 1) != 1:
        raise Changed


def duplicate(member: Member, template: Template) -> Template:
    """A personal copy under another name."""
    name = f"{template.name[:112]} (copy)"
    values = {"name": name, "subject": template.subject, "html": template.html}
    return create(member, template.kind, values, shared=False)


def delete(template: Template) -> bool:
    """Take it away, for a while so that it can be brought back; False where that was done already."""
    now = clock.now()
    Template.objects.filter(deleted_at__lt=now - KEPT).delete()
    return Template.objects.filter(pk=template.pk, deleted_at=None).update(deleted_at=now) == 1


def restore(template: Template) -> bool:
    """Bring a deleted one back; False where there is none any more."""
    since = clock.now() - KEPT
    return Template.objects.filter(pk=template.pk, deleted_at__gte=since).update(deleted_at=None) == 1


def find(seen: QuerySet[Template], words: str, kind: str = "") -> QuerySet[Template]:
    """Those of ``seen`` whose name, subject or text has every word, by name."""
    for word in words.split()[:8]:
        seen = seen.filter(Q(name__icontains=word) | Q(subject__icontains=word) | Q(html__icontains=word))
    if kind in TemplateKind.values:
        seen = seen.filter(kind=kind)
    return seen.order_by("name", "created_at", "pk")


def name_from(subject: str, html: str, email_id: UUID) -> str:
    """What a template made of a draft is called where nobody says."""
    words = " ".join(re.sub(r"<[^>]*>", " ", html).split())
    return (subject.strip() or words[:60] or f"Draft {str(email_id)[:8]}")[:120]
