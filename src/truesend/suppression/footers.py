"""The sentence above the unsubscribe link, of an organization's own or ours. The link itself is never up to it."""

from __future__ import annotations

import unicodedata
from uuid import UUID

from truesend import clock
from truesend.suppression.models import Footer

LONGEST = 300
NAME = "{organization}"


class NotASentence(ValueError):
    """What was typed cannot stand there; the message says why."""


def ours(name: str) -> str:
    """What is said where nobody chose; ``name`` is the organization's."""
    return f"You get this mail because {name} wrote to many people at once. You would rather not?"


def sentence_of(organization_id: UUID, name: str) -> str:
    """The organization's sentence."""
    own = Footer.objects.filter(pk=organization_id).values_list("sentence", flat=True).first()
    return own.replace(NAME, name) if own else ours(name)


def typed_of(organization_id: UUID) -> str:
    """Its own as it was typed; empty where there is none."""
    return Footer.objects.filter(pk=organization_id).values_list("sentence", flat=True).first() or ""


def change(organization_id: UUID, typed: str, by: str) -> None:
    """Set it; nothing typed brings ours back. Raises :class:`NotASentence`."""
    sentence = " ".join(typed.split())
    if len(sentence) > LONGEST:
        raise NotASentence(f"The sentence has {len(sentence)} characters; {LONGEST} is the most.")
    if any(
        unicodedata.category(one) in {"Cc", "Cs"} or one in "\u202a\u202b\u202d\u202e" for one in sentence
    ):
        raise NotASentence("The sentence has a character in it that mail programs do not show.")
    if not sentence:
        Footer.objects.filter(pk=organization_id).delete()
        return
    changed = {"sentence": sentence, "changed_at": clock.now(), "changed_by": by[:254]}
    Footer.objects.update_or_create(pk=organization_id, defaults=changed)
