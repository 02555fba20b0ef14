"""Whose database this is, and whether this process may act in its name.

Sending, renewing, probing, looking up and revoking are done by one installation. A copy of its database, or an older
backup put in its place, does none of it until the operator says so with ``truesend adopt`` (ADR 0009).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.db import connection, transaction

from truesend import clock, env
from truesend.organizations.models import Installation
from truesend.runtime import memory
from truesend.runtime.memory import Memory

log = logging.getLogger("truesend.installation")

NOT_ADOPTED = "not_adopted"
# A look at the database is believed so long; a new connection to it asks anew. A little before its end one thread looks
# again while the others go on.
_KEEP_SECONDS = 1.0
_EARLY_SECONDS = 0.7
# While it acts, an installation counts on so often: what was done since the last count is not told from a backup.
_COUNT_SECONDS = 2.0
# So long the others go on while one thread counts.
_COUNTED_SECONDS = 3.0
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})

_FACTS = """
SELECT c.system_identifier::text || ':' || d.oid || ':' || 'organizations_installation'::regclass::oid,
       substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
       EXISTS (SELECT FROM organizations_organization)
  FROM pg_control_system() c, pg_database d WHERE d.datname = current_database()
"""


@dataclass(frozen=True)
class Here:
    """What this process sees: where the database lies, and under which settings we run."""

    place: str
    branch: str
    environment: str
    public_url: str
    memory: Memory | None
    embedded: bool
    # Somebody is in the database: an empty one is nobody's.
    peopled: bool


@dataclass(frozen=True)
class Standing:
    """Whether this process may act, and if not, why (codes of :func:`differences`) in a sentence."""

    reasons: tuple[str, ...] = ()
    sentence: str = ""

    @property
    def adopted(self) -> bool:
        """Whether the database and this process belong together."""
        return not self.reasons


def differences(row: Installation, here: Here) -> tuple[str, ...]:
    """What speaks against acting in the name of ``row``; nothing for the installation itself. Pure.

    ``elsewhere``: the database lies elsewhere than it did. ``copied``: its data folder is a copy. ``older``: it had
    come further already. ``stranger``: this folder worked for another installation. ``environment``, ``address``:
    this process runs under other settings.
    """
    if not here.peopled:
        return ()
    known = here.memory
    found: list[str] = []
    if row.place != here.place:
        found.append("elsewhere")
    if known is not None and known.installation == row.installation:
        if known.counter > row.counter:
            found.append("older")
    elif known is not None and known.installation not in row.earlier:
        found.append("stranger")
    if known is not None and known.copied and here.embedded:
        found.append("copied")
    # A standby that took over, or a copy that goes its own way: a folder that was there before can tell.
    vouched = known is not None and not known.copied and not found
    if row.branch != here.branch and not vouched and not found:
        found.append("elsewhere")
    if row.environment != here.environment:
        found.append("environment")
    if not _same_address(row, here):
        found.append("address")
    return tuple(found)


def _same_address(row: Installation, here: Here) -> bool:
    """On a developer's machine the port may change from day to day."""
    if row.public_url == here.public_url:
        return True
    local = all(urlsplit(one).hostname in _LOCAL for one in (row.public_url, here.public_url))
    return local and row.environment == here.environment == "dev"


def sentence(row: Installation, reasons: tuple[str, ...]) -> str:
    """Why nothing is sent, for whoever looks at a page, a log or a terminal."""
    whose = f"{row.public_url} ({row.environment})"
    if "elsewhere" in reasons or "copied" in reasons:
        what = f"This is a copy of {whose}"
    elif "older" in reasons or "stranger" in reasons:
        what = f"The database of {whose} was restored from an older backup, or exchanged"
    else:
        what = f"This database belongs to {whose}, and Truesend runs here under other settings"
    return f"{what}: nothing is sent or renewed until the operator runs truesend adopt."


class _Watch:
    """What this process last saw of its database. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Look again before anything else is done."""
        self._seen = Standing()
        self._seen_at = float("-inf")
        self._doubts = 0
        self._counted_at = float("-inf")
        self._acted = False

    def standing(self) -> Standing:
        """How this process stands to its database now. Raises what the database raises."""
        connection.ensure_connection()  # a new one makes us look again
        age = time.monotonic() - self._seen_at
        if age > _EARLY_SECONDS:
            with self._turn(wait=age > _KEEP_SECONDS) as taken:
                if taken and time.monotonic() - self._seen_at > _EARLY_SECONDS:
                    self._look()
        return self._seen

    @contextmanager
    def _turn(self, *, wait: bool = True) -> Iterator[bool]:
        """Whether this thread is the one that looks or counts now."""
        taken = self._lock.acquire(blocking=wait)
        try:
            yield taken
        finally:
            if taken:
                self._lock.release()

    def look_again(self) -> None:
        """The database may be another one than a moment ago; a look that is under way may have seen the old one."""
        self._doubts += 1
        self._seen_at = float("-inf")

    def _look(self) -> None:
        before, began, doubts = self._seen, time.monotonic(), self._doubts
        here = _here()  # before the row: what the folder remembers is in the database already
        row = Installation.objects.first() or _make(here)
        reasons = differences(row, here)
        self._seen = Standing(reasons, sentence(row, reasons) if reasons else "")
        if doubts == self._doubts:
            self._seen_at = began
        if reasons and reasons != before.reasons:
            log.warning("%s", self._seen.sentence)
        elif before.reasons and not reasons:
            log.info("This installation is the one that sends and renews.")
        if not reasons:
            _settle(row, here)

    def may_act(self) -> bool:
        """Whether to send, renew, probe, look up or revoke now; counts on while that is done."""
        if not self.standing().adopted:
            return False
        self._acted = True
        if time.monotonic() - self._counted_at > _COUNT_SECONDS and not connection.in_atomic_block:
            return self._count_on(_COUNT_SECONDS)
        return self._seen.adopted

    def sign(self) -> None:
        """Count what was done since the last count, so that a backup from before it can be told from now."""
        if self._acted and time.monotonic() - self._counted_at > _COUNT_SECONDS / 2:
            self._count_on(_COUNT_SECONDS / 2)

    def _count_on(self, after: float) -> bool:
        """Count unless another thread did within the last ``after`` seconds; whether there may be acted."""
        age = time.monotonic() - self._counted_at
        try:
            with self._turn(wait=age > _COUNTED_SECONDS) as taken:
                if taken and time.monotonic() - self._counted_at > after:
                    # What others do from here on wants a count of its own.
                    self._acted, counted = False, False
                    try:
                        counted = self._count()
                    finally:
                        self._acted |= not counted
        except OSError as error:
            log.error("The data folder cannot be written (%s): nothing is sent or renewed.", error.strerror)
            return False
        return self._seen.adopted

    def _count(self) -> bool:
        """Come one further: first in the database, then in the folder's memory; False where it is another's."""
        row = Installation.objects.first()
        if row is None or not self._seen.adopted:
            self.look_again()
            return False
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE organizations_installation SET counter = counter + 1, seen_at = %s"
                " WHERE installation = %s RETURNING counter",
                [clock.now(), row.installation],
            )
            counted = cursor.fetchone()
        if counted is None:
            self.look_again()
            return False
        memory.note(env.data_dir(), row.installation, counted[0])
        self._counted_at = time.monotonic()
        return True


def _here() -> Here:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS)
        place, branch, peopled = cursor.fetchone()
    data = env.data_dir()
    return Here(
        place=place,
        branch=branch,
        environment=env.environment(),
        public_url=env.public_url(),
        memory=memory.recall(data),
        embedded=memory.is_embedded(data),
        peopled=peopled,
    )


def _make(here: Here) -> Installation:
    """The row of a database that has none; the first of several processes makes it."""
    made, _ = Installation.objects.get_or_create(
        only=True,
        defaults={
            "installation": uuid4(),
            "environment": here.environment,
            "public_url": here.public_url,
            "place": here.place,
            "branch": here.branch,
        },
    )
    return made


def _settle(row: Installation, here: Here) -> None:
    """Note what may have changed with good reason: a folder that is new here, a port, a standby that took over."""
    known = here.memory
    now: dict[str, object] = {
        "place": here.place,
        "branch": here.branch,
        "public_url": here.public_url,
        "environment": here.environment,
    }
    if known is not None and known.installation == row.installation:
        now["counter"] = max(known.counter, row.counter)
    changed = {name: value for name, value in now.items() if getattr(row, name) != value}
    if changed:
        Installation.objects.filter(installation=row.installation).update(**changed)
    if known is None or known.installation != row.installation:
        data, installation, counter = env.data_dir(), row.installation, row.counter
        # Only what is committed is remembered.
        transaction.on_commit(lambda: memory.note(data, installation, counter, anew=known is None))


_watch = _Watch()
standing = _watch.standing
may_act = _watch.may_act
sign = _watch.sign
forget = _watch.forget
look_again = _watch.look_again


@dataclass(frozen=True)
class TakeOver:
    """What ``truesend adopt`` found before it changes anything."""

    row: Installation
    here: Here
    reasons: tuple[str, ...]


def found() -> TakeOver:
    """Look at the database as it stands."""
    here = _here()
    row = Installation.objects.first() or _make(here)
    return TakeOver(row, here, differences(row, here))


def take_over(at: datetime) -> Installation:
    """Make this process's installation the one that acts; in the transaction of what else that means.

    It gets an id of its own: what the installation it was copied from does from now on is another story. The folder
    remembers it after the commit.
    """
    here = _here()
    row = Installation.objects.select_for_update().get(only=True)
    row.earlier = [*row.earlier, row.installation]
    row.installation = uuid4()
    row.counter += 1
    row.environment, row.public_url = here.environment, here.public_url
    row.place, row.branch = here.place, here.branch
    row.seen_at = row.adopted_at = at
    row.save(
        update_fields=[
            "installation", "earlier", "counter", "environment", "public_url", "place", "branch", "seen_at",
            "adopted_at",
        ]
    )  # fmt: skip
    data, installation, counter = env.data_dir(), row.installation, row.counter
    transaction.on_commit(lambda: _remember(data, installation, counter))
    return row


def _remember(data: Path, installation: UUID, counter: int) -> None:
    memory.note(data, installation, counter, anew=True)
    _watch.forget()
