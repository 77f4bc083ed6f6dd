"""What hotels have issued: points and stored value, in total and per frozen period (domain.md §5.3)."""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind, Asset
from clearinghouse.store.checks.check import FROZEN, kind, month, owner, query

A = AccountKind
_FIRST, _LAST_POINTS, _DEBTS = int(A.POINTS_ISSUED), int(A.POINTS_REVERSED), int(A.POINTS_DEBTS)
_STORED_VALUE = f"({A.STORED_VALUE_ISSUED:d}, {A.STORED_VALUE_USED:d})"
_POINT = int(Asset.POINT)


def _issuing(account: str) -> str:
    """Return the condition that an account stands against lots of a hotel."""
    return f"({kind(account)} BETWEEN {_FIRST} AND {_LAST_POINTS} OR {kind(account)} IN {_STORED_VALUE})"


ISSUED_EQUALS_OUTSTANDING = query(
    "3.1", "发行减使用等于未用",
    "What a hotel issued, less what was used and expired, is what its lots have left", "hotels",
    f"""
SELECT 1, CASE WHEN s.difference <> 0 THEN format(
    'the lots of hotel %s and what it issued, less what was used and expired, differ by %s %s',
    coalesce(h.code, s.hotel::text), abs(s.difference), CASE s.asset WHEN {_POINT} THEN 'points' ELSE 'fen' END)
    END
FROM (
    SELECT hotel, asset, sum(amount) AS difference FROM (
        SELECT {owner("debit")} AS hotel, asset, amount FROM postings WHERE {_issuing("debit")}
        UNION ALL SELECT {owner("credit")}, asset, -amount FROM postings WHERE {_issuing("credit")}
        UNION ALL SELECT issuer_hotel, asset, -remaining FROM lots
    ) AS amounts GROUP BY 1, 2
) AS s LEFT JOIN hotels h ON h.number = s.hotel
""",
)  # fmt: skip


def _moved(account: AccountKind, sign: int, periods: str) -> str:
    where = f"m.kind = {account:d} AND m.period {periods} f.period"
    return f"coalesce(sum({'-' if sign < 0 else ''}m.amount) FILTER (WHERE {where}), 0)"


#: Credits to these accounts, as :data:`Measure` signs them.
_EXPECTED = (
    f"-coalesce(sum(m.amount) FILTER (WHERE m.kind <> {_DEBTS} AND m.period < f.period), 0) AS opening,"
    f" {_moved(A.POINTS_ISSUED, -1, '=')} AS issued, {_moved(A.POINTS_REDEEMED, 1, '=')} AS redeemed,"
    f" {_moved(A.POINTS_EXPIRED, 1, '=')} AS expired, {_moved(A.POINTS_REVERSED, -1, '=')} AS reversed,"
    f" {_moved(A.POINTS_DEBTS, 1, '<=')} AS debts"
)

LIABILITY_EQUALS_THE_LEDGER = query(
    "3.2", "各期积分负债与账相符",
    "The points liability of every netted period is what was posted until its end", "hotel months",
    f"""
SELECT 1, CASE WHEN (coalesce(l.opening, 0), coalesce(l.issued, 0), coalesce(l.redeemed, 0),
        coalesce(l.expired, 0), coalesce(l.reversed, 0), coalesce(l.debts, 0))
        IS DISTINCT FROM (coalesce(e.opening, 0), coalesce(e.issued, 0), coalesce(e.redeemed, 0),
        coalesce(e.expired, 0), coalesce(e.reversed, 0), coalesce(e.debts, 0))
        OR l.closing <> l.opening + l.issued - l.redeemed - l.expired + l.reversed
    THEN format('the points liability of hotel %s for %s is not what was posted',
        coalesce(h.code, hotel::text), {month("period")}) END
FROM (
    SELECT f.period, m.hotel, {_EXPECTED}
    FROM {FROZEN} AS f JOIN (
        SELECT period, hotel, kind, sum(amount) AS amount FROM (
            SELECT period, {owner("debit")} AS hotel, {kind("debit")} AS kind, -amount AS amount
                FROM postings WHERE {kind("debit")} BETWEEN {_FIRST} AND {_DEBTS}
            UNION ALL SELECT period, {owner("credit")}, {kind("credit")}, amount
                FROM postings WHERE {kind("credit")} BETWEEN {_FIRST} AND {_DEBTS}
        ) AS sides GROUP BY 1, 2, 3
    ) AS m ON m.period <= f.period
    GROUP BY 1, 2
) AS e FULL JOIN points_liability l USING (period, hotel)
LEFT JOIN hotels h ON h.number = hotel
""",
)  # fmt: skip

OPENING_IS_LAST_CLOSING = query(
    "3.3", "期初等于上期期末", "Every opening is the closing before it", "hotel months",
    f"""
SELECT 1, CASE WHEN opening <> before THEN format(
    'hotel %s opens %s with %s points, but closed before with %s', coalesce(h.code, hotel::text),
    {month("period")}, opening, before) END
FROM (
    SELECT period, hotel, opening, coalesce(lag(closing) OVER (PARTITION BY hotel ORDER BY period), 0) AS before
    FROM points_liability
) AS l LEFT JOIN hotels h ON h.number = hotel
""",
)  # fmt: skip
