"""Who may do what stands in one table: nobody compares a member's role with one elsewhere."""

from __future__ import annotations

import ast

from truesend.organizations.roles import TABLE, Action, Role, allows, page

from .files import python

# Where roles themselves are the subject: what they are changed to, by whom the organization is owned.
_ABOUT_ROLES = {
    "src/truesend/organizations/roles.py",
    "src/truesend/organizations/members.py",
    "src/truesend/organizations/second_factor.py",  # owners and managers need one, whatever they do
    "src/truesend/organizations/commands.py",  # a new organization is made by its owner
    "src/truesend/web/team.py",  # an owner is not made one
}
_NAMES = {"MANAGERS", "OWNERS", "EVERYBODY"}


def _is_role(node: ast.expr) -> bool:
    text = ast.unparse(node)
    return text.endswith(".role") or text == "role"


def _names_roles(node: ast.expr) -> bool:
    return any(
        (isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "Role")
        or (isinstance(one, ast.Name) and one.id in _NAMES)
        or (isinstance(one, ast.Attribute) and one.attr in _NAMES)
        for one in ast.walk(node)
    )


def _decisions(text: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(map(_is_role, sides)) and any(map(_names_roles, sides)):
                found.append(ast.unparse(node))
    return found


def test_no_page_or_call_decides_by_a_role_of_its_own() -> None:
    found = {
        path: told
        for path, text in python("src/truesend")
        if path not in _ABOUT_ROLES and "/test_" not in path and (told := _decisions(text))
    }
    assert found == {"src/truesend/organizations/invitations.py": ["role not in (Role.MANAGER, Role.USER)"]}


def test_the_guard_sees_such_decisions() -> None:
    assert _decisions("if member.role != Role.OWNER: pass") == ["member.role != Role.OWNER"]
    assert _decisions("x = member.role in rights.MANAGERS") == ["member.role in rights.MANAGERS"]
    assert _decisions("x = roles.allows(member.role, Action.PAY)") == []


def test_every_action_has_a_row_that_an_owner_may_do() -> None:
    assert set(TABLE) == set(Action)
    for action, rule in TABLE.items():
        assert allows(Role.OWNER, action)
        # Each role includes the ones after it.
        order = list(Role)
        assert list(rule.roles) == order[: len(rule.roles)]
        assert rule.refusal.endswith(".")
        assert rule.words in page("")
