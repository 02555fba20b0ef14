"""Who takes part in a storm: mailboxes of every provider, with every choice of permissions that people have there."""

from __future__ import annotations

from dataclasses import dataclass

from truesend.providers import registry
from truesend.providers.contract import Capability, Provider


@dataclass(frozen=True)
class Group:
    """Mailboxes of one provider with the same permissions."""

    provider: str
    scope: str
    capabilities: frozenset[Capability]

    def __str__(self) -> str:
        return f"{self.provider} {self.scope}"

    @property
    def adapter(self) -> Provider:
        """How Truesend speaks to it."""
        return registry.provider(self.provider)

    @property
    def reads(self) -> bool:
        """What was sent may be looked up."""
        return Capability.READ in self.capabilities

    @property
    def prepares(self) -> bool:
        """A send begins with what sends nothing."""
        return self.adapter.prepares(self.capabilities)

    @property
    def told(self) -> bool:
        """Whatever became of a send, the provider tells it in the end: nobody is ever asked."""
        return self.reads and self.adapter.proves_absence

    @property
    def consent(self) -> str:
        """The query of a consent that gives just this."""
        asked = "send" if self.adapter.consents_to_all or not self.reads else "send,read"
        return f"capabilities={asked}&kind=personal"


def every() -> list[Group]:
    """Of all providers there are: with sending alone and with reading, or with all where one consent gives all."""
    made = []
    for key, adapter in registry.PROVIDERS.items():
        if adapter.consents_to_all:
            made.append(Group(key, "full", frozenset(adapter.capabilities)))
        else:
            made.append(Group(key, "send-only", frozenset({Capability.SEND})))
            made.append(Group(key, "reading", frozenset({Capability.SEND, Capability.READ})))
    return made
