"""The stages of a run, one function each: committed by itself and safe to run again (domain.md §4).

Closing is ``clearinghouse.operations.close.close``, netting ``settlement.netting.net_period``, publishing
``settlement.publishing.publish``; here are the statements and the other files between them. What is stored is
never made anew, and every function looks at the period's state in the transaction in which it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from clearinghouse.operations.context import Context
from clearinghouse.store import frozen, periods, runs
from clearinghouse.store.database import Session
from settlement.files import PeriodFile, files_of_party, files_of_period
from settlement.frozen_run import FrozenRun
from settlement.paths import ANY_STATEMENT

_IN_MEMORY_BYTES = 8 << 20

#: Whose statement: a system's number, ``None`` for the clearing house.
Whose = int | None


def missing_statements(context: Context, period: int) -> list[Whose]:
    """Return whose statements of a netted period are not stored yet, the longest (the clearing house's) first."""
    with context.database.office() as session:
        return runs.missing_statements(session, period, ANY_STATEMENT)


def make_statement(context: Context, run: FrozenRun, whose: Whose, *, wait: bool) -> bool:
    """Make and store one party's files, unless they are stored; tell whether they were made.

    Whoever is first holds the party's lock until its files are committed. With ``wait`` another comes after it and
    finds them stored, without it another leaves at once. The lock ends with the transaction, so with whoever is
    killed, and what was made under a lock that is lost can't be stored.
    """
    with context.database.office() as session:
        if not runs.hold_statement(session, run.period, whose or 0, wait=wait):
            return False
        if periods.state_of(session, run.period) != "netted" or runs.is_stated(
            session, run.period, whose, ANY_STATEMENT
        ):
            return False
        # All are made before the first is written: a transaction that has written holds events back (store/outbox).
        with _made(files_of_party(context, run, whose)) as made:
            for file, content in made:
                _store(session, run, file, content)
    return True


def make_period_files(context: Context, run: FrozenRun) -> None:
    """Stage ``stated``: store the files beside the statements, each by itself; call it under the run's lock."""
    with context.database.office() as session:
        if periods.state_of(session, run.period) != "netted":
            return
        stored = {file.path for file in frozen.stored_files(session, run.period)}
    for file in files_of_period(run):
        if file.path not in stored:
            with _made([file]) as made, context.database.office() as session:
                _store(session, run, *made[0])
    with context.database.office() as session:
        periods.advance(session, run.period, "stated")


@contextmanager
def _made(files: Iterable[PeriodFile]) -> Iterator[list[tuple[PeriodFile, BinaryIO]]]:
    """Make files in memory, or on disk where they are large; they are gone at the end."""
    with ExitStack() as open_files:
        made = []
        for file in files:
            spool = open_files.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))
            content = cast(BinaryIO, spool)
            file.write(content)
            made.append((file, content))
        yield made


def _store(session: Session, run: FrozenRun, file: PeriodFile, content: BinaryIO) -> None:
    frozen.store_file(session, run.period, file.path, content, system=file.system, rows=file.rows)
