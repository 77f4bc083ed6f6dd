"""The lines of a statement: each leg of a closed period as one party may see it, in the contract's columns.

Who may see what of a leg has its one home here (decision 0006): a system sees the legs that it hosted, and those in
which another drew on what it issued. A cash leg is the host's alone: it carries no obligation, and what a traveller
spends at another system is not the card issuer's business. The card is the host's guest; an issuer of points learns
only that they were redeemed. Lots are the issuer's; rates, bases and fees the host's, who pays them. The clearing
house sees all legs, but neither cards nor lots, and a fee is its income: there it is negative.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from clearinghouse.store.database import Row, Session
from clearinghouse.store.staged_legs import table_of

_OWES, _CHARGED = "crosses AND shared", "crosses AND is_host"
_LINE_NO = "row_number() OVER (ORDER BY place)"
#: The contract's columns in its order (interfaces.md): what each is made of, and its type.
_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("statement_no", "%s", "plain"),
    ("line_no", _LINE_NO, "number"),
    ("txn_id", "txn_id", "plain"),
    ("txn_ref", "txn_ref", "text"),
    ("original_txn_ref", "original_ref", "text"),
    ("business_date", "business_date", "plain"),
    ("occurred_at", "occurred_at", "plain"),
    ("posted_at", "posted_at", "plain"),
    ("kind", "kind", "plain"),
    ("host_hotel", "host_hotel", "text"),
    ("host_system", "host_code", "text"),
    ("issuer_hotel", "issuer_hotel", "text"),
    ("issuer_system", "issuer_code", "text"),
    ("is_cross_system", "crosses", "boolean"),
    ("late", "late", "boolean"),
    ("card_masked", "CASE WHEN is_host THEN masked END", "plain"),
    ("points", "points", "number"),
    ("lots", "CASE WHEN is_issuer THEN lots END", "plain"),
    ("gross_debit_minor", f"CASE WHEN {_OWES} AND is_issuer THEN obligation_minor END", "number"),
    ("gross_credit_minor", f"CASE WHEN {_OWES} AND is_host THEN obligation_minor END", "number"),
    ("fee_rule", "CASE WHEN is_host THEN fee_rule END", "plain"),
    ("rulebook_version", "version", "text"),
    ("fee_rate_ppm", "CASE WHEN is_host THEN fee_rate_ppm END", "number"),
    ("fee_base_minor", "CASE WHEN is_host THEN base_minor END", "number"),
    ("fee_minor", "CASE WHEN is_host THEN fee_minor END", "number"),
    (
        "net_minor",
        (
            f"CASE WHEN {_OWES} AND is_host THEN obligation_minor ELSE 0 END"
            f" - CASE WHEN {_OWES} AND is_issuer THEN obligation_minor ELSE 0 END"
            " - CASE WHEN is_host THEN fee_minor ELSE 0 END"
        ),
        "number",
    ),
    ("reason", "CASE WHEN crosses THEN 'cross_system' ELSE 'own_system' END", "plain"),
    ("counterparty_system", "counterparty", "text"),
    ("dispute_status", "NULL::text", "plain"),
    ("remarks", "NULL::text", "plain"),
)
_SEEN = (
    "place, points, base_minor, obligation_minor, fee_rate_ppm, business_date, late, crosses, shared, txn_id, txn_ref,"
    " original_ref, occurred_at, posted_at, kind, host_hotel, host_code, issuer_hotel, issuer_code, fee_rule, version"
)
#: What one system sees: what it hosted, in its own system or across, and what others drew on. Each part is in order
#: by an index, so that they are merged and not sorted.
_OF_SYSTEM = (
    f"((SELECT {_SEEN}, fee_minor, masked, lots, true AS is_host, NOT crosses AS is_issuer,"
    " CASE WHEN crosses THEN issuer_code END AS counterparty FROM {table} WHERE host_system = {system} ORDER BY place)"
    f" UNION ALL (SELECT {_SEEN}, fee_minor, masked, lots, false, true, host_code"
    " FROM {table} WHERE issuer_system = {system} AND crosses AND shared ORDER BY place)) AS seen"
)
_OF_OPERATOR = (
    f"(SELECT {_SEEN}, -fee_minor AS fee_minor, NULL::text AS masked, NULL::text AS lots, true AS is_host,"
    " true AS is_issuer, NULL::text AS counterparty FROM {table}) AS seen"
)
#: A control character stands where none can be in a JSON text, so COPY writes each line as it is.
_AS_IT_IS = "(FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')"


class Wanted(NamedTuple):
    """Which statement: its period, whose it is (``None``: the clearing house's), its number and how many lines."""

    period: int
    system: int | None
    statement_no: str
    lines: int


class LineSums(NamedTuple):
    """How many lines a statement has and what they add up to, in fen."""

    lines: int
    receivable_minor: int
    payable_minor: int
    fees_minor: int


class ActivitySum(NamedTuple):
    """Legs that a system hosted, of one kind, across systems or inside its own."""

    system: int
    fee_kind: str
    cross: bool
    legs: int
    base_minor: int
    fee_minor: int


def sums(session: Session, wanted: Wanted) -> LineSums:
    """Add up the lines of a statement."""
    values = {name: value for name, value, _ in _COLUMNS}
    names = ("gross_credit_minor", "gross_debit_minor", "fee_minor")
    added = ", ".join(f"coalesce(sum({values[name]}), 0)::bigint" for name in names)
    _by_index(session)
    row = session.row(f"SELECT count(*), {added} FROM {_seen(wanted)}")
    return LineSums(*(row or (0, 0, 0, 0)))


def lines(session: Session, wanted: Wanted) -> Iterator[Row]:
    """Yield the lines of a statement as rows of the contract's columns, moments in ISO 8601."""
    _by_index(session)
    columns = ", ".join(f"{value} AS {name}" for name, value, _ in _COLUMNS)
    sql = f"SELECT {columns} FROM {_seen(wanted)} ORDER BY place"
    yield from session.stream(sql, [wanted.statement_no])


def copy_csv(session: Session, wanted: Wanted, out: BinaryIO) -> int:
    """Write the lines of a statement as CSV, a field quoted where it must be; return how many there are."""
    columns = ", ".join(_CSV.get(kind, "{}").format(value) for _, value, kind in _COLUMNS)
    return _copied(session, wanted, columns, "(FORMAT csv)", out)


def copy_json(session: Session, wanted: Wanted, out: BinaryIO) -> int:
    """Write the lines of a statement as one JSON object each, with commas between; return how many there are."""
    members = ", ', ', ".join(
        f"""'"{name}": ', {_JSON[kind].format(value)}""" for name, value, kind in _COLUMNS
    )
    end = f"CASE WHEN {_LINE_NO} = {wanted.lines} THEN '}}' ELSE '}},' END"
    return _copied(session, wanted, f"concat('{{', {members}, {end})", _AS_IT_IS, out)


_TRUTH = "CASE WHEN {} THEN 'true' ELSE 'false' END"
_CSV = {"boolean": _TRUTH}
#: Plain texts are made by ourselves and hold nothing that JSON escapes.
_JSON = {
    "plain": "coalesce('\"' || ({}) || '\"', 'null')",
    "text": "coalesce(to_json({})::text, 'null')",
    "number": "coalesce(({})::text, 'null')",
    "boolean": _TRUTH,
}


def _seen(wanted: Wanted) -> str:
    part = _OF_OPERATOR if wanted.system is None else _OF_SYSTEM
    return part.format(table=table_of(wanted.period), system=wanted.system)


def _by_index(session: Session) -> None:
    """Let this transaction read lines in their order by index: a sort of all of them would go to disk."""
    session.run(
        "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;"
        " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL cursor_tuple_fraction = 1"
    )


def _copied(session: Session, wanted: Wanted, columns: str, options: str, out: BinaryIO) -> int:
    _by_index(session)
    select = f"SELECT {columns} FROM {_seen(wanted)} ORDER BY place"
    with session.cursor() as cursor:
        copy = cursor.mogrify(f"COPY ({select}) TO STDOUT {options}", [wanted.statement_no])
        cursor.copy_expert(copy.decode(), out)
        return cursor.rowcount


def activity(session: Session, period: int) -> list[ActivitySum]:
    """Return what every system hosted in a period, by kind and by own system or across."""
    return [
        ActivitySum(*row)
        for row in session.rows(
            "SELECT host_system, fee_kind, host_system <> issuer_system, count(*), sum(base_minor)::bigint,"
            " sum(fee_minor)::bigint FROM legs WHERE period = %s GROUP BY 1, 2, 3",
            [period],
        )
    ]


def line_counts(session: Session, period: int) -> dict[int, int]:
    """Return how many lines each system's statement has."""
    rows = session.rows(
        "SELECT party, count(*) FROM ("
        " SELECT host_system AS party FROM legs WHERE period = %s"
        " UNION ALL SELECT issuer_system FROM legs"
        " WHERE period = %s AND issuer_system <> host_system AND fee_kind <> 'spend'"
        ") AS parties GROUP BY 1",
        [period, period],
    )
    return dict(rows)


def rulebooks_used(session: Session, period: int) -> list[int]:
    """Return the rulebook versions that judged legs of a period."""
    return [
        row[0]
        for row in session.rows("SELECT DISTINCT rulebook FROM legs WHERE period = %s", [period])
    ]
