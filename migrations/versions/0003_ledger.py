"""The ledger: transactions, legs and append-only postings by period; lots, debts, roll-ups, imports."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

#: How many parts the references are kept in; a part stays small enough for its index to be cached.
REFERENCE_PARTS = 8

TABLES = """
CREATE TABLE periods (
    period       integer PRIMARY KEY,
    state        text NOT NULL DEFAULT 'open'
                 CHECK (state IN ('open', 'closing', 'netted', 'stated', 'published', 'settled')),
    closing_at   timestamptz,
    published_at timestamptz
);
COMMENT ON COLUMN periods.period IS 'year * 12 + month - 1';

CREATE TABLE transaction_refs (
    host_hotel integer NOT NULL,
    txn_ref    text NOT NULL,
    content    bytea NOT NULL,
    txn_id     uuid NOT NULL,
    PRIMARY KEY (host_hotel, txn_ref)
) PARTITION BY HASH (host_hotel, txn_ref);
COMMENT ON TABLE transaction_refs IS 'every accepted reference, unique for ever and across periods';

CREATE TABLE transactions (
    period        integer NOT NULL,
    txn_id        uuid NOT NULL,
    host_hotel    integer NOT NULL,
    host_system   integer NOT NULL,
    txn_ref       text NOT NULL,
    original_ref  text,
    kind          text NOT NULL,
    card          bigint NOT NULL,
    traveller     bigint NOT NULL,
    business_date date NOT NULL,
    occurred_at   timestamptz NOT NULL,
    posted_at     timestamptz NOT NULL,
    amount_minor  bigint,
    points        bigint,
    earn_ppm      bigint,
    rulebook      integer NOT NULL,
    late          boolean NOT NULL,
    lot           bigint,
    original      uuid,
    PRIMARY KEY (period, txn_id)
) PARTITION BY LIST (period);
CREATE INDEX transactions_by_traveller ON transactions (traveller, txn_id);
CREATE INDEX transactions_by_original ON transactions (original) WHERE original IS NOT NULL;

CREATE TABLE legs (
    period           integer NOT NULL,
    txn_id           uuid NOT NULL,
    leg_no           integer NOT NULL,
    fee_kind         text NOT NULL,
    host_hotel       integer NOT NULL,
    host_system      integer NOT NULL,
    issuer_hotel     integer NOT NULL,
    issuer_system    integer NOT NULL,
    rulebook         integer NOT NULL,
    points           bigint,
    base_minor       bigint NOT NULL,
    obligation_minor bigint NOT NULL,
    fee_minor        bigint NOT NULL,
    reverses_txn     uuid,
    reverses_leg     integer,
    PRIMARY KEY (period, txn_id, leg_no),
    CONSTRAINT no_exchange_no_fee
        CHECK (host_system <> issuer_system OR (fee_minor = 0 AND obligation_minor = 0))
) PARTITION BY LIST (period);

CREATE TABLE entries (
    period        integer NOT NULL,
    entry_id      uuid NOT NULL,
    kind          text NOT NULL,
    business_date date NOT NULL,
    posted_at     timestamptz NOT NULL,
    PRIMARY KEY (period, entry_id)
) PARTITION BY LIST (period);
COMMENT ON TABLE entries IS 'journal entries that are no transaction of a hotel: expiry, end of debts, VAT';

CREATE TABLE postings (
    period   integer NOT NULL,
    entry_id uuid NOT NULL,
    seq      integer NOT NULL,
    debit    bigint NOT NULL,
    credit   bigint NOT NULL,
    asset    smallint NOT NULL,
    amount   bigint NOT NULL CHECK (amount > 0),
    lot      bigint,
    PRIMARY KEY (period, entry_id, seq),
    CONSTRAINT two_sides CHECK (debit <> credit)
) PARTITION BY LIST (period);
COMMENT ON TABLE postings IS
    'debit and credit in one row, so every entry sums to zero per asset; entry_id is a transaction or an entry';

CREATE SEQUENCE lot_numbers;

CREATE TABLE lots (
    number        bigint PRIMARY KEY,
    traveller     bigint NOT NULL,
    issuer_hotel  integer NOT NULL,
    asset         smallint NOT NULL,
    txn_id        uuid NOT NULL,
    period        integer NOT NULL,
    issued        bigint NOT NULL,
    remaining     bigint NOT NULL,
    held          bigint NOT NULL DEFAULT 0,
    expired       bigint NOT NULL DEFAULT 0,
    gone          bigint NOT NULL DEFAULT 0,
    forgiven      bigint NOT NULL DEFAULT 0,
    usable_from   date NOT NULL,
    expires_on    date,
    restored_from bigint,
    CONSTRAINT held_within_remaining CHECK (0 <= held AND held <= remaining),
    CONSTRAINT remaining_within_issued CHECK (remaining <= issued)
) WITH (fillfactor = 85);
CREATE INDEX lots_open ON lots (traveller) WHERE remaining > 0;
CREATE INDEX lots_restored ON lots (restored_from) WHERE restored_from IS NOT NULL;
CREATE INDEX lots_expiring ON lots USING brin (expires_on);

CREATE TABLE debts (
    number       bigint PRIMARY KEY,
    traveller    bigint NOT NULL,
    issuer_hotel integer NOT NULL,
    lot          bigint NOT NULL,
    period       integer NOT NULL,
    owed         bigint NOT NULL CHECK (owed > 0),
    remaining    bigint NOT NULL CHECK (0 <= remaining AND remaining <= owed),
    posted       bigint NOT NULL CHECK (0 <= posted AND posted <= remaining),
    ends_on      date NOT NULL
);
CREATE INDEX debts_open ON debts (traveller) WHERE remaining > 0;

CREATE TABLE rollup_increments (
    period   integer NOT NULL,
    measure  smallint NOT NULL,
    debtor   integer NOT NULL,
    creditor integer NOT NULL,
    count    bigint NOT NULL,
    amount   bigint NOT NULL
);
COMMENT ON TABLE rollup_increments IS
    'appended with the transactions and folded into rollups behind them: no row that all traffic would lock';

CREATE TABLE rollups (
    period   integer NOT NULL,
    measure  smallint NOT NULL,
    debtor   integer NOT NULL,
    creditor integer NOT NULL,
    count    bigint NOT NULL,
    amount   bigint NOT NULL,
    PRIMARY KEY (period, measure, debtor, creditor)
);

CREATE TABLE import_files (
    number      integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    sha256      text NOT NULL UNIQUE,
    name        text NOT NULL,
    lines       bigint NOT NULL,
    imported_on date NOT NULL,
    lanes       smallint NOT NULL,
    lines_each  integer NOT NULL
);
CREATE TABLE import_progress (
    file    integer NOT NULL REFERENCES import_files,
    portion integer NOT NULL,
    lane    integer NOT NULL,
    lines   integer NOT NULL,
    answered bytea NOT NULL,
    PRIMARY KEY (file, portion, lane)
);
COMMENT ON TABLE import_progress IS
    'committed with each sequence of lines, so that a killed import goes on where it stopped';
COMMENT ON COLUMN import_progress.answered IS
    'one bit a line of the portion, counted from its first: what must not be answered again';
CREATE TABLE import_rejections (
    file       integer NOT NULL REFERENCES import_files,
    line       bigint NOT NULL,
    host_hotel text NOT NULL,
    txn_ref    text NOT NULL,
    code       text NOT NULL,
    PRIMARY KEY (file, line)
);

CREATE TABLE outbox (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xact    xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at      timestamptz NOT NULL,
    kind    text NOT NULL,
    system  integer REFERENCES systems,
    payload jsonb NOT NULL
);
COMMENT ON COLUMN outbox.xact IS
    'serve only below the oldest running transaction, or a cursor would skip what commits late';

CREATE TABLE audit_log (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    actor   text NOT NULL,
    action  text NOT NULL,
    subject text NOT NULL,
    details jsonb NOT NULL
);
"""

PROTECTION = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: correct by adding, never by % (domain.md 5.1)', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""

#: Tables that may only be added to. A trigger for rows is inherited by partitions, one for TRUNCATE is not.
APPEND_ONLY = (
    "postings",
    "legs",
    "transactions",
    "entries",
    "transaction_refs",
    "audit_log",
    "outbox",
    "memberships",
    "rulebooks",
    "acceptances",
)

#: Makes the partitions of a period without the lock on the parents that live traffic would wait for.
OPEN_PERIOD = """
CREATE FUNCTION open_period(wanted integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    parent text;
    part   text;
BEGIN
    -- Closing a period takes the same lock: a month before a closed one must not appear afterwards.
    PERFORM pg_advisory_xact_lock(727001);
    IF EXISTS (SELECT FROM periods WHERE period = wanted OR period > wanted AND state <> 'open') THEN
        RETURN;
    END IF;
    FOREACH parent IN ARRAY ARRAY['transactions', 'legs', 'entries', 'postings'] LOOP
        part := format('%s_%s', parent, lpad((wanted / 12)::text, 4, '0') || lpad((wanted % 12 + 1)::text, 2, '0'));
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL, CHECK (period = %s))', part, parent, wanted);
        -- Whoever comes past the parent's policies to a part finds none, and so no row.
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I EXECUTE FUNCTION refuse_change()', part);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', parent, part, wanted);
    END LOOP;
    INSERT INTO periods (period) VALUES (wanted);
END $$;
"""


def upgrade() -> None:
    """Create the tables, what protects them, and the function that opens a period."""
    op.execute(TABLES)
    for part in range(REFERENCE_PARTS):
        op.execute(
            f"CREATE TABLE transaction_refs_{part} PARTITION OF transaction_refs"
            f" FOR VALUES WITH (MODULUS {REFERENCE_PARTS}, REMAINDER {part})"
        )
    op.execute(PROTECTION)
    for part in range(REFERENCE_PARTS):
        op.execute(
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON transaction_refs_{part}"
            " EXECUTE FUNCTION refuse_change()"
        )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change()"
        )
    op.execute(OPEN_PERIOD)


def downgrade() -> None:
    """Refuse: books are never unmade."""
    raise RuntimeError("migrations only go forward; restore a backup instead")
