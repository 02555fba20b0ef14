"""The Sent folder a person is asked to look into: whose it is, in words, and the way there."""

from __future__ import annotations

from uuid import UUID

from truesend.connections.models import Connection, Kind
from truesend.providers import registry


def sent_folder(connection: Connection | None, member_id: UUID) -> str:
    """“your Sent folder” of a member's own mailbox; any other is named."""
    if connection is None or (connection.kind == Kind.PERSONAL and connection.member_id == member_id):
        return "your Sent folder"
    return f"the Sent folder of {connection.address}"


def way_there(connection: Connection) -> dict[str, str] | None:
    """A link to it at the provider, as ``{label, url}``; None where the provider shows none."""
    provider = registry.provider(connection.provider)
    url = provider.sent_folder_url(connection.address)
    return {"label": f"Open Sent in {provider.mailbox_name}", "url": url} if url else None
