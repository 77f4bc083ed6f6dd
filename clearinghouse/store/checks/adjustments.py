"""Adjustments: each is one entry of the journal, between two parties, and what its dispute decided (domain.md §4)."""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.store.checks.check import kind, month, owner, query

_POSITION, _FEES = int(AccountKind.POSITION), int(AccountKind.FEES)

ADJUSTMENTS_ARE_POSTED = query(
    "4.6", "更正均已入账", "Every adjustment is one entry, and what it gives one party it takes of the other",
    "adjustments",
    f"""
SELECT coalesce(a.systems, 1), CASE
    WHEN a.entry_id IS NULL THEN format('entry %s of %s is an adjustment that is not on record', e.entry_id,
        {month("e.period")})
    WHEN e.entry_id IS NULL OR e.postings <> 1 THEN format('adjustment %s of %s is not one entry of the journal',
        a.number, {month("a.period")})
    WHEN a.systems > 2 OR a.bilateral AND (a.systems <> 2 OR a.total <> 0) OR NOT a.bilateral AND a.systems <> 1
        THEN format('adjustment %s of %s does not stand between two parties', a.number, {month("a.period")})
    WHEN (e.payer, e.payee, e.amount) IS DISTINCT FROM (coalesce(a.payer, 0), coalesce(a.payee, 0), a.amount)
        THEN format('adjustment %s of %s was posted otherwise', a.number, {month("a.period")}) END
FROM (
    SELECT period, entry_id, number, count(*) AS systems, bool_or(counterparty IS NOT NULL) AS bilateral,
        sum(amount_minor) AS total, max(abs(amount_minor)) AS amount,
        max(system) FILTER (WHERE amount_minor < 0) AS payer, max(system) FILTER (WHERE amount_minor > 0) AS payee
    FROM adjustments GROUP BY 1, 2, 3
) AS a
FULL JOIN (
    SELECT e.period, e.entry_id, count(p.entry_id) AS postings, max(p.amount) AS amount,
        max(CASE {kind("p.debit")} WHEN {_POSITION} THEN {owner("p.debit")} WHEN {_FEES} THEN 0 END) AS payer,
        max(CASE {kind("p.credit")} WHEN {_POSITION} THEN {owner("p.credit")} WHEN {_FEES} THEN 0 END) AS payee
    FROM entries e LEFT JOIN postings p ON p.period = e.period AND p.entry_id = e.entry_id
    WHERE e.kind = 'adjustment' GROUP BY 1, 2
) AS e ON e.period = a.period AND e.entry_id = a.entry_id
""",
)  # fmt: skip

PROPOSALS_HAD_FOUR_EYES = query(
    "4.9", "裁定与更正均经复核", "Every decision and correction was confirmed by somebody who had no part in it before",
    "proposals",
    """
SELECT 1, CASE WHEN p.state = 'confirmed' AND (plain_name(p.ended_by) = plain_name(p.proposed_by) OR EXISTS (
        SELECT FROM proposals first WHERE first.dispute_id = p.dispute_id AND first.state = 'confirmed'
            AND first.number < p.number
            AND plain_name(p.ended_by) IN (plain_name(first.proposed_by), plain_name(first.ended_by))))
    THEN format('proposal %s was confirmed by somebody who had proposed or decided it before', p.number) END
FROM proposals p
""",
)  # fmt: skip

DISPUTES_ARE_ADJUSTED = query(
    "4.7", "争议裁定均已更正", "What a dispute's decision gives its opener is what its adjustments sum to", "disputes",
    """
SELECT 1, CASE
    WHEN coalesce(a.gained, 0) <> coalesce(d.upheld_minor, 0)
        THEN format('dispute %s gives its opener %s fen, and its adjustments %s', d.dispute_id,
            coalesce(d.upheld_minor, 0), coalesce(a.gained, 0))
    WHEN a.first_period <= d.period THEN format('dispute %s is adjusted in the period that it is about', d.dispute_id)
    END
FROM disputes d LEFT JOIN (
    SELECT a.dispute_id, min(a.period) AS first_period, sum(a.amount_minor) FILTER (WHERE a.system = d.opened_by
        AND (a.counterparty IS NOT NULL OR d.respondent IS NULL)) AS gained
    FROM adjustments a JOIN disputes d USING (dispute_id) GROUP BY 1
) AS a USING (dispute_id)
""",
)  # fmt: skip
