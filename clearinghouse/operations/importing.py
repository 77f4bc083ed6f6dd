"""Importing an alliance pack: all of its reference data, then its transactions file by file (interfaces.md)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from clearinghouse.domain.deciding import Outcome, Refused
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.context import Context
from clearinghouse.operations.crews import Crew, crew_for, few_collections
from clearinghouse.operations.lanes import split_into_lanes
from clearinghouse.operations.membership import Landed, known, land, pack_date
from clearinghouse.operations.packs import CheckedPack, TransactionsFile, check, read_pack
from clearinghouse.store import imports, outbox, rollups
from clearinghouse.store.card_file import CardFile
from clearinghouse.store.database import Session
from clearinghouse.store.imports import Answered, ImportFile, Rejection

#: A sequence is short enough that no traveller stays locked for long.
LINES_EACH = 2_000
#: How many portions may pass before the roll-ups are folded.
_FOLD_EVERY = 50

#: Told what is being done now, and how many more bytes of how many have been read.
Watch = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FileShare:
    """The lines of one lane of a portion; ``first_line`` is the file line that the portion begins with."""

    file: ImportFile
    portion: int
    lane: int
    first_line: int
    lines: Sequence[Line]

    @property
    def source(self) -> int:
        """The file's number."""
        return self.file.number

    @property
    def received(self) -> None:
        """Nothing: an import replays history."""

    def record(self, session: Session, outcomes: Sequence[Outcome]) -> None:
        """Record which lines are answered, and the refusals."""
        refused = [
            Rejection(line.line_no, line.host_hotel, line.txn_ref, outcome.code.value)
            for line, outcome in zip(self.lines, outcomes, strict=True)
            if isinstance(outcome, Refused)
        ]
        offsets = [line.line_no - self.first_line for line in self.lines]
        imports.sequence_done(session, self.file, self.portion, self.lane, offsets, refused)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did; ``files`` are the transactions files in the pack's order."""

    landed: Landed
    files: tuple[ImportFile, ...]
    lines: int
    rejected: int


def import_pack(
    context: Context,
    folder: Path,
    *,
    lanes: int = 3,
    worth_workers: int | None = None,
    watch: Watch | None = None,
) -> ImportResult:
    """Load a pack: a structural fault refuses all of it, a business refusal only its line.

    From ``worth_workers`` bytes of transactions on its lanes are posted by processes of their own.

    Raises:
        PackFault: nothing was written.
    """
    with _one_at_a_time(context), few_collections():
        pack = read_pack(folder)
        size = 2 * pack.transactions_bytes

        def watching(step: str) -> Callable[[int], None]:
            return lambda count: watch(step, count, size) if watch else None

        # Workers get ready while the files are checked.
        with crew_for(context, lanes, pack.transactions_bytes, worth_workers) as crew:
            with context.database.office() as session:
                known_before = known(session, context.vault, pack)
            checked = check(pack, known_before, watching("check"))
            with context.database.office() as session:
                dated = pack_date(session, pack, context.clock())
                landed = land(session, context.vault, checked, dated, context.clock())
                files = tuple(_register(session, context, file, lanes) for file in checked.files)
            for file, registered in zip(checked.files, files, strict=True):
                _import_file(context, checked, file, registered, crew, watching("post"))
        with context.database.office() as session:
            rollups.fold(session)
            rejected = sum(imports.count_rejections(session, file) for file in files)
            lines = sum(file.lines for file in files)
            outbox.add(
                session,
                context.clock(),
                "import.finished",
                {"files": [file.name for file in files], "lines": lines, "rejected": rejected},
            )
        return ImportResult(landed, files, lines, rejected)


def rejected_lines(
    context: Context, files: Sequence[ImportFile]
) -> Iterator[tuple[str, Rejection]]:
    """Yield the refused lines of files, in order, each with its file's name."""
    for file in files:
        with context.database.office() as session:
            for rejection in imports.rejections(session, file):
                yield file.name, rejection


@contextmanager
def _one_at_a_time(context: Context) -> Iterator[None]:
    """Hold the import lock; it is the database's, so it is free again whatever happens to this process."""
    with context.database.office() as session:
        imports.hold_lock(session)
        # A killed import may still be at its last sequences: its workers, or the server that commits them.
        with context.database.office() as other:
            imports.await_workers(other)
        yield


def _register(session: Session, context: Context, file: TransactionsFile, lanes: int) -> ImportFile:
    registered = imports.register_file(
        session,
        sha256=file.sha256,
        name=file.name,
        lines=file.lines,
        today=context.clock().date(),
        lanes=lanes,
        lines_each=LINES_EACH,
    )
    # The same bytes may have been imported under another name.
    return registered._replace(name=file.name)


def _import_file(
    context: Context,
    pack: CheckedPack,
    file: TransactionsFile,
    registered: ImportFile,
    crew: Crew,
    progress: Callable[[int], None],
) -> None:
    """Post a file portion by portion; the sequences of one portion run side by side."""
    with context.database.office() as session:
        count, answered = imports.answered(session, registered)
    if count == file.lines:
        return
    lines = pack.transactions(file, 0, progress)
    file_cards = CardFile()
    portion = 0
    while block := list(islice(lines, registered.portion_size)):
        first = block[0].line_no
        before = answered.get(portion, Answered(0, 0))
        rest = [line for line in block if not before.bits >> line.line_no - first & 1]
        with context.database.posting() as session:
            cards = file_cards.look_up(session, rest, context.vault)
        # What a killed import left of a portion is one lane: cards that are known since might cut it otherwise.
        lanes = registered.lanes if len(rest) == len(block) else 1
        sequences = split_into_lanes(rest, cards.cards, lanes)
        shares = [
            FileShare(registered, portion, lane, first, sequence)
            for lane, sequence in enumerate(sequences, start=before.next_lane)
            if sequence
        ]
        # A portion waits for the one before it: lines of one traveller or reference keep their order.
        crew.finish()
        crew.begin(shares, cards)
        portion += 1
        if portion % _FOLD_EVERY == 0:
            gc.collect()
            with context.database.office() as session:
                rollups.fold(session)
    crew.finish()
