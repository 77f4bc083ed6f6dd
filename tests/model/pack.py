"""Import an alliance pack into the model (interfaces.md, "Alliance pack")."""

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

from .alliance import Model


@dataclass(frozen=True)
class Rejection:
    """A row of rejections.csv; the header of the file is line 1."""

    file: str
    line: int
    host_hotel: str
    txn_ref: str
    code: str


class Importer:
    """Imports packs and remembers each line's outcome, by file hash and line (domain.md §3)."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.outcomes: dict[tuple[str, int], str] = {}

    def load(self, folder: Path) -> list[Rejection]:
        """Load all files of a pack; a pack may hold only some of them."""
        model = self.model
        for row in _rows(folder / "systems.csv"):
            model.add_system(row)
        if (folder / "rulebook.json").exists():
            text = (folder / "rulebook.json").read_text(encoding="utf-8")
            model.add_rulebook(json.loads(text))
        for row in _rows(folder / "hotels.csv"):
            model.add_hotel(row)
        for row in _rows(folder / "tiers.csv"):
            model.add_tier(row)
        for row in _rows(folder / "travellers.csv"):
            model.add_traveller(row)
        for row in _rows(folder / "cards.csv"):
            model.add_card(row)
        rejections = []
        for path in sorted(folder.glob("transactions-????-??.csv")):
            rejections += self.transactions(path)
        return rejections

    def transactions(self, path: Path) -> list[Rejection]:
        """Apply one file of transactions in file order; an answered line is not judged again."""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rejections = []
        for line, row in enumerate(_rows(path), start=2):
            if (digest, line) not in self.outcomes:
                self.outcomes[digest, line] = self.model.apply(row)
            code = self.outcomes[digest, line]
            if code not in ("accepted", "repeated"):
                rejections.append(
                    Rejection(path.name, line, row["host_hotel"], row["txn_ref"], code)
                )
        return rejections


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file; none if the pack does not hold it."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))
