"""The statements of a renewal: taking a token that is due, announcing its renewal, storing the answer.

Prepared, since thousands come due within minutes. Everything that is written is guarded by the version that was read,
and by the announcement where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from truesend.connections.death import ENDED
from truesend.connections.models import Connection, Token
from truesend.prepared import execute

# A renewal without an answer, begun on another machine: its answer may lie on that one's disk, and comes from there.
_ELSEWHERE = timedelta(minutes=10)

_COLUMNS = b"""
       t.connection_id, c.organization_id, t.provider, c.consented_at, t.version, t.access, t.access_expires_at,
       t.access_issued_at, t.refresh, t.previous_refresh, t.grant_ends_at, t.dead_at,
       coalesce(t.begun_until > clock_timestamp(), false), t.begun_at, t.lost_at, t.lost_how, t.due_at IS NULL
"""
_SELECT = (
    b"SELECT"
    + _COLUMNS
    + b"FROM connections_token t JOIN connections_connection c ON c.id = t.connection_id"
    + b" WHERE t.connection_id = %(connection)s FOR UPDATE OF t"
)
_DUE = b" t.provider = %(provider)s AND t.due_at <= %(now)s AND t.dead_at IS NULL "
_NOT_UNDER_WAY = b"""
 AND (t.begun_until IS NULL OR t.begun_until + CASE WHEN t.begun_where = %(here)s THEN interval '0' ELSE %(elsewhere)s
      END < clock_timestamp())
"""
_SELECT_DUE = (
    b"SELECT"
    + _COLUMNS
    + b"FROM connections_token t JOIN connections_connection c ON c.id = t.connection_id WHERE"
    + _DUE
    + b"ORDER BY t.due_at LIMIT 1 FOR UPDATE OF t SKIP LOCKED"
)
# The key stays due, in case nobody comes back from the call; an earlier call without an answer is lost from now on.
_BEGIN = b"""
UPDATE connections_token AS t
   SET begun_at = %(now)s, begun_by = %(mark)s, begun_where = %(here)s, begun_until = clock_timestamp() + %(patience)s,
       due_at = CASE WHEN due_at IS NOT NULL THEN greatest(due_at, %(now)s + %(patience)s) END,
       lost_how = CASE WHEN lost_at IS NULL AND begun_at IS NOT NULL THEN %(ended)s ELSE lost_how END,
       lost_at = coalesce(lost_at, begun_at)
  FROM connections_connection c
 WHERE c.id = t.connection_id AND
"""
_BEGIN_ONE = _BEGIN + b"t.connection_id = %(connection)s AND t.version = %(version)s RETURNING" + _COLUMNS
_BEGIN_DUE = (
    _BEGIN
    + b"t.connection_id = (SELECT connection_id FROM connections_token t WHERE"
    + _DUE
    + _NOT_UNDER_WAY
    + b"ORDER BY t.due_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING"
    + _COLUMNS
)
# The newest success of each check, unless a newer one stands there; and an endpoint that answers is not down.
_STORE = b"""
WITH stored AS (
  UPDATE connections_token
     SET access = %(access)s, refresh = coalesce(%(refresh)s, refresh), previous_refresh = %(previous)s,
         version = version + 1, access_issued_at = %(at)s, access_expires_at = %(expires)s, due_at = %(due)s,
         dead_at = NULL, grant_ends_at = coalesce(%(ends)s, grant_ends_at),
         begun_at = NULL, begun_by = NULL, begun_where = '', begun_until = NULL, lost_at = NULL, lost_how = ''
   WHERE connection_id = %(connection)s AND version = %(version)s
     AND (%(kept)s OR begun_by IS NOT DISTINCT FROM %(mark)s::uuid)
  RETURNING connection_id
), noted AS (
  INSERT INTO connections_ledgerentry (connection_id, at, kind, trigger, result, words, ref)
  SELECT connection_id, %(at)s, 'refresh', %(trigger)s, 'ok', '', '' FROM stored
), proved AS (
  INSERT INTO connections_proof AS known (connection_id, check_name, ok, cause, call, words, at, until)
  SELECT connection_id, check_name, true, '', 'token.refresh', '', %(proved)s, NULL
    FROM stored, unnest('{renew,grant}'::text[]) AS check_name
  ON CONFLICT (connection_id, check_name, ok) DO UPDATE
     SET cause = '', call = 'token.refresh', words = '', at = excluded.at, until = NULL WHERE known.at <= excluded.at
), answered AS (
  DELETE FROM connections_outage USING stored WHERE provider = %(provider)s AND NOT %(kept)s
)
SELECT count(*) FROM stored
"""


@dataclass(frozen=True)
class Taken:
    """A token whose renewal is ours: its row as it stands, locked by this transaction or announced.

    ``under_way``: somebody's renewal of this version may still be answered. ``begun_at``: of one, whether or not.
    ``lasts``: it needs no renewal.
    """

    connection: UUID
    organization: UUID
    provider: str
    consented_at: datetime
    version: int
    access: bytes = field(repr=False)
    access_expires_at: datetime
    access_issued_at: datetime
    refresh: bytes | None = field(repr=False)
    previous: bytes | None = field(repr=False)
    grant_ends_at: datetime | None
    dead_at: datetime | None
    under_way: bool
    begun_at: datetime | None
    lost_at: datetime | None
    lost_how: str
    lasts: bool

    def owner(self) -> Connection:
        """The connection, as far as writing of it goes."""
        return Connection(pk=self.connection, organization_id=self.organization, provider=self.provider)


@dataclass(frozen=True)
class Fresh:
    """What a renewal brought, sealed, and when it is to be renewed itself.

    ``refresh`` is None where the old one stays; ``previous`` is kept until the new one has worked. ``proved_at``: the
    time of the proof, where that is not ``at``.
    """

    access: bytes
    refresh: bytes | None
    previous: bytes | None
    at: datetime
    expires_at: datetime
    due_at: datetime
    ends_at: datetime | None
    proved_at: datetime


@dataclass(frozen=True)
class Announcement:
    """What a row is told of a renewal whose answer may be the only copy of the next key.

    ``here``: on which machine's disk that answer would be kept. After ``patience`` none comes any more.
    """

    here: str
    patience: timedelta
    mark: UUID = field(default_factory=uuid4)

    def values(self, now: datetime) -> dict[str, object]:
        """For the statement."""
        told = {"now": now, "mark": self.mark, "here": self.here, "patience": self.patience}
        return {**told, "ended": ENDED, "elsewhere": _ELSEWHERE}


def take(connection: UUID, *, wait: bool = True) -> Taken | None:
    """Lock one token's row, behind whoever has it; without ``wait`` None where somebody has. None: there is none."""
    return _taken(execute(_SELECT if wait else _SELECT + b" SKIP LOCKED", {"connection": connection}))


def take_due(provider: str, now: datetime) -> Taken | None:
    """Lock the row that has been due longest, of those that nobody has; None where nothing is due."""
    return _taken(execute(_SELECT_DUE, {"provider": provider, "now": now}))


def begin(taken: Taken, now: datetime, announcement: Announcement) -> Taken | None:
    """Announce a renewal of a token that is locked; committed it stands for everybody to see."""
    told = {"connection": taken.connection, "version": taken.version}
    return _taken(execute(_BEGIN_ONE, {**announcement.values(now), **told}))


def begin_due(provider: str, now: datetime, announcement: Announcement) -> Taken | None:
    """Both in one statement, and so one commit, for the row that has been due longest; None where nothing is due.

    Left alone are rows whose renewal may still be answered.
    """
    return _taken(execute(_BEGIN_DUE, {**announcement.values(now), "provider": provider}))


def _taken(rows: list[tuple[object, ...]]) -> Taken | None:
    return Taken(*rows[0]) if rows else None  # type: ignore[arg-type]


def exists(connection: UUID) -> bool:
    """Whether there is a token at all."""
    return Token.objects.filter(pk=connection).exists()


def store(taken: Taken, mark: UUID | None, fresh: Fresh, *, trigger: str, kept: bool = False) -> bool:
    """Replace the secrets, prove the renewal and note it, in one statement; False: somebody else has replaced them.

    ``kept``: the answer comes from the disk, so whoever has begun another renewal meanwhile is overtaken, and nothing
    is said of the endpoint now.
    """
    values = {
        "connection": taken.connection,
        "version": taken.version,
        "provider": taken.provider,
        "mark": mark,
        "kept": kept,
        "access": fresh.access,
        "refresh": fresh.refresh,
        "previous": fresh.previous,
        "at": fresh.at,
        "expires": fresh.expires_at,
        "due": fresh.due_at,
        "ends": fresh.ends_at,
        "proved": fresh.proved_at,
        "trigger": trigger,
    }
    return bool(execute(_STORE, values)[0][0])


def put_off(
    taken: Taken,
    mark: UUID | None,
    *,
    due_at: datetime | None,
    dead_at: datetime | None,
    lost_how: str,
) -> bool:
    """After a renewal that brought nothing: when to try next, whether the grant is dead, and what was lost how.

    ``lost_how`` is empty where the provider has said no. False: somebody else has replaced the secrets meanwhile.
    """
    lost = {"lost_at": taken.begun_at, "lost_how": lost_how} if lost_how and taken.lost_at is None else {}
    rows = Token.objects.filter(pk=taken.connection, version=taken.version, begun_by=mark)
    changed = rows.update(
        due_at=due_at,
        dead_at=dead_at,
        begun_at=None,
        begun_by=None,
        begun_where="",
        begun_until=None,
        **lost,
    )
    return changed == 1
