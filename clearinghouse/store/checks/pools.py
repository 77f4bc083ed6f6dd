"""Travellers' pools: lots, stored value and debts equal the ledger (domain.md §5.2)."""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind, Asset
from clearinghouse.store.checks.check import (
    CLOSED_THROUGH,
    FROZEN_THROUGH,
    first_day_after,
    kind,
    owner,
    period_of,
    query,
)

_POINTS, _CREDIT = int(AccountKind.TRAVELLER_POINTS), int(AccountKind.TRAVELLER_STORED_VALUE)
_ISSUED, _LOADED = int(AccountKind.POINTS_ISSUED), int(AccountKind.STORED_VALUE_ISSUED)
_EXPIRED, _REVERSED = int(AccountKind.POINTS_EXPIRED), int(AccountKind.POINTS_REVERSED)
_DEBT, _DEBTS = int(AccountKind.TRAVELLER_DEBT), int(AccountKind.POINTS_DEBTS)
_POINT = int(Asset.POINT)
#: The account on which the ledger has what remains of a lot.
_HOLDER = f"traveller * 32 + CASE asset WHEN {_POINT} THEN {_POINTS} ELSE {_CREDIT} END"
#: The account of the hotel that issued it.
_ISSUER = f"issuer_hotel * 32 + CASE asset WHEN {_POINT} THEN {_ISSUED} ELSE {_LOADED} END"
#: Before the figures of a period are frozen, all that expires with it has been posted.
_DUE = f"{FROZEN_THROUGH} >= l.period AND {FROZEN_THROUGH} >= {period_of('l.expires_on')}"
#: What authorisations have let go of, by lot, since the last of those periods was closed: it expires with the next one.
_FREED = (
    "(SELECT lot, sum(part) AS amount FROM authorizations, unnest(lots, parts) AS held (lot, part)"
    f" WHERE ended_at >= (SELECT closing_at FROM periods WHERE period = {FROZEN_THROUGH}) GROUP BY lot)"
)
#: What has expired for good or is gone, also where a closing has not yet written it.
_LOST = (
    "coalesce({lot}.expired + {lot}.gone"
    f" + CASE WHEN {CLOSED_THROUGH} >= {{lot}}.period AND {CLOSED_THROUGH} >= {period_of('{lot}.expires_on')}"
    " THEN {lot}.remaining - {lot}.held ELSE 0 END, 0)"
)


def _holds(account: str) -> str:
    return f"{kind(account)} IN ({_POINTS}, {_CREDIT})"


def _issues(debit: str, credit: str) -> str:
    return f"({kind(debit)} IN ({_ISSUED}, {_LOADED}) AND {_holds(credit)})"


def _sum(amount: str, where: str) -> str:
    return f"coalesce(sum({amount}) FILTER (WHERE {where}), 0)::bigint"


#: Most lots are issued and never drawn on: their one posting is joined as it is, only others are summed.
LOTS_EQUAL_THE_LEDGER = query(
    "2.1", "批次与账相符", "Every lot has what its postings leave", "lots",
    f"""
SELECT 1, CASE
    WHEN l.number IS NULL THEN CASE WHEN coalesce(i.lot, p.lot) IS NULL
        THEN format('a posting on account %s of a traveller names no lot', coalesce(i.credit, p.holder))
        ELSE format('postings name lot %s, which is not there', coalesce(i.lot, p.lot)) END
    WHEN i.lot IS NULL AND p.lot IS NULL THEN format('lot %s has no postings', l.number)
    WHEN p.strangers > 0 OR p.asset <> l.asset OR p.other_asset <> l.asset
        OR p.hotel <> l.issuer_hotel OR p.other_hotel <> l.issuer_hotel
        OR p.holder <> l.holder OR p.other_holder <> l.holder OR i.asset <> l.asset
        OR i.credit <> l.holder OR i.debit <> l.issuer
        THEN format('a posting of lot %s is of another traveller, hotel or asset', l.number)
    WHEN (l.restored_from IS NULL AND i.amount = l.issued AND i.period = l.period AND i.entry_id = l.txn_id
        OR l.restored_from IS NOT NULL AND i.lot IS NULL) IS NOT TRUE
        THEN format('lot %s was issued as %s, but not so by its postings', l.number, l.issued)
    WHEN coalesce(i.amount, 0) + coalesce(p.balance, 0) <> l.remaining
        THEN format('lot %s has %s left, but %s by its postings', l.number, l.remaining,
            coalesce(i.amount, 0) + coalesce(p.balance, 0))
    WHEN coalesce(p.expired, 0) <> l.expired OR coalesce(p.gone, 0) <> l.gone
        THEN format('%s of lot %s have expired and %s are gone, but %s and %s by its postings',
            l.expired, l.number, l.gone, coalesce(p.expired, 0), coalesce(p.gone, 0)) END
FROM (SELECT *, {_HOLDER} AS holder, {_ISSUER} AS issuer FROM lots) AS l
FULL JOIN (SELECT * FROM postings WHERE {_issues("debit", "credit")}) AS i ON i.lot = l.number
FULL JOIN (
    SELECT lot, min(asset) AS asset, max(asset) AS other_asset, min(hotel) AS hotel, max(hotel) AS other_hotel,
        min(holder) AS holder, max(holder) AS other_holder,
        count(*) FILTER (WHERE NOT opposite BETWEEN 8 AND 15) AS strangers,
        {_sum("CASE WHEN received THEN amount ELSE -amount END", "holder IS NOT NULL")} AS balance,
        {_sum("amount", f"opposite = {_EXPIRED} AND holder IS NOT NULL")} AS expired,
        {_sum("amount", f"opposite = {_EXPIRED} AND holder IS NULL")} AS gone
    FROM (
        SELECT lot, asset, amount, {_holds("credit")} AS received,
            CASE WHEN {_holds("credit")} THEN credit WHEN {_holds("debit")} THEN debit END AS holder,
            CASE WHEN {_holds("credit")} THEN {owner("debit")} ELSE {owner("credit")} END AS hotel,
            CASE WHEN {_holds("credit")} THEN {kind("debit")} ELSE {kind("credit")} END AS opposite
        FROM postings WHERE (lot IS NOT NULL OR {_holds("debit")} OR {_holds("credit")})
            AND NOT {_issues("debit", "credit")}
    ) AS moves GROUP BY lot
) AS p ON p.lot = l.number
""",
)  # fmt: skip

TRAVELLERS_EQUAL_THE_LEDGER = query(
    "2.2", "会员余额与账相符", "Every traveller has what the ledger says", "balances",
    f"""
SELECT 1, CASE WHEN difference <> 0 THEN format('the lots of traveller %s and the ledger differ by %s %s',
    {owner("account")}, abs(difference), CASE {kind("account")} WHEN {_POINTS} THEN 'points' ELSE 'fen' END) END
FROM (
    SELECT account, sum(amount) AS difference FROM (
        SELECT debit AS account, -amount AS amount FROM postings WHERE {_holds("debit")}
        UNION ALL SELECT credit, amount FROM postings WHERE {_holds("credit")}
        UNION ALL SELECT {_HOLDER}, -remaining FROM lots
    ) AS amounts GROUP BY account
) AS balances
""",
)  # fmt: skip

LOTS_ARE_SOUND = query(
    "2.3", "批次数额合理、到期已清", "Held lies within remaining, and what is due has expired", "lots",
    f"""
SELECT 1, CASE
    WHEN (0 <= l.held AND l.held <= l.remaining) IS NOT TRUE
        THEN format('lot %s holds %s of %s', l.number, l.held, l.remaining)
    WHEN least(l.expired, l.gone, l.forgiven) < 0 OR l.issued <= 0
        OR l.remaining + l.expired + l.gone > l.issued
        THEN format('lot %s does not add up to the %s that it was issued with', l.number, l.issued)
    WHEN (l.asset = {_POINT}) <> (l.expires_on IS NOT NULL)
        THEN format('lot %s expires, or not, unlike its kind', l.number)
    WHEN {_DUE} AND l.remaining - l.held > coalesce(freed.amount, 0)
        THEN format('lot %s should have expired on %s and has %s left', l.number, l.expires_on, l.remaining)
    END
FROM lots l LEFT JOIN {_FREED} AS freed ON freed.lot = l.number
UNION ALL
SELECT 0, format('%s of lot %s are forgiven, more than expired', l.forgiven, l.number)
FROM lots l LEFT JOIN lots child ON child.restored_from = l.number
WHERE l.forgiven > 0
GROUP BY l.number
HAVING l.forgiven > {_LOST.format(lot="l")} + sum({_LOST.format(lot="child")})
""",
)  # fmt: skip

LOTS_ARE_AS_AGREED = query(
    "2.4", "批次来源与有效期", "Every lot is of its transaction and lasts as the rulebook says", "lots",
    f"""
SELECT 1, CASE
    WHEN t.txn_id IS NULL OR t.traveller <> l.traveller
        THEN format('lot %s is not of a transaction of its traveller', l.number)
    WHEN (CASE
        WHEN l.restored_from IS NOT NULL THEN t.kind = 'refund' AND l.asset = {_POINT}
        WHEN l.asset = {_POINT} THEN t.kind IN ('spend', 'award') AND l.issued = t.points
        ELSE t.kind = 'load' AND l.issued = t.amount_minor
        END AND (l.restored_from IS NOT NULL OR (t.lot = l.number AND t.host_hotel = l.issuer_hotel)))
        IS NOT TRUE THEN format('lot %s is not what transaction %s issued', l.number, t.txn_id)
    WHEN l.usable_from <> t.business_date
            + CASE WHEN t.kind = 'spend' THEN r.pending_days ELSE 0 END
        OR l.expires_on <> CASE
            WHEN l.restored_from IS NOT NULL THEN t.business_date + r.grace_days
            ELSE ({first_day_after("t.business_date", "r.expiry_months")} - interval '1 day')::date END
        THEN format('lot %s has other dates than the rulebook gives it', l.number) END
FROM lots l
LEFT JOIN transactions t ON t.period = l.period AND t.txn_id = l.txn_id
LEFT JOIN (
    SELECT number, (document ->> 'points_pending_days')::int AS pending_days,
        (document ->> 'restore_grace_days')::int AS grace_days,
        (document ->> 'points_expiry_months')::int AS expiry_months
    FROM rulebooks
) AS r ON r.number = t.rulebook
UNION ALL
SELECT 0, format('lot %s is not what was restored of lot %s', l.number, l.restored_from)
FROM lots l
LEFT JOIN lots origin ON origin.number = l.restored_from
LEFT JOIN postings p ON p.period = l.period AND p.entry_id = l.txn_id AND p.lot = l.number
    AND {kind("p.debit")} = {_REVERSED} AND {kind("p.credit")} = {_POINTS}
WHERE l.restored_from IS NOT NULL AND (origin.restored_from IS NULL AND l.issued = p.amount
    AND (l.traveller, l.issuer_hotel, l.asset) = (origin.traveller, origin.issuer_hotel, origin.asset)
    ) IS NOT TRUE
""",
)  # fmt: skip

DEBTS_EQUAL_THE_LEDGER = query(
    "2.5", "欠分与账相符", "Debts of travellers to hotels are what the ledger says", "debts",
    f"""
SELECT s.debts, CASE WHEN s.posted <> 0 OR s.owed <> 0 OR s.traveller IS NULL OR s.hotel IS NULL
    THEN format('the debts of traveller %s to hotel %s and the ledger differ by %s points', s.traveller,
        coalesce(h.code, s.hotel::text), greatest(abs(s.posted), abs(s.owed))) END
FROM (
    SELECT traveller, hotel, sum(posted) AS posted, sum(owed) AS owed, sum(debts) AS debts FROM (
        SELECT CASE {_DEBT} WHEN {kind("debit")} THEN {owner("debit")} WHEN {kind("credit")} THEN {owner("credit")}
            END AS traveller,
            CASE {_DEBTS} WHEN {kind("debit")} THEN {owner("debit")} WHEN {kind("credit")} THEN {owner("credit")}
            END AS hotel,
            CASE WHEN {kind("debit")} = {_DEBT} THEN amount ELSE -amount END AS posted,
            CASE WHEN {kind("debit")} = {_DEBT} THEN amount ELSE 0 END AS owed, 0 AS debts
        FROM postings WHERE {kind("debit")} IN ({_DEBT}, {_DEBTS}) OR {kind("credit")} IN ({_DEBT}, {_DEBTS})
        UNION ALL SELECT traveller, issuer_hotel, -posted, -owed, 1 FROM debts
    ) AS amounts GROUP BY 1, 2
) AS s LEFT JOIN hotels h ON h.number = s.hotel
UNION ALL
SELECT 0, CASE
    WHEN (0 <= d.posted AND d.posted <= d.remaining AND d.remaining <= d.owed) IS NOT TRUE
        THEN format('debt %s is %s of %s, of which %s are posted', d.number, d.remaining, d.owed, d.posted)
    WHEN ((d.traveller, d.issuer_hotel, d.ends_on) = (l.traveller, l.issuer_hotel, l.expires_on)) IS NOT TRUE
        THEN format('debt %s is not of the lot that it names', d.number)
    WHEN d.posted > 0 AND {FROZEN_THROUGH} >= greatest(d.period, {period_of("d.ends_on")})
        THEN format('debt %s should have ended on %s', d.number, d.ends_on) END
FROM debts d LEFT JOIN lots l ON l.number = d.lot
""",
)  # fmt: skip

HOLDS_ARE_THOSE_AUTHORISED = query(
    "2.6", "冻结与预授权相符", "What is held of every lot is what authorisations that stand hold, and no more", "holds",
    """
SELECT s.holds, CASE WHEN s.held <> 0
    THEN format('lot %s and the authorisations that hold it differ by %s', s.lot, s.held) END
FROM (
    SELECT lot, sum(held) AS held, sum(holds) AS holds FROM (
        SELECT number AS lot, held, 0 AS holds FROM lots WHERE held <> 0
        UNION ALL SELECT lot, -part, 1 FROM authorizations, unnest(lots, parts) AS held (lot, part)
        WHERE state = 'held'
    ) AS both_sides GROUP BY lot
) AS s
UNION ALL
SELECT 1, CASE
    WHEN (SELECT sum(part) FROM unnest(a.parts) AS part) IS DISTINCT FROM a.amount
        THEN format('authorisation %s holds other than its amount', a.auth_id)
    WHEN a.state = 'captured' AND (t.txn_id IS NULL OR (t.host_hotel, t.traveller, t.kind,
            CASE a.kind WHEN 'redeem' THEN t.points ELSE t.amount_minor END)
        IS DISTINCT FROM (a.host_hotel, a.traveller, a.kind, a.captured))
        THEN format('authorisation %s was captured as another transaction', a.auth_id) END
FROM authorizations a LEFT JOIN transactions t ON t.txn_id = a.txn_id
""",
)  # fmt: skip
