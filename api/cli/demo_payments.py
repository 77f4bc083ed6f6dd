"""The demo's last step: the bank's statement is imported, one line of it matched by two people, the months settled."""

from __future__ import annotations

from pathlib import Path

from api.cli.common import console
from api.demo.bank import write_statement
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.money import yuan
from clearinghouse.domain.payments import Direction
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments import importing, listing, matching
from clearinghouse.store import periods

_CLERK = Authority("出纳 clerk", "the bank's statement")
_MAKER = Authority("经办 maker", "account and amount are the system's")
_CHECKER = Authority("复核 checker", "checked against the statement")


def pay_everything(context: Context, out: Path) -> None:
    """Write and import a statement in which all is paid; the largest debtor has named no reference."""
    found = listing.payments(context)
    systems = context.current_directory().systems
    owed = [one.instruction for one in found.instructions]
    debtors = [one for one in owed if one.direction is Direction.IN]
    if not debtors:
        return
    unnamed = max(debtors, key=lambda one: one.outstanding_minor)
    path = out / "bank" / f"{found.as_of}.camt053.xml"
    write_statement(path, [(one, systems[one.system]) for one in owed], found.as_of, unnamed)
    done = importing.import_bank_file(context, path, _CLERK)
    say = console().print
    say(
        f"\n银行对账单 The bank's statement: {done.lines} 行 lines,"
        f" {sum(one.matched for one in done.arrived)} 行自动匹配 matched at once"
    )
    for one in done.arrived:
        if not one.matched:
            matching.propose(context, one.line.number, [], _MAKER)
            matching.confirm(context, one.line.number, _CHECKER)
            say(
                f"  {yuan(one.line.amount_minor)} 元无参考号 without a reference:"
                f" {_MAKER.actor} → {_CHECKER.actor}"
            )
    with context.database.office() as session:
        settled = [row.period for row in periods.periods(session) if row.state == "settled"]
    say(f"  已清讫 Settled: {', '.join(map(format_period, settled))}")
