"""Re-performance: a published period calculated again from postings alone, and its files proved (issue "Settlement" 7).

Positions, obligations, points liability, VAT and balances are counted again from the journal, statements' lines leg by
leg; what was agreed or ordered then (the rulebook's terms, names, adjustments' texts, the key) is read as it was
recorded. All files are made of that and compared with those that were published: by their bytes, or, where PDF and
XLSX were made by other versions of the libraries than are installed here, by what they say. Nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import BooksDoNotBalance, PeriodNotReady
from clearinghouse.domain.netting import net
from clearinghouse.operations.context import Context
from clearinghouse.operations.footing import prove_footing
from clearinghouse.store import frozen, periods, recount
from clearinghouse.store.database import Session
from clearinghouse.store.periods import PUBLISHED
from settlement.files import PeriodFile, files_of_period, files_of_statement, party_statement
from settlement.frozen_run import FrozenRun, read_run
from settlement.manifest import made_with, manifest
from settlement.paths import MANIFEST
from settlement.recounted_lines import RecountedLines
from settlement.same_content import same_content

_IN_MEMORY_BYTES = 8 << 20
_BLOCK = 1 << 20
#: Their bytes depend on libraries; those of all others on our own code alone.
_BY_LIBRARIES = (".pdf", ".xlsx")


@dataclass(frozen=True, slots=True)
class Proved:
    """One file, or one set of figures, made again: ``how`` it was compared, and what is ``wrong``, if anything."""

    path: str
    how: str
    wrong: str | None = None


def recompute(context: Context, period: int) -> Iterator[Proved]:
    """Calculate a published period again and yield what comes of each set of figures and each of its files.

    Raises:
        PeriodNotReady: it is not published.
    """
    with context.database.office() as session:
        if periods.state_of(session, period) not in PUBLISHED:
            raise PeriodNotReady(f"{format_period(period)} is not settled yet")
        stored = {file.path: file for file in frozen.stored_files(session, period)}
    published = read_run(context, period)
    with context.database.office() as session:
        again = recounted(session, published)
        posted_vat = recount.vat(session, period)
        recorded = _manifest_of(session, period)
    yield from _figures(published, again, posted_vat)
    same_libraries = recorded.get("made_with") == made_with()
    for file in _files(context, again):
        if stored.pop(file.path, None) is None:
            yield Proved(file.path, "bytes", "it was not published")
        else:
            yield _compared(context, period, file, exactly=same_libraries)
    stored.pop(MANIFEST, None)
    for path in stored:
        yield Proved(path, "bytes", "it was published, and nothing in the books leads to it")
    yield _manifest_again(context, again, recorded)


def recounted(session: Session, run: FrozenRun) -> FrozenRun:
    """Return a run whose figures are all counted again from postings and legs."""
    period, directory = run.period, run.directory
    pairs = recount.obligations(session, period)
    positions = net(
        list(run.positions),
        pairs,
        recount.fees(session, period),
        vat_ppm=run.rulebook.vat_ppm,
        fees_include_vat=run.rulebook.fees_include_vat,
        adjusted=recount.adjusted(session, period),
    )
    nets = recount.nets(session, period)
    balances = recount.balances_before(session, period)
    codes = {number: directory.systems[number].code for number in run.positions}
    return replace(
        run,
        positions={p.system: p for p in sorted(positions, key=lambda p: codes[p.system])},
        obligations=pairs,
        liability=recount.liability(session, period),
        opening={number: amount for number, amount in balances.items() if amount},
        history={
            system: [(month, nets.get(system, {}).get(month, 0)) for month, _ in points]
            for system, points in run.history.items()
        },
    )


def _figures(published: FrozenRun, again: FrozenRun, posted_vat: int) -> Iterator[Proved]:
    """Yield whether the frozen figures are those counted again, before any file is looked at."""
    vat = sum(position.vat_minor for position in again.positions.values())
    opening = {number: amount for number, amount in published.opening.items() if amount}
    for name, was, now in (
        ("positions", published.positions, again.positions),
        ("obligations", published.obligations, again.obligations),
        ("points liability", published.liability, again.liability),
        ("VAT", posted_vat, vat),
        ("opening balances", opening, again.opening),
        ("earlier nets", published.history, again.history),
    ):
        wrong = None if was == now else "the postings give other figures than were frozen"
        yield Proved(f"({name})", "figures", wrong)


def _files(context: Context, again: FrozenRun) -> Iterator[PeriodFile]:
    for system in (*again.positions, None):
        statement = party_statement(context, again, system)
        lines = RecountedLines(context, again, system)
        yield from files_of_statement(again, replace(statement, lines=lines), system)
    yield from files_of_period(again)


def _compared(context: Context, period: int, file: PeriodFile, *, exactly: bool) -> Proved:
    """Make a file again and compare it with the one that is stored."""
    by_libraries = file.path.endswith(_BY_LIBRARIES)
    with _spooled() as made, context.database.office() as session:
        try:
            file.write(made)
        except (ValueError, BooksDoNotBalance) as error:
            return Proved(file.path, "bytes", str(error))
        differs = _first_difference(made, frozen.file_chunks(session, period, file.path))
        if differs is None:
            return Proved(file.path, "bytes")
        if not by_libraries or exactly:
            return Proved(file.path, "bytes", f"it differs from byte {differs:,} on")
        with _spooled() as was:
            for block in frozen.file_chunks(session, period, file.path):
                was.write(block)
            wrong = same_content(file.path, was, made)
    return Proved(file.path, "content", wrong)


@contextmanager
def _spooled() -> Iterator[BinaryIO]:
    with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
        yield cast(BinaryIO, file)


def _first_difference(made: BinaryIO, stored: Iterator[bytes]) -> int | None:
    """Return how many bytes are the same before the first that is not; ``None`` if all are and there are no more."""
    made.seek(0)
    at = 0
    for block in stored:
        other = made.read(len(block))
        if other != block:
            pairs = zip(block, other, strict=False)
            return at + next((n for n, (a, b) in enumerate(pairs) if a != b), len(other))
        at += len(block)
    return at if made.read(1) else None


def _manifest_of(session: Session, period: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(frozen.file_chunks(session, period, MANIFEST)))
    return found


def _manifest_again(context: Context, again: FrozenRun, recorded: dict[str, Any]) -> Proved:
    """Make the manifest again; it lists the stored files, so what they hold has to be proved by themselves."""
    with context.database.office() as session:
        files = [f for f in frozen.stored_files(session, again.period) if f.path != MANIFEST]
        try:
            document = manifest(again, files, prove_footing(session, again.period))
        except BooksDoNotBalance as error:
            return Proved(MANIFEST, "bytes", error.message)
        stored = b"".join(frozen.file_chunks(session, again.period, MANIFEST))
    if document == stored:
        return Proved(MANIFEST, "bytes")
    same = {**json.loads(document), "made_with": recorded.get("made_with")} == recorded
    return Proved(MANIFEST, "content", None if same else "it says something else")
