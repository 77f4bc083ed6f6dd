"""Risk: collateral, claims and the guarantee fund are what was done with them (domain.md §4 "Risk", §5.1)."""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.store.checks.check import kind, month, owner, query

_COLLATERAL, _CLAIM, _FUND = (
    int(kind) for kind in (AccountKind.COLLATERAL, AccountKind.CLAIM, AccountKind.GUARANTEE_FUND)
)


def _balances(account: int) -> str:
    """Return the credit balances of accounts of a kind, by owner."""
    return (
        "SELECT owner, sum(amount)::bigint AS balance FROM ("
        f"SELECT {owner('credit')} AS owner, amount FROM postings WHERE {kind('credit')} = {account}"
        f" UNION ALL SELECT {owner('debit')}, -amount FROM postings WHERE {kind('debit')} = {account}"
        ") AS sides GROUP BY 1"
    )


COLLATERAL_IS_THERE = query(
    "9.1", "保证金不为负且不虚用", "Nobody's collateral is below zero, nor was any drawn without its money", "accounts",
    f"""
SELECT 1, CASE WHEN b.balance < 0 THEN format('the collateral of system %s is %s fen below zero',
    coalesce(s.code, b.owner::text), -b.balance) END
FROM ({_balances(_COLLATERAL)}) AS b LEFT JOIN systems s ON s.number = b.owner
UNION ALL
SELECT 1, CASE WHEN sum(t.amount) < 0 THEN format('%s fen of the collateral of system %s were drawn, whose money is not'
    ' there', -sum(t.amount), coalesce(s.code, t.owner::text)) END
FROM (
    SELECT {owner("debit")} AS owner, -amount AS amount FROM postings
    WHERE {kind("debit")} = {_COLLATERAL} AND {kind("credit")} = {int(AccountKind.POSITION)}
    UNION ALL SELECT system, amount_minor FROM payment_allocations WHERE kind = 'collateral'
) AS t LEFT JOIN systems s ON s.number = t.owner
GROUP BY t.owner, s.code
""",
)  # fmt: skip

CLAIMS_ARE_WHAT_WAS_BORNE = query(
    "9.2", "债权等于分摊减已偿", "Claims are what was borne for defaulters, less what was paid back", "claims",
    f"""
SELECT 1, CASE
    WHEN coalesce(b.balance, 0) <> coalesce(c.open, 0)
        THEN format('the claims of %s are %s fen, but %s by its account', CASE claimant WHEN 0
            THEN 'the guarantee fund' ELSE 'system ' || coalesce(s.code, claimant::text) END,
            coalesce(c.open, 0), coalesce(b.balance, 0))
    WHEN c.overpaid > 0 THEN format('%s claims of %s were paid beyond their amount, or below nothing', c.overpaid,
        coalesce(s.code, claimant::text)) END
FROM (
    SELECT claimant, sum(amount_minor - paid)::bigint AS open, count(*)
        FILTER (WHERE paid NOT BETWEEN 0 AND amount_minor) AS overpaid
    FROM (
        SELECT c.claimant, c.amount_minor, coalesce(sum(p.amount_minor), 0) AS paid FROM claims c
        LEFT JOIN claim_payments p USING (default_no, claimant) GROUP BY c.default_no, c.claimant, c.amount_minor
    ) AS each_claim GROUP BY 1
) AS c FULL JOIN (SELECT owner::int AS claimant, balance FROM ({_balances(_CLAIM)}) AS claim_accounts) AS b
    USING (claimant)
LEFT JOIN systems s ON s.number = claimant
UNION ALL
SELECT 1, CASE
    WHEN d.haircut_minor <> coalesce(c.cut, 0) OR d.fund_minor <> coalesce(c.fund, 0)
        THEN format('the claims on system %s of %s are not what others bore', s.code, {month("d.period")})
    WHEN coalesce(r.paid, 0) <> coalesce(p.paid, 0) + coalesce(r.kept, 0)
            OR r.paid NOT BETWEEN 0 AND d.unpaid_minor - d.collateral_minor
            OR r.kept NOT BETWEEN 0 AND d.borne_minor
        THEN format('what system %s paid of its default on %s was not handed on exactly', s.code, {month("d.period")})
    WHEN r.paid > greatest(i.confirmed_minor - i.amount_minor + d.unpaid_minor - d.collateral_minor, 0)
        THEN format('%s fen that system %s had paid of its default on %s are gone, and were handed on: risk recover'
            ' takes them back', r.paid - greatest(i.confirmed_minor - i.amount_minor + d.unpaid_minor
            - d.collateral_minor, 0), s.code, {month("d.period")})
    END
FROM defaults d
LEFT JOIN (SELECT default_no, sum(amount_minor) FILTER (WHERE claimant <> 0) AS cut,
    sum(amount_minor) FILTER (WHERE claimant = 0) AS fund FROM claims GROUP BY 1) AS c ON c.default_no = d.number
LEFT JOIN (SELECT default_no, sum(paid_minor) AS paid, sum(kept_minor) AS kept FROM recoveries GROUP BY 1) AS r
    ON r.default_no = d.number
LEFT JOIN (SELECT default_no, sum(amount_minor) AS paid FROM claim_payments GROUP BY 1) AS p
    ON p.default_no = d.number
LEFT JOIN payment_instructions i ON i.period = d.period AND i.system = d.system
LEFT JOIN systems s ON s.number = d.system
""",
)  # fmt: skip

FUND_IS_WHAT_WAS_CONTRIBUTED = query(
    "9.3", "互保基金收支相符", "The guarantee fund is what was contributed, less what was used, and what came back",
    "entries",
    f"""
SELECT f.rows, CASE
    WHEN f.balance < 0 THEN format('the guarantee fund is %s fen below zero', -f.balance)
    WHEN f.balance <> f.contributed - f.used + f.recovered
        THEN format('the guarantee fund has %s fen, but %s by what was done with it', f.balance,
            f.contributed - f.used + f.recovered) END
FROM (
    SELECT coalesce((SELECT sum(balance) FROM ({_balances(_FUND)}) AS fund), 0) AS balance,
        (SELECT coalesce(sum(amount_minor), 0) FROM contributions) AS contributed,
        (SELECT coalesce(sum(fund_minor), 0) FROM defaults) AS used,
        (SELECT coalesce(sum(amount_minor), 0) FROM claim_payments WHERE claimant = 0) AS recovered,
        (SELECT count(*) FROM contributions) + (SELECT count(*) FROM defaults) AS rows
) AS f
""",
)  # fmt: skip

#: A suspension reaches every process within moments; what was held before is captured all the same.
SUSPENDED_DO_NOT_CROSS = query(
    "9.4", "暂停或退出的成员不跨系统", "Who is suspended or has left neither hosts others nor is drawn on elsewhere",
    "stretches",
    """
SELECT 1, CASE WHEN g.one IS NOT NULL THEN format('system %s took part in transaction %s across systems while it'
    ' was %s', s.code, g.one, CASE WHEN st.withdrawn THEN 'no member' ELSE 'suspended' END) END
FROM (
    SELECT system, recorded_at AS since, coalesce(lead(recorded_at) OVER told, 'infinity') AS until,
        NULL::date AS left_on, false AS withdrawn, step
    FROM standings WHERE step <> 'withdrawn' WINDOW told AS (PARTITION BY system ORDER BY number)
    UNION ALL SELECT system, recorded_at, 'infinity', withdrawn_on, true, step FROM standings WHERE step = 'withdrawn'
) AS st
CROSS JOIN LATERAL (
    SELECT min(t.txn_id::text) AS one FROM legs l
    JOIN transactions t ON t.period = l.period AND t.txn_id = l.txn_id
    WHERE l.host_system <> l.issuer_system AND t.kind <> 'refund'
        AND (l.host_system = st.system OR l.issuer_system = st.system AND l.fee_kind <> 'spend' AND NOT st.withdrawn)
        AND t.posted_at >= st.since + interval '1 minute' AND t.posted_at < st.until
        AND (st.left_on IS NULL OR t.business_date >= st.left_on)
        AND NOT EXISTS (SELECT FROM authorizations a WHERE a.txn_id = t.txn_id
            AND a.held_at < st.since + interval '1 minute')
) AS g
LEFT JOIN systems s ON s.number = st.system
WHERE st.step <> 'reinstated'
""",
)  # fmt: skip
