"""Statements that are obviously samples: system BAM of domain.md §6 in November 2026, and what is made of it.

Run as a program it writes one of them to the standard output: ``python statement_samples.py
FORMAT``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

from settlement.statements.formats import FORMATS
from settlement.statements.sections import (
    PAYABLE,
    RECEIVABLE,
    Adjustment,
    Control,
    Exchange,
    Issued,
    Member,
    Movement,
    Proof,
    Security,
    Settling,
    SigningKey,
    summed,
)
from settlement.statements.statement import (
    Activity,
    Counterparty,
    NetPoint,
    Party,
    Statement,
    StatementLine,
    Summary,
)

NO = "ST-2026-11-BAM"


def _line(number: int, **more: object) -> StatementLine:
    moment = datetime(2026, 11, 10 + number, 15, 30, tzinfo=UTC) + timedelta(microseconds=number)
    values: dict[str, object] = {
        "statement_no": NO,
        "line_no": number,
        "txn_id": f"txn_sample{number:04d}",
        "txn_ref": f"SAMPLE-{number:04d}",
        "original_txn_ref": None,
        "business_date": date(2026, 11, 10 + number),
        "occurred_at": moment,
        "posted_at": moment + timedelta(seconds=1),
        "kind": "redeem",
        "host_hotel": "BAM-HZ",
        "host_system": "BAM",
        "issuer_hotel": "BAM-HZ",
        "issuer_system": "BAM",
        "is_cross_system": True,
        "late": False,
        "card_masked": "6222********0000",
        "points": None,
        "lots": None,
        "gross_debit_minor": None,
        "gross_credit_minor": None,
        "fee_rule": None,
        "rulebook_version": "sample-1",
        "fee_rate_ppm": None,
        "fee_base_minor": None,
        "fee_minor": None,
        "net_minor": 0,
        "reason": "cross_system",
        "counterparty_system": None,
        "dispute_status": None,
        "remarks": None,
    }
    return StatementLine(**(values | more))  # type: ignore[arg-type]  # values by name, of many types


LINES = (
    _line(
        1,
        kind="spend",
        issuer_hotel="AUR-BJ",
        issuer_system="AUR",
        points=1333,
        fee_rule="spend",
        fee_rate_ppm=10_000,
        fee_base_minor=88_888,
        fee_minor=889,
        net_minor=-889,
        counterparty_system="AUR",
    ),
    _line(
        2,
        host_hotel="CLD-GZ",
        host_system="CLD",
        points=800,
        lots="7:500;9:300",
        gross_debit_minor=800,
        net_minor=-800,
        counterparty_system="CLD",
    ),
    _line(
        3,
        is_cross_system=False,
        late=True,
        points=500,
        lots="7:500",
        fee_rule="redeem",
        fee_rate_ppm=20_000,
        fee_base_minor=500,
        fee_minor=0,
        reason="own_system",
        remarks="示例 sample",
    ),
    _line(
        4,
        kind="stored_value_spend",
        issuer_hotel="AUR-BJ",
        issuer_system="AUR",
        gross_credit_minor=30_050,
        fee_rule="stored_value",
        fee_rate_ppm=5_000,
        fee_base_minor=30_050,
        fee_minor=150,
        net_minor=29_900,
        counterparty_system="AUR",
    ),
)

BAM = Statement(
    statement_no=NO,
    version=1,
    period="2026-11",
    period_start=date(2026, 11, 1),
    period_end=date(2026, 11, 30),
    timezone="Asia/Shanghai",
    party=Party(
        "BAM", "示例竹韵酒店集团", "Sample Bamboo Hotels", "91330000SAMPLE0001", "****0000"
    ),
    currency="CNY",
    cut_off_at=datetime(2026, 12, 3, 16, tzinfo=UTC),
    generated_at=datetime(2026, 12, 3, 16, tzinfo=UTC),
    due_date=date(2026, 12, 14),
    status="published",
    rulebook_versions=("sample-1",),
    summary=Summary(
        opening_minor=1_000,
        receivable_minor=30_050,
        payable_minor=800,
        fees_minor=1_039,
        vat_minor=59,
        vat_on_top=False,
        vat_ppm=60_000,
        adjustments_minor=0,
        net_minor=28_211,
        payments_minor=1_000,
        closing_minor=28_211,
    ),
    activities=(
        Activity("spend", 1, 88_888, 889, 0, 0),
        Activity("redeem", 0, 0, 0, 1, 500),
        Activity("stored_value", 1, 30_050, 150, 0, 0),
    ),
    counterparties=(
        Counterparty("AUR", "示例曙光酒店", "Sample Aurora Hotels", 1, 30_050, 0, 0, 30_050),
        Counterparty("CLD", "示例云栖酒店", "Sample Cloud Hotels", 0, 0, 1, 800, -800),
    ),
    history=(
        NetPoint("2026-09", -5_000_00),
        NetPoint("2026-10", 1_000),
        NetPoint("2026-11", 28_211),
    ),
    line_count=len(LINES),
    lines=LINES,
    exchanges=(
        Exchange("AUR", "stored_value", RECEIVABLE, 1, 30_050),
        Exchange("CLD", "redeem", PAYABLE, 1, 800),
    ),
    movements=(Movement("payment_out", date(2026, 11, 12), -1_000, "CH-202610-BAM-1"),),
    issued=(Issued("BAM-HZ", 0, 1_333, 500, 800, 0, 0, 33, 0, 33),),
    signing_key=SigningKey(
        "SAMPLEsampleSAMPLEsampleSAMPLEsampleSAMPLE0", " ".join(["5A3F 00C1 9B7E D204"] * 4)
    ),
)


def with_lines(lines: Iterable[StatementLine], count: int) -> Statement:
    """Return BAM's statement with other lines; its totals stay as they are."""
    return replace(BAM, lines=lines, line_count=count)


def with_counterparties(count: int) -> Statement:
    """Return BAM's statement with so many counterparties, every seventh with a long name; it foots."""
    rows = tuple(
        Counterparty(
            f"X{number:03d}",
            f"示例酒店集团{'（中国）投资控股有限公司长江三角洲区域管理总部' * (number % 7 == 0)}{number}",
            f"Sample Hotel Group {number}",
            number,
            number * 1_001,
            2 * number,
            number * 2_003,
            number * -1_002,
        )
        for number in range(1, count + 1)
    )
    exchanges = tuple(
        exchange
        for row in rows
        for exchange in (
            Exchange(row.code, "redeem", RECEIVABLE, row.receivable_count, row.receivable_minor),
            Exchange(row.code, "stored_value", PAYABLE, row.payable_count, row.payable_minor),
        )
    )
    receivable, payable = (
        sum(getattr(row, name) for row in rows) for name in ("receivable_minor", "payable_minor")
    )
    net = receivable - payable - BAM.summary.fees_minor
    summary = replace(
        BAM.summary,
        receivable_minor=receivable,
        payable_minor=payable,
        net_minor=net,
        closing_minor=net,
    )
    return replace(BAM, counterparties=rows, exchanges=exchanges, summary=summary)


def full() -> Statement:
    """Return BAM's statement with something in every section, large amounts and long texts; it foots."""
    adjustments = (
        Adjustment(41, "dispute_upheld", "AUR", -123_456, "adjustment", "ST-202610-BAM-1 line 7",
                   "示例：入住未发生，积分兑换撤销 sample: the stay did not happen"),
        Adjustment(42, "correction", "CLD", 5_000, "adjustment", "SAMPLE-42", "示例更正 sample"),
        Adjustment(43, "dispute_upheld", None, 1_200, "fee", "ST-202610-BAM-1 line 9", "手续费退回 fee given back"),
    )  # fmt: skip
    movements = (
        Movement("payment_in", date(2026, 11, 9), 9_876_543_210, "CH-202610-BAM-1"),
        Movement("collateral", date(2026, 11, 15), 100_000, "DEFAULT-2026-10"),
        Movement("haircut", date(2026, 11, 16), -50_000, "DEFAULT-2026-10"),
    )
    many = tuple(NetPoint(f"2025-{m:02d}", (-1) ** m * m * 12_345_678) for m in range(1, 13))
    fees = BAM.summary.fees_minor - 1_200
    net = 30_050 - 800 - fees - 118_456
    opening = -9_876_543_210
    moved = sum(row.amount_minor for row in movements)
    issued = (
        Issued("BAM-HZ", 98_765_432, 1_333_000, 500_000, 800_123, 12_000, 77, 98_786_386, 45, 98_786_386),
        Issued("BAM-SHANGHAI-HONGQIAO", 0, 1_200, 0, 200, 0, 0, 1_000, 0, 1_000),
    )  # fmt: skip
    return replace(
        BAM,
        summary=replace(
            BAM.summary, opening_minor=opening, fees_minor=fees, vat_minor=-9,
            adjustments_minor=-118_456, net_minor=net, payments_minor=-moved,
            closing_minor=opening + net + moved,
        ),
        activities=(*BAM.activities, Activity("correction", 1, 0, -1_200, 0, 0)),
        adjustments=adjustments,
        movements=movements,
        history=(*many[1:], NetPoint("2026-11", net)),
        issued=issued,
        securities=(Security("collateral", 5_000_000), Security("claim", 50_000)),
    )  # fmt: skip


def empty() -> Statement:
    """Return the statement of a system that did nothing."""
    zero = Summary(0, 0, 0, 0, 0, False, 60_000, 0, 0, 0, 0)
    idle = tuple(Activity(row.kind, 0, 0, 0, 0, 0) for row in BAM.activities)
    return replace(
        BAM, summary=zero, activities=idle, counterparties=(), history=(), lines=(), line_count=0,
        exchanges=(), movements=(), issued=(), signing_key=None,
    )  # fmt: skip


def operator() -> Statement:
    """Return the clearing house's own statement of the same month: it owes nobody and earns the fees."""
    summary = replace(
        BAM.summary,
        opening_minor=0,
        receivable_minor=32_650,
        payable_minor=32_650,
        fees_minor=-1_091,
        vat_minor=-62,
        net_minor=1_091,
        payments_minor=0,
        closing_minor=1_091,
    )
    party = Party("OPERATOR", "酒店联盟清算所", "Hotel Alliance Clearing House", None, None)
    return replace(
        BAM,
        party=party,
        summary=summary,
        activities=(
            Activity("spend", 1, 88_888, 889, 1, 120_000),
            Activity("redeem", 3, 2_600, 52, 2, 800),
            Activity("stored_value", 1, 30_050, 150, 0, 0),
        ),
        counterparties=(
            Counterparty("AUR", "示例曙光酒店", "Sample Aurora", 2, 31_250, 1, 600, 30_650),
            Counterparty("BAM", "示例竹韵酒店", "Sample Bamboo", 1, 800, 1, 30_050, -29_250),
            Counterparty("CLD", "示例云栖酒店", "Sample Cloud", 1, 600, 2, 2_000, -1_400),
        ),
        lines=(),
        line_count=0,
        exchanges=(
            Exchange("AUR", "redeem", RECEIVABLE, 1, 1_200),
            Exchange("AUR", "stored_value", RECEIVABLE, 1, 30_050),
            Exchange("AUR", "redeem", PAYABLE, 1, 600),
            Exchange("BAM", "redeem", RECEIVABLE, 1, 800),
            Exchange("BAM", "stored_value", PAYABLE, 1, 30_050),
            Exchange("CLD", "redeem", RECEIVABLE, 1, 600),
            Exchange("CLD", "redeem", PAYABLE, 2, 2_000),
        ),
        movements=(),
        issued=(),
        control=control(),
    )


def control(members: tuple[Member, ...] | None = None) -> Control:
    """Return the clearing house's control of the month, or of other members."""
    members = members or (
        Member("AUR", "示例曙光酒店", "Sample Aurora", 0, 600, 31_250, 12, 1, 0, -30_662, 0, -30_662, -30_662,
               "debit_note"),
        Member("BAM", "示例竹韵酒店", "Sample Bamboo", 0, 30_050, 800, 1_039, 59, 0, 28_211, 0, 28_211, 28_211,
               "transfer"),
        Member("CLD", "示例云栖酒店", "Sample Cloud", 0, 2_000, 600, 40, 2, 0, 1_360, 0, 1_360, 1_360, "no_account"),
    )  # fmt: skip
    total = summed(Member("", "", "", *[0] * 10, ""), members)
    ways = ("transfer", "no_account", "debit_note", "set_off", "nothing")
    return Control(
        members=members,
        total=total,
        settling=tuple(
            Settling(way, len(rows), sum(row.transfer_minor for row in rows))
            for way in ways
            for rows in [[row for row in members if row.settled_by == way]]
        ),
        proofs=(
            Proof("gross", (("receivable", total.receivable_minor), ("payable", -total.payable_minor))),
            Proof("nets", (("net", total.net_minor), ("fees", total.fees_minor))),
            Proof("points", (("opening", 10), ("issued", 5), ("redeemed", -3), ("closing", -12))),
        ),
        figures=(("systems", len(members)), ("legs", 8), ("points_outstanding", 12_345_678)),
    )  # fmt: skip


def control_of(count: int) -> Statement:
    """Return the clearing house's statement over so many systems with large amounts and long names."""
    members = tuple(
        Member(
            f"SYSTEM-{number:02d}",
            f"示例酒店集团{'（中国）投资控股有限公司' * (number % 5 == 0)}{number}",
            f"Sample Hotel Group {number}{' of the Yangtze River Delta Region' * (number % 5 == 0)}",
            0, 123_456_789_012 // number, 98_765_432_109 // number, 12_345_678 // number, 700_000 // number, 0,
            24_679_011_225 // number, 0, 24_679_011_225 // number, 24_679_011_225 // number, "transfer",
        )
        for number in range(1, count + 1)
    )  # fmt: skip
    return replace(operator(), control=control(members))


@dataclass(frozen=True)
class ManyLines:
    """So many lines, made as they are read, so that none is in memory."""

    count: int

    def __iter__(self) -> Iterator[StatementLine]:
        for number in range(1, self.count + 1):
            yield replace(
                LINES[0], line_no=number, txn_ref=f"SAMPLE-{number}", txn_id=f"txn_{number}"
            )


def rendered(statement: Statement, name: str) -> bytes:
    """Return a statement's bytes in one format."""
    out = BytesIO()
    FORMATS[name](statement, out)
    return out.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(rendered(BAM, sys.argv[1]))
