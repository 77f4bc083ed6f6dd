"""What the legs of a period are staged as: joined, put in order, their common text written out once.

Sixty statements in three formats read the same legs. Joining and sorting them for each would read the whole month as
often as there are statements; so they are written once to tables of their own (decision 0020). These are unlogged and
lie in a schema of their own: they are no part of the books, can be made again at any time, and come out the same. Who
makes them, when, and how much at a time, is told in ``staging``.
"""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.rulebook import FEE_KINDS

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
    """Return the expression for a text as a field of a CSV, as COPY writes it; nothing where it is null."""
    return (
        f"CASE WHEN {text} IS NULL THEN '' WHEN {_is_plain(text)} THEN {text}"
        f""" WHEN {text} = '' OR {text} ~ E'[,"\r\n]' THEN '"' || replace({text}, '"', '""') || '"' ELSE {text} END"""
    )


def _is_plain(text: str) -> str:
    """Return the expression for whether a text surely needs no quotes.

    JSON writes one without marks or control characters as it is: that is quicker to see than what it holds.
    """
    return (
        f"octet_length(to_json({text})::text) = octet_length({text}) + 2"
        f" AND strpos({text}, ',') = 0 AND {text} <> ''"
    )


def _within(column: str) -> str:
    """Return the condition for an identifier in a chunk's span."""
    return f"{column} >= '{{first}}' AND {column} < '{{next}}'"


#: Nothing is gained by clearing up or by counting rows that never change till they go; it costs reading all of them.
_WRITTEN_ONCE = "autovacuum_enabled = false"
#: Whether a transaction's references hold what no line may that COPY is to write as it is.
_BROKEN = r"NOT plain AND concat(txn_ref, original_ref) ~ E'[\x01\x02\r\n]'"
#: The tables of a period. Those of chunks inherit from the first two: legs as hosts and the clearing house see them,
#: and those in which another drew as issuers do. What legs sum to by host and issuer is kept chunk by chunk.
_COLUMNS = """
    business_date date, moment timestamptz, host_system integer, issuer_system integer, leg_no integer,
    crosses boolean, owes boolean, late boolean, broken boolean,
    base_minor bigint, obligation_minor bigint, fee_minor bigint, points bigint,
    host_hotel text COLLATE "C", txn_ref text COLLATE "C", original_ref text, ids text, facts text, masked_field text,
    terms text, host_code text, issuer_code text, issuer_hotel text COLLATE "C", lots text"""
CREATE = f"""
CREATE UNLOGGED TABLE {{table}} ({_COLUMNS});
CREATE UNLOGGED TABLE {{table}}_owed ({_COLUMNS});
CREATE UNLOGGED TABLE {{table}}_sums (
    chunk integer, host_system integer, issuer_system integer, crosses boolean, owes boolean, broken boolean,
    legs bigint, obligation_minor bigint, fee_minor bigint)
"""
#: In the order of lines: those of a host, of the clearing house, and of an issuer.
INDEX = (
    f"CREATE INDEX ON {{table}} (host_system, {ORDER})",
    f"CREATE INDEX ON {{table}} ({ORDER})",
    f"CREATE INDEX ON {{table}}_owed (issuer_system, {ORDER})",
)

#: Lots that a leg drew on (or, negative, gave back to), in the order of the postings.
_DRAWN = f"""(
    SELECT p.entry_id, CASE WHEN {_USED} THEN p.credit ELSE p.debit END >> 5 AS issuer, string_agg(
        'lot_' || p.lot || ':' || CASE WHEN {_USED} THEN p.amount ELSE -p.amount END, ';' ORDER BY p.seq) AS lots
    FROM postings p WHERE p.period = {{period}} AND {_within("p.entry_id")}
        AND p.lot IS NOT NULL AND ({_USED} OR ({_RETURNED} AND {_RECEIVED})) GROUP BY 1, 2 OFFSET '0')"""
#: Hotels in the systems that they are or were in. Codes hold nothing that CSV or JSON escapes (``packs.fields.code``).
_MEMBERS = """(
    SELECT m.hotel, m.system, h.code, s.code AS system_code, ',' || h.code || ',' || s.code AS fields
    FROM (SELECT DISTINCT hotel, system FROM memberships) AS m
    JOIN hotels h ON h.number = m.hotel JOIN systems s ON s.number = m.system OFFSET '0')"""
#: What each rulebook says of each kind of fee. The array tells the planner that they are few: autovacuum never counts a
#: table so small, and taken for a large one it was merged, for which all legs were sorted once more.
_RULES = f"""(
    SELECT r.number, kind, ',' || r.version || ',' AS own_terms, 'fees.' || kind || ',' || r.version || ','
        || (r.document #>> ARRAY['fees', kind, 'rate_ppm']) AS terms
    FROM rulebooks r CROSS JOIN (VALUES {", ".join(f"('{kind}')" for kind in FEE_KINDS)}) AS kinds (kind)
    WHERE r.number = ANY (ARRAY(SELECT number FROM rulebooks)) OFFSET '0')"""
#: The rows of a chunk lie host by host and about in the order of time, so that a system's lines are read from few
#: places of the disk; their order proper is that of the indexes. One number is sorted by: host, day and second.
#: ``ids``, ``facts`` and ``terms`` are what everybody sees of a leg, ready as fields of a CSV. Legs and transactions
#: lie nearly in the order of their identifiers already: merging them is cheaper than hashing. All is joined before the
#: rows are put in order, since a join that the planner chose by stale statistics would leave them in another one; what
#: is written out of it is made behind that, so that little is sorted.
_LEGS = f"""
INSERT INTO {{chunk}}
SELECT business_date, occurred_at AS moment, host_system, issuer_system, leg_no,
    crosses, crosses AND fee_kind <> 'spend' AS owes, late,
    {_BROKEN} AS broken,
    base_minor, obligation_minor, fee_minor, points,
    host_hotel, txn_ref, original_ref,
    'txn_' || encode(uuid_send(txn_id), 'hex') || ','
        || CASE WHEN plain THEN txn_ref || ',' || coalesce(original_ref, '')
            ELSE {field("txn_ref")} || ',' || {field("original_ref")} END AS ids,
    business_date || ',' || {moment("occurred_at")} || ',' || {moment("posted_at")} || ',' || kind
        || host_fields || issuer_fields
        || CASE WHEN crosses THEN CASE WHEN late THEN ',true,true' ELSE ',true,false' END
            WHEN late THEN ',false,true' ELSE ',false,false' END AS facts,
    masked_field, terms, host_code, issuer_code, issuer_hotel, lots
FROM (
    SELECT g.txn_id, g.leg_no, g.fee_kind, g.host_system, g.issuer_system, g.crosses, g.points, g.base_minor,
        g.obligation_minor, g.fee_minor, t.business_date, t.occurred_at, t.posted_at, t.kind, t.txn_ref, t.original_ref,
        t.plain, t.late, c.field AS masked_field, d.lots,
        host.code AS host_hotel, host.system_code AS host_code, host.fields AS host_fields,
        issuer.code AS issuer_hotel, issuer.system_code AS issuer_code, issuer.fields AS issuer_fields,
        CASE WHEN crosses THEN rule.terms ELSE rule.own_terms END AS terms
    FROM (
        SELECT g.txn_id, g.leg_no, g.fee_kind, g.host_hotel, g.host_system, g.issuer_hotel, g.issuer_system,
            g.rulebook, g.points, g.base_minor, g.obligation_minor, g.fee_minor,
            g.host_system <> g.issuer_system AS crosses
        FROM legs g WHERE g.period = {{period}} AND {_within("g.txn_id")}
        ORDER BY txn_id OFFSET '0') AS g
    JOIN (
        SELECT t.txn_id, t.business_date, t.occurred_at, t.posted_at, t.kind, t.txn_ref, t.original_ref, t.late,
            t.card, {_is_plain("t.txn_ref")} AND (t.original_ref IS NULL OR {_is_plain("t.original_ref")}) AS plain
        FROM transactions t WHERE t.period = {{period}} AND {_within("t.txn_id")}
        ORDER BY txn_id OFFSET '0') AS t USING (txn_id)
    JOIN (SELECT number, {field("masked")} AS field FROM cards OFFSET '0') AS c ON c.number = t.card
    LEFT JOIN {_DRAWN} AS d ON d.entry_id = txn_id AND d.issuer = g.issuer_hotel AND fee_kind <> 'spend'
    LEFT JOIN {_MEMBERS} AS host ON host.hotel = g.host_hotel AND host.system = host_system
    LEFT JOIN {_MEMBERS} AS issuer ON issuer.hotel = g.issuer_hotel AND issuer.system = issuer_system
    LEFT JOIN {_RULES} AS rule ON rule.number = rulebook AND rule.kind = fee_kind
    ORDER BY host_system * 1099511627776 + (business_date - DATE '2000-01-01')::bigint * 262144
        + least(greatest(date_part('epoch', occurred_at)::bigint
            - (business_date - DATE '1970-01-01')::bigint * 86400 + 43200, 0), 262143)
    OFFSET '0'
) AS legs
"""
_OWED = """
INSERT INTO {chunk}_owed SELECT * FROM {chunk} WHERE owes ORDER BY issuer_system, business_date, moment
"""
#: A leg without a name or a rule that it needs is not counted, so that its statement is not rendered.
_ADD_UP = """
INSERT INTO {table}_sums
SELECT {number}, host_system, issuer_system, crosses, owes, bool_or(broken), least(count(facts), count(terms)),
    sum(obligation_minor), sum(fee_minor)
FROM {chunk} GROUP BY host_system, issuer_system, crosses, owes
"""
#: A chunk is filled in one transaction and put in order by the next. What the first wrote is then known to be committed
#: and is marked so while it is in memory; else all of it would be written once more when it is first read. So rows are
#: inserted into tables that are there: what CREATE TABLE AS writes leaves memory at once.
FILL = (
    f"CREATE UNLOGGED TABLE {{chunk}} ({_COLUMNS}) WITH ({_WRITTEN_ONCE})",
    f"CREATE UNLOGGED TABLE {{chunk}}_owed ({_COLUMNS}) WITH ({_WRITTEN_ONCE})",
    _LEGS,
    _OWED,
)
PUT_IN_ORDER = (
    _ADD_UP,
    *(step.replace("{table}", "{chunk}") for step in INDEX),
    "ALTER TABLE {chunk} INHERIT {table}",
    "ALTER TABLE {chunk}_owed INHERIT {table}_owed",
)
