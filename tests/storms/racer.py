"""One of many processes that need the same keys: ``python -m tests.storms.racer THREADS``.

Says ``ready``, reads a list of connection ids, gets a key of each in an order of its own, and answers by connection a
digest of what it got; ``failures`` in words, ``refused``: how many of a few that it tries the provider does not take.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_TRIED = 5


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truesend.settings")
    import django

    django.setup()
    from truesend.connections import tokens
    from truesend.connections.models import Connection
    from truesend.providers import registry
    from truesend.providers.errors import ProviderError

    print("ready", flush=True)
    ids: list[str] = json.loads(sys.stdin.readline())
    told: dict[str, Any] = {"failures": [], "refused": 0}

    def need(connection_id: str) -> tuple[str, str]:
        connection = Connection.objects.get(pk=connection_id)
        try:
            return connection_id, tokens.access_token(connection, trigger="race")
        except ProviderError as error:
            told["failures"].append(f"{error.cause}: {error.words}")
            return connection_id, ""

    order = random.sample(ids, len(ids))
    with ThreadPoolExecutor(int(sys.argv[1])) as pool:
        got = dict(pool.map(need, order))
    for connection_id in order[:_TRIED]:
        adapter = registry.provider(Connection.objects.get(pk=connection_id).provider)
        told["refused"] += not all(one.ok for one in adapter.probe(got[connection_id], []))
    told |= {one: hashlib.sha256(key.encode()).hexdigest() for one, key in got.items()}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
