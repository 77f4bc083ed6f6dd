"""Netting: what the legs clear, what stands in the journal and what was frozen agree (domain.md §5.4, §5.8)."""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.movements import MOVEMENT_KINDS
from clearinghouse.domain.netting import FEE_MEASURES, OBLIGATION_KINDS, Measure
from clearinghouse.store.checks.check import FROZEN, kind, month, owner, query

_POSITION, _FEES, _VAT = int(AccountKind.POSITION), int(AccountKind.FEES), int(AccountKind.VAT)
_PUBLISHED = "(SELECT period FROM periods WHERE state IN ('published', 'settled'))"
#: What was cleared across systems, summed as far as it can be.
_CLEARED = (
    "SELECT period, fee_kind AS kind, issuer_system AS debtor, host_system AS creditor, count(*) AS legs,"
    " sum(obligation_minor) AS obligation_minor, sum(fee_minor) AS fee_minor"
    " FROM legs WHERE host_system <> issuer_system GROUP BY 1, 2, 3, 4"
)
_MOVEMENTS = ", ".join(f"'{name}'" for name in MOVEMENT_KINDS)
#: What moved on systems' accounts besides, taken back: it is no part of what was cleared.
_MOVED = (
    "SELECT p.period, side.account, side.amount FROM entries e"
    " JOIN postings p ON p.period = e.period AND p.entry_id = e.entry_id"
    " CROSS JOIN LATERAL (VALUES (p.debit, p.amount), (p.credit, -p.amount)) AS side (account, amount)"
    f" WHERE e.kind IN ({_MOVEMENTS}) AND {kind('side.account')} = {_POSITION}"
)

POSITIONS_SUM_TO_ZERO = query(
    "4.1", "净额合计为零", "All net positions and fees (and VAT on top) of a period sum to zero", "positions",
    f"""
SELECT coalesce(s.positions, 0), CASE
    WHEN s.period IS NULL AND EXISTS (SELECT FROM systems)
        THEN format('%s is netted and has no positions', {month("f.period")})
    WHEN s.total <> 0 THEN format('the net positions and fees of %s sum to %s fen', {month("f.period")}, s.total)
    WHEN s.adjusted <> 0 THEN format('the adjustments of %s sum to %s fen', {month("f.period")}, s.adjusted)
    WHEN s.wrong > 0 THEN format('%s net positions of %s are not what their parts sum to', s.wrong, {month("f.period")})
    END
FROM {FROZEN} AS f LEFT JOIN (
    SELECT period, count(*) AS positions,
        sum(net_minor + fees_minor + CASE WHEN vat_on_top THEN vat_minor ELSE 0 END) AS total,
        sum(adjustments_minor) AS adjusted,
        count(*) FILTER (WHERE net_minor <> receivable_minor - payable_minor - fees_minor
            - CASE WHEN vat_on_top THEN vat_minor ELSE 0 END + adjustments_minor) AS wrong
    FROM positions GROUP BY 1
) AS s ON s.period = f.period
""",
)  # fmt: skip

POSITIONS_EQUAL_THE_LEGS = query(
    "4.2", "净额与清算腿及更正相符", "Every frozen position is what the legs and adjustments of its period sum to",
    "positions",
    f"""
SELECT 1, CASE WHEN (coalesce(p.receivable_minor, 0), coalesce(p.payable_minor, 0), coalesce(p.fees_minor, 0),
        coalesce(p.adjustments_minor, 0)) <> (coalesce(c.receivable_minor, 0), coalesce(c.payable_minor, 0),
        coalesce(c.fees_minor, 0), coalesce(c.adjustments_minor, 0))
    THEN format('the position of system %s in %s is not what its legs and adjustments sum to',
        coalesce(s.code, system::text), {month("period")}) END
FROM positions p FULL JOIN (
    SELECT period, system, sum(receivable) AS receivable_minor, sum(payable) AS payable_minor, sum(fees) AS fees_minor,
        sum(adjusted) AS adjustments_minor
    FROM (
        SELECT period, creditor AS system, obligation_minor AS receivable, 0 AS payable, fee_minor AS fees,
            0 AS adjusted
            FROM ({_CLEARED}) AS hosted
        UNION ALL SELECT period, debtor, 0, obligation_minor, 0, 0 FROM ({_CLEARED}) AS issued
        UNION ALL SELECT period, system, 0, 0, CASE WHEN counterparty IS NULL THEN -amount_minor ELSE 0 END,
            CASE WHEN counterparty IS NULL THEN 0 ELSE amount_minor END FROM adjustments
    ) AS parts WHERE period IN (SELECT period FROM {FROZEN} AS frozen) GROUP BY 1, 2
) AS c USING (period, system)
LEFT JOIN systems s ON s.number = system
""",
)  # fmt: skip

OBLIGATIONS_EQUAL_THE_LEGS = query(
    "4.3", "债务与清算腿相符", "Every frozen obligation is what the legs of its pair sum to", "obligations",
    f"""
SELECT 1, CASE WHEN (o.amount_minor = c.obligation_minor AND o.count = c.legs) IS NOT TRUE
    THEN format('what system %s owes system %s for %s in %s is not what the legs sum to',
        coalesce(d.code, debtor::text), coalesce(h.code, creditor::text), kind, {month("period")}) END
FROM obligations o FULL JOIN (
    SELECT * FROM ({_CLEARED}) AS pairs
    WHERE obligation_minor <> 0 AND period IN (SELECT period FROM {FROZEN} AS frozen)
) AS c USING (period, debtor, creditor, kind)
LEFT JOIN systems d ON d.number = debtor LEFT JOIN systems h ON h.number = creditor
""",
)  # fmt: skip

ACCOUNTS_EQUAL_THE_LEGS = query(
    "4.4", "清算账户与清算腿相符", "What stands on every system's account is what was cleared, in every period",
    "accounts",
    f"""
SELECT 1, CASE WHEN s.difference <> 0 THEN format('the account of %s and what was cleared in %s differ by %s fen',
    CASE s.system WHEN 0 THEN 'the clearing house' WHEN -1 THEN 'VAT' ELSE 'system ' || coalesce(m.code, '?') END,
    {month("s.period")}, s.difference) END
FROM (
    SELECT period, system, sum(amount) AS difference FROM (
        SELECT period, o.system, amount FROM (
            SELECT period, debit AS account, -sum(amount) AS amount FROM postings
                WHERE {kind("debit")} IN ({_POSITION}, {_FEES}, {_VAT}) GROUP BY 1, 2
            UNION ALL SELECT period, credit, sum(amount) FROM postings
                WHERE {kind("credit")} IN ({_POSITION}, {_FEES}, {_VAT}) GROUP BY 1, 2
            UNION ALL SELECT period, account, amount FROM ({_MOVED}) AS moved
        ) AS sides
        CROSS JOIN LATERAL (VALUES ({owner("account")}), (CASE {kind("account")} WHEN {_VAT} THEN -1 END)) AS o (system)
        WHERE o.system IS NOT NULL
        UNION ALL SELECT period, creditor, fee_minor - obligation_minor FROM ({_CLEARED}) AS hosted
        UNION ALL SELECT period, debtor, obligation_minor FROM ({_CLEARED}) AS issued
        UNION ALL SELECT period, 0, -fee_minor FROM ({_CLEARED}) AS earned
        UNION ALL SELECT period, system, -amount_minor FROM adjustments
        UNION ALL SELECT period, 0, amount_minor FROM adjustments WHERE counterparty IS NULL
        UNION ALL SELECT period, v.system, v.amount FROM positions p CROSS JOIN LATERAL (VALUES
            (p.system, p.vat_minor), (0, -p.vat_minor)) AS v (system, amount)
            WHERE vat_on_top AND period IN {_PUBLISHED}
        UNION ALL SELECT period, -1, -vat_minor FROM positions WHERE period IN {_PUBLISHED}
    ) AS amounts GROUP BY 1, 2
) AS s LEFT JOIN systems m ON m.number = s.system
""",
)  # fmt: skip

VAT_IS_THE_RULEBOOKS = query(
    "4.5", "增值税按规则", "VAT is the rulebook's share of each system's fees, rounded once", "positions",
    f"""
SELECT 1, CASE WHEN NOT EXISTS (
        SELECT FROM rulebooks r
        CROSS JOIN LATERAL (SELECT (r.document ->> 'vat_ppm')::numeric AS vat_ppm,
            (r.document ->> 'fees_include_vat')::boolean AS included) AS terms
        CROSS JOIN LATERAL (SELECT 1000000 + CASE WHEN included THEN vat_ppm ELSE 0 END AS divisor) AS parts
        WHERE r.effective_from <= f.last_day AND r.recorded_at <= coalesce(f.published_at, 'infinity')
            AND NOT EXISTS (SELECT FROM rulebooks newer WHERE newer.effective_from > r.effective_from
                AND newer.effective_from <= f.last_day AND newer.recorded_at <= coalesce(f.closing_at, 'infinity'))
            AND p.vat_on_top = NOT included
            AND p.vat_minor = sign(p.fees_minor) * div(2 * abs(p.fees_minor) * vat_ppm + divisor, 2 * divisor))
    THEN format('the VAT of system %s in %s is not the rulebook''s', s.code, {month("p.period")}) END
FROM positions p
JOIN (
    SELECT *, (make_date(period / 12, period % 12 + 1, 1) + interval '1 month' - interval '1 day')::date AS last_day
    FROM periods
) AS f ON f.period = p.period
LEFT JOIN systems s ON s.number = p.system
""",
)  # fmt: skip

_OBLIGATION_MEASURES = ", ".join(f"('{name}', {m:d})" for m, name in OBLIGATION_KINDS.items())
_FEE_MEASURES = ", ".join(f"('{name}', {m:d})" for name, m in FEE_MEASURES.items())
#: Account kind, measure, and the sign of a credit to the account.
_POINTS_MEASURES = ", ".join(
    f"({account:d}, {measure:d}, {sign})"
    for account, measure, sign in (
        (AccountKind.POINTS_ISSUED, Measure.POINTS_ISSUED, -1),
        (AccountKind.POINTS_REDEEMED, Measure.POINTS_REDEEMED, 1),
        (AccountKind.POINTS_EXPIRED, Measure.POINTS_EXPIRED, 1),
        (AccountKind.POINTS_REVERSED, Measure.POINTS_REVERSED, -1),
        (AccountKind.POINTS_DEBTS, Measure.POINTS_DEBTS, 1),
    )
)
_POINTS_KINDS = f"BETWEEN {AccountKind.POINTS_ISSUED:d} AND {AccountKind.POINTS_DEBTS:d}"

ROLLUPS_EQUAL_A_RECOUNT = query(
    "8.1", "汇总与重算相符", "The roll-ups are what legs and postings sum to, in every period", "roll-ups",
    f"""
SELECT 1, CASE WHEN difference <> 0 OR too_many <> 0 THEN format(
    'roll-up %s of %s for %s and %s differs by %s in %s rows from a recount', measure, {month("period")},
    debtor, creditor, difference, too_many) END
FROM (
    SELECT period, measure, debtor, creditor, sum(amount) AS difference, sum(count) AS too_many FROM (
        SELECT period, measure, debtor, creditor, amount, count FROM rollups
        UNION ALL SELECT period, measure, debtor, creditor, amount, count FROM rollup_increments
        UNION ALL SELECT period, m.measure, debtor, creditor, -obligation_minor, -legs
            FROM ({_CLEARED}) AS owed JOIN (VALUES {_OBLIGATION_MEASURES}) AS m (kind, measure) USING (kind)
        UNION ALL SELECT period, m.measure, creditor, 0, -fee_minor, -legs
            FROM ({_CLEARED}) AS charged JOIN (VALUES {_FEE_MEASURES}) AS m (kind, measure) USING (kind)
        UNION ALL SELECT period, m.measure, {owner("account")}, 0, -m.sign * amount, -postings FROM (
            SELECT period, debit AS account, -sum(amount) AS amount, count(*) AS postings FROM postings
                WHERE {kind("debit")} {_POINTS_KINDS} GROUP BY 1, 2
            UNION ALL SELECT period, credit, sum(amount), count(*) FROM postings
                WHERE {kind("credit")} {_POINTS_KINDS} GROUP BY 1, 2
        ) AS sides JOIN (VALUES {_POINTS_MEASURES}) AS m (kind, measure, sign) ON m.kind = {kind("account")}
    ) AS parts GROUP BY 1, 2, 3, 4
) AS sums
""",
)  # fmt: skip

OBLIGATIONS_SUM_TO_POSITIONS = query(
    "8.2", "债务合计等于应收应付", "Obligations sum to what each system receives and pays", "positions",
    f"""
SELECT 1, CASE WHEN p.receivable_minor <> coalesce(o.receivable, 0) OR p.payable_minor <> coalesce(o.payable, 0)
    THEN format('the obligations of system %s in %s do not sum to its position', s.code, {month("p.period")}) END
FROM positions p LEFT JOIN (
    SELECT period, system, sum(receivable) AS receivable, sum(payable) AS payable FROM (
        SELECT period, creditor AS system, amount_minor AS receivable, 0 AS payable FROM obligations
        UNION ALL SELECT period, debtor, 0, amount_minor FROM obligations
    ) AS sides GROUP BY 1, 2
) AS o USING (period, system)
LEFT JOIN systems s ON s.number = p.system
""",
)  # fmt: skip
