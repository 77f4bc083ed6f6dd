"""Risk: how members stand, defaults with the claims that they leave, and contributions to the guarantee fund.

Collateral, the fund and claims are balances of the ledger; these tables say what they are of.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"

TABLES = """
CREATE TABLE standings (
    number        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system        integer NOT NULL REFERENCES systems,
    step          text NOT NULL CHECK (step IN ('suspended', 'reinstated', 'withdrawn')),
    withdrawn_on  date,
    run_off_until date,
    recorded_at   timestamptz NOT NULL,
    reason        text NOT NULL,
    CHECK ((step = 'withdrawn') = (withdrawn_on IS NOT NULL AND run_off_until >= withdrawn_on))
);
COMMENT ON TABLE standings IS
    'a suspension works from recorded_at on, a withdrawal from the business date withdrawn_on on';
CREATE UNIQUE INDEX standings_withdrawn_once ON standings (system) WHERE step = 'withdrawn';

CREATE TABLE defaults (
    number           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period           integer NOT NULL REFERENCES periods,
    system           integer NOT NULL REFERENCES systems,
    unpaid_minor     bigint NOT NULL CHECK (unpaid_minor > 0),
    collateral_minor bigint NOT NULL CHECK (collateral_minor >= 0),
    fund_minor       bigint NOT NULL CHECK (fund_minor >= 0),
    haircut_minor    bigint NOT NULL CHECK (haircut_minor >= 0),
    borne_minor      bigint NOT NULL CHECK (borne_minor >= 0),
    declared_at      timestamptz NOT NULL,
    UNIQUE (period, system),
    CONSTRAINT it_is_covered CHECK (unpaid_minor = collateral_minor + fund_minor + haircut_minor + borne_minor)
);
COMMENT ON COLUMN defaults.system IS 'the debtor that did not pay its net of the period by the due date';
COMMENT ON COLUMN defaults.borne_minor IS 'what was to pay the clearing house''s own fees of that run';

CREATE TABLE claims (
    default_no   integer NOT NULL REFERENCES defaults,
    claimant     integer NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (default_no, claimant)
);
COMMENT ON COLUMN claims.claimant IS 'the system that was cut, 0 the guarantee fund: the owner of its CLAIM account';

CREATE TABLE recoveries (
    number     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    default_no integer NOT NULL REFERENCES defaults,
    paid_minor bigint NOT NULL CHECK (paid_minor <> 0),
    kept_minor bigint NOT NULL CHECK (kept_minor * sign(paid_minor) >= 0),
    at         timestamptz NOT NULL
);
COMMENT ON COLUMN recoveries.paid_minor IS 'below 0: money that had been handed on was returned, and is taken back';
COMMENT ON COLUMN recoveries.kept_minor IS 'of what was paid, what pays the fees that the clearing house had borne';

CREATE TABLE claim_payments (
    recovery     integer NOT NULL REFERENCES recoveries,
    default_no   integer NOT NULL,
    claimant     integer NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (recovery, claimant),
    FOREIGN KEY (default_no, claimant) REFERENCES claims
);

CREATE TABLE contributions (
    period        integer NOT NULL REFERENCES periods,
    system        integer NOT NULL REFERENCES systems,
    average_minor bigint NOT NULL,
    rate_ppm      integer NOT NULL,
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    at            timestamptz NOT NULL,
    PRIMARY KEY (period, system)
);
COMMENT ON COLUMN contributions.average_minor IS 'average monthly payables up to the period';

CREATE INDEX entries_of_money ON entries (kind, period) WHERE kind NOT IN ('expiry', 'vat');
COMMENT ON INDEX entries_of_money IS 'few: what moved on positions beside what was cleared, for the running debits';
"""

TABLE_NAMES = ("standings", "defaults", "claims", "recoveries", "claim_payments", "contributions")

RIGHTS = """
GRANT SELECT, INSERT ON standings, defaults, claims, recoveries, claim_payments, contributions TO clearinghouse_poster;

SELECT protect_tenant('standings', 'system = tenant()');
SELECT protect_tenant('claims', 'claimant = tenant()');
SELECT protect_tenant('claim_payments', 'claimant = tenant()');
SELECT protect_tenant('contributions', 'system = tenant()');
SELECT protect_tenant('defaults', 'system = tenant() OR EXISTS (SELECT FROM claims c'
    ' WHERE c.default_no = defaults.number AND c.claimant = tenant())');
"""


def upgrade() -> None:
    """Create the tables, what keeps them as they are written, and the rights to them."""
    op.execute(TABLES)
    for table in TABLE_NAMES:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change()"
        )
    op.execute(RIGHTS)


def downgrade() -> None:
    """Refuse: books are never unmade."""
    raise RuntimeError("migrations only go forward; restore a backup instead")
