"""Disputes: a system's objections to legs of published periods, and the steps that each went through."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

TABLES = """
CREATE TABLE disputes (
    dispute_id    uuid PRIMARY KEY,
    period        integer NOT NULL REFERENCES periods,
    txn_id        uuid NOT NULL,
    leg_no        integer NOT NULL,
    opened_by     integer NOT NULL REFERENCES systems,
    respondent    integer REFERENCES systems,
    client        integer NOT NULL REFERENCES clients,
    reason        text NOT NULL,
    text          text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    claimed_minor bigint NOT NULL CHECK (claimed_minor > 0),
    state         text NOT NULL DEFAULT 'open'
                  CHECK (state IN ('open', 'answered', 'upheld', 'rejected', 'escalated')),
    late          boolean NOT NULL,
    opened_at     timestamptz NOT NULL,
    answer_due_at timestamptz NOT NULL,
    overdue_at    timestamptz,
    answer        text CHECK (answer IN ('accept', 'contest', 'none')),
    answer_text   text CHECK (length(answer_text) BETWEEN 1 AND 2000),
    answered_at   timestamptz,
    upheld_minor  bigint CHECK (upheld_minor >= 0),
    decided_at    timestamptz,
    escalate_until timestamptz,
    escalated_at  timestamptz,
    escalated_by  integer REFERENCES systems,
    CHECK (opened_by IS DISTINCT FROM respondent),
    CHECK ((state = 'open') = (answer IS NULL)),
    CHECK ((answer IS NULL) = (answer_text IS NULL) AND (answer IS NULL) = (answered_at IS NULL)),
    CHECK ((state IN ('open', 'answered')) = (decided_at IS NULL)),
    CHECK ((decided_at IS NULL) = (upheld_minor IS NULL) AND (decided_at IS NULL) = (escalate_until IS NULL)),
    CHECK (state <> 'rejected' OR upheld_minor = 0),
    CHECK (state <> 'escalated' OR escalated_at IS NOT NULL),
    CHECK ((escalated_at IS NULL) = (escalated_by IS NULL))
);
COMMENT ON COLUMN disputes.txn_id IS
    'with period and leg_no a leg; no foreign key: a new part of legs would have to wait for this table';
COMMENT ON COLUMN disputes.respondent IS 'NULL: the operator, where the claim is on the host''s fee';
COMMENT ON COLUMN disputes.claimed_minor IS 'what the opener asks of the respondent, in fen';
COMMENT ON COLUMN disputes.overdue_at IS 'when the parties were told that nobody has answered in time';
COMMENT ON COLUMN disputes.answer IS 'none: decided without an answer, after the time for it';
COMMENT ON COLUMN disputes.upheld_minor IS 'what the decision that stands gives the opener; 0 where it is rejected';
COMMENT ON COLUMN disputes.client IS 'through which it was opened';
COMMENT ON COLUMN disputes.late IS 'opened after the days that the rulebook of the leg gives';
CREATE UNIQUE INDEX disputes_undecided ON disputes (txn_id, leg_no, opened_by)
    WHERE state NOT IN ('upheld', 'rejected');
CREATE INDEX disputes_due ON disputes (answer_due_at) WHERE state = 'open' AND overdue_at IS NULL;
CREATE INDEX disputes_by_opener ON disputes (opened_by, opened_at, dispute_id);
CREATE INDEX disputes_by_respondent ON disputes (respondent, opened_at, dispute_id);

CREATE TABLE dispute_steps (
    dispute_id uuid NOT NULL REFERENCES disputes,
    step       integer NOT NULL,
    at         timestamptz NOT NULL,
    state      text NOT NULL,
    by_system  integer REFERENCES systems,
    client     integer REFERENCES clients,
    text       text NOT NULL,
    upheld_minor bigint,
    PRIMARY KEY (dispute_id, step)
);
COMMENT ON COLUMN dispute_steps.by_system IS 'NULL: the operator';
COMMENT ON COLUMN dispute_steps.client IS 'NULL: people at the clearing house; the audit log names them';
"""

#: What was claimed and what was answered are written once; the state follows domain.md 4, and is escalated once.
FORWARD = """
CREATE FUNCTION dispute_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       OR (OLD.state, NEW.state) NOT IN (('open', 'answered'), ('answered', 'upheld'), ('answered', 'rejected'),
           ('upheld', 'escalated'), ('rejected', 'escalated'), ('escalated', 'upheld'), ('escalated', 'rejected'),
           ('open', 'open'))
       -- While it is open, nothing is written but that its time to be answered is over.
       OR (NEW.state = OLD.state AND (OLD.overdue_at IS NOT NULL OR NEW.overdue_at IS NULL))
       OR (NEW.dispute_id, NEW.period, NEW.txn_id, NEW.leg_no, NEW.opened_by, NEW.respondent, NEW.client,
           NEW.reason, NEW.text, NEW.claimed_minor, NEW.late, NEW.opened_at, NEW.answer_due_at) IS DISTINCT FROM
          (OLD.dispute_id, OLD.period, OLD.txn_id, OLD.leg_no, OLD.opened_by, OLD.respondent, OLD.client,
           OLD.reason, OLD.text, OLD.claimed_minor, OLD.late, OLD.opened_at, OLD.answer_due_at)
       OR (OLD.overdue_at IS NOT NULL AND NEW.overdue_at IS DISTINCT FROM OLD.overdue_at)
       OR (OLD.answer IS NOT NULL AND (NEW.answer, NEW.answer_text, NEW.answered_at) IS DISTINCT FROM
           (OLD.answer, OLD.answer_text, OLD.answered_at))
       OR (OLD.escalated_at IS NOT NULL AND (NEW.state = 'escalated'
           OR (NEW.escalated_at, NEW.escalated_by) IS DISTINCT FROM (OLD.escalated_at, OLD.escalated_by))) THEN
        RAISE EXCEPTION 'a dispute only goes forward (domain.md 4)' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER goes_forward BEFORE UPDATE OR DELETE ON disputes
    FOR EACH ROW EXECUTE FUNCTION dispute_goes_forward();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON disputes EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON dispute_steps
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON dispute_steps EXECUTE FUNCTION refuse_change();
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON disputes TO clearinghouse_poster;
GRANT SELECT, INSERT ON dispute_steps TO clearinghouse_poster;

SELECT protect_tenant('disputes', 'opened_by = tenant() OR respondent = tenant()');
SELECT protect_tenant('dispute_steps', 'EXISTS (SELECT FROM disputes d WHERE d.dispute_id = dispute_steps.dispute_id'
    ' AND (d.opened_by = tenant() OR d.respondent = tenant()))');
"""


def upgrade() -> None:
    """Create the tables, what keeps their history, and the rights to them."""
    for part in (TABLES, FORWARD, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    """Refuse: books are never unmade."""
    raise RuntimeError("migrations only go forward; restore a backup instead")
