"""Adjustments: corrections of published periods, posted in a later one; evidence; what waits for a second person."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

ADJUSTMENTS = """
CREATE SEQUENCE adjustment_numbers;

CREATE TABLE adjustments (
    period       integer NOT NULL REFERENCES periods,
    number       bigint NOT NULL,
    system       integer NOT NULL REFERENCES systems,
    counterparty integer REFERENCES systems,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    kind         text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),
    reference    text NOT NULL CHECK (length(reference) BETWEEN 1 AND 64),
    text         text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    dispute_id   uuid REFERENCES disputes,
    txn_id       uuid,
    leg_no       integer,
    txn_ref      text,
    host_hotel   integer REFERENCES hotels,
    issuer_hotel integer REFERENCES hotels,
    host_system  integer REFERENCES systems,
    issuer_system integer REFERENCES systems,
    business_date date NOT NULL,
    entry_id     uuid NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (period, number, system),
    CHECK (counterparty <> system),
    CHECK ((txn_id IS NULL) = (leg_no IS NULL) AND (txn_id IS NULL) = (txn_ref IS NULL)
           AND (txn_id IS NULL) = (host_hotel IS NULL) AND (txn_id IS NULL) = (issuer_hotel IS NULL)
           AND (txn_id IS NULL) = (host_system IS NULL) AND (txn_id IS NULL) = (issuer_system IS NULL))
);
COMMENT ON COLUMN adjustments.number IS 'of the adjustment; the two systems of one share it';
COMMENT ON COLUMN adjustments.amount_minor IS 'what the system receives (+) or pays (-)';
COMMENT ON COLUMN adjustments.counterparty IS
    'NULL: the clearing house, whose fee it is: it counts among the fees of the period, the other way round';
COMMENT ON COLUMN adjustments.txn_id IS 'with leg_no the leg that is corrected; reference, hotels and systems as on it';
CREATE INDEX adjustments_by_leg ON adjustments (txn_id, leg_no) WHERE txn_id IS NOT NULL;
CREATE INDEX adjustments_by_dispute ON adjustments (dispute_id) WHERE dispute_id IS NOT NULL;

CREATE TABLE adjusted_disputes (
    period     integer NOT NULL REFERENCES periods,
    dispute_id uuid NOT NULL REFERENCES disputes,
    state      text NOT NULL,
    PRIMARY KEY (period, dispute_id)
);
COMMENT ON TABLE adjusted_disputes IS
    'how far the disputes behind a period''s adjustments were when it was netted: its statements say that';

CREATE FUNCTION refuse_once_netted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM periods WHERE state NOT IN ('open', 'closing')
        AND period IN (SELECT DISTINCT added.period FROM added)
    ) THEN
        RAISE EXCEPTION 'a netted period takes no more adjustments (domain.md 4)'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER netted AFTER INSERT ON adjustments REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_once_netted();
CREATE TRIGGER netted AFTER INSERT ON adjusted_disputes REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_once_netted();
"""

EVIDENCE = """
CREATE TABLE dispute_evidence (
    evidence_id uuid PRIMARY KEY,
    dispute_id  uuid NOT NULL REFERENCES disputes,
    by_system   integer REFERENCES systems,
    client      integer REFERENCES clients,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 120 AND name !~ '[/\\\\[:cntrl:]]'),
    media_type  text NOT NULL CHECK (media_type IN
                ('application/pdf', 'image/png', 'image/jpeg', 'text/csv', 'text/plain')),
    size        integer NOT NULL CHECK (size > 0),
    sha256      text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    at          timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (dispute_id, by_system, sha256)
);
COMMENT ON COLUMN dispute_evidence.by_system IS 'NULL: the operator';
CREATE TABLE dispute_evidence_chunks (
    evidence_id uuid NOT NULL REFERENCES dispute_evidence,
    chunk       integer NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (evidence_id, chunk)
);
-- Pictures and PDF are compressed already.
ALTER TABLE dispute_evidence_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;
"""

PROPOSALS = """
CREATE FUNCTION plain_name(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN btrim(regexp_replace(lower(normalize(regexp_replace(name, '[\\u00ad\\u0600-\\u0605\\u061c\\u06dd\\u070f'
        '\\u0890\\u0891\\u08e2\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb'
        '\\U000110bd\\U000110cd\\U00013430-\\U00013438\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a'
        '\\U000e0001\\U000e0020-\\U000e007f]', '', 'g'), NFKC)), '\\s+', ' ', 'g'));
COMMENT ON FUNCTION plain_name IS
    'a name of a person without what it may be written with or without: width, capitals, blanks,'
    ' characters that nobody sees (domain/people.py)';

CREATE TABLE proposals (
    number      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dispute_id  uuid REFERENCES disputes,
    document    jsonb NOT NULL,
    proposed_by text NOT NULL,
    reason      text NOT NULL,
    proposed_at timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'confirmed', 'withdrawn')),
    ended_by    text,
    ended_at    timestamptz,
    CHECK ((state = 'waiting') = (ended_by IS NULL) AND (state = 'waiting') = (ended_at IS NULL)),
    CONSTRAINT two_people CHECK (state <> 'confirmed' OR plain_name(ended_by) <> plain_name(proposed_by))
);
COMMENT ON TABLE proposals IS 'decisions and corrections that one person has proposed and another has to confirm';
CREATE UNIQUE INDEX proposals_of_disputes ON proposals (dispute_id) WHERE state = 'waiting';

CREATE FUNCTION proposal_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'waiting' OR NEW.state = 'waiting'
       OR (NEW.number, NEW.dispute_id, NEW.document, NEW.proposed_by, NEW.reason, NEW.proposed_at) IS DISTINCT FROM
          (OLD.number, OLD.dispute_id, OLD.document, OLD.proposed_by, OLD.reason, OLD.proposed_at) THEN
        RAISE EXCEPTION 'a proposal ends once and stays as it was made' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ends_once BEFORE UPDATE OR DELETE ON proposals
    FOR EACH ROW EXECUTE FUNCTION proposal_ends_once();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON proposals EXECUTE FUNCTION refuse_change();
"""

APPEND_ONLY = ("adjustments", "adjusted_disputes", "dispute_evidence", "dispute_evidence_chunks")

RIGHTS = """
GRANT SELECT, INSERT ON adjustments, adjusted_disputes, dispute_evidence, dispute_evidence_chunks
    TO clearinghouse_poster;
GRANT SELECT, INSERT, UPDATE ON proposals TO clearinghouse_poster;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clearinghouse_poster;

SELECT protect_tenant('adjustments', 'system = tenant()');
SELECT protect_tenant('dispute_evidence',
    'EXISTS (SELECT FROM disputes d WHERE d.dispute_id = dispute_evidence.dispute_id'
    ' AND (d.opened_by = tenant() OR d.respondent = tenant()))');
SELECT protect_tenant('dispute_evidence_chunks', 'EXISTS (SELECT FROM dispute_evidence e'
    ' JOIN disputes d ON d.dispute_id = e.dispute_id WHERE e.evidence_id = dispute_evidence_chunks.evidence_id'
    ' AND (d.opened_by = tenant() OR d.respondent = tenant()))');
"""


def upgrade() -> None:
    """Create the tables, what keeps them as they are, and the rights to them."""
    for part in (ADJUSTMENTS, EVIDENCE, PROPOSALS):
        op.execute(part)
    for table in APPEND_ONLY:
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
