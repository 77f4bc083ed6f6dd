"""Roles: the value path runs as ``clearinghouse_poster``, which can add to the books and not change them."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

# Roles belong to the whole server, so another database of it may have made them already, perhaps right now.
UPGRADE = """
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['clearinghouse_poster', 'clearinghouse_reader'] LOOP
        PERFORM pg_advisory_xact_lock(727002);
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                -- Without a password: a server that asks for one lets nobody in until it is given one.
                EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        -- Since PostgreSQL 16 whoever makes a role may administer it, but not act as it without this.
        BEGIN
            EXECUTE format('SET LOCAL ROLE %I', wanted);
            RESET ROLE;
        EXCEPTION WHEN insufficient_privilege THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA public TO clearinghouse_poster, clearinghouse_reader;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clearinghouse_poster;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO clearinghouse_poster;
GRANT INSERT ON transaction_refs, transactions, legs, entries, postings, lots, debts, rollup_increments,
    rollups, import_files, import_progress, import_rejections, outbox, audit_log,
    systems, hotels, memberships, tiers, rulebooks, acceptances, travellers, cards, card_tiers,
    netted_runs, positions, obligations, points_liability, period_files, period_file_chunks TO clearinghouse_poster;
GRANT UPDATE ON lots, debts, rollups, periods, systems, travellers, directory_version TO clearinghouse_poster;
GRANT DELETE ON rollup_increments TO clearinghouse_poster;
REVOKE ALL ON FUNCTION open_period(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_period(integer) TO clearinghouse_poster;

CREATE SCHEMA staging;
COMMENT ON SCHEMA staging IS 'what statements are made of; it can be made again from the books, and is no part of them';
GRANT USAGE, CREATE ON SCHEMA staging TO clearinghouse_poster;
"""


def upgrade() -> None:
    """Create the roles and what they may do."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Refuse: books are never unmade."""
    raise RuntimeError("migrations only go forward; restore a backup instead")
