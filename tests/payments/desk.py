"""The payments desk of a test: what people there do, with a bank whose files are written as needed."""

import re
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.domain.calendar import cut_off, parse_period
from clearinghouse.domain.matching import Part
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments import importing, matching
from clearinghouse.operations.payments.importing import Imported
from clearinghouse.operations.payments.sharing import Target
from clearinghouse.operations.prove import prove
from clearinghouse.store.payments import instructions
from clearinghouse.store.payments.instructions import Instruction
from settlement.run import settle
from tests.alliances import MiniAlliance, TestClock
from tests.payments.bank import Booked, camt

OCTOBER = parse_period("2026-10")
MAKER, CHECKER = Authority("maker", "it is theirs"), Authority("checker", "seen")


class Desk:
    """Works on one copy of the alliance, whose clock it has for itself."""

    def __init__(self, alliance: MiniAlliance, context: Context, folder: Path) -> None:
        self.clock = TestClock(datetime(2026, 11, 12, 4, tzinfo=alliance.clock.now.tzinfo))
        self.context = replace(context, clock=self.clock)
        self.folder = folder
        self._alliance = alliance
        self._names = count(1)

    def bank(self, *booked: Booked, opening: int | None = None) -> Imported:
        """Import a statement of such lines."""
        path = self.folder / f"statement-{next(self._names)}.xml"
        return self.take(camt(path, booked, opening=opening))

    def take(self, path: Path, **options: Any) -> Imported:
        """Import a file."""
        return importing.import_bank_file(
            self.context, path, Authority("clerk", "daily statement"), **options
        )

    def line(self, ref: str) -> int:
        """The number of the line with this reference of the bank."""
        return int(self.value("SELECT number FROM bank_lines WHERE entry_reference = %s", ref))

    def propose(self, ref: str, *targets: str, by: Authority = MAKER) -> tuple[Part, ...]:
        """Propose what a line is for: ``SYSTEM[@YYYY-MM|@credit|@collateral][=FEN]``."""
        return matching.propose(self.context, self.line(ref), list(map(_target, targets)), by)

    def undo(self, ref: str, by: Authority = MAKER) -> tuple[Part, ...]:
        """Propose to take back what a line was allocated to."""
        return matching.propose_undoing(self.context, self.line(ref), by)

    def confirm(self, ref: str, by: Authority = CHECKER) -> None:
        """Confirm what is proposed for a line."""
        matching.confirm(self.context, self.line(ref), by)

    def match(self, ref: str, *targets: str) -> None:
        """Match a line by hand, both steps."""
        self.propose(ref, *targets)
        self.confirm(ref)

    def reject(self, ref: str, by: Authority = CHECKER) -> None:
        """Reject what is proposed for a line."""
        matching.reject(self.context, self.line(ref), by)

    def settle(self, month: str) -> None:
        """Settle a month on the day of its cut-off."""
        self.clock.pass_to(cut_off(parse_period(month), 3, "Asia/Shanghai"))
        settle(self.context, parse_period(month))

    def post(self, *line: Any, **stated: Any) -> None:
        """Post a transaction (see ``MiniAlliance.post``)."""
        replaced = MiniAlliance.__new__(MiniAlliance)
        replaced.context, replaced.clock = self.context, self.clock
        replaced.accept(*line, **stated)

    def instruction(self, code: str, period: int = OCTOBER) -> Instruction:
        """The instruction of a system."""
        with self.context.database.office() as session:
            found = instructions.instructions(session, period=period, system=self.system(code))
        return found[0]

    def system(self, code: str) -> int:
        """The number of a system."""
        return int(self.value("SELECT number FROM systems WHERE code = %s", code))

    def state(self, period: int = OCTOBER) -> str:
        """The state of a period."""
        return str(self.value("SELECT state FROM periods WHERE period = %s", period))

    def credit(self, code: str) -> int:
        """What stands on a system's account beside its instructions."""
        with self.context.database.office() as session:
            return instructions.credits_of(session).get(self.system(code), 0)

    def position(self, code: str) -> int:
        """What the clearing house owes a system (+), or is owed by it (−)."""
        return self.balance(AccountKind.POSITION, self.system(code))

    def balance(self, kind: AccountKind, owner: int = 0) -> int:
        """The balance of an account in fen, a credit above 0."""
        number = account(kind, owner)
        return int(
            self.value(
                "SELECT coalesce(sum(CASE WHEN credit = %s THEN amount ELSE -amount END), 0)::bigint"
                " FROM postings WHERE %s IN (debit, credit)",
                number,
                number,
            )
        )

    def events(self, kind: str, code: str | None = None) -> list[dict[str, Any]]:
        """What a system, or the operator, was told of a kind, in order."""
        found = self.rows(
            "SELECT o.payload FROM outbox o LEFT JOIN systems s ON s.number = o.system"
            " WHERE o.kind = %s AND s.code IS NOT DISTINCT FROM %s ORDER BY o.number",
            kind,
            code,
        )
        return [row[0] for row in found]

    def audited(self, action: str) -> list[tuple[str, str, dict[str, Any]]]:
        """What the audit log says of an action: by whom, of what, and what."""
        return self.rows(
            "SELECT actor, subject, details FROM audit_log WHERE action = %s ORDER BY number",
            action,
        )

    def must_hold(self) -> None:
        """Every invariant holds."""
        wrong = [f"{p.number} {p.detail}" for p in prove(self.context) if not p.holds]
        assert wrong == []

    def rows(self, sql: str, *parameters: object) -> list[Any]:
        """Ask the books."""
        with self.context.database.office() as session:
            return session.rows(sql, parameters)

    def value(self, sql: str, *parameters: object) -> Any:
        """Ask the books for one value."""
        return self.rows(sql, *parameters)[0][0]


def _target(text: str) -> Target:
    found = re.fullmatch(r"(\w+)(?:@([\w-]+))?(?:=(\d+))?", text)
    assert found is not None, text
    code, place, amount = found.groups()
    return Target(
        code,
        parse_period(place) if place not in (None, "credit", "collateral") else None,
        place == "credit",
        place == "collateral",
        int(amount) if amount else None,
    )
