"""Transactions: each reference once, refunds within their originals, in the right period (domain.md §5.6, §4)."""

from __future__ import annotations

from clearinghouse.domain.calendar import FIRST_PERIOD
from clearinghouse.store.checks.check import CLOSED_THROUGH, month, period_of, query

#: The period that is written inside an id (domain/identifiers.py).
_PERIOD_OF_ID = (
    "((get_byte(uuid_send(t.txn_id), 6) & 15) * 256 + get_byte(uuid_send(t.txn_id), 7)"
    f" + {FIRST_PERIOD})"
)

REFERENCES_MATCH = query(
    "6.1", "交易号与交易一一对应", "Every accepted reference is in the books exactly once", "references",
    """
SELECT 1, CASE
    WHEN t.txn_id IS NULL THEN format('reference %s of hotel %s leads to no transaction', r.txn_ref,
        coalesce(h.code, r.host_hotel::text))
    WHEN r.txn_id IS NULL THEN format('transaction %s is under no reference', t.txn_id)
    WHEN (r.host_hotel, r.txn_ref) <> (t.host_hotel, t.txn_ref)
        THEN format('transaction %s is under another reference than its own', t.txn_id) END
FROM transaction_refs r FULL JOIN transactions t ON t.txn_id = r.txn_id
LEFT JOIN hotels h ON h.number = r.host_hotel
""",
)  # fmt: skip

REFUNDS_STAY_WITHIN = query(
    "6.2", "退款不超原交易", "Refunds are of their original's card and host, and never exceed it", "refunds",
    """
WITH RECURSIVE lineage (card, first) AS (
    SELECT s.replaced_by, s.card FROM card_states s WHERE s.replaced_by IS NOT NULL
        AND NOT EXISTS (SELECT FROM card_states p WHERE p.replaced_by = s.card)
    UNION ALL
    SELECT s.replaced_by, l.first FROM lineage l JOIN card_states s ON s.card = l.card WHERE s.replaced_by IS NOT NULL
)
SELECT r.refunds, CASE
    WHEN o.txn_id IS NULL THEN format('refund %s names an original that is not there', r.one)
    WHEN o.kind = 'refund' THEN format('refund %s is of a refund', r.one)
    WHEN (r.amount <= CASE WHEN o.kind IN ('redeem', 'award') THEN o.points ELSE o.amount_minor END) IS NOT TRUE
        THEN format('the refunds of transaction %s exceed it', o.txn_id)
    WHEN (r.low = r.high AND r.low = ROW (o.host_hotel, o.txn_ref, coalesce(n.first, o.card), o.traveller,
            o.rulebook)::text
        AND r.first_date >= o.business_date) IS NOT TRUE
        THEN format('a refund of transaction %s is of another card, host or rulebook, or before it', o.txn_id)
    END
FROM (
    SELECT original, count(*) AS refunds, min(txn_id::text) AS one, min(business_date) AS first_date,
        sum(coalesce(amount_minor, points)) AS amount,
        min(ROW (host_hotel, original_ref, coalesce(lineage.first, t.card), traveller, rulebook)::text) AS low,
        max(ROW (host_hotel, original_ref, coalesce(lineage.first, t.card), traveller, rulebook)::text) AS high
    FROM transactions t LEFT JOIN lineage USING (card)
    WHERE kind = 'refund' OR original IS NOT NULL GROUP BY original
) AS r LEFT JOIN transactions o ON o.txn_id = r.original LEFT JOIN lineage n ON n.card = o.card
""",
)  # fmt: skip

REVERSALS_ARE_OF_THEIR_LEGS = query(
    "6.3", "冲销腿与原腿一致", "Every refund reverses its original's legs on their own terms", "reversing legs",
    """
SELECT 1, CASE WHEN (o.txn_id = t.original AND (r.fee_kind, r.host_hotel, r.host_system, r.issuer_hotel,
        r.issuer_system, r.rulebook) = (o.fee_kind, o.host_hotel, o.host_system, o.issuer_hotel,
        o.issuer_system, o.rulebook)) IS NOT TRUE
    THEN format('leg %s of refund %s does not keep the terms of the leg that it reverses', r.leg_no, r.txn_id) END
FROM (SELECT * FROM legs WHERE reverses_txn IS NOT NULL) AS r
LEFT JOIN legs o ON o.txn_id = r.reverses_txn AND o.leg_no = r.reverses_leg AND o.reverses_txn IS NULL
LEFT JOIN transactions t ON t.period = r.period AND t.txn_id = r.txn_id AND t.kind = 'refund'
UNION ALL
SELECT 0, format('refund %s of a %s has legs that it must not have, or lacks them', t.txn_id, o.kind)
FROM transactions t JOIN transactions o ON o.txn_id = t.original
LEFT JOIN legs g ON g.period = t.period AND g.txn_id = t.txn_id
WHERE t.original IS NOT NULL AND (CASE WHEN o.kind IN ('award', 'load') THEN g.txn_id IS NULL
    ELSE g.reverses_txn IS NOT NULL END) IS NOT TRUE
""",
)  # fmt: skip

EARNED_AS_STATED = query(
    "6.4", "积分按比率发放", "A spend earns what its rate gives, and its refunds leave what remaining cash earns",
    "spends",
    """
SELECT 1, CASE
    WHEN (t.points = CASE WHEN t.earn_ppm IS NULL THEN t.points
        ELSE div(t.amount_minor::numeric * t.earn_ppm, 100000000) END) IS NOT TRUE
        THEN format('spend %s issued %s points, which is not what its rate earns', t.txn_id, t.points)
    WHEN r.original IS NOT NULL AND (t.points - r.points = CASE
        WHEN t.earn_ppm IS NULL THEN div(t.points::numeric * (t.amount_minor - r.amount), t.amount_minor)
        ELSE div((t.amount_minor - r.amount)::numeric * t.earn_ppm, 100000000) END) IS NOT TRUE
        THEN format('the refunds of spend %s left other points than its remaining cash earns', t.txn_id) END
FROM transactions t LEFT JOIN (
    SELECT original, sum(amount_minor) AS amount, sum(points) AS points
    FROM transactions WHERE original IS NOT NULL GROUP BY 1
) AS r ON r.original = t.txn_id
WHERE t.kind = 'spend'
""",
)  # fmt: skip

#: A version may be recorded after its date; what was decided before, or at that moment, stands (§1).
RULEBOOK_OF_THE_DAY = query(
    "6.5", "规则按营业日", "Every transaction was judged by the rulebook of its business date", "transactions",
    """
SELECT d.transactions, CASE WHEN (r.effective_from <= d.business_date AND NOT EXISTS (
        SELECT FROM rulebooks newer WHERE newer.effective_from > r.effective_from
        AND newer.effective_from <= d.business_date
        AND newer.recorded_at + interval '1 minute' <= d.last_posted_at)) IS NOT TRUE
    THEN format('transaction %s of %s was judged by rulebook %s, which was not in force', d.one,
        d.business_date, coalesce(r.version, '?')) END
FROM (
    SELECT business_date, rulebook, count(*) AS transactions, max(posted_at) AS last_posted_at,
        min(txn_id::text) AS one
    FROM transactions WHERE kind <> 'refund' GROUP BY 1, 2
) AS d LEFT JOIN rulebooks r ON r.number = d.rulebook
""",
)  # fmt: skip

PERIODS_ARE_RIGHT = query(
    "7.1", "账期归属正确", "Every transaction is in the period of its date, or flagged late after it closed",
    "transactions",
    f"""
SELECT 1, CASE
    WHEN (t.late = (t.period <> {period_of("t.business_date")}) AND t.period >= {period_of("t.business_date")}
        AND (NOT t.late OR t.period <= {CLOSED_THROUGH} + 1)) IS NOT TRUE
        THEN format('transaction %s of %s stands in %s, which is not its period', t.txn_id, t.business_date,
            {month("t.period")})
    WHEN {_PERIOD_OF_ID} <> t.period
        THEN format('transaction %s stands in %s, and its number says another period', t.txn_id,
            {month("t.period")})
    WHEN t.posted_at > p.published_at
        THEN format('transaction %s was posted to %s after it was published', t.txn_id, {month("t.period")}) END
FROM transactions t LEFT JOIN periods p ON p.period = t.period
""",
)  # fmt: skip
