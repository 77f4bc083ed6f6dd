"""Legs: no exchange, no fee, and on every exchange the rulebook's fee, exactly (domain.md §5.5)."""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.errors import RulebookFault
from clearinghouse.domain.rulebook import rulebook_from_document, rulebook_sha256
from clearinghouse.store.checks.check import Check, Finding, kind, owner, query
from clearinghouse.store.database import Session

#: The terms of every version for every kind of fee, as exact numbers.
_RULES = """
SELECT r.number AS rulebook, fee.kind AS fee_kind,
    (r.document ->> 'point_value_minor_per_100')::numeric * 0.01 AS point_value,
    (fee.rule ->> 'rate_ppm')::numeric * 0.000001 AS rate,
    (fee.rule ->> 'fixed_minor')::numeric AS fixed,
    (fee.rule ->> 'min_minor')::numeric AS least,
    (fee.rule ->> 'max_minor')::numeric AS most
FROM rulebooks r CROSS JOIN LATERAL jsonb_each(r.document -> 'fees') AS fee (kind, rule)
"""


def _fee(base: str) -> str:
    """Return the fee on a value: ``clamp(round(value × rate) + fixed, min, max)``, half up; no value, no fee.

    Products of ``numeric`` are exact, which quotients are not; LEAST passes over a limit that is not set.
    """
    charged = f"greatest(round({base} * rule.rate) + rule.fixed, rule.least)"
    return f"CASE WHEN {base} > 0 THEN least({charged}, rule.most) ELSE 0 END"


def _amounts(leg: str, points: str, base: str, obligation: str, fee: str) -> str:
    """Return the condition that what a leg is worth follows from its points or amount."""
    cross = f"{leg}.host_system <> {leg}.issuer_system"
    return (
        f"({leg}.fee_kind = 'redeem') = ({points} IS NOT NULL)"
        f" AND ({leg}.fee_kind <> 'redeem' OR {base} = round({points} * rule.point_value))"
        f" AND {obligation} = CASE WHEN {cross} AND {leg}.fee_kind <> 'spend' THEN {base} ELSE 0 END"
        f" AND {fee} = CASE WHEN {cross} THEN {_fee(base)} ELSE 0 END"
    )


_REMAINING = _amounts(
    "g",
    "(g.points + b.points)",
    "(g.base_minor + b.base_minor)",
    "(g.obligation_minor + b.obligation_minor)",
    "(g.fee_minor + b.fee_minor)",
)

OWN_SYSTEM_IS_FREE = query(
    "5.1", "本系统内不收费", "No exchange, no fee: nothing is charged or owed inside a system", "legs",
    """
SELECT legs, CASE WHEN charged > 0 THEN format('%s legs inside system %s carry a fee or an obligation, as in %s',
    charged, s.code, one) END
FROM (
    SELECT host_system, issuer_system, count(*) AS legs,
        count(*) FILTER (WHERE fee_minor <> 0 OR obligation_minor <> 0) AS charged,
        min(txn_id::text) FILTER (WHERE fee_minor <> 0 OR obligation_minor <> 0) AS one
    FROM legs WHERE host_system = issuer_system GROUP BY 1, 2
) AS own LEFT JOIN systems s ON s.number = own.host_system
""",
)  # fmt: skip

FEES_ARE_THE_RULEBOOKS = query(
    "5.2", "跨系统费用按规则", "Every fee and obligation is the rulebook's, and that of what refunds left", "legs",
    f"""
SELECT 1 + coalesce(b.legs, 0), CASE
    WHEN ({_amounts("g", "g.points", "g.base_minor", "g.obligation_minor", "g.fee_minor")}) IS NOT TRUE
        THEN format('leg %s of transaction %s carries a fee of %s on %s fen, which is not the rulebook''s',
            g.leg_no, g.txn_id, g.fee_minor, g.base_minor)
    WHEN b.legs IS NOT NULL AND (g.base_minor + b.base_minor >= 0 AND {_REMAINING}) IS NOT TRUE
        THEN format('after its refunds, leg %s of transaction %s does not carry the fee of what is left',
            g.leg_no, g.txn_id) END
FROM legs g
LEFT JOIN (
    SELECT reverses_txn, reverses_leg, count(*) AS legs, sum(points) AS points, sum(base_minor) AS base_minor,
        sum(obligation_minor) AS obligation_minor, sum(fee_minor) AS fee_minor
    FROM legs WHERE reverses_txn IS NOT NULL GROUP BY 1, 2
) AS b ON b.reverses_txn = g.txn_id AND b.reverses_leg = g.leg_no
LEFT JOIN ({_RULES}) AS rule ON rule.rulebook = g.rulebook AND rule.fee_kind = g.fee_kind
WHERE g.reverses_txn IS NULL
""",
)  # fmt: skip

#: The dates from one membership of a hotel to the next; before its first it counts as its first system's.
_SPANS = """
SELECT hotel, effective_from AS joined,
    CASE WHEN lag(system) OVER dated IS NULL THEN '-infinity' ELSE effective_from END AS since,
    coalesce(lead(effective_from) OVER dated, 'infinity') AS until
FROM memberships WINDOW dated AS (PARTITION BY hotel ORDER BY effective_from)
"""

#: A move may be recorded after its date; what was posted before, or in that minute, keeps its systems (§1).
SYSTEMS_ARE_THOSE_OF_THE_DAY = query(
    "5.3", "系统归属按营业日", "Every leg is of its host, its rulebook and the systems of its business date", "legs",
    f"""
WITH dated AS MATERIALIZED (
    SELECT g.host_hotel, g.host_system, g.issuer_hotel, g.issuer_system, t.business_date,
        g.reverses_txn IS NOT NULL AS reverses, count(*) AS legs, max(t.posted_at) AS last_at,
        min(g.txn_id::text) FILTER (WHERE (g.host_hotel = t.host_hotel AND g.rulebook = t.rulebook) IS NOT TRUE)
            AS stranger
    FROM legs g LEFT JOIN transactions t ON t.period = g.period AND t.txn_id = g.txn_id
    GROUP BY 1, 2, 3, 4, 5, 6
), sides AS (
    SELECT d.hotel, d.system, span.joined, min(d.business_date) AS first_date, max(d.last_at) AS last_at,
        bool_or(d.hosts AND d.business_date < span.joined) AS too_early
    FROM (
        SELECT true AS hosts, host_hotel AS hotel, host_system AS system, business_date, last_at
            FROM dated WHERE NOT reverses
        UNION ALL SELECT false, issuer_hotel, issuer_system, business_date, last_at
            FROM dated WHERE NOT reverses
    ) AS d
    LEFT JOIN ({_SPANS}) AS span
        ON span.hotel = d.hotel AND d.business_date >= span.since AND d.business_date < span.until
    GROUP BY 1, 2, 3
)
SELECT legs, CASE WHEN stranger IS NOT NULL
    THEN format('a leg of %s has another host or rulebook than its transaction', stranger) END
FROM dated
UNION ALL
SELECT 0, CASE WHEN (NOT d.too_early AND EXISTS (
        SELECT FROM memberships m
        WHERE m.hotel = d.hotel AND m.system = d.system AND m.effective_from <= d.joined AND NOT EXISTS (
            SELECT FROM memberships later WHERE later.hotel = d.hotel AND later.effective_from > m.effective_from
            AND later.effective_from <= d.joined AND later.recorded_at + interval '1 minute' <= d.last_at)
    )) IS NOT TRUE
    THEN format('legs from %s on say that hotel %s was of system %s, which it was not', d.first_date,
        coalesce(h.code, d.hotel::text), coalesce(s.code, d.system::text)) END
FROM sides d LEFT JOIN hotels h ON h.number = d.hotel LEFT JOIN systems s ON s.number = d.system
""",
)  # fmt: skip

#: A transaction has one leg as a rule, so only further ones are summed: no hash table of every transaction.
LEGS_SUM_TO_TRANSACTIONS = query(
    "5.4", "清算腿合计等于交易", "The legs of every transaction sum to it", "transactions",
    """
SELECT 1, CASE WHEN (c.traveller = t.traveller AND CASE
    WHEN t.kind IN ('award', 'load') THEN g.txn_id IS NULL AND more.txn_id IS NULL
    WHEN t.kind = 'refund' AND g.txn_id IS NULL THEN more.txn_id IS NULL
    ELSE (more.txn_id IS NULL OR (more.legs + 1 = more.last_no AND more.first_kind = g.fee_kind
        AND more.last_kind = g.fee_kind))
    AND CASE g.fee_kind
        WHEN 'spend' THEN t.kind IN ('spend', 'refund') AND more.txn_id IS NULL
            AND g.base_minor = CASE t.kind WHEN 'refund' THEN -t.amount_minor ELSE t.amount_minor END
            AND g.issuer_hotel = c.issuer_hotel
        WHEN 'redeem' THEN t.kind IN ('redeem', 'refund') AND g.points + coalesce(more.points, 0)
            = CASE t.kind WHEN 'refund' THEN -t.points ELSE t.points END
        WHEN 'stored_value' THEN t.kind IN ('stored_value_spend', 'refund')
            AND g.base_minor + coalesce(more.base_minor, 0)
            = CASE t.kind WHEN 'refund' THEN -t.amount_minor ELSE t.amount_minor END
        END
    END) IS NOT TRUE
    THEN format('the legs of the %s %s do not sum to it, or it is of another card', t.kind, t.txn_id) END
FROM transactions t
LEFT JOIN legs g ON g.period = t.period AND g.txn_id = t.txn_id AND g.leg_no = 1
LEFT JOIN (
    SELECT period, txn_id, count(*) AS legs, max(leg_no) AS last_no, min(fee_kind) AS first_kind,
        max(fee_kind) AS last_kind, sum(points)::bigint AS points, sum(base_minor)::bigint AS base_minor
    FROM legs WHERE leg_no <> 1 GROUP BY 1, 2
) AS more ON more.period = t.period AND more.txn_id = t.txn_id
LEFT JOIN cards c ON c.number = t.card
""",
)  # fmt: skip

_REDEEMED, _USED = int(AccountKind.POINTS_REDEEMED), int(AccountKind.STORED_VALUE_USED)
_REVERSED = int(AccountKind.POINTS_REVERSED)

LEGS_ARE_OF_THE_LOTS_DRAWN = query(
    "5.5", "腿与所用批次相符", "Every leg is what was drawn on, or went back to, the lots of its issuer", "legs",
    f"""
SELECT d.legs, CASE WHEN d.legs <> 1 OR d.difference > 0 OR (d.difference < 0 AND NOT d.may_repay_debt)
    THEN format('transaction %s has legs that differ by %s from the lots of hotel %s', d.txn_id,
        d.difference, coalesce(h.code, d.hotel::text)) END
FROM (
    SELECT period, txn_id, hotel, sum(legs) AS legs, sum(amount) AS difference, bool_or(repays) AS may_repay_debt
    FROM (
        SELECT period, txn_id, issuer_hotel AS hotel, 1 AS legs,
            CASE fee_kind WHEN 'redeem' THEN points ELSE base_minor END AS amount,
            fee_kind = 'redeem' AND reverses_txn IS NOT NULL AS repays
            FROM legs WHERE fee_kind <> 'spend'
        UNION ALL SELECT period, entry_id, {owner("credit")}, 0, -amount, false
            FROM postings WHERE {kind("credit")} IN ({_REDEEMED}, {_USED})
        UNION ALL SELECT period, entry_id, {owner("debit")}, 0, amount, false
            FROM postings WHERE {kind("debit")} IN ({_REVERSED}, {_USED})
    ) AS amounts GROUP BY 1, 2, 3
) AS d LEFT JOIN hotels h ON h.number = d.hotel
""",
)  # fmt: skip

CROSS_HOSTS_HAVE_ACCEPTED = query(
    "5.6", "跨系统接待方已接受规则", "Whoever hosted across systems had accepted the rulebook", "legs",
    """
SELECT g.legs, CASE WHEN a.system IS NULL THEN format('system %s hosted across systems without having accepted '
    'rulebook %s', s.code, r.version) END
FROM (SELECT host_system, rulebook, count(*) AS legs FROM legs WHERE host_system <> issuer_system GROUP BY 1, 2) AS g
LEFT JOIN acceptances a ON a.system = g.host_system AND a.rulebook = g.rulebook
LEFT JOIN systems s ON s.number = g.host_system
LEFT JOIN rulebooks r ON r.number = g.rulebook
""",
)  # fmt: skip


def _hashes(session: Session) -> Finding:
    rows = session.rows("SELECT version, document, sha256 FROM rulebooks ORDER BY effective_from")
    edited = []
    for version, document, recorded in rows:
        try:
            same = rulebook_sha256(rulebook_from_document(document)) == recorded
        except RulebookFault:
            same = False
        if not same:
            edited.append(f"rulebook {version} is not the document that was recorded")
    return Finding(len(rows), len(edited), edited[0] if edited else None)


RULEBOOKS_ARE_UNEDITED = Check(
    "5.7", "规则文本未改", "No version of the rulebook was ever edited", "versions", _hashes
)
