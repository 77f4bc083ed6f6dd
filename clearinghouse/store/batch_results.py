"""Results of a batch: one a line, kept as arrays, a row for each sequence of a part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from clearinghouse.store.bulk import array
from clearinghouse.store.database import Session

ACCEPTED = "accepted"
REPEATED = "repeated"
INVALID = "line_invalid"
#: More parts than any batch has.
PARTS_MAX = 2**31 - 1


class LineResult(NamedTuple):
    """What became of a line.

    ``code`` is ``accepted`` or ``repeated`` (both with the transaction's id), ``line_invalid`` (with the
    fault in a sentence, and neither host nor reference), or the code of a refusal.
    """

    line: int
    host: str | None
    ref: str | None
    code: str
    txn_id: UUID | None
    fault: str | None


class Tally(NamedTuple):
    """How many lines there are of each outcome."""

    accepted: int
    repeated: int
    refused: int
    invalid: int


class Place(NamedTuple):
    """Where results belong: batch, system, part, and the lane of the part that they are of."""

    batch: int
    system: int
    part: int
    lane: int


_COLUMNS = (
    "batch, system, part, lane, last_line, accepted, repeated, refused, invalid,"
    " lines, hosts, refs, codes, txn_ids, faults"
)
_INSERT = (
    f"INSERT INTO batch_results ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s,"
    " %s::int[], %s::text[], %s::text[], %s::text[], %s::uuid[], %s::text[])"
)


def add(session: Session, results: Sequence[tuple[Place, Sequence[LineResult]]]) -> None:
    """Write the results of sequences, each in the order of its lines."""
    parameters: list[object] = []
    count = 0
    for place, lines in results:
        if lines:
            count += 1
            columns = zip(*lines, strict=True)
            parameters += [*place, lines[-1].line, *_tally(lines), *map(array, columns)]
    if count:
        session.run("; ".join([_INSERT] * count), parameters)


def _tally(results: Sequence[LineResult]) -> Tally:
    codes = [result.code for result in results]
    accepted, repeated, invalid = (codes.count(code) for code in (ACCEPTED, REPEATED, INVALID))
    return Tally(accepted, repeated, len(codes) - accepted - repeated - invalid, invalid)


def answered(
    session: Session, batch: int, first_part: int, last_part: int
) -> tuple[frozenset[int], int]:
    """Return the lines of some parts that have their results, and the first lane that all of these leave free."""
    rows = session.rows(
        "SELECT lane, lines FROM batch_results WHERE batch = %s AND part BETWEEN %s AND %s",
        [batch, first_part, last_part],
    )
    lines = frozenset(line for row in rows for line in row[1])
    return lines, max((row[0] for row in rows), default=-1) + 1


def tally(session: Session, batch: int, parts: tuple[int, int] = (0, PARTS_MAX)) -> Tally:
    """Return how many lines of a batch there are of each outcome by now, of some parts or all."""
    row = session.row(
        "SELECT coalesce(sum(accepted), 0), coalesce(sum(repeated), 0), coalesce(sum(refused), 0),"
        " coalesce(sum(invalid), 0) FROM batch_results WHERE batch = %s AND part BETWEEN %s AND %s",
        [batch, *parts],
    )
    return Tally(*row) if row else Tally(0, 0, 0, 0)


def tallies(session: Session, batches: Sequence[int]) -> dict[int, Tally]:
    """Return the same of several batches; one that has no results yet is left out."""
    rows = session.rows(
        "SELECT batch, sum(accepted), sum(repeated), sum(refused), sum(invalid) FROM batch_results"
        " WHERE batch = ANY (%s::bigint[]) GROUP BY batch",
        [array(batches)],
    )
    return {batch: Tally(*sums) for batch, *sums in rows}


def page(session: Session, batch: int, after: int, through: int, limit: int) -> list[LineResult]:
    """Return results in the order of the lines, of lines above ``after`` up to ``through``.

    There may be fewer than ``limit`` before the end: at most two parts are read. None mean that the end is reached.
    """
    return [
        LineResult(*row)
        for row in session.rows(
            "SELECT u.* FROM batch_results r,"
            " unnest(r.lines, r.hosts, r.refs, r.codes, r.txn_ids, r.faults)"
            " AS u (line, host, ref, code, txn_id, fault)"
            " WHERE r.batch = %s AND r.part IN (SELECT part FROM batch_results"
            " WHERE batch = %s AND last_line > %s GROUP BY part ORDER BY part LIMIT 2)"
            " AND u.line > %s AND u.line <= %s ORDER BY u.line LIMIT %s",
            [batch, batch, after, after, through, limit],
        )
    ]
