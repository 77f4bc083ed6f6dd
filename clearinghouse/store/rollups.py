"""Roll-ups: increments appended with the transactions, folded behind them into one row a key (domain.md §4)."""

from __future__ import annotations

from clearinghouse.domain.netting import FEE_MEASURES, OBLIGATION_KINDS, Measure, Obligations
from clearinghouse.store.database import Session

_FOLD_LOCK = 727005
_WHOSE = "(%s::int IS NULL OR period = %s)"
# By where they lie: only who holds the lock takes any away.
_SOME = f"ctid = ANY (ARRAY(SELECT ctid FROM rollup_increments WHERE {_WHOSE} LIMIT %s))"


def fold(session: Session, period: int | None = None, most: int | None = None) -> int:
    """Move increments into the roll-ups, all or so many at most; return how many there were.

    Only committed increments are seen and only those are deleted, so none is lost or counted twice however
    the transactions that append them overlap. One fold at a time: two would meet at the same roll-up rows.
    """
    session.row("SELECT pg_advisory_xact_lock(%s)", [_FOLD_LOCK])
    row = session.row(
        f"WITH taken AS (DELETE FROM rollup_increments WHERE {_WHOSE if most is None else _SOME} RETURNING *),"
        " sums AS (SELECT period, measure, debtor, creditor, sum(count) AS count, sum(amount) AS amount"
        " FROM taken GROUP BY 1, 2, 3, 4),"
        " folded AS (INSERT INTO rollups (period, measure, debtor, creditor, count, amount)"
        " SELECT * FROM sums"
        " ON CONFLICT (period, measure, debtor, creditor) DO UPDATE"
        " SET count = rollups.count + excluded.count, amount = rollups.amount + excluded.amount)"
        " SELECT count(*) FROM taken",
        [period, period, *([] if most is None else [most])],
    )
    return int(row[0]) if row else 0


def fold_if_free(session: Session) -> None:
    """Move increments into the roll-ups, unless somebody else does it at this moment."""
    row = session.row("SELECT pg_try_advisory_xact_lock(%s)", [_FOLD_LOCK])
    if row and row[0]:
        fold(session)


#: Roll-ups with what has not been folded yet.
CURRENT = (
    "(SELECT period, measure, debtor, creditor, sum(count)::bigint AS count, sum(amount)::bigint AS amount"
    " FROM (SELECT * FROM rollups UNION ALL"
    " SELECT period, measure, debtor, creditor, count, amount FROM rollup_increments) AS both_parts"
    " GROUP BY 1, 2, 3, 4)"
)


def obligations(session: Session, period: int) -> list[Obligations]:
    """Return the gross obligations of a period, per pair and kind."""
    return [
        Obligations(debtor, creditor, OBLIGATION_KINDS[Measure(measure)], count, amount)
        for measure, debtor, creditor, count, amount in session.rows(
            f"SELECT measure, debtor, creditor, count, amount FROM {CURRENT} AS r"
            " WHERE period = %s AND measure = ANY (%s) ORDER BY debtor, creditor, measure",
            [period, [int(measure) for measure in OBLIGATION_KINDS]],
        )
    ]


def of_system(session: Session, period: int, system: int) -> tuple[list[Obligations], int]:
    """Return what one system owes and is owed in a period, per other system and kind, and its fees in fen."""
    pairs, charged = [], 0
    for measure, debtor, creditor, count, amount in session.rows(
        f"SELECT measure, debtor, creditor, count, amount FROM {CURRENT} AS r"
        " WHERE period = %s AND (debtor = %s OR creditor = %s) AND measure = ANY (%s)",
        [period, system, system, [*map(int, OBLIGATION_KINDS), *FEE_MEASURES.values()]],
    ):
        if measure in OBLIGATION_KINDS:
            kind = OBLIGATION_KINDS[Measure(measure)]
            pairs.append(Obligations(debtor, creditor, kind, count, amount))
        elif debtor == system:
            charged += amount
    return pairs, charged


def fees(session: Session, period: int) -> dict[int, int]:
    """Return the fees of a period in fen, per host system."""
    rows = session.rows(
        f"SELECT debtor, sum(amount)::bigint FROM {CURRENT} AS r"
        " WHERE period = %s AND measure = ANY (%s) GROUP BY 1",
        [period, [Measure.FEE_SPEND, Measure.FEE_REDEEM, Measure.FEE_STORED_VALUE]],
    )
    return dict(rows)
