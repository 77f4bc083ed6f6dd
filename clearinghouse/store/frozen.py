"""The frozen figures of a netted period and its published files (domain.md §4); written once, read for ever."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import BinaryIO, NamedTuple

from clearinghouse.domain.directory import System
from clearinghouse.domain.netting import Measure, Obligations, Position
from clearinghouse.domain.operator_profile import OperatorProfile
from clearinghouse.store.bulk import Batch, table
from clearinghouse.store.database import Session

#: What a piece of a stored file has, but for its last one.
CHUNK_BYTES = 1 << 20
#: Stands for a measure that is none of the roll-ups': what the previous period closed with.
_OPENING = 0
_LAST = (
    "(SELECT * FROM points_liability"
    " WHERE period = (SELECT max(period) FROM points_liability WHERE period < %s))"
)

POSITIONS = table(
    "positions",
    "period int, system int, receivable_minor bigint, payable_minor bigint, fees_minor bigint,"
    " vat_minor bigint, adjustments_minor bigint, net_minor bigint, vat_on_top boolean",
)
OBLIGATIONS = table(
    "obligations",
    "period int, debtor int, creditor int, kind text, count bigint, amount_minor bigint",
)


class Liability(NamedTuple):
    """The points of one issuing hotel over a period: opening + issued − redeemed − expired + reversed = closing.

    ``debts`` is what travellers owe the hotel at its end, kept apart.
    """

    hotel: int
    opening: int
    issued: int
    redeemed: int
    expired: int
    reversed: int
    closing: int
    debts: int


class StoredFile(NamedTuple):
    """A published file: its path under the period's folder, hash, size in bytes, and rows where it has any.

    ``system`` is the number of whose it is, ``None`` for the clearing house and for what is of all.
    """

    path: str
    sha256: str
    size: int
    rows: int | None
    system: int | None = None


class RunTerms(NamedTuple):
    """What a run is made by, as it was when the period was netted.

    ``rulebook`` is the number of the version in force; ``hotels`` tells each hotel's system on the period's last day.
    """

    rulebook: int
    systems: list[System]
    operator: OperatorProfile
    hotels: dict[int, int]


def freeze_run(session: Session, period: int, terms: RunTerms) -> None:
    """Write what a period is netted by."""
    parties = {
        "systems": [asdict(system) for system in terms.systems],
        "operator": asdict(terms.operator),
        "hotels": terms.hotels,
    }
    session.run(
        "INSERT INTO netted_runs (period, rulebook, parties) VALUES (%s, %s, %s)",
        [period, terms.rulebook, json.dumps(parties, ensure_ascii=False)],
    )


def run_terms(session: Session, period: int) -> RunTerms:
    """Return what a period was netted by."""
    row = session.row("SELECT rulebook, parties FROM netted_runs WHERE period = %s", [period])
    if row is None:
        raise RuntimeError("the period is not netted")
    number, parties = row
    return RunTerms(
        number,
        [System(**system) for system in parties["systems"]],
        OperatorProfile(**parties["operator"]),
        {int(hotel): system for hotel, system in parties["hotels"].items()},
    )


def freeze_positions(
    session: Session, period: int, positions: Iterable[Position], vat_on_top: bool
) -> None:
    """Write the net positions of a period."""
    batch = Batch()
    batch.insert(
        POSITIONS,
        [
            (
                period, p.system, p.receivable_minor, p.payable_minor, p.fees_minor, p.vat_minor,
                p.adjustments_minor, p.net_minor, vat_on_top,
            )
            for p in positions
        ],
    )  # fmt: skip
    batch.write(session)


def freeze_obligations(session: Session, period: int, pairs: Iterable[Obligations]) -> None:
    """Write the gross obligations of a period; a pair whose legs cancel out owes nothing and is left out."""
    batch = Batch()
    batch.insert(
        OBLIGATIONS,
        [
            (period, pair.debtor, pair.creditor, pair.kind, pair.count, pair.amount_minor)
            for pair in pairs
            if pair.amount_minor != 0
        ],
    )
    batch.write(session)


def freeze_liability(session: Session, period: int) -> int:
    """Write the points liability of every hotel that has or had any, from roll-ups; return how many hotels."""
    sums = ", ".join(
        f"coalesce(sum(amount) FILTER (WHERE measure = {measure}), 0)::bigint AS {name}"
        for name, measure in (
            ("opening", _OPENING),
            ("issued", Measure.POINTS_ISSUED),
            ("redeemed", Measure.POINTS_REDEEMED),
            ("expired", Measure.POINTS_EXPIRED),
            ("reversed", Measure.POINTS_REVERSED),
            ("debts", Measure.POINTS_DEBTS),
        )
    )
    return session.run(
        "INSERT INTO points_liability (period, hotel, opening, issued, redeemed, expired, reversed,"
        " closing, debts)"
        " SELECT %s, hotel, opening, issued, redeemed, expired, reversed,"
        " opening + issued - redeemed - expired + reversed, debts"
        f" FROM (SELECT hotel, {sums} FROM ("
        "  SELECT debtor AS hotel, measure, amount FROM rollups WHERE period = %s AND measure >= %s"
        f"  UNION ALL SELECT hotel, {_OPENING}, closing FROM last"
        f"  UNION ALL SELECT hotel, {Measure.POINTS_DEBTS}, debts FROM last"
        " ) AS parts GROUP BY hotel) AS hotels"
        " WHERE opening <> 0 OR issued <> 0 OR redeemed <> 0 OR expired <> 0 OR reversed <> 0"
        " OR debts <> 0".replace("FROM last", f"FROM {_LAST} AS last"),
        [period, period, int(Measure.POINTS_ISSUED), period, period],
    )


def positions(session: Session, period: int) -> list[Position]:
    """Return the frozen positions of a period, by system code."""
    return [
        Position(*row)
        for row in session.rows(
            "SELECT p.system, p.receivable_minor, p.payable_minor, p.fees_minor, p.vat_minor,"
            " p.adjustments_minor, p.net_minor FROM positions p JOIN systems s ON s.number = p.system"
            " WHERE p.period = %s ORDER BY s.code",
            [period],
        )
    ]


def vat_on_top(session: Session, period: int) -> bool:
    """Tell whether VAT is added to the fees of a netted period."""
    row = session.row("SELECT vat_on_top FROM positions WHERE period = %s LIMIT 1", [period])
    return bool(row and row[0])


def positions_of(session: Session, system: int, periods: Sequence[int]) -> dict[int, Position]:
    """Return the frozen positions of one system in some periods, by period."""
    rows = session.rows(
        "SELECT period, system, receivable_minor, payable_minor, fees_minor, vat_minor, adjustments_minor,"
        " net_minor FROM positions WHERE system = %s AND period = ANY (%s)",
        [system, list(periods)],
    )
    return {period: Position(*row) for period, *row in rows}


def obligations(session: Session, period: int) -> list[Obligations]:
    """Return the frozen obligations of a period, by the codes of debtor and creditor, then kind."""
    return [
        Obligations(*row)
        for row in session.rows(
            "SELECT o.debtor, o.creditor, o.kind, o.count, o.amount_minor FROM obligations o"
            " JOIN systems d ON d.number = o.debtor JOIN systems c ON c.number = o.creditor"
            " WHERE o.period = %s ORDER BY d.code, c.code, o.kind",
            [period],
        )
    ]


def liability(session: Session, period: int) -> list[Liability]:
    """Return the frozen points liability of a period, by hotel code."""
    return [
        Liability(*row)
        for row in session.rows(
            "SELECT l.hotel, l.opening, l.issued, l.redeemed, l.expired, l.reversed, l.closing, l.debts"
            " FROM points_liability l JOIN hotels h ON h.number = l.hotel WHERE l.period = %s"
            " ORDER BY h.code",
            [period],
        )
    ]


def net_history(session: Session, period: int, months: int) -> dict[int, list[tuple[int, int]]]:
    """Return (period, net) of every system over the last ``months`` netted periods, oldest first."""
    found: dict[int, list[tuple[int, int]]] = {}
    for system, month, net in session.rows(
        "SELECT system, period, net_minor FROM positions WHERE period > %s AND period <= %s"
        " ORDER BY system, period",
        [period - months, period],
    ):
        found.setdefault(system, []).append((month, net))
    return found


def net_before(session: Session, period: int) -> dict[int, int]:
    """Return what every system was net to receive (+) or pay (−) over all periods before this one."""
    rows = session.rows(
        "SELECT system, sum(net_minor)::bigint FROM positions WHERE period < %s GROUP BY 1",
        [period],
    )
    return dict(rows)


def store_file(
    session: Session,
    period: int,
    path: str,
    content: BinaryIO,
    *,
    system: int | None = None,
    rows: int | None = None,
) -> None:
    """Store a file of a period in chunks, reading ``content`` twice from its start: no more of it is in memory."""
    digest, size = sha256(), 0
    for block in _blocks(content):
        digest.update(block)
        size += len(block)
    session.run(
        "INSERT INTO period_files (period, path, system, sha256, size, rows)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [period, path, system, digest.hexdigest(), size, rows],
    )
    for chunk, block in enumerate(_blocks(content)):
        session.run(
            "INSERT INTO period_file_chunks (period, path, chunk, bytes) VALUES (%s, %s, %s, %s)",
            (period, path, chunk, block),
        )


def _blocks(content: BinaryIO) -> Iterator[bytes]:
    content.seek(0)
    while block := content.read(CHUNK_BYTES):
        yield block


def stored_files(session: Session, period: int) -> list[StoredFile]:
    """Return the files of a period, by path."""
    return [
        StoredFile(*row)
        for row in session.rows(
            'SELECT path, sha256, size, rows, system FROM period_files WHERE period = %s ORDER BY path COLLATE "C"',
            [period],
        )
    ]


def files_at(
    session: Session, periods: Sequence[int], paths: Sequence[str]
) -> dict[int, list[StoredFile]]:
    """Return which of these files some periods have, by period."""
    found: dict[int, list[StoredFile]] = {}
    for period, *row in session.rows(
        "SELECT period, path, sha256, size, rows FROM period_files WHERE period = ANY (%s) AND path = ANY (%s)",
        [list(periods), list(paths)],
    ):
        found.setdefault(period, []).append(StoredFile(*row))
    return found


def file_chunk(session: Session, period: int, path: str, chunk: int) -> bytes | None:
    """Return one part of a file's bytes, counted from 0; ``None`` behind the last."""
    row = session.row(
        "SELECT bytes FROM period_file_chunks WHERE period = %s AND path = %s AND chunk = %s",
        [period, path, chunk],
    )
    return None if row is None else bytes(row[0])


def file_chunks(session: Session, period: int, path: str) -> Iterator[bytes]:
    """Yield the stored bytes of a file."""
    for row in session.stream(
        "SELECT bytes FROM period_file_chunks WHERE period = %s AND path = %s ORDER BY chunk",
        [period, path],
        batch=4,
    ):
        yield bytes(row[0])


def file_heads(
    session: Session, period: int, paths: Sequence[str], length: int
) -> list[tuple[str, bytes]]:
    """Return the first bytes of some files of a period; what lies behind them is not read."""
    return [
        (path, bytes(head))
        for path, head in session.rows(
            "SELECT path, substr(bytes, 1, %s) FROM period_file_chunks"
            " WHERE period = %s AND path = ANY (%s) AND chunk = 0",
            [length, period, list(paths)],
        )
    ]
