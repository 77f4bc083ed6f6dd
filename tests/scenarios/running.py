"""Running a scenario against real books, section by section; every difference is told with its line."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from clearinghouse.domain.calendar import format_period, parse_period
from clearinghouse.domain.deciding import Accepted, Outcome, Refused
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.operations.post import post
from settlement.netting import net_period
from settlement.run import read_file, settle
from tests.scenarios.looking import Books
from tests.scenarios.reading import Row, Section

REFERENCE = ("rulebook", "hotels", "tiers", "cards")
#: Card numbers with a good check digit, handed out in the order of the labels.
NUMBERS = (
    "6277810000000013",
    "6277810000000021",
    "6277810000000039",
    "6277810000000047",
    "6277810000000054",
    "6277810000000062",
    "6277810000000070",
    "6277810000000088",
)
UNKNOWN_CARD = "6277810000000997"
#: After every cut-off of every scenario.
LATER = datetime(2031, 11, 1, tzinfo=UTC)


def run(sections: Sequence[Section], context: Context, folder: Path) -> list[str]:
    """Run a scenario; return what was not as expected, a sentence with its line each."""
    return Run(context, folder).run(sections)


class Run:
    """A scenario under way."""

    def __init__(self, context: Context, folder: Path) -> None:
        self.context = context
        self.folder = folder
        self.differences: list[str] = []
        self.numbers: dict[str, str] = {}
        self.travellers: dict[str, str] = {}
        self.systems: set[str] = set()
        self.packs = 0
        self.lines = 0

    def run(self, sections: Sequence[Section]) -> list[str]:
        """Run all sections in their order."""
        pending: list[Section] = []
        for section in sections:
            if section.name in REFERENCE:
                if section.name == "rulebook" and pending:
                    self._import(pending)
                    pending = []
                pending.append(section)
                continue
            if pending:
                self._import(pending)
                pending = []
            self._do(section)
        return self.differences

    def _do(self, section: Section) -> None:
        period = parse_period(section.about) if section.about[:4].isdigit() else 0
        if section.name == "later pack":
            return
        if section.name == "requests":
            for line_no, row in section.rows:
                self._request(line_no, row)
        elif section.name == "close":
            close(self.context, period)
            net_period(self.context, period)
        elif section.name == "settle":
            settle(self.context, period)
        else:
            self._look(section)

    # --- what is looked at ----------------------------------------------------------------

    def _look(self, section: Section) -> None:
        books = Books(self.context, self.travellers)
        looks: Mapping[str, Callable[[str], list[Row]]] = {
            "positions": self._positions,
            "obligations": books.obligations,
            "points": books.points,
            "lots": books.lots,
            "stored value": books.stored_value,
            "debts": books.debts,
        }
        found = looks[section.name](section.about)
        wanted = [{name: plain(value) for name, value in row.items()} for _, row in section.rows]
        shown = [{name: row[name] for name in section.columns} for row in found]
        if wanted != shown:
            self.differences.append(
                f"line {section.line_no} [{section.name} {section.about}]:\n  expected {wanted}\n  found    {shown}"
            )

    def _positions(self, period: str) -> list[Row]:
        """Read a period's positions: from the published file if there is one, else from the books."""
        books = Books(self.context, self.travellers)
        if books.state(period) != "published":
            return books.positions(period)
        published = b"".join(read_file(self.context, parse_period(period), "positions.csv"))
        return [
            {
                "system": row["system_code"],
                "receivable": row["receivable_minor"],
                "payable": row["payable_minor"],
                "fees": row["fees_minor"],
                "vat": row["vat_minor"],
                "net": row["net_minor"],
            }
            for row in csv.DictReader(StringIO(published.decode()))
        ]

    # --- requests -------------------------------------------------------------------------

    def _request(self, line_no: int, row: Row) -> None:
        self.lines += 1
        line = self._line(row)
        (outcome,) = post(self.context, [line])
        found = {"result": _told(outcome)}
        if isinstance(outcome, Accepted):
            books = Books(self.context, self.travellers)
            txn = outcome.txn
            found["issued"] = str(txn.points or "") if txn.lot is not None else ""
            found["legs"] = ", ".join(books.leg(leg) for leg in txn.legs)
            found["period"] = format_period(txn.period) + (" late" if txn.late else "")
            found["left"] = str(books.available(txn.traveller, line.business_date))
        for name, value in found.items():
            if name in row and plain(row[name]) != value:
                self.differences.append(
                    f"line {line_no} {row['ref']}: {name} expected {row[name]!r}, found {value!r}"
                )

    def _line(self, row: Row) -> Line:
        day = date.fromisoformat(row["date"])
        at = row.get("at") or "12:00+08:00"
        moment = at if "T" in at else f"{day}T{at}"
        amount, points = (plain(row.get(name, "")) for name in ("amount", "points"))
        return Line(
            line_no=self.lines,
            host_hotel=row["host"],
            txn_ref=row["ref"],
            original_txn_ref=row.get("of") or None,
            kind=row["kind"],
            card_number=self.numbers.get(row["card"], UNKNOWN_CARD),
            business_date=day,
            occurred_at=datetime.fromisoformat(moment),
            amount_minor=int(amount) if amount else None,
            points=int(points) if points else None,
        )

    # --- packs ----------------------------------------------------------------------------

    def _import(self, sections: Sequence[Section]) -> None:
        self.packs += 1
        folder = self.folder / str(self.packs)
        folder.mkdir()
        files: dict[str, list[list[str]]] = {}
        for section in sections:
            rows = [row for _, row in section.rows]
            if section.name == "rulebook":
                document = json.dumps(rulebook(rows), ensure_ascii=False)
                (folder / "rulebook.json").write_text(document, encoding="utf-8")
            else:
                self._add(files, section.name, rows)
        for name, table in files.items():
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(_COLUMNS[name])
                writer.writerows(table)
        import_pack(self.context, folder)

    def _add(self, files: dict[str, list[list[str]]], name: str, rows: Sequence[Row]) -> None:
        for row in rows:
            if name == "cards":
                self._add_card(files, row)
                continue
            if row["system"] not in self.systems:
                self.systems.add(row["system"])
                system = [row["system"], row["system"], row["system"], "", "", "", "0"]
                files.setdefault("systems", []).append(system)
            if name == "hotels":
                place = [row["hotel"], "城", row["from"]]
                files.setdefault(name, []).append(
                    [row["hotel"], row["system"], row["hotel"], *place]
                )
            else:
                treatment = [row["rank"], row["level"], row["rate"], "0", ""]
                files.setdefault(name, []).append(
                    [row["system"], row["tier"], row["tier"], row["tier"], *treatment]
                )

    def _add_card(self, files: dict[str, list[list[str]]], row: Row) -> None:
        number = self.numbers.setdefault(row["card"], NUMBERS[len(self.numbers)])
        traveller = row["traveller"]
        if traveller not in self.travellers:
            files.setdefault("travellers", []).append([traveller, traveller, "", ""])
        self.travellers[traveller] = number
        files.setdefault("cards", []).append(
            [number, traveller, row["hotel"], row["tier"], row["issued"]]
        )


_COLUMNS: Mapping[str, Sequence[str]] = {
    "systems": (
        "system_code", "name_zh", "name_en", "uscc", "bank_account", "net_debit_cap_minor",
        "collateral_minor",
    ),
    "hotels": ("hotel_code", "system_code", "name_zh", "name_en", "city", "effective_from"),
    "tiers": (
        "system_code", "tier_code", "name_zh", "name_en", "rank", "alliance_level",
        "earn_points_per_yuan", "discount_percent", "benefits",
    ),
    "travellers": ("traveller_ref", "name", "phone", "email"),
    "cards": ("card_number", "traveller_ref", "issuer_hotel", "tier_code", "issued_on"),
}  # fmt: skip


def plain(value: str) -> str:
    """Return a number without its thousands separators; other text as it is."""
    bare = value.replace(",", "").replace("−", "-")
    return bare if bare.lstrip("-").isdigit() else value


def rulebook(rows: Sequence[Row]) -> dict[str, Any]:
    """Build a rulebook document from members and values; ``fees.redeem.min_minor`` names its place."""
    document: dict[str, Any] = {}
    for row in rows:
        *path, last = row["member"].split(".")
        inside = document
        for name in path:
            inside = inside.setdefault(name, {})
        if last == "stored_value_licence":
            inside[last] = {
                "number": "L-1",
                "holder": "清算所",
                "custody_bank": "银行",
                "valid_until": row["value"],
            }
        elif row["value"] in ("true", "false"):
            inside[last] = row["value"] == "true"
        else:
            value = plain(row["value"])
            inside[last] = int(value) if value.isdigit() and last != "version" else row["value"]
    return document


def _told(outcome: Outcome) -> str:
    if isinstance(outcome, Refused):
        return outcome.code.value
    return "accepted" if isinstance(outcome, Accepted) else "repeated"
