"""What files a settled period has: the one list of them (interfaces.md "Files of a settled period").

A file's bytes follow from the frozen run alone, so it does not matter who makes it, when, or how often.
Whatever is listed here is made while the period is ``netted``. What needs to know all of these files, as the
manifest and the signatures, is made in the publishing transaction (``settlement.publishing``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, NamedTuple

from clearinghouse.operations.context import Context
from settlement.building import operator_statement, system_statement
from settlement.frozen_run import FrozenRun
from settlement.orders import debit_note, payment_order
from settlement.paths import PAYMENTS, debit_note_path, statement_path
from settlement.statements import debit_note as debit_notes
from settlement.statements import pain001
from settlement.statements.formats import FORMATS
from settlement.statements.statement import OPERATOR, Statement
from settlement.tables import tables

#: Formats whose rows are the statement's lines.
_WITH_LINES = ("csv", "json")


class PeriodFile(NamedTuple):
    """A file that a period has; ``write`` makes its bytes, and is not called if the file is stored already.

    ``rows`` is how many records it has, where it has any; ``system`` whose it is, by number, ``None`` for the
    clearing house and for what is of all.
    """

    path: str
    write: Callable[[BinaryIO], object]
    rows: int | None = None
    system: int | None = None


def files_of_party(context: Context, run: FrozenRun, system: int | None) -> Iterator[PeriodFile]:
    """Yield the files of one party, a system or (``None``) the clearing house.

    Its statement in every format, and a debit note if it has to pay. They are stored in one transaction: all of them
    are there, or none.
    """
    yield from files_of_statement(run, party_statement(context, run, system), system)


def party_statement(context: Context, run: FrozenRun, system: int | None) -> Statement:
    """Build the statement of one party."""
    if system is None:
        return operator_statement(context, run)
    return system_statement(context, run, system)


def files_of_statement(
    run: FrozenRun, statement: Statement, system: int | None
) -> Iterator[PeriodFile]:
    """Yield the files of a party whose statement is built; see :func:`files_of_party`."""
    for suffix, render in FORMATS.items():
        yield PeriodFile(
            statement_path(statement.party.code, suffix),
            partial(render, statement),
            statement.line_count if suffix in _WITH_LINES else None,
            system,
        )
    note = debit_note(run, system)
    if note is not None:
        path = debit_note_path(statement.party.code)
        yield PeriodFile(path, partial(debit_notes.render, note), None, system)


def files_of_period(run: FrozenRun) -> Iterator[PeriodFile]:
    """Yield the period's files beside the statements; each is stored by itself, when all statements are."""
    for path, (content, rows) in tables(run).items():
        yield PeriodFile(path, partial(_write, content.getvalue()), rows)
    order = payment_order(run)
    if order is not None:
        yield PeriodFile(PAYMENTS, partial(pain001.render, order), len(order.payees))


def party_code(run: FrozenRun, system: int | None) -> str:
    """Return the code under which a party's files lie."""
    return OPERATOR if system is None else run.directory.systems[system].code


def _write(content: bytes, file: BinaryIO) -> None:
    file.write(content)
