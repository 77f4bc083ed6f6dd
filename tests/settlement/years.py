"""A year of the mini alliance with its bank: months are settled and paid, or not; and what stands where afterwards."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.collateral import post_collateral
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments.importing import import_bank_file
from clearinghouse.operations.prove import prove
from settlement.run import read_file
from tests.alliances import MiniAlliance
from tests.payments.bank import OURS, bring_collateral

#: Two people who act together.
TWO = Authority("李明", "risk committee 12", "王芳")
_COLUMNS = (
    "account,entry_reference,booked_on,direction,amount,currency,end_to_end_id,counterparty_account"
)
#: Kinds of account.
POSITION, COLLATERAL, CLAIM, FUND = 16, 17, 18, 28


class Year:
    """The alliance's year, with its bank."""

    def __init__(self, context: Context, tmp_path: Path, **rulebook: Any) -> None:
        self.alliance = MiniAlliance(context, tmp_path, rulebook=rulebook)
        self.context = self.alliance.context
        self._folder = tmp_path
        self._files = 0

    def wait_past_due(self, name: str) -> None:
        """Let time pass until the day after the due date."""
        due = self.alliance.value(
            "SELECT max(due_on) FROM payment_instructions WHERE period = %s", parse_period(name)
        )
        midday = datetime(due.year, due.month, due.day, 4, tzinfo=UTC)
        self.alliance.clock.pass_to(midday + timedelta(days=1))

    def pay(self, name: str, *codes: str) -> None:
        """Let the bank tell that what is outstanding of these systems' instructions was paid."""
        rows = self.alliance.rows(
            "SELECT i.reference, i.direction, i.amount_minor - i.confirmed_minor FROM payment_instructions i"
            " JOIN systems s ON s.number = i.system WHERE i.period = %s AND s.code = ANY (%s)"
            " AND i.amount_minor > i.confirmed_minor ORDER BY 1",
            parse_period(name),
            list(codes),
        )
        assert len(rows) == len(codes), rows
        self.bank(rows)

    def bank(self, rows: Sequence[tuple[str, str, int]]) -> None:
        """Import a file of the bank: end-to-end reference, in or out, fen."""
        self._files += 1
        path = self._folder / f"bank-{self._files}.csv"
        today = (self.alliance.clock.now + timedelta(hours=8)).date()
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS.split(","))
            for number, (reference, direction, fen) in enumerate(rows):
                entry, amount = f"{self._files}-{number}", f"{fen // 100}.{fen % 100:02d}"
                theirs = self.alliance.value(
                    "SELECT bank_account FROM systems s JOIN payment_instructions i ON i.system = s.number"
                    " WHERE i.reference = %s",
                    reference,
                )
                writer.writerow([OURS, entry, today, direction, amount, "CNY", reference, theirs])
        found = import_bank_file(self.context, path, Authority("李明", "daily"))
        assert all(one.matched for one in found.arrived), found

    def pledge(self, code: str, fen: int) -> int:
        """Post collateral of a system whose money the bank has brought; return what is posted."""
        posted = post_collateral(self.context, code, fen, "custody", TWO)
        bring_collateral(self.context, self._folder / f"collateral-{code}-{fen}.xml", code, fen)
        return posted

    def balances(self, kind: int) -> dict[int, int]:
        """The credit balances of accounts of a kind, by owner."""
        return dict(
            self.alliance.rows(
                "SELECT owner, sum(amount)::bigint FROM (SELECT credit >> 5 AS owner, amount FROM postings"
                " WHERE credit & 31 = %s UNION ALL SELECT debit >> 5, -amount FROM postings"
                " WHERE debit & 31 = %s) AS s GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1",
                kind,
                kind,
            )
        )

    def state(self, name: str) -> str:
        """The stage of a month."""
        return str(
            self.alliance.value("SELECT state FROM periods WHERE period = %s", parse_period(name))
        )

    def statement(self, name: str, code: str) -> dict[str, Any]:
        """A published statement."""
        content = b"".join(read_file(self.context, parse_period(name), f"statements/{code}.json"))
        return dict(json.load(io.BytesIO(content)))

    def sound(self) -> None:
        """Every entry sums to zero, every balance has its counterpart, and all that must be true is."""
        assert self.alliance.value("SELECT count(*) FROM postings WHERE debit = credit") == 0
        assert [proof.detail for proof in prove(self.context) if not proof.holds] == []
