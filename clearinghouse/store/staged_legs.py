"""The legs of a closed period, joined and put in order once, for all of its statements to be read from.

Sixty statements in three formats read the same legs. Joining and sorting them for each would read the whole month as
often as there are statements; so the first statement of a run writes them to a table of their own (decision 0020).
It is unlogged and lies in a schema of its own: it is no part of the books, can be made again at any time from a
closed period, and comes out the same.
"""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.calendar import format_period
from clearinghouse.store.database import Session

_SCHEMA = "staging"
_STAGING_LOCK = 727040
#: A month is staged in so many parts, by hotels, each by a process of its own: as many as make statements at a time.
PARTS = 2
_MEMORY = (
    "SET LOCAL work_mem = '128MB'; SET LOCAL maintenance_work_mem = '128MB'; SET LOCAL hash_mem_multiplier = 1;"
    " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL max_parallel_maintenance_workers = 0;"
    " SET LOCAL enable_nestloop = off; SET LOCAL DateStyle = ISO"
)
#: The total order of a statement's lines (domain.md §4).
ORDER = "business_date, moment, host_hotel, txn_ref, leg_no"
_USED = f"p.credit & 31 IN ({AccountKind.POINTS_REDEEMED:d}, {AccountKind.STORED_VALUE_USED:d})"
_RETURNED = f"p.debit & 31 IN ({AccountKind.POINTS_REVERSED:d}, {AccountKind.STORED_VALUE_USED:d})"
_RECEIVED = (
    f"p.credit & 31 IN ({AccountKind.TRAVELLER_POINTS:d}, {AccountKind.TRAVELLER_STORED_VALUE:d},"
    f" {AccountKind.POINTS_EXPIRED:d})"
)


def moment(column: str) -> str:
    """Return the expression for a moment in ISO 8601, in the session's time zone and with its offset.

    What JSON writes is much quicker than ``to_char`` and differs only where a fraction ends in a zero.
    """
    return (
        f"CASE WHEN {column}::timestamptz(5) <> {column} OR {column}::timestamptz(0) = {column}"
        f""" THEN split_part(to_json({column})::text, '"', 2)"""
        f""" ELSE to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SS.USTZH:TZM') END"""
    )


def field(text: str) -> str:
    """Return the expression for a text as a field of a CSV, as COPY writes it; nothing where it is null.

    JSON writes one without marks or control characters as it is: that is quicker to see than what it holds.
    """
    return (
        f"CASE WHEN {text} IS NULL THEN ''"
        f" WHEN {_is_tame(text)} AND strpos({text}, ',') = 0 AND {text} <> '' THEN {text}"
        f""" WHEN {text} = '' OR {text} ~ E'[,"\r\n]' THEN '"' || replace({text}, '"', '""') || '"' ELSE {text} END"""
    )


def _is_tame(text: str) -> str:
    return f"octet_length(to_json({text})::text) = octet_length({text}) + 2"


def _breaks(text: str) -> str:
    """Return the expression for whether a text holds what no line may that COPY is to write as it is."""
    return f"CASE WHEN {_is_tame(text)} THEN false ELSE {text} ~ E'[\x01\x02\r\n]' END"


#: Lots that a leg drew on (or, negative, gave back to), in the order of the postings.
_DRAWN = f"""
CREATE UNLOGGED TABLE {{table}}_drawn AS
SELECT p.entry_id, CASE WHEN {_USED} THEN p.credit ELSE p.debit END >> 5 AS issuer,
    string_agg('lot_' || p.lot || ':' || CASE WHEN {_USED} THEN p.amount ELSE -p.amount END, ';' ORDER BY p.seq) AS lots
FROM postings p
WHERE p.period = {{period}} AND p.lot IS NOT NULL AND ({_USED} OR ({_RETURNED} AND {_RECEIVED})) GROUP BY 1, 2
"""
#: Hotels in the systems that they are or were in; what ends in ``field`` is ready as a field of a CSV.
_MEMBERS = f"""(
    SELECT m.hotel, m.system, h.code COLLATE "C" AS code, {field("h.code")} AS field,
        {field("s.code")} AS system_field
    FROM (SELECT DISTINCT hotel, system FROM memberships) AS m
    JOIN hotels h ON h.number = m.hotel JOIN systems s ON s.number = m.system OFFSET '0')"""
_RULES = """(
    SELECT r.number, fee.kind, ',' || r.version || ',' AS own_terms,
        'fees.' || fee.kind || ',' || r.version || ',' || coalesce(fee.rule ->> 'rate_ppm', '') AS terms
    FROM rulebooks r CROSS JOIN LATERAL jsonb_each(r.document -> 'fees') AS fee (kind, rule) OFFSET '0')"""
#: Rows lie host by host and about in the order of time, so that a system's lines are read from one place of the disk;
#: their order proper is that of the indexes. One number is sorted by: host, day and second. ``ids``, ``facts`` and
#: ``terms`` are what everybody sees of a leg, ready as fields of a CSV.
_LEGS = f"""
CREATE UNLOGGED TABLE {{table}} AS
SELECT business_date, occurred_at AS moment, points, base_minor, obligation_minor, fee_minor, host_system,
    issuer_system, leg_no, crosses, crosses AND fee_kind <> 'spend' AS owes, late,
    {_breaks("txn_ref")} OR (original_ref IS NOT NULL AND {_breaks("original_ref")}) AS broken,
    host.code AS host_hotel, txn_ref COLLATE "C" AS txn_ref, original_ref,
    'txn_' || encode(uuid_send(txn_id), 'hex') || ',' || {field("txn_ref")}
        || CASE WHEN original_ref IS NULL THEN ',' ELSE ',' || {field("original_ref")} END AS ids,
    business_date || ',' || {moment("occurred_at")} || ',' || {moment("posted_at")} || ',' || legs.kind
        || ',' || host.field || ',' || host.system_field || ',' || issuer.field || ',' || issuer.system_field
        || CASE WHEN crosses THEN CASE WHEN late THEN ',true,true' ELSE ',true,false' END
            WHEN late THEN ',false,true' ELSE ',false,false' END AS facts,
    c.field AS masked_field, CASE WHEN crosses THEN rule.terms ELSE rule.own_terms END AS terms,
    host.system_field AS host_field, issuer.system_field AS issuer_field, issuer.code AS issuer_hotel, d.lots
FROM (
    SELECT g.txn_id, g.leg_no, g.fee_kind, g.host_hotel, g.host_system, g.issuer_hotel, g.issuer_system, g.rulebook,
        g.points, g.base_minor, g.obligation_minor, g.fee_minor, g.host_system <> g.issuer_system AS crosses,
        t.business_date, t.occurred_at, t.posted_at, t.kind, t.txn_ref, t.original_ref, t.late, t.card
    FROM legs g JOIN transactions t ON t.period = {{period}} AND t.txn_id = g.txn_id
    WHERE g.period = {{period}} AND g.host_hotel = ANY ('{{hotels}}') AND t.host_hotel = ANY ('{{hotels}}')
    ORDER BY g.host_system * 1099511627776 + (t.business_date - DATE '2000-01-01')::bigint * 262144
        + least(greatest(date_part('epoch', t.occurred_at)::bigint
            - (t.business_date - DATE '1970-01-01')::bigint * 86400 + 43200, 0), 262143)
    OFFSET '0'
) AS legs
LEFT JOIN {_MEMBERS} AS host ON host.hotel = host_hotel AND host.system = host_system
LEFT JOIN {_MEMBERS} AS issuer ON issuer.hotel = issuer_hotel AND issuer.system = issuer_system
JOIN (SELECT number, {field("masked")} AS field FROM cards OFFSET '0') AS c ON c.number = card
LEFT JOIN {_RULES} AS rule ON rule.number = rulebook AND rule.kind = fee_kind
LEFT JOIN {{table}}_drawn AS d ON d.entry_id = txn_id AND d.issuer = issuer_hotel AND fee_kind <> 'spend'
"""
#: What legs of one host and one issuer sum to; a row is like a leg in all that decides who sees what. A leg without
#: a name or a rule that it needs is not counted, so that its statement is not rendered.
#: The row of no host tells that all is there: a server that ended badly leaves unlogged tables empty.
_SUMS = """
CREATE UNLOGGED TABLE {table}_sums AS
SELECT host_system, issuer_system, crosses, owes, bool_or(broken) AS broken,
    least(count(facts), count(terms)) AS legs,
    sum(obligation_minor)::bigint AS obligation_minor, sum(fee_minor)::bigint AS fee_minor
FROM {table} GROUP BY host_system, issuer_system, crosses, owes
UNION ALL SELECT 0, 0, false, false, false, 0, 0, 0
"""
_STEPS = (
    _DRAWN,
    "ANALYZE {table}_drawn",
    _LEGS,
    "DROP TABLE {table}_drawn",
    _SUMS,
    f"CREATE INDEX ON {{table}} (host_system, {ORDER})",
    f"CREATE INDEX ON {{table}} (issuer_system, {ORDER}) WHERE owes",
)


def parts_of(period: int) -> tuple[str, ...]:
    """Return the names of the tables that hold a period's legs."""
    name = f"{_SCHEMA}.legs_{format_period(period).replace('-', '')}"
    return tuple(f"{name}_{part}" for part in range(PARTS))


def stage(session: Session, period: int, timezone: str, part: int, *, wait: bool) -> None:
    """Make a part of a closed period's tables, unless it is there; moments in it are in that time zone.

    A part is there or not; each is made in a transaction of its own by whoever comes first. Others wait for it, or
    without ``wait`` leave it to that one.
    """
    table = parts_of(period)[part]
    held = session.row("SELECT pg_try_advisory_xact_lock(%s, %s)", [_STAGING_LOCK, part])
    if held != (True,):
        if not wait:
            return
        session.row("SELECT pg_advisory_xact_lock(%s, %s)", [_STAGING_LOCK, part])
    if _is_there(session, table):
        return
    _drop(session, table)
    session.row("SELECT set_config('TimeZone', %s, true)", [timezone])
    session.run(_MEMORY)
    hotels = session.rows("SELECT number FROM hotels WHERE number %% %s = %s", [PARTS, part])
    names = {
        "table": table,
        "period": int(period),
        "hotels": "{" + ",".join(str(number) for (number,) in hotels) + "}",
    }
    for step in _STEPS:
        session.run(step.format(**names))


def discard(session: Session, period: int) -> None:
    """Drop the tables of a period, if there are any."""
    for table in parts_of(period):
        _drop(session, table)


def _drop(session: Session, table: str) -> None:
    session.run(f"DROP TABLE IF EXISTS {table}, {table}_sums")


def _is_there(session: Session, table: str) -> bool:
    """Tell whether a part is there: a server that ended badly leaves unlogged tables empty."""
    row = session.row("SELECT to_regclass(%s)", [f"{table}_sums"])
    if row is None or row[0] is None:
        return False
    return session.row(f"SELECT FROM {table}_sums LIMIT 1") is not None
