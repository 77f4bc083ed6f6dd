"""The books as plain rows: all that there is, or what must be alike however often an import was killed."""

from typing import Any

from clearinghouse.store.database import Database, Session
from clearinghouse.store.rollups import CURRENT

Dump = dict[str, list[tuple[Any, ...]]]

#: Without ids, numbers of lots and moments: those may differ between two imports of the same pack.
_MEANING = {
    "transactions": "SELECT host_hotel, txn_ref, original_ref, kind, card, traveller, business_date,"
    " occurred_at, amount_minor, points, earn_ppm, rulebook, period, late, lot IS NOT NULL"
    " FROM transactions",
    "references": "SELECT r.host_hotel, r.txn_ref, r.content, t.txn_ref FROM transaction_refs r"
    " LEFT JOIN transactions t USING (txn_id)",
    "legs": "SELECT t.host_hotel, t.txn_ref, l.leg_no, l.fee_kind, l.host_system, l.issuer_hotel,"
    " l.issuer_system, l.rulebook, l.points, l.base_minor, l.obligation_minor, l.fee_minor, o.txn_ref,"
    " l.reverses_leg FROM legs l JOIN transactions t USING (period, txn_id)"
    " LEFT JOIN transactions o ON o.txn_id = l.reverses_txn",
    "postings": "SELECT t.host_hotel, t.txn_ref, p.seq, p.period, p.debit, p.credit, p.asset, p.amount,"
    " s.host_hotel, s.txn_ref FROM postings p LEFT JOIN transactions t ON t.txn_id = p.entry_id"
    " LEFT JOIN lots l ON l.number = p.lot LEFT JOIN transactions s ON s.txn_id = l.txn_id",
    "lots": "SELECT l.traveller, rank() OVER (PARTITION BY l.traveller ORDER BY l.number), t.host_hotel,"
    " t.txn_ref, l.issuer_hotel, l.asset, l.period, l.issued, l.remaining, l.held, l.expired, l.gone,"
    " l.forgiven, l.usable_from, l.expires_on, s.issued FROM lots l JOIN transactions t USING (txn_id)"
    " LEFT JOIN lots s ON s.number = l.restored_from",
    "debts": "SELECT d.traveller, rank() OVER (PARTITION BY d.traveller ORDER BY d.number), l.issued,"
    " d.issuer_hotel, d.period, d.owed, d.remaining, d.posted, d.ends_on FROM debts d"
    " JOIN lots l ON l.number = d.lot",
    "rollups": f"SELECT * FROM {CURRENT} AS r",
    "rejections": "SELECT f.name, r.line, r.host_hotel, r.txn_ref, r.code FROM import_rejections r"
    " JOIN import_files f ON f.number = r.file",
    "files": "SELECT sha256, name, lines, lanes, lines_each FROM import_files",
    "answered": "SELECT file, sum(lines) FROM import_progress GROUP BY 1",
    "periods": "SELECT period, state FROM periods",
    "cards": "SELECT number, number_index, traveller, issuer_hotel FROM cards",
    "card_tiers": "SELECT * FROM card_tiers",
    "travellers": "SELECT number, ref, profile_on FROM travellers",
}


def meaning(url: str) -> Dump:
    """What the books say, in an order of its own."""
    return _dumped(url, _MEANING)


def everything(url: str) -> Dump:
    """Every column of every row of every table."""
    database = Database(url)
    with database.office() as session:
        tables = _tables(session)
    database.close()
    return _dumped(url, {table: f'SELECT * FROM "{table}"' for table in tables})


def _tables(session: Session) -> list[str]:
    rows = session.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1"
    )
    return [row[0] for row in rows]


def _dumped(url: str, queries: dict[str, str]) -> Dump:
    database = Database(url)
    with database.office() as session:
        dump = {
            name: sorted((_plain(row) for row in session.rows(query)), key=repr)
            for name, query in queries.items()
        }
    database.close()
    return dump


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)


def differing(one: Dump, other: Dump) -> dict[str, tuple[int, int, list[Any]]]:
    """The tables that differ: how many rows each has, and the first differing rows."""
    return {
        name: (
            len(one[name]),
            len(other.get(name, [])),
            [
                pair
                for pair in zip(one[name], other.get(name, []), strict=False)
                if pair[0] != pair[1]
            ][:2],
        )
        for name in one
        if one[name] != other.get(name)
    }
