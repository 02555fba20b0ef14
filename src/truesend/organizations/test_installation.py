"""What speaks against acting in a database's name, case by case; an ordinary day is no case."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from truesend.organizations.installation import Here, differences, sentence
from truesend.organizations.models import Installation
from truesend.runtime.memory import Memory

OURS, EARLIER, FOREIGN = UUID(int=1), UUID(int=2), UUID(int=3)
PLACE, BRANCH = "7:16386:16798", "00000001"


def row(**changes: object) -> Installation:
    fields: dict[str, object] = {
        "installation": OURS,
        "earlier": [EARLIER],
        "environment": "prod",
        "public_url": "https://mail.example.com",
        "place": PLACE,
        "branch": BRANCH,
        "counter": 100,
    }
    return Installation(**{**fields, **changes})


HERE = Here(
    place=PLACE,
    branch=BRANCH,
    environment="prod",
    public_url="https://mail.example.com",
    memory=Memory(OURS, 100, copied=False),
    embedded=False,
    peopled=True,
)


@pytest.mark.parametrize(
    "here",
    [
        pytest.param(HERE, id="a restart"),
        pytest.param(
            replace(HERE, memory=Memory(OURS, 97, copied=False)), id="killed before it was remembered"
        ),
        pytest.param(replace(HERE, memory=None), id="another machine's first start"),
        pytest.param(
            replace(HERE, memory=Memory(OURS, 90, copied=True)), id="another machine, its folder a copy"
        ),
        pytest.param(
            replace(HERE, memory=Memory(EARLIER, 900, copied=False)), id="another machine took over"
        ),
        pytest.param(replace(HERE, branch="00000002"), id="a standby took over, with nothing lost"),
        pytest.param(replace(HERE, embedded=True), id="a restart with the database in the folder"),
        pytest.param(replace(HERE, place="8:1:1", peopled=False), id="an empty database"),
    ],
)
def test_an_ordinary_day(here: Here) -> None:
    assert differences(row(), here) == ()


@pytest.mark.parametrize(
    ("here", "reasons"),
    [
        pytest.param(replace(HERE, place="8:16386:16798"), ("elsewhere",), id="restored in another cluster"),
        pytest.param(replace(HERE, place="7:16390:16798"), ("elsewhere",), id="another database beside it"),
        pytest.param(replace(HERE, place="7:16386:16999"), ("elsewhere",), id="a dump put back in its place"),
        pytest.param(
            replace(HERE, memory=Memory(OURS, 101, copied=False)), ("older",), id="older files put back"
        ),
        pytest.param(
            replace(HERE, memory=Memory(FOREIGN, 1, copied=False)),
            ("stranger",),
            id="a folder that worked elsewhere",
        ),
        pytest.param(
            replace(HERE, memory=Memory(OURS, 100, copied=True), embedded=True),
            ("copied",),
            id="folder and database copied",
        ),
        pytest.param(
            replace(HERE, branch="00000002", memory=None),
            ("elsewhere",),
            id="a copy of the files went its own way",
        ),
        pytest.param(
            replace(HERE, branch="00000002", memory=Memory(OURS, 100, copied=True)),
            ("elsewhere",),
            id="the same with a copied folder",
        ),
        pytest.param(
            replace(HERE, branch="00000002", memory=Memory(OURS, 101, copied=False)),
            ("older",),
            id="a standby took over that lagged behind",
        ),
        pytest.param(replace(HERE, environment="stage"), ("environment",), id="another environment"),
        pytest.param(
            replace(HERE, public_url="https://stage.example.com"), ("address",), id="another address"
        ),
        pytest.param(
            replace(
                HERE, place="8:1:1", environment="stage", public_url="https://stage.example.com", memory=None
            ),
            ("elsewhere", "environment", "address"),
            id="a stage restored from prod",
        ),
    ],
)
def test_a_copy_or_a_restore(here: Here, reasons: tuple[str, ...]) -> None:
    assert differences(row(), here) == reasons
    told = sentence(row(), reasons)
    assert "https://mail.example.com (prod)" in told
    assert told.endswith("nothing is sent or renewed until the operator runs truesend adopt.")


@pytest.mark.parametrize(
    ("environment", "theirs", "ours", "same"),
    [
        ("dev", "http://localhost:8000", "http://localhost:8010", True),
        ("dev", "http://localhost:8000", "http://127.0.0.1:8010", True),
        ("dev", "http://localhost:8000", "http://192.168.1.5:8000", False),
        ("stage", "http://localhost:8000", "http://localhost:8010", False),
    ],
)
def test_only_a_developers_port_may_change(environment: str, theirs: str, ours: str, *, same: bool) -> None:
    here = replace(HERE, environment=environment, public_url=ours)
    found = differences(row(environment=environment, public_url=theirs), here)
    assert found == (() if same else ("address",))
