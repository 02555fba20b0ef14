"""In which order, and by which statements, rows of anything are deleted with all that hangs on them.

Read off the models, so that a new table is part of it without anybody's remembering. What a row only mentions
(`SET_NULL`) is emptied; what it names without a foreign key (tracking) is in :data:`LOOSE`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import Model

Table = type[Model]
_ALL = 2**31

# Tables that name deliveries or emails by id alone: column, and whose id it holds.
LOOSE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "sending_delivery": (
        ("tracking_signal", "delivery"),
        ("tracking_hit", "delivery"),
        ("tracking_forgotten", "delivery"),
        ("tracking_copytally", "delivery"),
    ),
    "sending_email": (
        ("tracking_signal", "email"),
        ("tracking_copytally", "email"),
        ("tracking_emailtally", "email"),
        ("suppression_leftout", "email"),
    ),
}


# Goes in the database's own way, with the organization: a trigger holds it until then.
BY_ITSELF = frozenset({"organizations_auditentry"})


@dataclass(frozen=True)
class Step:
    """Rows of ``table`` that ``where`` finds by the roots' ids: to be deleted, or where ``empties`` names a column,
    to be emptied there.
    """

    table: str
    where: str
    empties: str = ""

    def sql(self) -> str:
        """A statement with the parameters ``ids`` and ``most``: a piece, as long as it finds any."""
        # Names of our own tables and columns, and nothing else, are put into these.
        what = f'DELETE FROM "{self.table}"'  # noqa: S608
        if self.empties:
            what = f'UPDATE "{self.table}" SET "{self.empties}" = NULL'  # noqa: S608
        some = f'SELECT ctid FROM "{self.table}" WHERE {self.where} LIMIT %(most)s'  # noqa: S608
        return f"{what} WHERE ctid = ANY(ARRAY({some}))"


@cache
def below(root: Table) -> tuple[Step, ...]:
    """What goes before rows of ``root`` can: deepest first, and whatever only mentions a row is emptied before."""
    chosen = owned(root)
    steps = []
    for model in _deepest_first(root, chosen):
        name, ids = _name(model), _ids(model, root, chosen)
        steps += [
            Step(_name(one), f'"{field.column}" IN ({ids})', field.column) for one, field in _mentions(model)
        ]
        steps += [Step(table, f'"{column}" IN ({ids})') for table, column in LOOSE.get(name, ())]
        if model is root or name in BY_ITSELF:
            continue
        for field in _ways_up(model):
            parent = field.related_model
            if parent is root or parent in chosen:
                steps.append(Step(name, f'"{field.column}" IN ({_ids(parent, root, chosen)})'))
    return tuple(steps)


def owned(root: Table) -> dict[Table, models.ForeignKey[Any, Any]]:
    """Every table whose rows hang on one of ``root``, with the foreign key that leads up the shortest way."""
    found: dict[Table, models.ForeignKey[Any, Any]] = {}
    level: list[Table] = [root]
    while level:
        following: list[Table] = []
        for model in _all():
            if model is root or model in found:
                continue
            for field in _ways_up(model):
                if field.related_model in level:
                    found[model] = field
                    following.append(model)
                    break
        level = following
    return found


def piece(step: Step, ids: Sequence[object], most: int) -> int:
    """Do a step to so many rows at most; to how many."""
    with connection.cursor() as cursor:
        cursor.execute(step.sql(), {"ids": list(ids), "most": most})
        return int(cursor.rowcount)


def run(root: Table, ids: Sequence[object]) -> int:
    """Delete rows of ``root`` and all that hangs on them, in the running transaction; how many rows went."""
    last = Step(_name(root), f'"{_column(root)}" = ANY(%(ids)s)')
    return sum(piece(one, ids, _ALL) for one in (*below(root), last))


def _all() -> list[Table]:
    return [one for one in apps.get_models() if one._meta.managed and not one._meta.proxy]


def _ways_up(model: Table) -> list[models.ForeignKey[Any, Any]]:
    """Its foreign keys by which it belongs to another row, and goes with it."""
    keys = [one for one in model._meta.concrete_fields if isinstance(one, models.ForeignKey)]
    return [one for one in keys if one.remote_field.on_delete is not models.SET_NULL]


def _mentions(model: Table) -> list[tuple[Table, models.ForeignKey[Any, Any]]]:
    """Foreign keys of any table that name a row of ``model`` and stay without it."""
    return [
        (other, field)
        for other in _all()
        for field in other._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.related_model is model
        and field.remote_field.on_delete is models.SET_NULL
    ]


def _deepest_first(root: Table, chosen: Mapping[Table, models.ForeignKey[Any, Any]]) -> list[Table]:
    """Each after everything that refers to it."""
    inside = [root, *chosen]
    order: list[Table] = []
    left = list(inside)
    while left:
        free = [
            one
            for one in left
            if not any(
                field.related_model is one for other in left if other is not one for field in _ways_up(other)
            )
        ]
        if not free:
            raise RuntimeError(f"tables refer to each other in a circle: {[one.__name__ for one in left]}")
        order += free
        left = [one for one in left if one not in free]
    return order


def _ids(model: Table, root: Table, chosen: Mapping[Table, models.ForeignKey[Any, Any]]) -> str:
    """A query of the keys of its rows, by the shortest way up."""
    key, name = _column(model), _name(model)
    if model is root:
        return f'SELECT "{key}" FROM "{name}" WHERE "{key}" = ANY(%(ids)s)'  # noqa: S608
    field = chosen[model]
    return (
        f'SELECT "{key}" FROM "{name}" WHERE "{field.column}" IN ({_ids(field.related_model, root, chosen)})'  # noqa: S608
    )


def _name(model: Table) -> str:
    return model._meta.db_table


def _column(model: Table) -> str:
    return str(model._meta.pk.column)
