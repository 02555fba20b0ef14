"""Files of a draft, one request each, and the way back out of the database for their sender."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from django.db.models import Q
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from truesend.organizations.access import access_email
from truesend.organizations.models import Member
from truesend.sending import attachments, pictures
from truesend.sending.models import Attachment
from truesend.sending.sizes import size_words
from truesend.web.gate import member_page


@require_POST
@member_page
def upload(request: HttpRequest, member: Member, email_id: UUID) -> HttpResponse:
    """Attach one file: its bytes are the body, its name stands percent-encoded in `X-File-Name`.

    201 with the file as it was stored; 413, 422 or 409 with a `sentence` where it was not.
    """
    announced = None
    with suppress(ValueError):
        announced = int(request.headers.get("Content-Length", ""))
    try:
        stored = attachments.attach(
            member,
            email_id,
            name=unquote(request.headers.get("X-File-Name", "")),
            content_type=request.headers.get("X-File-Type", ""),
            read=request.read,
            announced=announced,
            picture=request.headers.get("X-File-Picture") == "1",
        )
    except attachments.BadName as refusal:
        return JsonResponse({"sentence": str(refusal)}, status=422)
    except attachments.Refused as refusal:
        return JsonResponse({"sentence": str(refusal)}, status=413)
    except attachments.NoDraft:
        return JsonResponse(
            {"sentence": "This email is not a draft any more; nothing was attached."}, status=409
        )
    return JsonResponse(shown(stored), status=201)


def shown(attachment: Attachment) -> dict[str, Any]:
    """A file as pages show it."""
    return {
        "id": str(attachment.pk),
        "name": attachment.name,
        "size": attachment.size,
        "size_words": "empty, 0 bytes" if attachment.size == 0 else size_words(attachment.size),
        "url": f"/emails/{attachment.email_id}/attachments/{attachment.pk}",
        "content_id": attachment.content_id,
    }


def listed(email_id: UUID) -> list[dict[str, Any]]:
    """The files of an email beside its text, in order."""
    files = Attachment.objects.filter(email_id=email_id, content_id="")
    return [shown(one) for one in files.order_by("position")]


@require_POST
@member_page
def remove(request: HttpRequest, member: Member, email_id: UUID, attachment_id: UUID) -> HttpResponse:
    """Take a file off a draft."""
    if not attachments.detach(member, email_id, attachment_id):
        raise Http404
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"removed": True})
    return HttpResponseRedirect(f"/emails/new?draft={email_id}")


@require_GET
@member_page
def download(request: HttpRequest, member: Member, email_id: UUID, attachment_id: UUID) -> HttpResponse:
    """A file of one's own email. What it claims to be is not believed: it is saved, never shown by our pages."""
    email = access_email(member, email_id)
    # A picture of a text that was quoted goes on under the name it had there.
    named = Q(pk=attachment_id) | Q(content_id=pictures.id_of(attachment_id))
    found = email and email.attachments.filter(named).first()
    if not found:
        raise Http404
    response = StreamingHttpResponse(attachments.read_pieces(found), content_type=found.content_type)
    response["Content-Length"] = str(found.size)
    response["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    return response  # type: ignore[return-value]  # a stream is a response too; the gate only names the other kind
