"""Parts of published files: any stretch of their bytes, without reading what lies before it.

A file is stored in pieces of one size (``frozen.store_file``), uncompressed, so PostgreSQL reads of a piece only what
is asked for. Under row-level security another system's file has no bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from clearinghouse.store.database import Session
from clearinghouse.store.frozen import CHUNK_BYTES


class Place(NamedTuple):
    """Where the lines of a transaction stand among a statement's: what these are in order by (domain.md §4)."""

    business_date: date
    occurred_at: datetime
    host_hotel: str
    txn_ref: str


def part(session: Session, period: int, path: str, offset: int, length: int) -> bytes:
    """Return up to ``length`` bytes of a file from an offset on, counted from 0; fewer only at its end."""
    found = b""
    for chunk in range(offset // CHUNK_BYTES, (offset + length - 1) // CHUNK_BYTES + 1):
        start = max(offset - chunk * CHUNK_BYTES, 0)
        end = min(offset + length - chunk * CHUNK_BYTES, CHUNK_BYTES)
        row = session.row(
            "SELECT substring(bytes FROM %s FOR %s) FROM period_file_chunks"
            " WHERE period = %s AND path = %s AND chunk = %s",
            [start + 1, end - start, period, path, chunk],
        )
        if row is None:
            break
        found += bytes(row[0])
    return found


def first_piece_with(
    session: Session, period: int, path: str, needle: bytes, pieces: range
) -> int | None:
    """Return the first of some pieces of a file in which bytes are, or begin; the server looks, nothing is sent."""
    seam = len(needle) - 1
    row = session.row(
        "SELECT c.chunk FROM period_file_chunks c LEFT JOIN period_file_chunks n"
        " ON n.period = c.period AND n.path = c.path AND n.chunk = c.chunk + 1"
        " WHERE c.period = %s AND c.path = %s AND c.chunk BETWEEN %s AND %s AND (position(%s IN c.bytes) > 0"
        "  OR position(%s IN substring(c.bytes FROM %s) || coalesce(substring(n.bytes FOR %s), '')) > 0)"
        " ORDER BY 1 LIMIT 1",
        [period, path, pieces[0], pieces[-1], needle, needle, CHUNK_BYTES - seam + 1, seam],
    )
    return None if row is None else int(row[0])


def places_of_reference(session: Session, system: int, period: int, txn_ref: str) -> list[Place]:
    """Return where on a system's statement transactions with a reference stand, in its order: one for each hotel."""
    return _places(
        session,
        system,
        "transaction_refs r JOIN transactions t ON t.period = %s AND t.txn_id = r.txn_id",
        "r.txn_ref = %s AND r.host_hotel = ANY (ARRAY (SELECT number FROM hotels))",
        [period, txn_ref],
    )


def places_of_transactions(
    session: Session, system: int, period: int, wanted: Sequence[object]
) -> list[Place]:
    """Return where on a system's statement transactions stand, in its order."""
    return _places(
        session,
        system,
        "transactions t",
        "t.period = %s AND t.txn_id = ANY (%s::uuid[])",
        [period, [str(txn_id) for txn_id in wanted]],
    )


def _places(
    session: Session, system: int, source: str, condition: str, parameters: list[object]
) -> list[Place]:
    rows = session.rows(
        f"SELECT t.business_date, t.occurred_at, h.code, t.txn_ref FROM {source}"
        f" JOIN hotels h ON h.number = t.host_hotel WHERE {condition}"
        " AND EXISTS (SELECT FROM legs g WHERE g.period = t.period AND g.txn_id = t.txn_id"
        "  AND (g.host_system = %s OR (g.issuer_system = %s AND g.fee_kind <> 'spend')))"
        ' ORDER BY t.business_date, t.occurred_at, h.code COLLATE "C", t.txn_ref COLLATE "C"',
        [*parameters, system, system],
    )
    return [Place(*row) for row in rows]
