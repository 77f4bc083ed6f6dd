"""The journal: entries sum to zero, stand between accounts that exist, and are whole (domain.md §5.1)."""

from __future__ import annotations

from clearinghouse.domain.accounts import ASSET_OF, AccountKind
from clearinghouse.store.checks.check import kind, month, owner, query

A = AccountKind

#: Every movement that there is: from the debit to the credit account.
MOVEMENTS: tuple[tuple[AccountKind, AccountKind], ...] = (
    (A.POINTS_ISSUED, A.TRAVELLER_POINTS),
    (A.TRAVELLER_POINTS, A.POINTS_REDEEMED),
    (A.TRAVELLER_POINTS, A.POINTS_EXPIRED),
    (A.TRAVELLER_POINTS, A.POINTS_REVERSED),
    (A.POINTS_REVERSED, A.TRAVELLER_POINTS),
    (A.POINTS_REVERSED, A.POINTS_EXPIRED),
    (A.TRAVELLER_DEBT, A.POINTS_DEBTS),
    (A.POINTS_DEBTS, A.TRAVELLER_DEBT),
    (A.STORED_VALUE_ISSUED, A.TRAVELLER_STORED_VALUE),
    (A.TRAVELLER_STORED_VALUE, A.STORED_VALUE_ISSUED),
    (A.TRAVELLER_STORED_VALUE, A.STORED_VALUE_USED),
    (A.STORED_VALUE_USED, A.TRAVELLER_STORED_VALUE),
    (A.POSITION, A.POSITION),
    (A.POSITION, A.FEES),
    (A.FEES, A.POSITION),
    (A.FEES, A.VAT),
    (A.VAT, A.FEES),
    (A.POSITION, A.VAT),
    (A.VAT, A.POSITION),
    # Money that came or went, and what it was for.
    (A.BANK, A.UNALLOCATED),
    (A.UNALLOCATED, A.BANK),
    (A.UNALLOCATED, A.POSITION),
    (A.POSITION, A.UNALLOCATED),
    # Collateral and the guarantee fund, and what they and creditors bear of a default.
    (A.UNALLOCATED, A.COLLATERAL),
    (A.COLLATERAL, A.UNALLOCATED),
    (A.COLLATERAL, A.POSITION),
    (A.POSITION, A.GUARANTEE_FUND),
    (A.GUARANTEE_FUND, A.CLAIM),
    (A.CLAIM, A.GUARANTEE_FUND),
    (A.POSITION, A.CLAIM),
    (A.CLAIM, A.POSITION),
)
_POSITION = int(A.POSITION)
_MOVEMENTS = ", ".join(f"({int(d)}, {int(c)}, {int(ASSET_OF[d])})" for d, c in MOVEMENTS)
_CHART = ", ".join(f"({int(k)}, {int(asset)})" for k, asset in ASSET_OF.items())

SUMS_TO_ZERO = query(
    "1.1", "分录借贷相等", "Every entry sums to zero per asset", "postings",
    f"""
SELECT p.postings, CASE
    WHEN p.one_sided > 0 THEN format(
        'the posting %s has no amount above zero, or one account on both sides', p.one)
    WHEN m.asset IS NULL THEN format(
        '%s postings move value from accounts of kind %s to kind %s, which nothing does',
        p.postings, p.debit, p.credit)
    WHEN m.asset <> p.asset THEN format(
        '%s postings from accounts of kind %s to kind %s count an asset that these do not hold',
        p.postings, p.debit, p.credit) END
FROM (
    SELECT {kind("debit")} AS debit, {kind("credit")} AS credit, asset, count(*) AS postings,
        count(*) FILTER (WHERE amount <= 0 OR debit = credit) AS one_sided,
        min(entry_id::text || ' no. ' || seq) FILTER (WHERE amount <= 0 OR debit = credit) AS one
    FROM postings GROUP BY 1, 2, 3
) AS p LEFT JOIN (VALUES {_MOVEMENTS}) AS m (debit, credit, asset) USING (debit, credit)
""",
)  # fmt: skip

ACCOUNTS_EXIST = query(
    "1.2", "科目均有归属", "Every account belongs to someone on record", "accounts",
    f"""
SELECT 1, CASE
    WHEN chart.asset IS NULL THEN format('account %s is of no known kind', a.account)
    WHEN chart.asset <> a.asset THEN format('account %s holds an asset that is not its own', a.account)
    WHEN CASE WHEN chart.kind < 8 THEN t.number WHEN chart.kind < 16 THEN h.number
        WHEN chart.kind = {A.CLAIM:d} AND {owner("a.account")} = 0 THEN 0
        WHEN chart.kind < 24 THEN s.number WHEN {owner("a.account")} = 0 THEN 0 END IS NULL
        THEN format('account %s belongs to nobody on record', a.account) END
FROM (
    SELECT account, asset FROM (
        SELECT debit AS account, asset FROM postings UNION ALL SELECT credit, asset FROM postings
    ) AS sides GROUP BY 1, 2
) AS a
LEFT JOIN (VALUES {_CHART}) AS chart (kind, asset) ON chart.kind = {kind("a.account")}
LEFT JOIN travellers t ON t.number = CASE WHEN chart.kind < 8 THEN {owner("a.account")} END
LEFT JOIN hotels h ON h.number = CASE WHEN chart.kind BETWEEN 8 AND 15 THEN {owner("a.account")} END
LEFT JOIN systems s ON s.number = CASE WHEN chart.kind BETWEEN 16 AND 23 THEN {owner("a.account")} END
""",
)  # fmt: skip

BELONG_TO_AN_ENTRY = query(
    "1.3", "分录均有出处", "Every posting is of a transaction or entry of its period", "postings",
    f"""
SELECT 1, CASE WHEN t.txn_id IS NULL AND e.entry_id IS NULL THEN format(
    'posting %s of %s in %s is of no transaction and no entry', p.seq, p.entry_id, {month("p.period")}) END
FROM postings p
LEFT JOIN transactions t ON t.period = p.period AND t.txn_id = p.entry_id
LEFT JOIN entries e ON e.period = p.period AND e.entry_id = p.entry_id
UNION ALL
SELECT 1, format('entry %s of %s has no postings', e.entry_id, {month("e.period")})
FROM entries e LEFT JOIN postings p ON p.period = e.period AND p.entry_id = e.entry_id
WHERE p.entry_id IS NULL
""",
)  # fmt: skip


_MOVED = {
    "issued": (A.POINTS_ISSUED, A.TRAVELLER_POINTS),
    "redeemed": (A.TRAVELLER_POINTS, A.POINTS_REDEEMED),
    "taken": (A.TRAVELLER_POINTS, A.POINTS_REVERSED),
    "returned": (A.POINTS_REVERSED, A.TRAVELLER_POINTS),
    "gone": (A.POINTS_REVERSED, A.POINTS_EXPIRED),
    "owed": (A.TRAVELLER_DEBT, A.POINTS_DEBTS),
    "repaid": (A.POINTS_DEBTS, A.TRAVELLER_DEBT),
    "loaded": (A.STORED_VALUE_ISSUED, A.TRAVELLER_STORED_VALUE),
    "unloaded": (A.TRAVELLER_STORED_VALUE, A.STORED_VALUE_ISSUED),
    "used": (A.TRAVELLER_STORED_VALUE, A.STORED_VALUE_USED),
    "unused": (A.STORED_VALUE_USED, A.TRAVELLER_STORED_VALUE),
}


def _is(name: str) -> str:
    debit, credit = _MOVED[name]
    return f"{kind('p.debit')} = {int(debit)} AND {kind('p.credit')} = {int(credit)}"


def _of_pools(account: str) -> str:
    """Return the condition that an account is one that points or stored value stand on."""
    return f"{kind(account)} < {int(A.POSITION)}"


#: The traveller that a posting concerns, if any; no movement is between two.
_TRAVELLER = (
    f"CASE WHEN {kind('p.debit')} < 8 THEN {owner('p.debit')}"
    f" WHEN {kind('p.credit')} < 8 THEN {owner('p.credit')} END"
)
#: What a transaction moved: its first posting, where that is one of points or stored value, and the others.
_FIRST = ", ".join(
    f"CASE WHEN {_is(name)} THEN p.amount ELSE 0 END + coalesce(more.{name}, 0) AS {name}"
    for name in _MOVED
)
_OTHERS = ", ".join(
    f"sum(CASE WHEN {_is(name)} THEN p.amount ELSE 0 END)::bigint AS {name}" for name in _MOVED
)

#: Most transactions have one such posting, so only further ones are summed: no hash table of all of them.
TRANSACTIONS_ARE_WHOLE = query(
    "1.4", "交易分录齐全", "Every transaction has the postings of its kind, and no others", "transactions",
    f"""
SELECT 1, CASE
    WHEN m.strange THEN format('transaction %s moves value of another traveller', m.txn_id)
    WHEN (CASE m.kind
        WHEN 'spend' THEN m.points = m.issued AND m.taken >= m.repaid AND m.total = m.issued + m.taken + m.repaid
        WHEN 'award' THEN m.points = m.issued AND m.taken >= m.repaid AND m.total = m.issued + m.taken + m.repaid
        WHEN 'redeem' THEN m.points = m.redeemed AND m.total = m.redeemed
        WHEN 'load' THEN m.amount_minor = m.loaded AND m.total = m.loaded
        WHEN 'stored_value_spend' THEN m.amount_minor = m.used AND m.total = m.used
        WHEN 'refund' THEN CASE
            WHEN m.points IS NULL THEN m.amount_minor IN (m.unloaded, m.unused) AND m.total = m.amount_minor
            WHEN m.amount_minor IS NULL AND m.returned + m.gone + m.repaid > 0 THEN
                m.points >= m.returned + m.gone + m.repaid AND m.total = m.returned + m.gone + m.repaid
            ELSE m.points >= m.taken + m.owed AND m.total = m.taken + m.owed
            END
        END) IS NOT TRUE
    THEN format('the %s %s has other postings than it must have', m.kind, m.txn_id) END
FROM (
    SELECT t.txn_id, t.kind, t.points, t.amount_minor, {_FIRST},
        CASE WHEN {_of_pools("p.debit")} THEN p.amount ELSE 0 END + coalesce(more.total, 0) AS total,
        coalesce({_TRAVELLER} <> t.traveller, false) OR coalesce(more.traveller <> t.traveller, false)
            OR coalesce(more.other_traveller <> t.traveller, false) AS strange
    FROM transactions t
    LEFT JOIN postings p ON p.period = t.period AND p.entry_id = t.txn_id AND p.seq = 1
    LEFT JOIN (
        SELECT p.period, p.entry_id, {_OTHERS}, sum(p.amount)::bigint AS total,
            min({_TRAVELLER}) AS traveller, max({_TRAVELLER}) AS other_traveller
        FROM postings p WHERE p.seq <> 1 AND {_of_pools("p.debit")} GROUP BY 1, 2
    ) AS more ON more.period = t.period AND more.entry_id = t.txn_id
) AS m
""",
)  # fmt: skip

#: The clearing house's side of every fee follows: a posting has two sides, and these are the systems'.
LEGS_ARE_POSTED = query(
    "1.5", "清算腿已入账", "What the legs clear is what stands on the systems' accounts", "movements",
    f"""
SELECT m.movements, CASE WHEN m.difference <> 0 AND e.entry_id IS NULL THEN format(
    'the legs of transaction %s and its postings differ by %s fen for system %s', m.txn_id, m.difference,
    coalesce(s.code, m.system::text)) END
FROM (
    SELECT period, txn_id, system, sum(amount) AS difference, count(*) AS movements FROM (
        SELECT period, txn_id, host_system::bigint AS system, fee_minor - obligation_minor AS amount FROM legs
            WHERE obligation_minor <> 0 OR fee_minor <> 0
        UNION ALL SELECT period, txn_id, issuer_system, obligation_minor FROM legs WHERE obligation_minor <> 0
        UNION ALL SELECT period, entry_id, {owner("debit")}, -amount FROM postings WHERE {kind("debit")} = {_POSITION}
        UNION ALL SELECT period, entry_id, {owner("credit")}, amount FROM postings WHERE {kind("credit")} = {_POSITION}
    ) AS movements GROUP BY 1, 2, 3
) AS m
LEFT JOIN entries e ON e.period = m.period AND e.entry_id = m.txn_id
LEFT JOIN systems s ON s.number = m.system
""",
)  # fmt: skip
