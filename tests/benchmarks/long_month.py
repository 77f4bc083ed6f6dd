"""A month of millions of transactions, made by SQL straight into the tables: minutes where an import takes hours.

The books are consistent: `clearinghouse check` finds nothing in them. Transactions come in blocks of a hundred: 79
spend, 9 redemptions (a third of them from lots of two hotels), 2 loads, 6 uses of what they loaded, 2 refunds of the
block's first redemptions and 2 awards. What is redeemed comes from two lots that each traveller got a year before; what
is left of them expires with the month. Each part of the month leaves increments, and only the last part's are unfolded.
"""

from __future__ import annotations

from typing import Any

import psycopg2.extensions

from clearinghouse.domain.accounts import AccountKind as A
from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.calendar import FIRST_PERIOD, parse_period
from clearinghouse.domain.netting import Measure
from clearinghouse.domain.rulebook import rulebook_from_document
from clearinghouse.store import periods, rollups
from settlement.run import settle
from tests.benchmarks.bench import Bench
from tests.benchmarks.members import MONTH

PERIOD = parse_period(MONTH)
#: Twelve months before, so that what is left of its points expires with the month.
YEAR_BEFORE = PERIOD - 12
BLOCK = 100
_PART = 500_000
_REDEEMS_A_BLOCK = 9
_MOST_POINTS = 4_100
_POINT, _CNY = int(Asset.POINT), int(Asset.CNY)
_INDEXES = ("transactions_by_traveller", "transactions_by_original", "transactions_by_host")

_SETUP = """
SET work_mem = '256MB'; SET maintenance_work_mem = '512MB'; SET TIME ZONE 'UTC'; SET jit = off;
CREATE TEMP TABLE place AS
    SELECT (row_number() OVER (ORDER BY hotel) - 1)::int AS n, hotel, system FROM memberships;
CREATE TEMP TABLE home AS SELECT system, array_agg(hotel ORDER BY hotel) AS hotels FROM memberships GROUP BY 1;
CREATE TEMP TABLE holder AS
    SELECT (row_number() OVER (ORDER BY traveller) - 1)::int AS n, traveller, card, hotel, m.system FROM (
        SELECT DISTINCT ON (traveller) traveller, number AS card, issuer_hotel AS hotel FROM cards ORDER BY 1, 2
    ) AS first JOIN memberships m USING (hotel);
ANALYZE place; ANALYZE home; ANALYZE holder;
CREATE FUNCTION pg_temp.chance(bigint, bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended($1, $2) & 4611686018427387903) % $3;
CREATE FUNCTION pg_temp.happened(bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE
    RETURN to_timestamp({first_second} + $1 * {seconds} / {transactions});
CREATE FUNCTION pg_temp.posted(bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE
    RETURN pg_temp.happened($1) + interval '1 microsecond' * (1000000 + $1 * 7919 % 1000000);
CREATE FUNCTION pg_temp.id_of(bigint, timestamptz, int) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN (lpad(to_hex((extract(epoch FROM $2) * 1000)::bigint), 12, '0') || '7'
        || lpad(to_hex($3 - {first_period}), 3, '0') || '8' || lpad(to_hex($1), 15, '0'))::uuid;
"""

#: Two lots of two hotels for each traveller, awarded a year before.
_OPENING = """
CREATE TEMP TABLE opened AS
SELECT h.n, k, 2 * h.n + k AS lot, h.traveller, h.card, p.hotel, p.system,
    {least} + 10 * (h.n % 100) + 100 * k AS points,
    pg_temp.id_of(2 * h.n + k, timestamptz '2024-03-20 04:00:00Z', {year_before}) AS id
FROM holder h CROSS JOIN (VALUES (1), (2)) AS two (k)
JOIN place p ON p.n = (h.n * 7 + (k - 1) * (1 + h.n % ({hotels} - 1))) % {hotels};
CREATE UNIQUE INDEX ON opened (n, k); ANALYZE opened;
INSERT INTO transactions (period, txn_id, host_hotel, host_system, txn_ref, kind, card, traveller, business_date,
    occurred_at, posted_at, points, rulebook, late, lot)
SELECT {year_before}, id, hotel, system, 'O' || lot, 'award', card, traveller, '2024-03-20', '2024-03-20 12:00:00+08',
    '2024-03-20 12:00:00+08', points, {rulebook}, false, lot FROM opened ORDER BY id;
INSERT INTO transaction_refs SELECT hotel, 'O' || lot, decode(md5(lot::text), 'hex'), id FROM opened;
INSERT INTO postings SELECT {year_before}, id, 1, hotel * 32 + {issued}, traveller * 32 + {points}, {point}, points, lot
FROM opened ORDER BY id;
INSERT INTO lots (number, traveller, issuer_hotel, asset, txn_id, period, issued, remaining, usable_from, expires_on)
SELECT lot, traveller, hotel, {point}, id, {year_before}, points, points, '2024-03-20', '2025-03-31'
FROM opened ORDER BY lot;
INSERT INTO rollup_increments
SELECT {year_before}, {m_issued}, hotel, 0, count(*), sum(points) FROM opened GROUP BY hotel;
"""

#: What a part of the month is made of; ``of`` is the transaction that decides on host and value: a refund's original.
_PART_OF_MONTH = """
CREATE TEMP TABLE made AS
SELECT i, kind, pg_temp.id_of(i, pg_temp.posted(i), {period}) AS id,
    host.hotel AS host_hotel, host.system AS host_system,
    h.n AS holder, h.card, h.traveller, h.hotel AS card_hotel, h.system AS card_system,
    CASE WHEN kind = 'refund' THEN original END AS original, decided,
    CASE kind WHEN 'spend' THEN 5000 + pg_temp.chance(i, 4, 120000)
        WHEN 'load' THEN 100000 + 50000 * pg_temp.chance(i, 4, 4)
        WHEN 'stored_value_spend' THEN 1000 + pg_temp.chance(i, 4, 30000) END AS amount,
    CASE kind WHEN 'spend' THEN (5000 + pg_temp.chance(i, 4, 120000)) / 100
        WHEN 'award' THEN 50 * (1 + pg_temp.chance(i, 4, 10))
        WHEN 'redeem' THEN 100 + pg_temp.chance(i, 4, 4000) WHEN 'refund' THEN 100 + pg_temp.chance(original, 4, 4000)
        END AS points,
    CASE WHEN kind IN ('redeem', 'refund') THEN (decided / 100 + decided % 100) % 3 END AS way,
    CASE WHEN kind = 'stored_value_spend' THEN {lots} + owner END AS drawn,
    CASE WHEN kind IN ('spend', 'award', 'load') THEN {lots} + i END AS lot
FROM (
    SELECT i, i / 100 AS b, i % 100 AS p, CASE WHEN i % 100 < 79 THEN 'spend' WHEN i % 100 < 88 THEN 'redeem'
        WHEN i % 100 < 90 THEN 'load' WHEN i % 100 < 96 THEN 'stored_value_spend' WHEN i % 100 < 98 THEN 'refund'
        ELSE 'award' END AS kind
    FROM generate_series({first}, {last}) AS i
) AS numbers
CROSS JOIN LATERAL (SELECT b * 100 + 79 + p - 96 AS original) AS refunded
CROSS JOIN LATERAL (SELECT CASE kind WHEN 'refund' THEN original ELSE i END AS decided,
    CASE kind WHEN 'refund' THEN original
        WHEN 'stored_value_spend' THEN b * 100 + 88 + (p - 90) / 3 ELSE i END AS owner)
    AS deciding
JOIN holder h ON h.n = CASE WHEN kind IN ('redeem', 'refund') THEN (b * 9 + decided % 100 - 79) % {holders}
    ELSE pg_temp.chance(owner, 1, {holders}) END
JOIN home ON home.system = h.system
JOIN place anywhere ON anywhere.n = pg_temp.chance(decided, 2, {hotels})
CROSS JOIN LATERAL (SELECT kind = 'load' OR pg_temp.chance(decided, 3, 10) < 4 AS at_home) AS stay
CROSS JOIN LATERAL (SELECT
    CASE WHEN at_home THEN home.hotels[1 + pg_temp.chance(decided, 5, cardinality(home.hotels))] ELSE anywhere.hotel END
        AS hotel,
    CASE WHEN at_home THEN h.system ELSE anywhere.system END AS system) AS host;

INSERT INTO transactions (period, txn_id, host_hotel, host_system, txn_ref, original_ref, kind, card, traveller,
    business_date, occurred_at, posted_at, amount_minor, points, earn_ppm, rulebook, late, lot, original)
SELECT {period}, id, host_hotel, host_system, 'R' || i, 'R' || original, kind, card, traveller,
    (pg_temp.happened(i) AT TIME ZONE 'Asia/Shanghai')::date, pg_temp.happened(i), pg_temp.posted(i), amount, points,
    CASE kind WHEN 'spend' THEN 1000000 END, {rulebook}, false, lot, pg_temp.id_of(original, pg_temp.posted(original),
    {period})
FROM made ORDER BY i;
INSERT INTO transaction_refs SELECT host_hotel, 'R' || i, decode(md5(i::text), 'hex'), id FROM made;

CREATE TEMP TABLE part AS
SELECT m.i, m.id, l.k, CASE WHEN way = 0 THEN l.k ELSE 1 END AS leg_no, l.lot, l.hotel, l.system,
    CASE WHEN way > 0 THEN m.points WHEN l.k = 1 THEN m.points / 2 ELSE m.points - m.points / 2 END AS points
FROM made m JOIN opened l ON l.n = m.holder AND (way = 0 OR l.k = way) WHERE way IS NOT NULL;

CREATE TEMP TABLE leg AS
SELECT m.i, m.id, m.kind, m.host_hotel, m.host_system, g.*, fee.minor * fee.sign AS fee_minor, fee.sign,
    CASE WHEN m.kind = 'refund' THEN pg_temp.id_of(m.original, pg_temp.posted(m.original), {period}) END AS reversed
FROM made m CROSS JOIN LATERAL (
    SELECT 1 AS leg_no, 'spend' AS fee_kind, card_hotel AS issuer_hotel, card_system AS issuer_system,
        NULL::bigint AS points, amount AS base WHERE m.kind = 'spend'
    UNION ALL SELECT 1, 'stored_value', x.host_hotel, x.host_system, NULL, m.amount
        FROM loaded x WHERE m.kind = 'stored_value_spend' AND x.lot = m.drawn
) AS g
CROSS JOIN LATERAL (SELECT 1 AS sign, CASE WHEN m.host_system = g.issuer_system THEN 0 ELSE
    CASE g.fee_kind WHEN 'spend' THEN {fee_spend} ELSE {fee_stored_value} END END AS minor) AS fee
UNION ALL
SELECT m.i, m.id, m.kind, m.host_hotel, m.host_system, leg_no, 'redeem', p.hotel, p.system, sign * p.points,
    p.points * {point_value} / 100, sign * CASE WHEN m.host_system = p.system THEN 0 ELSE {fee_redeem} END, sign,
    CASE WHEN m.kind = 'refund' THEN pg_temp.id_of(m.original, pg_temp.posted(m.original), {period}) END
FROM made m JOIN part p USING (i)
CROSS JOIN LATERAL (SELECT CASE m.kind WHEN 'refund' THEN -1 ELSE 1 END AS sign,
    p.points * {point_value} / 100 AS base) AS value;
INSERT INTO legs
SELECT {period}, id, leg_no, fee_kind, host_hotel, host_system, issuer_hotel, issuer_system, {rulebook}, points,
    sign * base, CASE WHEN host_system = issuer_system OR fee_kind = 'spend' THEN 0 ELSE sign * base END, fee_minor,
    reversed, CASE WHEN reversed IS NOT NULL THEN leg_no END
FROM leg ORDER BY i, leg_no;

CREATE TEMP TABLE posted AS
SELECT i, id, 1 AS seq, host_hotel * 32 + CASE kind WHEN 'load' THEN {loaded} ELSE {issued} END AS debit,
    traveller * 32 + CASE kind WHEN 'load' THEN {value} ELSE {points} END AS credit,
    CASE kind WHEN 'load' THEN {cny} ELSE {point} END AS asset,
    CASE kind WHEN 'load' THEN amount ELSE points END AS amount, lot
FROM made WHERE lot IS NOT NULL
UNION ALL SELECT m.i, m.id, leg_no, CASE m.kind WHEN 'redeem' THEN m.traveller * 32 + {points}
        ELSE p.hotel * 32 + {reversed} END,
    CASE m.kind WHEN 'redeem' THEN p.hotel * 32 + {redeemed} ELSE m.traveller * 32 + {points} END,
    {point}, p.points, p.lot
FROM made m JOIN part p USING (i)
UNION ALL SELECT m.i, m.id, 1, m.traveller * 32 + {value}, x.host_hotel * 32 + {used}, {cny}, m.amount, m.drawn
FROM made m JOIN loaded x ON x.lot = m.drawn
UNION ALL SELECT i, id, 2 * leg_no + 1, CASE sign WHEN 1 THEN issuer_system ELSE host_system END * 32 + {position},
    CASE sign WHEN 1 THEN host_system ELSE issuer_system END * 32 + {position}, {cny}, base, NULL
FROM leg WHERE fee_kind <> 'spend' AND host_system <> issuer_system AND base > 0
UNION ALL SELECT i, id, 2 * leg_no + 2, CASE sign WHEN 1 THEN host_system * 32 + {position} ELSE {fees} END,
    CASE sign WHEN 1 THEN {fees} ELSE host_system * 32 + {position} END, {cny}, abs(fee_minor), NULL
FROM leg WHERE fee_minor <> 0;
INSERT INTO postings SELECT {period}, id, seq, debit, credit, asset, amount, lot FROM posted ORDER BY i, seq;

INSERT INTO lots (number, traveller, issuer_hotel, asset, txn_id, period, issued, remaining, usable_from, expires_on)
SELECT m.lot, m.traveller, m.host_hotel, CASE m.kind WHEN 'load' THEN {cny} ELSE {point} END, m.id, {period},
    CASE m.kind WHEN 'load' THEN m.amount ELSE m.points END,
    CASE m.kind WHEN 'load' THEN m.amount - coalesce(u.amount, 0) ELSE m.points END,
    (pg_temp.happened(m.i) AT TIME ZONE 'Asia/Shanghai')::date,
    CASE m.kind WHEN 'load' THEN NULL ELSE date '2026-03-31' END
FROM made m LEFT JOIN (SELECT drawn, sum(amount) AS amount FROM made WHERE drawn IS NOT NULL GROUP BY 1) AS u
    ON u.drawn = m.lot
WHERE m.lot IS NOT NULL ORDER BY m.lot;

INSERT INTO rollup_increments
SELECT {period}, measure, debtor, creditor, count(*), sum(amount) FROM (
    SELECT CASE fee_kind WHEN 'redeem' THEN {m_redeem} ELSE {m_value} END AS measure, issuer_system AS debtor,
        host_system AS creditor, sign * base AS amount
        FROM leg WHERE host_system <> issuer_system AND fee_kind <> 'spend'
    UNION ALL SELECT
        CASE fee_kind WHEN 'spend' THEN {m_fee_spend} WHEN 'redeem' THEN {m_fee_redeem} ELSE {m_fee_value} END,
        host_system, 0, fee_minor FROM leg WHERE host_system <> issuer_system
    UNION ALL SELECT CASE debit & 31 WHEN {issued} THEN {m_issued} ELSE {m_reversed} END, debit >> 5, 0, amount
        FROM posted WHERE debit & 31 IN ({issued}, {reversed})
    UNION ALL SELECT {m_redeemed}, credit >> 5, 0, amount FROM posted WHERE credit & 31 = {redeemed}
) AS sums GROUP BY measure, debtor, creditor;
INSERT INTO taken SELECT p.lot, sum(CASE m.kind WHEN 'refund' THEN -p.points ELSE p.points END)
FROM made m JOIN part p USING (i) GROUP BY 1;
DROP TABLE made, part, leg, posted;
"""

#: What the part's uses of stored value draw on: the loads of their own blocks, made anew from the numbers.
_LOADED = """
DROP TABLE IF EXISTS loaded;
CREATE TEMP TABLE loaded AS
SELECT {lots} + i AS lot, home.hotels[1 + pg_temp.chance(i, 5, cardinality(home.hotels))] AS host_hotel,
    h.system AS host_system
FROM generate_series({first}, {last}) AS i JOIN holder h ON h.n = pg_temp.chance(i, 1, {holders})
JOIN home ON home.system = h.system WHERE i % 100 IN (88, 89);
CREATE UNIQUE INDEX ON loaded (lot); ANALYZE loaded;
"""

_DRAWN = """
UPDATE lots SET remaining = remaining - t.amount FROM (SELECT lot, sum(amount) AS amount FROM taken GROUP BY 1) AS t
WHERE lots.number = t.lot AND t.amount <> 0;
SELECT setval('lot_numbers', {lots} + {transactions});
"""


def made(bench: Bench, transactions: int) -> str:
    """Return the name of books that hold so many transactions of ``MONTH``, a multiple of ``BLOCK``.

    They are made unless they are there: what another benchmark has left of a month may be settled already.
    """
    name = f"month_{transactions}"
    if not bench.exists(name):
        _make(bench, transactions, name)
    return name


def _make(bench: Bench, transactions: int, name: str) -> None:
    template = bench.members(bench.crowd)
    with bench.books(template, keep=name) as context:
        with context.database.office() as session:
            for period in (YEAR_BEFORE, PERIOD):
                periods.open_period(session, period)
        with bench.connect(context) as connection, connection.cursor() as cursor:
            names = _names(cursor, transactions)
            _without_indexes(bench, connection, names)
        with context.database.office() as session:
            rollups.fold(session, YEAR_BEFORE)
        settle(context, YEAR_BEFORE)


def _without_indexes(
    bench: Bench, connection: psycopg2.extensions.connection, names: dict[str, Any]
) -> None:
    """Fill the tables while the secondary indexes of transactions are away, and make these anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(pg_get_indexdef(name::regclass), ';') FROM unnest(%s::text[]) AS name",
            [[*_INDEXES]],
        )
        (definitions,) = cursor.fetchone() or ("",)
        cursor.execute(f"DROP INDEX {', '.join(_INDEXES)}")
        cursor.execute(_SETUP.format(**names))
        cursor.execute(_OPENING.format(**names))
        cursor.execute("CREATE TEMP TABLE taken (lot bigint, amount bigint)")
        connection.commit()
        transactions = names["transactions"]
        for first in range(0, transactions, _PART):
            bench.tell(f"long month: {first:,} of {transactions:,} transactions")
            part = {**names, "first": first, "last": min(first + _PART, transactions) - 1}
            cursor.execute(
                _LOADED.format(**part) + "ANALYZE loaded;" + _PART_OF_MONTH.format(**part)
            )
            if first + _PART < transactions:
                _fold(cursor)
            connection.commit()
        cursor.execute(_DRAWN.format(**names))
        cursor.execute(definitions.replace(" ON ONLY ", " ON "))
        connection.commit()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _fold(cursor: psycopg2.extensions.cursor) -> None:
    cursor.execute(
        "WITH taken AS (DELETE FROM rollup_increments RETURNING *)"
        " INSERT INTO rollups SELECT period, measure, debtor, creditor, sum(count), sum(amount) FROM taken"
        " GROUP BY 1, 2, 3, 4 ON CONFLICT (period, measure, debtor, creditor) DO UPDATE"
        " SET count = rollups.count + excluded.count, amount = rollups.amount + excluded.amount"
    )


def _names(cursor: psycopg2.extensions.cursor, transactions: int) -> dict[str, Any]:
    """Return what the statements are filled in with: numbers of accounts and measures, and the rulebook's terms."""
    cursor.execute("SELECT number, document FROM rulebooks")
    number, document = cursor.fetchone() or (0, {})
    rulebook = rulebook_from_document(document)
    cursor.execute(
        "SELECT count(DISTINCT traveller), (SELECT count(*) FROM memberships) FROM cards"
    )
    holders, hotels = cursor.fetchone() or (0, 0)
    redeems = -(-transactions * _REDEEMS_A_BLOCK // BLOCK // holders)
    bases = {"spend": "g.base", "stored_value": "g.base", "redeem": "base"}
    fees = {f"fee_{kind}": _fee(rulebook, kind, base) for kind, base in bases.items()}
    return {
        "transactions": transactions, "holders": holders, "hotels": hotels, "rulebook": number, **fees,
        "period": PERIOD, "year_before": YEAR_BEFORE, "first_period": FIRST_PERIOD,
        # 2025-03-01T00:00+08:00, and the seconds of that month.
        "first_second": 1_740_758_400, "seconds": 31 * 86_400,
        "least": redeems * _MOST_POINTS, "lots": 2 * holders + 1,
        "point_value": rulebook.point_value_minor_per_100, "point": _POINT, "cny": _CNY,
        "points": int(A.TRAVELLER_POINTS), "value": int(A.TRAVELLER_STORED_VALUE),
        "issued": int(A.POINTS_ISSUED), "redeemed": int(A.POINTS_REDEEMED), "reversed": int(A.POINTS_REVERSED),
        "loaded": int(A.STORED_VALUE_ISSUED), "used": int(A.STORED_VALUE_USED), "position": int(A.POSITION),
        "fees": int(A.FEES), "m_issued": int(Measure.POINTS_ISSUED), "m_redeemed": int(Measure.POINTS_REDEEMED),
        "m_reversed": int(Measure.POINTS_REVERSED), "m_redeem": int(Measure.OBLIGATION_REDEEM),
        "m_value": int(Measure.OBLIGATION_STORED_VALUE), "m_fee_spend": int(Measure.FEE_SPEND),
        "m_fee_redeem": int(Measure.FEE_REDEEM), "m_fee_value": int(Measure.FEE_STORED_VALUE),
    }  # fmt: skip


def _fee(rulebook: Any, kind: str, base: str) -> str:
    """Return the rulebook's fee on a value above 0 as an expression: half up, then within its limits."""
    rule = rulebook.fee_rule(kind)
    charged = f"({base} * {rule.rate_ppm} + 500000) / 1000000 + {rule.fixed_minor}"
    limited = f"least(greatest({charged}, {rule.min_minor or 0}), {rule.max_minor or 'NULL'})"
    return f"CASE WHEN {base} > 0 THEN {limited} ELSE 0 END"
