"""A tiny alliance in the books of a test: three systems, four hotels, two travellers, and a clock of its own.

    alliance = MiniAlliance(context, tmp_path)
    alliance.post("spend", "BAM-HZ", "R1", "T1", "2026-11-03", amount=88888)
    alliance.post("refund", "BAM-HZ", "R2", "T1", "2026-11-04", amount=88888, original="R1")
    alliance.settle("2026-11")

It is that of domain.md §6: AUR (AUR-BJ, AUR-SH), BAM (BAM-HZ) and CLD (CLD-GZ); T1 holds a gold card of AUR-BJ, which
earns 1.0 points a yuan at home and 1.5 at BAM, T2 a card of CLD-GZ. All can be given otherwise, as rows of a pack.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from clearinghouse.domain.calendar import cut_off, parse_period
from clearinghouse.domain.deciding import Accepted, Held, Outcome
from clearinghouse.domain.transactions import Authorization, Capture, Line, card_key
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import ImportResult, import_pack
from clearinghouse.operations.post import post
from clearinghouse.store.database import Database
from clearinghouse.store.exposure import Exposures
from settlement.run import settle

Rows = Sequence[Sequence[object]]
T = TypeVar("T")

#: Card numbers with a good check digit, by what tests call them.
CARDS = {"T1": "6277810000000013", "T2": "6277810000000021", "T3": "6277810000000039"}

RULEBOOK: dict[str, Any] = {
    "version": "v1",
    "effective_from": "2026-01-01",
    "stored_value_licence": {
        "number": "L-1",
        "holder": "清算所",
        "custody_bank": "银行",
        "valid_until": "2030-12-31",
    },
}
#: The rows of each file of the pack, in the order of its columns; missing ones at the end are empty.
PACK: Mapping[str, Rows] = {
    "systems.csv": (
        ("AUR", "金酒店", "Aurum", "91310000MA1FL00001", "6222000047109087253"),
        ("BAM", "竹酒店", "Bamboo", "91310000MA1FL00002", "6222000047109087261"),
        ("CLD", "云酒店", "Cloud", "91310000MA1FL00003", "6222000047109087279"),
    ),
    "hotels.csv": (
        ("AUR-BJ", "AUR", "金酒店北京", "Aurum Beijing", "北京市"),
        ("AUR-SH", "AUR", "金酒店上海", "Aurum Shanghai", "上海市"),
        ("BAM-HZ", "BAM", "竹酒店杭州", "Bamboo Hangzhou", "杭州市"),
        ("CLD-GZ", "CLD", "云酒店广州", "Cloud Guangzhou", "广州市"),
    ),
    "tiers.csv": (
        ("AUR", "A1", "普通", "Member", 1, 1, "1.0", 0),
        ("AUR", "A2", "金卡", "Gold", 2, 2, "1.0", 5),
        ("BAM", "B1", "普通", "Member", 1, 1, "1.0", 0),
        ("BAM", "B2", "金卡", "Gold", 2, 2, "1.5", 5),
        ("CLD", "C1", "普通", "Member", 1, 1, "1.0", 0),
    ),
    "travellers.csv": (("T1", "李芳", "+8613800138000"), ("T2", "王伟", "+8613800138001")),
    "cards.csv": (
        (CARDS["T1"], "T1", "AUR-BJ", "A2", "2026-01-05"),
        (CARDS["T2"], "T2", "CLD-GZ", "C1", "2026-01-05"),
    ),
}
_COLUMNS = {
    "systems.csv": "system_code,name_zh,name_en,uscc,bank_account,net_debit_cap_minor,collateral_minor",
    "hotels.csv": "hotel_code,system_code,name_zh,name_en,city,effective_from",
    "tiers.csv": "system_code,tier_code,name_zh,name_en,rank,alliance_level,earn_points_per_yuan,"
    "discount_percent,benefits",
    "travellers.csv": "traveller_ref,name,phone,email",
    "cards.csv": "card_number,traveller_ref,issuer_hotel,tier_code,issued_on",
}
FOUNDED_AT = datetime(2026, 1, 5, tzinfo=UTC)
_HOME = ZoneInfo("Asia/Shanghai")


class TestClock:
    """Stands until it is set, and never goes back; each reading is a millisecond after the last."""

    __test__ = False

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def pass_to(self, moment: datetime) -> None:
        """Let time pass until a moment, unless it is over."""
        self.now = max(self.now, moment)


def write_rows(folder: Path, files: Mapping[str, Rows], rulebook: Mapping[str, Any] | None) -> Path:
    """Write a pack of such rows."""
    folder.mkdir(parents=True)
    if rulebook is not None:
        text = json.dumps(rulebook, ensure_ascii=False)
        (folder / "rulebook.json").write_text(text, encoding="utf-8")
    for name, rows in files.items():
        columns = _COLUMNS[name].split(",")
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([*row, *[""] * (len(columns) - len(row))] for row in rows)
    return folder


class MiniAlliance:
    """The alliance, once its pack is imported. ``context`` has the test's clock: use it for every operation.

    Rulebook members and whole files of the pack may be given otherwise:
    ``MiniAlliance(context, tmp_path, rulebook={"vat_ppm": 0}, files={"tiers.csv": (...)})``.
    """

    #: URLs of databases that were copied with such an alliance: what it was given, and its clock (tests/founding.py).
    copies: ClassVar[dict[str, tuple[object, datetime]]] = {}

    def __init__(
        self,
        context: Context,
        tmp_path: Path,
        *,
        rulebook: Mapping[str, Any] | None = None,
        files: Mapping[str, Rows] | None = None,
        now: datetime = FOUNDED_AT,
    ) -> None:
        pack, rules = {**PACK, **(files or {})}, {**RULEBOOK, **(rulebook or {})}
        self.given: object = (pack, rules, now)
        given, clock = self.copies.pop(context.database.owner_url, (None, now))
        assert given in (None, self.given), "the test's database is a copy of another alliance"
        self.clock = TestClock(clock)
        # Running debits are read before each sequence: what a test does in between is known at once.
        self.context = replace(context, clock=self.clock, exposures=Exposures(0))
        self._folders: Iterator[Path] = (tmp_path / f"mini-{n}" for n in count(1))
        if given is None:
            self.add(pack, rules)

    @property
    def database(self) -> Database:
        """The database of the books."""
        return self.context.database

    def add(
        self, files: Mapping[str, Rows], rulebook: Mapping[str, Any] | None = None
    ) -> ImportResult:
        """Import another pack: more members, a hotel that moves, a new version of the rulebook."""
        return import_pack(self.context, write_rows(next(self._folders), files, rulebook))

    def line(
        self,
        kind: str,
        host: str,
        ref: str,
        card: str,
        business_date: str | date,
        *,
        amount: int | None = None,
        points: int | None = None,
        original: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Line:
        """Make a line as a host states it; it happened at noon, where nothing else is said."""
        day = date.fromisoformat(business_date) if isinstance(business_date, str) else business_date
        return Line(
            line_no=0,
            host_hotel=host,
            txn_ref=ref,
            original_txn_ref=original,
            kind=kind,
            card_number=CARDS.get(card, card),
            business_date=day,
            occurred_at=occurred_at or datetime(day.year, day.month, day.day, 12, tzinfo=_HOME),
            amount_minor=amount,
            points=points,
        )

    def post(
        self, kind: str, host: str, ref: str, card: str, business_date: str | date, **stated: Any
    ) -> Outcome:
        """Post one line, at the moment it happened or now if that is later; ``stated`` as for :meth:`line`.

        Lines are told in the order of a story: one with an earlier date is a line that comes late.
        """
        line = self.line(kind, host, ref, card, business_date, **stated)
        self.clock.pass_to(line.occurred_at.astimezone(UTC))
        return post(self.context, [line])[0]

    def accept(
        self, kind: str, host: str, ref: str, card: str, business_date: str | date, **stated: Any
    ) -> Accepted:
        """Post one line that must be accepted."""
        outcome = self.post(kind, host, ref, card, business_date, **stated)
        assert isinstance(outcome, Accepted), (ref, outcome)
        return outcome

    def hold(
        self, kind: str, host: str, ref: str, card: str, business_date: str | date, **stated: Any
    ) -> Outcome:
        """Authorise one line; ``stated`` as for :meth:`line`."""
        line = self.line(kind, host, ref, card, business_date, **stated)
        self.clock.pass_to(line.occurred_at.astimezone(UTC))
        return post(self.context, [Authorization(*line.__reduce__()[1])])[0]

    def capture(
        self,
        held: Outcome | UUID,
        ref: str,
        business_date: str | date,
        amount: int,
        **stated: Any,
    ) -> Outcome:
        """Capture so many points or fen of an authorisation."""
        auth_id = held.hold.auth_id if isinstance(held, Held) else held
        kind, host, card = self.rows(
            "SELECT a.kind, h.code, a.card FROM authorizations a JOIN hotels h ON h.number = a.host_hotel"
            " WHERE auth_id = %s",
            auth_id,
        )[0]
        name = "points" if kind == "redeem" else "amount"
        line = self.line(kind, host, ref, card_key(card), business_date, **{name: amount}, **stated)
        self.clock.pass_to(line.occurred_at.astimezone(UTC))
        return post(self.context, [Capture(auth_id, *line.__reduce__()[1])])[0]

    def settle(self, period: str) -> None:
        """Settle a month, on the day of its cut-off or now if that is later."""
        number = parse_period(period)
        self.clock.pass_to(cut_off(number, 3, "Asia/Shanghai"))
        settle(self.context, number)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the books."""
        with self.database.office() as session:
            return session.rows(sql, parameters)

    def value(self, sql: str, *parameters: object) -> Any:
        """Ask the books for one value."""
        return self.rows(sql, *parameters)[0][0]


def live_a_while(alliance: MiniAlliance) -> None:
    """Live through two settled months and a part of a third in which everything happens that can.

    Points last one month (give the alliance a rulebook with ``points_expiry_months`` 1 and ``restore_grace_days`` 5):
    October is of own and cross-system legs, partial refunds and a debt; November of a late line, a move and a new
    rulebook; in December points return to an expired lot, are used, and are gone at last.
    """
    do = alliance.accept
    do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
    do("spend", "BAM-HZ", "2", "T1", "2026-10-03", amount=88_888)
    do("redeem", "CLD-GZ", "3", "T1", "2026-10-04", points=2_000)
    do("redeem", "BAM-HZ", "4", "T1", "2026-10-05", points=400)
    do("load", "AUR-BJ", "5", "T1", "2026-10-06", amount=100_000)
    do("stored_value_spend", "BAM-HZ", "6", "T1", "2026-10-07", amount=30_050)
    do("refund", "BAM-HZ", "7", "T1", "2026-10-08", amount=10_025, original="6")
    do("refund", "AUR-BJ", "8", "T1", "2026-10-08", amount=20_000, original="5")
    do("refund", "CLD-GZ", "9", "T1", "2026-10-09", points=500, original="3")
    do("award", "AUR-BJ", "10", "T2", "2026-10-09", points=300)
    do("spend", "CLD-GZ", "11", "T2", "2026-10-10", amount=50_000)
    do("redeem", "AUR-BJ", "12", "T2", "2026-10-11", points=700)
    do("refund", "CLD-GZ", "13", "T2", "2026-10-12", amount=50_000, original="11")
    do("spend", "CLD-GZ", "14", "T2", "2026-10-13", amount=10_000)
    alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-10-14", points=10)
    alliance.settle("2026-10")

    do("spend", "BAM-HZ", "15", "T1", "2026-10-31", amount=33_333)
    do("spend", "AUR-SH", "16", "T2", "2026-11-06", amount=45_600, points=450)
    moved = ("AUR-SH", "BAM", "金酒店上海", "Aurum Shanghai", "上海市", "2026-11-10")
    fees = {"fees": {"redeem": {"rate_ppm": 15_000, "min_minor": 10}}, "fees_include_vat": False}
    alliance.add(
        {"hotels.csv": (moved,)},
        {
            **RULEBOOK,
            **fees,
            "version": "v2",
            "effective_from": "2026-11-15",
            "points_expiry_months": 1,
        },
    )
    do("redeem", "BAM-HZ", "17", "T2", "2026-11-16", points=100)
    do("redeem", "CLD-GZ", "18", "T2", "2026-11-17", points=50)
    do("refund", "AUR-SH", "19", "T2", "2026-11-18", amount=5_600, original="16")
    alliance.settle("2026-11")

    do("refund", "CLD-GZ", "20", "T1", "2026-12-05", points=300, original="3")
    do("redeem", "AUR-BJ", "21", "T1", "2026-12-06", points=120)
    do("redeem", "CLD-GZ", "22", "T1", "2026-12-07", points=100)
    do("refund", "CLD-GZ", "23", "T1", "2027-01-20", points=100, original="22")
    do("spend", "CLD-GZ", "24", "T1", "2026-12-08", amount=7_777)
    do("refund", "BAM-HZ", "25", "T1", "2026-12-09", amount=33_333, original="15")
    held = alliance.hold("redeem", "CLD-GZ", "H2", "T1", "2027-01-20", points=10)
    assert isinstance(held, Held), held
