"""Users: people who sign in to the console of a system or to the operator's desk, and what they did."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"

TABLES = """
CREATE TABLE users (
    number          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system          integer REFERENCES systems,
    login           text NOT NULL CHECK (length(login) BETWEEN 2 AND 128),
    login_key       text NOT NULL UNIQUE,
    role            text NOT NULL CHECK (role IN ('viewer', 'finance', 'admin')),
    password_hash   text NOT NULL,
    initial_until   timestamptz,
    totp_sealed     bytea,
    totp_step       bigint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    signed_in_at    timestamptz,
    deactivated_at  timestamptz
);
COMMENT ON COLUMN users.system IS 'NULL: the operator''s own people';
COMMENT ON COLUMN users.login_key IS 'the login as it is looked up: small letters, composed';
COMMENT ON COLUMN users.initial_until IS
    'the password is the one that an administrator was shown, good until then and for setting up only';
COMMENT ON COLUMN users.totp_sealed IS 'the secret of the second factor, encrypted with the master key';
COMMENT ON COLUMN users.totp_step IS 'the time step of the last code that was taken: none is taken twice';
CREATE INDEX users_by_system ON users (system, login_key);

CREATE TABLE user_recovery_codes (
    user_no integer NOT NULL REFERENCES users,
    code    bytea NOT NULL,
    PRIMARY KEY (user_no, code)
);
COMMENT ON TABLE user_recovery_codes IS 'keyed hashes of codes that stand in for the second factor; a used one is gone';

CREATE TABLE user_sessions (
    token_hash  bytea PRIMARY KEY,
    user_no     integer NOT NULL REFERENCES users,
    level       text NOT NULL CHECK (level IN ('second', 'setup', 'full')),
    begun_at    timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    totp_sealed bytea
);
COMMENT ON COLUMN user_sessions.level IS
    'second: the password was right; setup: so was an initial one; full: signed in';
COMMENT ON COLUMN user_sessions.totp_sealed IS 'a secret that is being set up, until the first code of it is right';
CREATE INDEX user_sessions_by_user ON user_sessions (user_no);
CREATE INDEX user_sessions_by_end ON user_sessions (ends_at);

CREATE TABLE sign_in_attempts (
    subject  bytea PRIMARY KEY,
    failures integer NOT NULL,
    last_at  timestamptz NOT NULL,
    until    timestamptz
);
COMMENT ON TABLE sign_in_attempts IS
    'attempts that failed, by login (there or not) and by address, as keyed hashes; none is taken before until';
CREATE INDEX sign_in_attempts_by_age ON sign_in_attempts (last_at);

ALTER TABLE audit_log ADD COLUMN system integer REFERENCES systems;
COMMENT ON COLUMN audit_log.system IS 'whose trail it is, where a system''s own people did it; NULL: the operator''s';
CREATE INDEX audit_log_by_system ON audit_log (system, number) WHERE system IS NOT NULL;
"""

#: What a person does in the console is recorded with the user where it is recorded with the client for the API.
ACTORS = """
ALTER TABLE disputes ALTER COLUMN client DROP NOT NULL, ADD COLUMN by_user integer REFERENCES users,
    ADD CONSTRAINT opened_by_one CHECK (num_nonnulls(client, by_user) = 1);
COMMENT ON COLUMN disputes.by_user IS 'who opened it, where a person did in the console';
CREATE TRIGGER opener_stays BEFORE UPDATE ON disputes FOR EACH ROW WHEN (OLD.by_user IS DISTINCT FROM NEW.by_user)
    EXECUTE FUNCTION refuse_change();
ALTER TABLE dispute_steps ADD COLUMN by_user integer REFERENCES users,
    ADD CONSTRAINT taken_by_one CHECK (num_nonnulls(client, by_user) <= 1);
ALTER TABLE dispute_evidence ADD COLUMN by_user integer REFERENCES users,
    ADD CONSTRAINT brought_by_one CHECK (num_nonnulls(client, by_user) <= 1);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON users TO clearinghouse_poster;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_sessions, sign_in_attempts TO clearinghouse_poster;
GRANT SELECT, INSERT, DELETE ON user_recovery_codes TO clearinghouse_poster;

SELECT protect_tenant('users', 'system = tenant()');
-- Who reads for a system needs none of the secrets, not even hashed.
REVOKE SELECT ON users FROM clearinghouse_reader;
GRANT SELECT (number, system, login, login_key, role, initial_until, created_at, signed_in_at, deactivated_at)
    ON users TO clearinghouse_reader;
SELECT protect_tenant('audit_log', 'system = tenant()');
"""


def upgrade() -> None:
    """Create the tables, the columns of who did it, and the rights."""
    for part in (TABLES, ACTORS, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    """Refuse: books are never unmade."""
    raise RuntimeError("migrations only go forward; restore a backup instead")
