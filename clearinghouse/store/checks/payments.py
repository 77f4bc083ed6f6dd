"""Payments: what the bank says is what stands in the books, and every fen of it met something or waits (§4, §5.1)."""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.domain.movements import MOVEMENT_KINDS
from clearinghouse.store.checks.check import kind, month, query

_BANK, _UNALLOCATED = account(AccountKind.BANK), account(AccountKind.UNALLOCATED)
_POSITION = int(AccountKind.POSITION)
_MOVEMENTS = ", ".join(f"'{name}'" for name in MOVEMENT_KINDS)
_PUBLISHED = "(SELECT period FROM periods WHERE state IN ('published', 'settled'))"
#: What every allocation that has an entry must have moved on the account of its system.
_MOVED = (
    "SELECT e.period, e.entry_id, side.account >> 5 AS system, sum(side.amount) AS amount"
    " FROM entries e JOIN postings p ON p.period = e.period AND p.entry_id = e.entry_id"
    " CROSS JOIN LATERAL (VALUES (p.debit, -p.amount), (p.credit, p.amount)) AS side (account, amount)"
    f" WHERE e.kind IN ({_MOVEMENTS}) AND {kind('side.account')} = {_POSITION} GROUP BY 1, 2, 3"
)

BANK_IS_ITS_LINES = query(
    "9.5", "银行账户等于银行流水", "What stands on the bank's account is what its lines say, one by one",
    "bank lines",
    f"""
SELECT 1, CASE
    WHEN l.number IS NULL THEN format('entry %s moves money at the bank, of which no bank line tells', p.entry_id)
    WHEN p.entry_id IS NULL THEN format('bank line %s is not posted', l.number)
    WHEN (p.amount, p.period) <> (CASE WHEN l.incoming THEN l.amount_minor ELSE -l.amount_minor END, l.in_period)
        THEN format('bank line %s is posted as %s fen', l.number, p.amount) END
FROM bank_lines l FULL JOIN (
    SELECT period, entry_id, sum(CASE WHEN debit = {_BANK} THEN amount ELSE -amount END) AS amount
    FROM postings WHERE {_BANK} IN (debit, credit) GROUP BY 1, 2
) AS p USING (entry_id)
UNION ALL
SELECT 1, CASE WHEN f.lines < count(l.number) THEN format('bank file %s has more lines than it had', f.number) END
FROM bank_files f LEFT JOIN bank_lines l ON l.file = f.number GROUP BY f.number
""",
)  # fmt: skip

LINES_ARE_ALLOCATED = query(
    "9.6", "流水分配不超额", "Every line is allocated within its amount, and the rest is what nobody has claimed",
    "bank lines",
    f"""
SELECT 1, CASE WHEN a.taken NOT BETWEEN 0 AND l.amount_minor
    THEN format('%s fen of bank line %s are allocated, which has %s', a.taken, l.number, l.amount_minor) END
FROM bank_lines l JOIN (
    SELECT l.number, sum(CASE WHEN l.incoming THEN a.amount_minor ELSE -a.amount_minor END) AS taken
    FROM payment_allocations a JOIN bank_lines l ON l.number = a.line GROUP BY 1
) AS a USING (number)
UNION ALL
SELECT s.lines, CASE WHEN s.balance <> s.waiting
    THEN format('what nobody has claimed is %s fen by its account, and %s by the lines of the bank', s.balance,
        s.waiting) END
FROM (
    SELECT (SELECT count(*) FROM bank_lines) AS lines,
        (SELECT coalesce(sum(CASE WHEN credit = {_UNALLOCATED} THEN amount ELSE -amount END), 0) FROM postings
            WHERE {_UNALLOCATED} IN (debit, credit)) AS balance,
        (SELECT coalesce(sum(CASE WHEN incoming THEN amount_minor ELSE -amount_minor END), 0) FROM bank_lines)
        - (SELECT coalesce(sum(amount_minor), 0) FROM payment_allocations WHERE kind = 'bank')
        - (SELECT coalesce(sum(CASE WHEN debit = {_UNALLOCATED} THEN amount ELSE -amount END), 0) FROM postings
            WHERE {_UNALLOCATED} IN (debit, credit) AND {int(AccountKind.COLLATERAL)} IN
                ({kind("debit")}, {kind("credit")})) AS waiting
) AS s
""",
)  # fmt: skip

ALLOCATIONS_ARE_POSTED = query(
    "9.7", "分配与分录相符", "Every allocation is posted, and nothing else moves a system's account outside its nets",
    "movements",
    f"""
SELECT 1, CASE WHEN m.amount IS DISTINCT FROM a.amount OR m.period <> a.in_period
    THEN format('entry %s moved %s fen on the account of system %s, and %s were allocated', entry_id,
        coalesce(m.amount, 0), coalesce(s.code, system::text), coalesce(a.amount, 0)) END
FROM ({_MOVED}) AS m FULL JOIN (
    SELECT entry_id, system, min(in_period) AS in_period, sum(amount_minor) AS amount FROM payment_allocations
    WHERE entry_id IS NOT NULL GROUP BY 1, 2
) AS a USING (entry_id, system)
LEFT JOIN systems s ON s.number = system
UNION ALL
SELECT count(*), CASE WHEN sum(amount_minor) <> 0
    THEN format('what was set off for system %s sums to %s fen, not to zero', min(s.code), sum(amount_minor)) END
FROM payment_allocations a JOIN systems s ON s.number = a.system WHERE kind = 'set_off' GROUP BY a.system, in_period
""",
)  # fmt: skip

INSTRUCTIONS_ARE_THE_NETS = query(
    "9.8", "付款指令与净额相符", "Every published net has its instruction, confirmed by what met it and not beyond",
    "instructions",
    f"""
SELECT 1, CASE
    WHEN i.system IS NULL THEN format('nothing is instructed for system %s in %s', s.code, {month("period")})
    WHEN (i.net_minor = coalesce(p.net_minor, 0) AND period IN {_PUBLISHED}) IS NOT TRUE
        THEN format('the instruction of system %s for %s is not its net', s.code, {month("period")})
    WHEN i.confirmed_minor <> coalesce(a.met, 0) OR i.covered_minor <> coalesce(c.covered, 0)
        THEN format('what is confirmed of system %s for %s is not what met it', s.code, {month("period")})
    WHEN i.carried_minor <> coalesce(carried.amount, 0)
        THEN format('the credit that system %s brought into %s is not what it had', s.code, {month("period")})
    WHEN i.set_off_minor <> least(i.amount_minor, coalesce(owed.unpaid, 0)) AND i.direction = 'out'
        THEN format('what is set off of what system %s is paid for %s is not what it owed', s.code, {month("period")})
    END
FROM (SELECT * FROM positions WHERE net_minor <> 0 AND period IN {_PUBLISHED}) AS p
FULL JOIN payment_instructions i USING (period, system)
LEFT JOIN (
    SELECT a.period, a.system, sum(CASE i.direction WHEN 'in' THEN a.amount_minor ELSE -a.amount_minor END) AS met
    FROM payment_allocations a JOIN payment_instructions i USING (period, system) GROUP BY 1, 2
) AS a USING (period, system)
LEFT JOIN (SELECT period, system, sum(amount_minor) AS covered FROM payment_covers GROUP BY 1, 2) AS c
    USING (period, system)
LEFT JOIN (SELECT in_period - 1 AS period, system, -sum(amount_minor) AS amount FROM payment_allocations
    WHERE kind = 'carry' GROUP BY 1, 2) AS carried USING (period, system)
LEFT JOIN LATERAL (
    SELECT sum(greatest(debt.amount_minor - greatest(coalesce(m.met, 0), 0), 0)) AS unpaid
    FROM payment_instructions debt CROSS JOIN LATERAL (SELECT sum(amount_minor) AS met FROM payment_allocations
        WHERE system = debt.system AND period = debt.period AND in_period <= i.period) AS m
    WHERE debt.system = i.system AND debt.period < i.period AND debt.direction = 'in'
) AS owed ON true
LEFT JOIN systems s ON s.number = system
""",
)  # fmt: skip

ACCOUNTS_ARE_WHAT_IS_OPEN = query(
    "4.8", "账户余额等于未结款项", "What a system's account holds of published periods is what is open, and its credit",
    "systems",
    f"""
SELECT 1, CASE WHEN sum(t.amount) <> 0
    THEN format('the account of system %s and what is open with it differ by %s fen', s.code, sum(t.amount)) END
FROM systems s JOIN (
    SELECT system, net_minor AS amount FROM positions WHERE period IN {_PUBLISHED}
    UNION ALL SELECT system, amount FROM ({_MOVED}) AS moved
    UNION ALL SELECT system, CASE direction WHEN 'in' THEN 1 ELSE -1 END * (amount_minor - confirmed_minor)
        FROM payment_instructions
    UNION ALL SELECT system, -amount_minor FROM payment_allocations WHERE period IS NULL AND kind <> 'collateral'
) AS t ON t.system = s.number
GROUP BY s.number, s.code
""",
)  # fmt: skip

MATCHES_HAD_FOUR_EYES = query(
    "9.9", "人工匹配均经复核", "Every match by hand was confirmed by another person, and did what it said", "matches",
    """
SELECT 1, CASE
    WHEN m.state = 'confirmed' AND plain_name(m.decided_by) = plain_name(m.proposed_by)
        THEN format('match %s was confirmed by whoever proposed it', m.number)
    WHEN CASE m.state WHEN 'confirmed' THEN p.amount ELSE 0 END <> coalesce(a.amount, 0)
        THEN format('match %s of bank line %s allocated %s fen, and said %s', m.number, m.line, coalesce(a.amount, 0),
            p.amount) END
FROM payment_matches m
LEFT JOIN (SELECT match, sum(amount_minor) AS amount FROM payment_match_parts GROUP BY 1) AS p ON p.match = m.number
LEFT JOIN (SELECT match, sum(abs(amount_minor)) AS amount FROM payment_allocations GROUP BY 1) AS a
    ON a.match = m.number
""",
)  # fmt: skip

PAID_PERIODS_ARE_SETTLED = query(
    "7.6", "付清的账期已清讫", "A published period of which everything is met is settled", "periods",
    f"""
SELECT 1, CASE WHEN p.state = 'published' AND NOT EXISTS (SELECT FROM payment_instructions i
        WHERE i.period = p.period AND i.state NOT IN ('confirmed', 'covered'))
    THEN format('everything of %s is met, and it is not settled', {month("p.period")}) END
FROM periods p WHERE p.state IN ('published', 'settled')
""",
)  # fmt: skip
