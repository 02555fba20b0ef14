"""The Sent folder a person is asked to look into: whose it is, in words, and the way there."""

from __future__ import annotations

from uuid import UUID

from truesend.connections.describe import account_label
from truesend.connections.models import Connection, Kind
from truesend.providers import registry


def sent_folder(connection: Connection | None, member_id: UUID) -> str:
    """“your Sent folder” of a member's own mailbox; any other is named."""
    if connection is None:
        return "your Sent folder"
    name = registry.provider(connection.provider).sent_name
    if connection.kind == Kind.PERSONAL and connection.member_id == member_id:
        return f"your {name}"
    return f"the {name} of {account_label(connection)}"


def way_there(connection: Connection) -> dict[str, str] | None:
    """A link to it at the provider, as ``{label, url}``; None where the provider shows none."""
    provider = registry.provider(connection.provider)
    url = provider.sent_folder_url(connection.address, provider.place_of(connection.subject))
    return {"label": f"Open Sent in {provider.mailbox_name}", "url": url} if url else None
