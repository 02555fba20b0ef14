"""The gate `limits`: whether the provider carries so many people and such files, as the account is allowed now."""

from __future__ import annotations

from truesend.connections.describe import Description, who_can
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Limits
from truesend.sending.gate import Draft, Gate, edit
from truesend.sending.sizes import encoded, size_words
from truesend.writing import senders

_MB = 1024 * 1024


def declared(described: Description) -> Limits:
    """What the provider carries for a connection, with the permissions that it has."""
    connection = described.connection
    adapter = registry.provider(connection.provider)
    return adapter.limits_for(adapter.granted(connection.granted_scopes))


def judge(member: Member, draft: Draft) -> Gate:
    """The gate for a member and a draft."""
    if draft.connection is None:
        return Gate("limits", True)
    limits, name = declared(draft.connection), draft.connection.provider_name
    if draft.sender and (gate := _sender(member, draft, draft.connection)):
        return gate
    people = len(draft.recipients)
    if not draft.separate_copies and people > limits.recipients == 1:
        return edit(
            member,
            "limits",
            "cc_and_bcc_refused" if draft.cc or draft.bcc else "too_many_recipients",
            f"{name} sends to each person alone: "
            + (
                "no Cc or Bcc."
                if draft.cc or draft.bcc
                else "choose separate copies, or write to one person."
            ),
        )
    if not draft.separate_copies and people > limits.recipients:
        return edit(
            member,
            "limits",
            "too_many_recipients",
            f"{people} people in one email; {limits.recipients} is the most. Write to fewer at a time.",
        )
    if not draft.separate_copies and not limits.cc_and_bcc and (draft.cc or draft.bcc):
        return edit(member, "limits", "cc_and_bcc_refused", f"{name} sends no copies: no Cc or Bcc.")
    return _files(member, draft, limits, name) or _whole(member, draft, draft.connection, limits)


def _sender(member: Member, draft: Draft, described: Description) -> Gate | None:
    """What is in the way of another From than the account's own address."""
    connection, name = described.connection, described.provider_name
    adapter = registry.provider(connection.provider)
    if not adapter.names_senders:
        return edit(
            member,
            "limits",
            "sender_refused",
            f"{name} sends from {connection.address} alone. Choose that as the sender.",
        )
    if not senders.may_have(connection):
        return Gate(
            "limits",
            False,
            "sender_needs_reading",
            f"Whether {connection.address} may send from {draft.sender} is read from the mailbox. Allow reading, or "
            "choose its own address.",
            {"label": "Allow reading", "url": f"/connections/{connection.pk}/read"},
            who_can("scope_missing", connection),
        )
    if senders.find(connection.pk, draft.sender) is None:
        return edit(
            member,
            "limits",
            "sender_gone",
            f"{draft.sender} is none of the addresses that {name} lets {connection.address} send from. Choose another "
            f"sender, or have it verified at {name}.",
        )
    return None


def _files(member: Member, draft: Draft, limits: Limits, provider: str) -> Gate | None:
    """What is in the way of the files, each by its name."""
    shown = [file.name for file in draft.files if file.is_picture]
    if shown and not limits.carries_mime:
        named = ", ".join(f"“{name}”" for name in shown[:3])
        return edit(
            member,
            "limits",
            "pictures_refused",
            f"{provider} carries no pictures inside a text: {named}. Take them out, or attach them as files.",
        )
    if limits.files and len(draft.files) > limits.files:
        return edit(
            member,
            "limits",
            "too_many_files",
            f"{len(draft.files)} files; {provider} takes {limits.files} at most. "
            "Put them into one archive (ZIP), or leave some out.",
        )
    large = [file for file in draft.files if limits.file_bytes and file.size > limits.file_bytes]
    if large:
        named = ", ".join(f"“{file.name}” is {size_words(file.size)}" for file in large[:3])
        most = size_words(limits.file_bytes)
        return edit(member, "limits", "file_too_large", f"{named}; {provider} takes files of {most} at most.")
    odd = [
        file.name for file in draft.files if limits.file_types and _ending(file.name) not in limits.file_types
    ]
    if odd:
        named = ", ".join(f"“{name}”" for name in odd[:3])
        return edit(
            member,
            "limits",
            "file_type_refused",
            f"{provider} takes no file like {named}. Put it into an archive (ZIP), or leave it out.",
        )
    return None


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _body_bytes(draft: Draft) -> int:
    """What has no text of its own gets one from its HTML."""
    return len(draft.html.encode()) + len((draft.text or draft.html).encode())


def _fits(draft: Draft, limits: Limits) -> bool:
    """Whether all of it together is carried."""
    body = _body_bytes(draft)
    return (
        draft.attachment_bytes <= limits.attachment_bytes
        and encoded(body + draft.attachment_bytes) <= limits.message_bytes
        and encoded(body) <= (limits.in_one_piece or limits.message_bytes)
    )


def _whole(member: Member, draft: Draft, described: Description, limits: Limits) -> Gate:
    """How large it is in all."""
    if _fits(draft, limits):
        return Gate("limits", True)
    adapter = registry.provider(described.connection.provider)
    if draft.files and _fits(draft, adapter.limits_for(adapter.capabilities)):
        return _reading_helps(draft, described, limits)
    if draft.attachment_bytes > limits.attachment_bytes:
        most = limits.attachment_bytes // _MB
        return edit(member, "limits", "attachments_too_large", f"Attachments may be {most} MB in all.")
    whole = (limits.in_one_piece if limits.in_one_piece and not draft.files else 0) or limits.message_bytes
    return edit(
        member,
        "limits",
        "message_too_large",
        f"Encoded for its way, the email is larger than the {whole // _MB} MB the provider takes.",
    )


def _reading_helps(draft: Draft, described: Description, limits: Limits) -> Gate:
    """Large files go by a draft in the mailbox, which only the permission to read lets Truesend make."""
    connection, name = described.connection, described.provider_name
    adapter = registry.provider(connection.provider)
    most = adapter.limits_for(adapter.capabilities).attachment_bytes // _MB
    files = "The file is" if len(draft.files) == 1 else "The files are"
    return Gate(
        "limits",
        False,
        "files_need_reading",
        f"{files} {size_words(draft.attachment_bytes)}. An account that may only send carries "
        f"{limits.attachment_bytes // _MB} MB at {name}; allow reading, and it carries {most} MB.",
        {"label": "Allow reading", "url": f"/connections/{connection.pk}/read"},
        who_can("scope_missing", connection),
    )
