"""Writing down what became of a batch's lines, in the transaction that posts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clearinghouse.domain.deciding import Accepted, Outcome, Refused, Repeated
from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.batches.parsing import Fault
from clearinghouse.store import batch_results, batches
from clearinghouse.store.batch_results import ACCEPTED, INVALID, REPEATED, LineResult, Place
from clearinghouse.store.batches import StoredPart, Taken
from clearinghouse.store.database import Session


class BatchTakenUp(Exception):
    """Another process has taken the batch up and answers the rest of it."""


@dataclass(frozen=True, slots=True)
class BatchShare:
    """The lines of one lane of some parts; each part is given by its number and its last line."""

    batch: int
    run: int
    system: int
    received: datetime
    lane: int
    parts: tuple[tuple[int, int], ...]
    lines: Sequence[Line]

    @property
    def source(self) -> int:
        """The batch's number."""
        return self.batch

    def record(self, session: Session, outcomes: Sequence[Outcome]) -> None:
        """Write the results of the lines.

        Raises:
            BatchTakenUp: they are not this process's to answer any more.
        """
        self.write(
            session,
            [_result(line, outcome) for line, outcome in zip(self.lines, outcomes, strict=True)],
        )

    def write(self, session: Session, results: Sequence[LineResult]) -> None:
        """Write results, in the order of the lines, each to its part.

        Raises:
            BatchTakenUp: they are not this process's to answer any more.
        """
        must_be_taken(session, self.batch, self.run)
        rest = list(results)
        rows: list[tuple[Place, list[LineResult]]] = []
        for part, last_line in self.parts:
            mine = [result for result in rest if result.line <= last_line]
            rest = rest[len(mine) :]
            rows.append((Place(self.batch, self.system, part, self.lane), mine))
        batch_results.add(session, rows)


def share_of(
    batch: Taken, lane: int, parts: Sequence[StoredPart], lines: Sequence[Line]
) -> BatchShare:
    """Make the share of one lane."""
    bounds = tuple((part.part, part.last_line) for part in parts)
    return BatchShare(batch.number, batch.run, batch.system, batch.received_at, lane, bounds, lines)


def must_be_taken(session: Session, number: int, run: int) -> None:
    """Keep a batch this run's until the transaction ends.

    Raises:
        BatchTakenUp: it is another's.
    """
    if not batches.is_taken(session, number, run):
        raise BatchTakenUp("another process has taken the batch up")


def refused(line: Line, code: RefusalCode) -> LineResult:
    """Return the result of a line that is refused before it is decided."""
    return LineResult(line.line_no, line.host_hotel, line.txn_ref, code.value, None, None)


def faulty(fault: Fault) -> LineResult:
    """Return the result of a line that can't be read. What is in it is not kept: columns may be swapped."""
    return LineResult(fault.line, None, None, INVALID, None, fault.reason)


def _result(line: Line, outcome: Outcome) -> LineResult:
    if isinstance(outcome, Accepted):
        code, txn_id = ACCEPTED, outcome.txn.txn_id
    elif isinstance(outcome, Repeated):
        code, txn_id = REPEATED, outcome.txn_id
    elif isinstance(outcome, Refused):
        return refused(line, outcome.code)
    else:
        raise TypeError("a line of a batch is no authorisation")
    return LineResult(line.line_no, line.host_hotel, line.txn_ref, code, txn_id, None)
