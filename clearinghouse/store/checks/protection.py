"""The database itself refuses to change the books: its triggers and rights are all in place (domain.md §5.1)."""

from __future__ import annotations

from clearinghouse.store.checks.check import query

_ROW_BEFORE, _INSERT, _DELETE, _UPDATE, _TRUNCATE_BEFORE = 3, 4, 8, 16, 34
_ADD_ONLY = _ROW_BEFORE + _DELETE + _UPDATE
_APPEND_ONLY = (
    "postings", "legs", "transactions", "entries", "transaction_refs", "audit_log", "outbox",
    "memberships", "rulebooks", "acceptances", "adjustments", "adjusted_disputes", "dispute_steps",
    "standings", "defaults", "claims", "recoveries", "claim_payments", "contributions",
    "bank_files", "bank_lines", "payment_match_parts", "payment_allocations", "payment_covers",
    "payment_reminders", "dispute_evidence", "dispute_evidence_chunks", "period_keys", "file_signatures",
)  # fmt: skip
_FROZEN = (
    "netted_runs",
    "positions",
    "obligations",
    "points_liability",
    "period_files",
    "period_file_chunks",
)
_BY_PERIOD = ("transactions", "legs", "entries", "postings")

#: Table, the function that refuses, and what it must be asked before (bits of ``pg_trigger.tgtype``).
_GUARDS = (
    *(
        (table, "refuse_change", kind)
        for table in (*_APPEND_ONLY, *_FROZEN)
        for kind in (_ADD_ONLY, _TRUNCATE_BEFORE)
    ),
    *((table, "refuse_once_published", _INSERT) for table in _FROZEN),
    ("periods", "period_goes_forward", _ADD_ONLY),
    ("authorizations", "authorization_goes_forward", _ADD_ONLY),
    ("disputes", "dispute_goes_forward", _ADD_ONLY),
    ("signing_keys", "signing_key_goes_forward", _ADD_ONLY),
    ("proposals", "proposal_ends_once", _ADD_ONLY),
    ("payment_instructions", "instruction_stays", _ADD_ONLY),
    ("payment_matches", "match_is_decided_once", _ADD_ONLY),
    ("payment_allocations", "allocation_within_line", _ROW_BEFORE + _INSERT),
    ("adjustments", "refuse_once_netted", _INSERT),
    ("adjusted_disputes", "refuse_once_netted", _INSERT),
)
_GUARD_ROWS = ", ".join(f"('{table}', '{function}', {kind})" for table, function, kind in _GUARDS)
_UNCHANGING_ROWS = ", ".join(f"('{table}')" for table in (*_APPEND_ONLY, *_FROZEN))
_BY_PERIOD_ROWS = ", ".join(f"('{table}')" for table in _BY_PERIOD)


def _with_parts(tables: str) -> str:
    """Return rows of tables together with each of their partitions (``part``)."""
    return (
        f"{tables} JOIN pg_class c ON c.relname = guarded.name AND c.relnamespace = 'public'::regnamespace"
        " CROSS JOIN LATERAL (SELECT c.oid AS part UNION SELECT relid FROM pg_partition_tree(c.oid)) AS parts"
    )


DATABASE_REFUSES_CHANGE = query(
    "1.6", "数据库拒绝改账", "The database refuses every change of what is written, in every partition", "guards",
    f"""
SELECT 1, CASE WHEN NOT EXISTS (
        SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
        WHERE t.tgrelid = part AND f.proname = function AND f.prosrc LIKE '%RAISE EXCEPTION%'
            AND t.tgtype & kind = kind AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL AND t.tgattr = '')
    THEN format('nothing refuses to %s %s', CASE kind WHEN {_TRUNCATE_BEFORE} THEN 'empty' ELSE 'change' END,
        part::regclass) END
FROM {_with_parts(f"(VALUES {_GUARD_ROWS}) AS guarded (name, function, kind)")}
UNION ALL
SELECT 1, CASE WHEN has_table_privilege(who, part, 'UPDATE, DELETE, TRUNCATE')
    THEN format('%s has the right to change %s', who, part::regclass) END
FROM {_with_parts(f"(VALUES {_UNCHANGING_ROWS}) AS guarded (name)")}
CROSS JOIN (VALUES ('clearinghouse_poster'), ('clearinghouse_reader')) AS roles (who)
UNION ALL
SELECT 1, CASE WHEN NOT EXISTS (
        SELECT FROM pg_inherits i JOIN pg_class part ON part.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(parent) AND NOT i.inhdetachpending
            AND pg_get_expr(part.relpartbound, part.oid) = format('FOR VALUES IN (%s)', period))
    THEN format('the part of %s for period %s is missing', parent, period) END
FROM periods CROSS JOIN (VALUES {_BY_PERIOD_ROWS}) AS parents (parent)
""",
)  # fmt: skip
