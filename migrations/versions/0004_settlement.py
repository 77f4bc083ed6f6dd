"""Settlement: frozen positions, obligations and points liability of a period, and its published files."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

UPGRADE = """
CREATE TABLE netted_runs (
    period   integer PRIMARY KEY REFERENCES periods,
    rulebook integer NOT NULL REFERENCES rulebooks,
    parties  jsonb NOT NULL
);
COMMENT ON TABLE netted_runs IS
    'by what rulebook a period was netted, and the members as they were then: a resumed run must not see others';

CREATE TABLE positions (
    period            integer NOT NULL REFERENCES periods,
    system            integer NOT NULL REFERENCES systems,
    receivable_minor  bigint NOT NULL,
    payable_minor     bigint NOT NULL,
    fees_minor        bigint NOT NULL,
    vat_minor         bigint NOT NULL,
    vat_on_top        boolean NOT NULL,
    adjustments_minor bigint NOT NULL,
    net_minor         bigint NOT NULL,
    PRIMARY KEY (period, system)
);

-- As many rows as pairs of systems: no foreign keys, `check` proves them against legs and positions.
CREATE TABLE obligations (
    period       integer NOT NULL,
    debtor       integer NOT NULL,
    creditor     integer NOT NULL,
    kind         text NOT NULL,
    count        bigint NOT NULL,
    amount_minor bigint NOT NULL,
    PRIMARY KEY (period, debtor, creditor, kind)
);

CREATE TABLE points_liability (
    period   integer NOT NULL REFERENCES periods,
    hotel    integer NOT NULL REFERENCES hotels,
    opening  bigint NOT NULL,
    issued   bigint NOT NULL,
    redeemed bigint NOT NULL,
    expired  bigint NOT NULL,
    reversed bigint NOT NULL,
    closing  bigint NOT NULL,
    debts    bigint NOT NULL,
    PRIMARY KEY (period, hotel),
    CONSTRAINT it_foots CHECK (opening + issued - redeemed - expired + reversed = closing)
);

CREATE TABLE period_files (
    period integer NOT NULL REFERENCES periods,
    path   text NOT NULL,
    system integer REFERENCES systems,
    sha256 text NOT NULL,
    size   bigint NOT NULL,
    rows   bigint,
    PRIMARY KEY (period, path)
);
CREATE TABLE period_file_chunks (
    period integer NOT NULL,
    path   text NOT NULL,
    chunk  integer NOT NULL,
    bytes  bytea NOT NULL,
    PRIMARY KEY (period, path, chunk),
    FOREIGN KEY (period, path) REFERENCES period_files
);
ALTER TABLE period_file_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE FUNCTION refuse_once_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM periods WHERE state IN ('published', 'settled')
        AND period IN (SELECT DISTINCT added.period FROM added)
    ) THEN
        RAISE EXCEPTION 'a published period never changes (domain.md 5.7)'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
"""

FROZEN = (
    "netted_runs",
    "positions",
    "obligations",
    "points_liability",
    "period_files",
    "period_file_chunks",
)

STATES = """
CREATE FUNCTION period_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stages text[] := ARRAY['open', 'closing', 'netted', 'stated', 'published', 'settled'];
BEGIN
    IF TG_OP = 'DELETE' OR array_position(stages, NEW.state) < array_position(stages, OLD.state)
       OR NEW.period <> OLD.period
       OR (OLD.closing_at IS NOT NULL AND NEW.closing_at IS DISTINCT FROM OLD.closing_at)
       OR (OLD.published_at IS NOT NULL AND NEW.published_at IS DISTINCT FROM OLD.published_at) THEN
        RAISE EXCEPTION 'a period only goes forward (domain.md 4)' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER goes_forward BEFORE UPDATE OR DELETE ON periods
    FOR EACH ROW EXECUTE FUNCTION period_goes_forward();
"""


def upgrade() -> None:
    """Create the tables and what keeps a published period as it is."""
    op.execute(UPGRADE)
    for table in FROZEN:
        op.execute(
            f"CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        # Once for all rows of a statement: a row at a time, this took most of the time of netting.
        op.execute(
            f"CREATE TRIGGER published AFTER INSERT ON {table} REFERENCING NEW TABLE AS added"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_once_published()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change()"
        )
    op.execute(STATES)


def downgrade() -> None:
    """Refuse: books are never unmade."""
    raise RuntimeError("migrations only go forward; restore a backup instead")
