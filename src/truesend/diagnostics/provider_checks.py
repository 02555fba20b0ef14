"""Each provider's client, asked about live, and the address that it returns people to."""

from __future__ import annotations

from datetime import timedelta

from truesend import clock
from truesend.connections import clients as ours
from truesend.connections.causes import core
from truesend.connections.clients import Known
from truesend.connections.models import Consent
from truesend.connections.return_address import redirect_uri
from truesend.diagnostics import return_addresses
from truesend.diagnostics.findings import Finding, Fix, ok, unproven, warning, wrong
from truesend.providers import clients, registry
from truesend.providers.contract import Provider

_CONNECT = Fix("Connect an account: that proves it.")
# Consents that were begun and did not come back: so many in so long, none of them back, are no accident.
_LOST, _WITHIN, _LEFT_FOR = 2, timedelta(days=7), timedelta(minutes=3)


def provider(key: str) -> list[Finding]:
    """Client, settings and return address of one provider."""
    adapter = registry.provider(key)
    found = return_addresses.mismatches(adapter)
    known = ours.known(key)
    check = f"{adapter.name} client"
    if known.client is None:
        if any(one.status == "wrong" for one in found):
            return found
        return [
            _unreadable(adapter)
            if known.unreadable and not any(clients.from_environment(key))
            else _unset(adapter)
        ]
    answer = ours.check(key)
    assert answer is not None
    evidence = answer.evidence
    if evidence.ok:
        found.append(ok(check, f"{adapter.name} takes this installation's id and secret."))
    elif evidence.cause in ours.REFUSED:
        found.append(
            wrong(
                check,
                f"{core(evidence.cause, adapter.name)} It said: “{evidence.words}”.",
                _client_fix(adapter, evidence.cause, known),
            )
        )
    else:
        found.append(
            warning(
                check,
                f"{adapter.name} could not be asked about this installation's client: "
                f"{core(evidence.cause, adapter.name, evidence.words)}",
                Fix("Run truesend doctor again later.", command="truesend doctor"),
            )
        )
    return [*found, _return_address(adapter, ours.known(key), answer.address_known)]


def _unset(adapter: Provider) -> Finding:
    return unproven(
        f"{adapter.name} client",
        f"{adapter.name} is not set up, so nobody can connect it.",
        Fix(
            f"If it is wanted, enter a client on the page of providers; it tells how to get one in the "
            f"{adapter.setup.console}.",
            page=return_addresses.page_of(adapter.key),
        ),
    )


def _unreadable(adapter: Provider) -> Finding:
    return wrong(
        f"{adapter.name} client",
        core("client_unreadable", adapter.name),
        Fix(
            "Put the encryption key back, as said above; or paste the secret again on the page of providers.",
            page=return_addresses.page_of(adapter.key),
        ),
    )


def _client_fix(adapter: Provider, cause: str, known: Known) -> Fix:
    there = return_addresses.in_console(adapter, cause)
    _, secret = adapter.setup.labels
    if known.client is not None and known.client.source == "environment":
        prefix = f"TRUESEND_{adapter.key.upper()}_CLIENT_"
        return Fix(f"{there} Put it into {prefix}ID and {prefix}SECRET, and start Truesend again.")
    return Fix(
        f"{there} Then open the page of providers, paste the {secret} and press “Check and save”.",
        page=return_addresses.page_of(adapter.key),
    )


def _return_address(adapter: Provider, known: Known, address_known: bool | None) -> Finding:
    check, address = f"{adapter.name} return address", redirect_uri(adapter.key)
    if (refused := return_addresses.refused_by_rule(adapter)) is not None:
        return Finding(check, refused.status, refused.sentence, refused.fix)
    there = return_addresses.in_console(adapter, "redirect_mismatch")
    if address_known is False:
        return wrong(
            check, f"{adapter.name} does not know {address} to return to.", Fix(there, register=address)
        )
    if address_known:
        return ok(check, f"{adapter.name} knows {address}.")
    if known.returned_at is not None:
        return ok(
            check, f"{address}; an account came back through it on {known.returned_at:%Y-%m-%d at %H:%M} UTC."
        )
    if not adapter.setup.redirect_label:
        return unproven(check, f"{address}; no account has come back through it yet.", _CONNECT)
    if _lost(known) >= _LOST:
        return warning(
            check,
            f"Nobody who went to {adapter.name} in the last days came back to {address}: is it registered there?",
            Fix(there, register=address),
        )
    return unproven(
        check,
        f"{address}; no account has come back through it yet.",
        Fix("Register it, then connect an account: that proves it.", register=address),
    )


def _lost(known: Known) -> int:
    since = clock.now() - _WITHIN
    if known.check is not None:
        since = max(since, known.check.since)
    begun = Consent.objects.filter(
        provider=known.provider, started_at__gte=since, started_at__lte=clock.now() - _LEFT_FOR
    )
    return 0 if begun.filter(returned_at__isnull=False).exists() else begun.count()
