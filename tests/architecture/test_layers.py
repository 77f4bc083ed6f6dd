"""The directions of imports, kept by import-linter, and proof that it would notice a breach."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, modules, name_of

# Who must not import what: planted into a copy of the house, each has to be reported.
BREACHES = [
    ("clearinghouse.domain.money", "clearinghouse.config"),
    ("clearinghouse.domain.money", "clearinghouse.store"),
    ("clearinghouse.domain.money", "sqlalchemy"),
    ("clearinghouse.operations", "settlement"),
    ("clearinghouse.operations", "sqlalchemy"),
    ("clearinghouse.store", "clearinghouse.operations"),
    ("clearinghouse.store", "rich"),
    ("clearinghouse.client", "clearinghouse.domain"),
    ("clearinghouse.client", "marshmallow"),
    ("clearinghouse.operations", "clearinghouse.client"),
    ("clearinghouse.store", "clearinghouse.client"),
    ("settlement", "clearinghouse.client"),
    ("settlement", "web"),
    ("settlement", "api"),
    ("web", "api"),
    ("settlement", "flask"),
    ("settlement.statements", "clearinghouse.store"),
    ("api", "migrations"),
]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of pyproject.toml against the packages in a folder."""
    return subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_layers_are_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def copy_of_the_house(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_breach_is_noticed(copy_of_the_house: Path) -> None:
    for importer, imported in BREACHES:
        path = copy_of_the_house / importer.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        with file.open("a", encoding="utf-8") as module:
            module.write(f"\nimport {imported}\n")

    result = lint_imports(copy_of_the_house)

    # A chain of imports is shown over several lines, with the line number after each link.
    report = re.sub(r"\s+", " ", result.stdout)
    assert result.returncode == 1, report
    unnoticed = [
        f"{importer} -> {imported}"
        for importer, imported in BREACHES
        if f"{importer} -> {imported} " not in report
    ]
    assert unnoticed == [], result.stdout


def test_a_module_without_a_layer_is_noticed(copy_of_the_house: Path) -> None:
    (copy_of_the_house / "clearinghouse" / "helpers.py").write_text('"""A stray."""\n')

    result = lint_imports(copy_of_the_house)

    assert result.returncode == 1, result.stdout
    assert "clearinghouse.helpers" in result.stdout


def test_no_package_stands_outside_the_contracts() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"tests"} == set(PACKAGES)
    assert [name_of(path) for path in ROOT.glob("*.py")] == []


def test_every_folder_of_modules_is_a_package() -> None:
    """All but migrations/versions: Alembic loads its files by path, not by name."""
    folders = {path.parent for path in modules(*PACKAGES)} - {ROOT / "migrations" / "versions"}
    assert [name_of(path) for path in folders if not (path / "__init__.py").exists()] == []
