"""The lines of a statement: each leg of a closed period as one party may see it, in the contract's columns.

Who may see what of a leg has its one home here (decision 0006): a system sees the legs that it hosted, and those in
which another drew on what it issued. A cash leg is the host's alone: it carries no obligation, and what a traveller
spends at another system is not the card issuer's business. The card is the host's guest; an issuer of points learns
only that they were redeemed. Lots are the issuer's; rates, bases and fees the host's, who pays them. The clearing
house sees all legs, but neither cards nor lots, and a fee is its income: there it is negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from clearinghouse.store.chunks import table_of
from clearinghouse.store.database import Row, Session
from clearinghouse.store.line_texts import Column, as_columns, as_csv, as_json, as_unquoted
from clearinghouse.store.staged_legs import ORDER
from clearinghouse.store.staging import hold

_LINE_NO = f"row_number() OVER (ORDER BY {ORDER})"
#: The contract's columns in its order (interfaces.md) behind the statement's number and the line's: the type of each,
#: and what it is made of where all who see a leg see the same.
_COLUMNS: tuple[tuple[str, str, str | None], ...] = (
    ("txn_id", "code", "left(ids, 36)"),
    ("txn_ref", "text", "txn_ref"),
    ("original_txn_ref", "text", "original_ref"),
    ("business_date", "code", "business_date"),
    ("occurred_at", "code", "split_part(facts, ',', 2)"),
    ("posted_at", "code", "split_part(facts, ',', 3)"),
    ("kind", "code", "split_part(facts, ',', 4)"),
    ("host_hotel", "code", "host_hotel"),
    ("host_system", "code", "host_code"),
    ("issuer_hotel", "code", "issuer_hotel"),
    ("issuer_system", "code", "issuer_code"),
    ("is_cross_system", "boolean", "crosses"),
    ("late", "boolean", "late"),
    ("card_masked", "field", None),
    ("points", "number", "points"),
    ("lots", "plain", None),
    ("gross_debit_minor", "number", None),
    ("gross_credit_minor", "number", None),
    ("fee_rule", "plain", None),
    ("rulebook_version", "code", "split_part(terms, ',', 2)"),
    ("fee_rate_ppm", "number", None),
    ("fee_base_minor", "number", None),
    ("fee_minor", "number", None),
    ("net_minor", "number", None),
    ("reason", "code", "CASE WHEN crosses THEN 'cross_system' ELSE 'own_system' END"),
    ("counterparty_system", "plain", None),
    ("dispute_status", "plain", None),
    ("remarks", "plain", None),
)
_View = Mapping[str, str]
_OWED = "CASE WHEN owes THEN obligation_minor END"
_RULE = {
    "fee_rule": "nullif(split_part(terms, ',', 1), '')",
    "fee_rate_ppm": "nullif(split_part(terms, ',', 3), '')::bigint",
    "fee_base_minor": "base_minor",
}
#: What else a host sees: all of the leg, and of lots those that it issued itself.
_HOST: _View = {
    **_RULE,
    "card_masked": "masked_field",
    "lots": "CASE WHEN NOT crosses THEN lots END",
    "gross_credit_minor": _OWED,
    "fee_minor": "fee_minor",
    "net_minor": "CASE WHEN owes THEN obligation_minor ELSE 0 END - fee_minor",
    "counterparty_system": "CASE WHEN crosses THEN issuer_code END",
}
#: What else an issuer sees on whom another drew.
_ISSUER: _View = {
    "lots": "lots",
    "gross_debit_minor": "obligation_minor",
    "net_minor": "-obligation_minor",
    "counterparty_system": "host_code",
}
_OPERATOR: _View = {
    **_RULE,
    "gross_debit_minor": _OWED,
    "gross_credit_minor": _OWED,
    "fee_minor": "-fee_minor",
    "net_minor": "fee_minor",
}
#: Control characters stand where no line has any, so COPY writes each line as it is.
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
    """Add up the lines of a statement. This and all that reads lines raises as ``staging.hold`` does."""
    hold(session, wanted.period)
    names = ("gross_credit_minor", "gross_debit_minor", "fee_minor")
    seen = " UNION ALL ".join(
        f"SELECT legs, {', '.join(part.view.get(name, 'NULL::bigint') + ' AS ' + name for name in names)}"
        f" FROM {table_of(wanted.period)}_sums WHERE {part.legs}"
        for part in _parts(wanted)
    )
    added = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in ("legs", *names))
    return LineSums(*(session.row(f"SELECT {added} FROM ({seen}) AS seen") or (0, 0, 0, 0)))


def lines(session: Session, wanted: Wanted) -> Iterator[Row]:
    """Yield the lines of a statement as rows of the contract's columns, moments in ISO 8601."""
    hold(session, wanted.period)
    select = _select(session, wanted, as_columns, f"%s, {_LINE_NO}, {_NAMES}")
    yield from session.stream(select, [wanted.statement_no])


def copy_csv(session: Session, wanted: Wanted, out: BinaryIO) -> int:
    """Write the lines of a statement as CSV, a field quoted where it must be; return how many there are."""
    hold(session, wanted.period)
    if _any_breaks(session, wanted):
        select = _select(session, wanted, as_unquoted, f"%s, {_LINE_NO}, {_NAMES}")
        return _copied(session, wanted, select, "(FORMAT csv)", out)
    select = _select(session, wanted, as_csv, f"%s || ',' || {_LINE_NO} || line")
    return _copied(session, wanted, select, _AS_IT_IS, out)


def copy_json(session: Session, wanted: Wanted, out: BinaryIO) -> int:
    """Write the lines of a statement as one JSON object each, with commas between; return how many there are."""
    hold(session, wanted.period)
    start = f"""'{{"statement_no": "' || %s || '", "line_no": ' || {_LINE_NO}"""
    end = f"CASE WHEN {_LINE_NO} = {wanted.lines} THEN '}}' ELSE '}},' END"
    select = _select(session, wanted, as_json, f"{start} || line || {end}")
    return _copied(session, wanted, select, _AS_IT_IS, out)


class _Part(NamedTuple):
    """Legs that a party sees in one way: a table of them, and the condition on them and on what legs sum to."""

    table: str
    view: _View
    legs: str


def _parts(wanted: Wanted) -> list[_Part]:
    """Return what a party sees. Each part is in order by an index, so that they are merged and not sorted.

    Legs in which another drew are in a table of their own; what they sum to stands among the sums of all.
    """
    table = table_of(wanted.period)
    if wanted.system is None:
        return [_Part(table, _OPERATOR, "true")]
    return [
        _Part(table, _HOST, f"host_system = {wanted.system}"),
        _Part(f"{table}_owed", _ISSUER, f"issuer_system = {wanted.system} AND owes"),
    ]


def _any_breaks(session: Session, wanted: Wanted) -> bool:
    """Tell whether any reference of the period holds what COPY could not write as it is."""
    return (
        session.row(f"SELECT FROM {table_of(wanted.period)}_sums WHERE broken LIMIT 1") is not None
    )


def _select(
    session: Session, wanted: Wanted, made: Callable[[Sequence[Column]], str], columns: str
) -> str:
    """Return the SELECT of a statement's lines in their order: what is made of each leg, and columns out of that."""
    session.run(
        # A sort of all lines would go to disk.
        "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;"
        " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL cursor_tuple_fraction = 1"
    )
    seen = " UNION ALL ".join(
        f"(SELECT {ORDER}, {made(_columns(part.view))} FROM {part.table} WHERE {part.legs} ORDER BY {ORDER})"
        for part in _parts(wanted)
    )
    return f"SELECT {columns} FROM ({seen}) AS seen ORDER BY {ORDER}"


def _copied(session: Session, wanted: Wanted, select: str, options: str, out: BinaryIO) -> int:
    with session.cursor() as cursor:
        copy = cursor.mogrify(f"COPY ({select}) TO STDOUT {options}", [wanted.statement_no])
        cursor.copy_expert(copy.decode(), out)
        return cursor.rowcount


def _columns(view: _View) -> list[Column]:
    return [Column(name, kind, view.get(name, value)) for name, kind, value in _COLUMNS]


_NAMES = ", ".join(name for name, _, _ in _COLUMNS)


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
