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
_KIND, _OWNER = "& 31", ">> 5"
_USED = f"({AccountKind.POINTS_REDEEMED:d}, {AccountKind.STORED_VALUE_USED:d})"
_RETURNED = f"({AccountKind.POINTS_REVERSED:d}, {AccountKind.STORED_VALUE_USED:d})"
_RECEIVED = (
    f"({AccountKind.TRAVELLER_POINTS:d}, {AccountKind.TRAVELLER_STORED_VALUE:d},"
    f" {AccountKind.POINTS_EXPIRED:d})"
)
#: Lots that a leg drew on (or, negative, gave back to), in the order of the postings.
_LOTS = (
    "(SELECT string_agg('lot_' || p.lot || ':' || CASE WHEN p.credit & 31 IN " + _USED + ""
    " THEN p.amount ELSE -p.amount END, ';' ORDER BY p.seq)"
    " FROM postings p WHERE p.period = {period} AND p.entry_id = legs.id AND p.lot IS NOT NULL"
    f" AND ((p.credit {_KIND} IN {_USED} AND p.credit {_OWNER} = legs.issuer)"
    f" OR (p.debit {_KIND} IN {_RETURNED} AND p.debit {_OWNER} = legs.issuer"
    f" AND p.credit {_KIND} IN {_RECEIVED})))"
)


def _moment(column: str) -> str:
    """Return the expression for a moment in ISO 8601, in the session's time zone and with its offset.

    What JSON writes is much quicker than ``to_char`` and differs only where a fraction ends in a zero.
    """
    micros = f"date_part('microseconds', {column})::int"
    return (
        f"CASE WHEN {micros} % 1000000 = 0 OR {micros} % 10 <> 0 THEN btrim(to_json({column})::text, '\"')"
        f""" ELSE to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SS.USTZH:TZM') END"""
    )


#: ``place`` is the total order of a statement's lines (domain.md §4). The rows are put together and sorted by parallel
#: workers, as far as there are any; the look-up of the lots PostgreSQL leaves to the one who numbers them.
_LEGS = f"""
CREATE UNLOGGED TABLE {{table}} AS
SELECT row_number() OVER (ORDER BY business_date, moment, host_hotel, txn_ref, leg_no) AS place,
    points, base_minor, obligation_minor, fee_minor, fee_rate_ppm, host_system, issuer_system, business_date, late,
    crosses, shared, txn_id, txn_ref, original_ref, occurred_at, posted_at, kind, host_hotel, host_code, issuer_hotel,
    issuer_code, masked, fee_rule, version, CASE WHEN shared THEN {_LOTS} END AS lots
FROM (
    SELECT g.points, g.base_minor, g.obligation_minor, g.fee_minor,
        CASE WHEN g.host_system <> g.issuer_system THEN rule.rate_ppm END AS fee_rate_ppm,
        g.host_system, g.issuer_system, t.business_date, t.late,
        g.host_system <> g.issuer_system AS crosses, g.fee_kind <> 'spend' AS shared,
        'txn_' || replace(g.txn_id::text, '-', '') AS txn_id, t.txn_ref COLLATE "C" AS txn_ref, t.original_ref,
        {_moment("t.occurred_at")} AS occurred_at, {_moment("t.posted_at")} AS posted_at, t.kind,
        h.code COLLATE "C" AS host_hotel, host.code AS host_code, i.code AS issuer_hotel, issuer.code AS issuer_code,
        c.masked, CASE WHEN g.host_system <> g.issuer_system THEN 'fees.' || g.fee_kind END AS fee_rule, rule.version,
        t.occurred_at AS moment, g.txn_id AS id, g.leg_no, g.issuer_hotel AS issuer
    FROM legs g
    JOIN transactions t ON t.period = {{period}} AND t.txn_id = g.txn_id
    JOIN hotels h ON h.number = g.host_hotel JOIN hotels i ON i.number = g.issuer_hotel
    JOIN systems host ON host.number = g.host_system JOIN systems issuer ON issuer.number = g.issuer_system
    JOIN cards c ON c.number = t.card
    JOIN (SELECT r.number, r.version, fee.kind, (fee.rule ->> 'rate_ppm')::bigint AS rate_ppm
        FROM rulebooks r CROSS JOIN LATERAL jsonb_each(r.document -> 'fees') AS fee (kind, rule)) AS rule
        ON rule.number = g.rulebook AND rule.kind = g.fee_kind
    WHERE g.period = {{period}}
    ORDER BY t.business_date, moment, host_hotel, txn_ref, g.leg_no
) AS legs
"""
_INDEXES = (
    "CREATE INDEX ON {table} (place)",
    "CREATE INDEX ON {table} (host_system, place)",
    "CREATE INDEX ON {table} (issuer_system, place) WHERE crosses AND shared",
    "ANALYZE {table}",
)


def table_of(period: int) -> str:
    """Return the name of a period's table."""
    return f"{_SCHEMA}.legs_{format_period(period).replace('-', '')}"


def stage(session: Session, period: int, timezone: str) -> None:
    """Make the table of a closed period, unless it is there; moments in it are in that time zone.

    Whoever comes meanwhile waits. A server that ended badly leaves unlogged tables empty, which nobody takes for
    a month without legs: then it is made anew.
    """
    session.row("SELECT pg_advisory_xact_lock(%s)", [_STAGING_LOCK])
    table = table_of(period)
    if _exists(session, table):
        if session.row(f"SELECT FROM {table} LIMIT 1") is not None:
            return
        session.run(f"DROP TABLE {table}")
    session.row("SELECT set_config('TimeZone', %s, true)", [timezone])
    session.run("SET LOCAL work_mem = '128MB'; SET LOCAL maintenance_work_mem = '256MB'")
    for statement in (_LEGS, *_INDEXES):
        session.run(statement.format(table=table, period=int(period)))


def discard(session: Session, period: int) -> None:
    """Drop the table of a period, if there is one."""
    session.run(f"DROP TABLE IF EXISTS {table_of(period)}")


def _exists(session: Session, table: str) -> bool:
    row = session.row("SELECT to_regclass(%s)", [table])
    return row is not None and row[0] is not None
