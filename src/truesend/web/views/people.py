"""Checking recipients while they are typed: the page splits, this says who can be written to."""

from __future__ import annotations

import json

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from truesend.organizations.models import Member
from truesend.sending.addresses import Mailbox, parse_all, split
from truesend.web.gate import member_page

MOST_TEXTS = 2_000
LONGEST = 200_000

Person = dict[str, str]


@require_POST
@member_page
def check(request: HttpRequest, member: Member) -> JsonResponse:
    """`{"texts": [...]}` to `{"people": [[{text, address, name, problem}, ...], ...]}`, one list for each text.

    A text may hold several people (a pasted group) or nobody; whoever has a `problem` has no address.
    """
    try:
        texts = json.loads(request.body)["texts"]
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
            raise TypeError
    except (ValueError, TypeError, KeyError):
        return JsonResponse({"sentence": "That is not a list of recipients."}, status=400)
    if len(texts) > MOST_TEXTS or sum(map(len, texts)) > LONGEST:
        return JsonResponse({"sentence": "These are too many recipients to check."}, status=400)
    return JsonResponse({"people": [_people(text) for text in texts]})


def known(texts: list[str]) -> str:
    """The recipients of a stored draft as JSON, so that the page shows them without asking."""
    return json.dumps([person for text in texts for person in _people(text)])


def _people(text: str) -> list[Person]:
    return [person for part in split(text) for person in _checked(part)]


def _checked(part: str) -> list[Person]:
    good, problems = parse_all([part])
    # One person keeps the words as typed; a group becomes its people.
    people = [_person(part if len(good) == 1 and not problems else str(one), one) for one in good]
    if problems:
        people.append({"text": part, "address": "", "name": "", "problem": " ".join(problems)})
    return people


def _person(text: str, one: Mailbox) -> Person:
    return {"text": text, "address": one.address, "name": one.name, "problem": ""}
