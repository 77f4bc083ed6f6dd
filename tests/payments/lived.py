"""Payments of every kind, for books in which everything has happened."""

from pathlib import Path

from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments import dunning, importing, matching
from clearinghouse.operations.payments.sharing import Target
from clearinghouse.store.payments import instructions
from clearinghouse.store.payments.instructions import Instruction
from tests.payments.bank import ACCOUNTS, Booked, camt


def pay_a_while(context: Context, folder: Path, period: int) -> None:
    """Pay for a published period of the alliance of ``tests.alliances``: too much, a part, by hand, and in vain."""
    with context.database.office() as session:
        owed = instructions.instructions(session, period=period)
        codes = {row[0]: row[1] for row in session.rows("SELECT number, code FROM systems")}
    day = context.clock().date()
    first, second, third = ((one, codes[one.system]) for one in owed)

    def booked(ref: str, what: tuple[Instruction, str], part: int, **said: object) -> Booked:
        one, code = what
        signed = part if one.direction == "in" else -part
        given = {"reference": one.reference, "account": code, "day": day, **said}
        return Booked(ref, signed, **given)  # type: ignore[arg-type]  # wrong on purpose, or of many types

    assert set(codes.values()) >= set(ACCOUNTS)
    lines = [
        booked("P1", first, first[0].amount_minor),
        booked("P2", second, 100),
        booked("P3", third, third[0].amount_minor, reference=None),
        Booked("P4", 77_777, account="6222000000000009999", day=day),
    ]
    back = booked("P5", second, 40)
    lines.append(Booked("P5", -back.amount, back.reference, back.account, day, reversal=True))
    folder.mkdir(exist_ok=True)
    clerk = Authority("clerk", "daily statement")
    path = camt(folder / "bank.xml", lines, opening=0)
    found = importing.import_bank_file(context, path, clerk).arrived
    assert [one.matched for one in found].count(True) == 3
    by_ref = {one.line.entry_reference: one.line.number for one in found}
    maker, checker = Authority("maker", "theirs"), Authority("checker", "seen")
    matching.propose(context, by_ref["P3"], [], maker)
    matching.confirm(context, by_ref["P3"], checker)
    matching.propose(context, by_ref["P4"], [Target(second[1], as_credit=True)], maker)
    matching.confirm(context, by_ref["P4"], checker)
    matching.propose_undoing(context, by_ref["P4"], maker)
    matching.confirm(context, by_ref["P4"], checker)
    matching.propose(context, by_ref["P4"], [Target(first[1])], maker)
    matching.reject(context, by_ref["P4"], maker)
    dunning.dun(context)
