"""Reading a scenario: sections and the tables in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Row = dict[str, str]

_HEADING = re.compile(r"\[(.+)\]")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_GAP = re.compile(r" {2,}")


@dataclass
class Section:
    """A section: what it is, what it is about (``2026-11``, ``T1``), and the rows of its table."""

    line_no: int
    name: str
    about: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[int, Row]] = field(default_factory=list)


class ScenarioFault(ValueError):
    """A scenario that can't be read."""


def read(path: Path) -> list[Section]:
    """Read a scenario file.

    Raises:
        ScenarioFault: a table without a heading, or a row that does not fit its columns.
    """
    sections: list[Section] = []
    for line_no, line in _lines(path):
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            sections.append(_section(line_no, heading[1]))
            continue
        if not sections:
            raise ScenarioFault(f"{path.name}:{line_no}: a table needs a [heading]")
        section = sections[-1]
        cells = _GAP.split(line)
        if section.name == "rulebook":
            section.columns = ["member", "value"]
        elif not section.columns:
            section.columns = cells
            continue
        if len(cells) != len(section.columns):
            raise ScenarioFault(
                f"{path.name}:{line_no}: {len(cells)} cells under {len(section.columns)} columns"
            )
        values = ("" if cell == "-" else cell for cell in cells)
        section.rows.append((line_no, dict(zip(section.columns, values, strict=True))))
    return sections


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding="utf-8")
    for line_no, line in enumerate(text.splitlines(), start=1):
        stripped = _COMMENT.sub("", line).strip()
        if stripped:
            yield line_no, stripped


def _section(line_no: int, heading: str) -> Section:
    name, _, about = heading.rpartition(" ")
    return (
        Section(line_no, heading) if not name or about == "pack" else Section(line_no, name, about)
    )
