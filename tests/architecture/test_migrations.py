"""Migrations: numbered without gaps, each standing on the one before, and on nothing of ours."""

import ast
import re
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, imported_modules, name_of, parsed

VERSIONS = sorted(
    path for path in (ROOT / "migrations" / "versions").glob("*.py") if path.name != "__init__.py"
)


def assigned(path: Path, name: str) -> object:
    """The literal that a module assigns to a name at its top level."""
    for node in parsed(path).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return ast.literal_eval(node.value)  # type: ignore[attr-defined] # assignments have it
    raise AssertionError(f"{name_of(path)} does not assign {name}")


def test_they_are_numbered_without_gaps() -> None:
    assert VERSIONS, "there are no migrations"
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", path.name) for path in VERSIONS)
    assert [int(path.name[:4]) for path in VERSIONS] == list(range(1, len(VERSIONS) + 1))


def test_each_stands_on_the_one_before() -> None:
    chain = [(assigned(path, "revision"), assigned(path, "down_revision")) for path in VERSIONS]
    numbers = [path.name[:4] for path in VERSIONS]
    assert chain == list(zip(numbers, [None, *numbers], strict=False))


@pytest.mark.parametrize("path", VERSIONS, ids=name_of)
def test_it_keeps_its_meaning_when_the_code_moves_on(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, "alembic", "sqlalchemy"}
    foreign = [
        f"line {line}: {module}"
        for line, module in imported_modules(path)
        if module.partition(".")[0] not in allowed
    ]
    assert foreign == []
