"""Three published months on disk as members get them, and how programs that are not ours read them.

The months have refunds, a late line, a move, VAT in the fees and on top, adjustments between systems and of a fee, a
payment that arrived, and a creditor whose account nobody knows.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.operator_profile import OperatorProfile
from clearinghouse.operations.adjusting import adjust
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments.importing import import_bank_file
from settlement.run import files_of, read_file
from tests.alliances import PACK, MiniAlliance, live_a_while

MONTHS = ("2026-10", "2026-11", "2026-12")
SYSTEMS = ("AUR", "BAM", "CLD")
PARTIES = (*SYSTEMS, "OPERATOR")
OURS = OperatorProfile("示例清算有限公司", "Sample Clearing Ltd", bank_account="6222000000009999")
AUTHORITY = Authority("示例操作员", "示例 sample")
CLD_HAS_NO_ACCOUNT = tuple(row[:-1] if row[0] == "CLD" else row for row in PACK["systems.csv"])


class Story(MiniAlliance):
    """The two months of ``live_a_while`` and a third; before the second is settled, it is paid and adjusted."""

    def settle(self, period: str) -> None:
        if period == "2026-11":
            self._pay("CH-202610-AUR-1", self.due("AUR", "2026-10"))
            self._adjust(payer="CLD", payee="AUR", amount=1_234)
            self._adjust(payer=None, payee="BAM", amount=333)
        super().settle(period)

    def due(self, code: str, month: str) -> int:
        return int(
            self.value(
                "SELECT -net_minor FROM positions p JOIN systems s ON s.number = p.system"
                " WHERE s.code = %s AND period = %s",
                code,
                parse_period(month),
            )
        )

    def _pay(self, reference: str, amount: int) -> None:
        day, account = self.clock.now.date().isoformat(), PACK["systems.csv"][0][-1]
        file = next(self._folders).with_suffix(".csv")
        file.write_text(
            "account,entry_reference,booked_on,direction,amount,currency,end_to_end_id,counterparty_account\n"
            f"6222000000009999,E1,{day},in,{amount // 100}.{amount % 100:02d},CNY,{reference},{account}\n"
        )
        arrived = import_bank_file(self.context, file, AUTHORITY, new_account=True).arrived
        assert [one.matched for one in arrived] == [True]

    def _adjust(self, payer: str | None, payee: str, amount: int) -> None:
        directory = self.context.current_directory()
        number = {code: system.number for code, system in directory.system_by_code.items()}
        with self.database.office() as session:
            adjust(
                session,
                self.context,
                payer=number[payer] if payer else None,
                payee=number[payee],
                amount_minor=amount,
                kind="correction",
                reference="SAMPLE-1",
                text="示例更正 sample correction",
            )


def publish(context: Context, folder: Path) -> None:
    """Live through the months, settle them, and write their files as ``settle --out`` does."""
    rules = {"points_expiry_months": 1, "restore_grace_days": 5}
    files = {"systems.csv": CLD_HAS_NO_ACCOUNT}
    story = Story(context, folder / "packs", rulebook=rules, files=files)
    live_a_while(story)
    story.settle("2026-12")
    for month in MONTHS:
        period = parse_period(month)
        for file in files_of(story.context, period):
            path = folder / month / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(read_file(story.context, period, file.path)))


@cache
def statement(folder: Path, month: str, party: str) -> dict[str, Any]:
    content = (folder / month / "statements" / f"{party}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(content)
    return document


@cache
def lines(folder: Path, month: str, party: str) -> list[dict[str, str]]:
    with (folder / month / "statements" / f"{party}.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        return list(csv.DictReader(file))


def table(folder: Path, month: str, name: str) -> list[dict[str, str]]:
    with (folder / month / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def added(rows: list[dict[str, str]], column: str) -> int:
    return sum(int(row[column] or 0) for row in rows)


def camt(folder: Path, month: str, party: str) -> Any:
    root = etree.parse(folder / month / "statements" / f"{party}.camt053.xml").getroot()
    for element in root.iter():
        element.tag = etree.QName(element).localname
    return root


def fen(element: Any) -> int:
    amount = int(Decimal(element.findtext("Amt")) * 100)
    return -amount if element.findtext("CdtDbtInd") == "DBIT" else amount


@cache
def printed(file: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    done = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, check=True)
    return done.stdout.decode()


def yuan(amount_minor: int) -> str:
    text = f"{abs(amount_minor) // 100:,}.{abs(amount_minor) % 100:02d}"
    return f"−{text}" if amount_minor < 0 else text
