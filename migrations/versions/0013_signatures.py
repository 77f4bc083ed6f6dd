"""Signatures of published files: which key signs a period, and one detached signature a file and key."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

TABLES = """
ALTER TABLE signing_keys ADD COLUMN compromised_at timestamptz;
COMMENT ON COLUMN signing_keys.compromised_at IS
    'since when somebody else may have the private key; what it signed proves nothing from then on';

CREATE TABLE period_keys (
    period integer NOT NULL REFERENCES periods,
    kid    text NOT NULL REFERENCES signing_keys,
    named  boolean NOT NULL,
    at     timestamptz NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (period, kid)
);
COMMENT ON TABLE period_keys IS
    'which key signs the files of a period: fixed with its closing; another row only where that key was compromised';
COMMENT ON COLUMN period_keys.named IS
    'whether the files say its fingerprint; a key that comes when they may be made already only signs them';

CREATE TABLE file_signatures (
    period    integer NOT NULL,
    path      text NOT NULL,
    kid       text NOT NULL REFERENCES signing_keys,
    system    integer REFERENCES systems,
    signature text NOT NULL,
    signed_at timestamptz NOT NULL,
    number    bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (period, path, kid),
    FOREIGN KEY (period, path) REFERENCES period_files
);
COMMENT ON TABLE file_signatures IS
    'what is served as FILE.sig; a published file gets another one only where the key of the first was compromised';
COMMENT ON COLUMN file_signatures.system IS 'whose file it is, as in period_files';
COMMENT ON COLUMN file_signatures.number IS 'the highest is served; clocks may go back, this does not';
"""

#: A key is for ever: it is retired once, and known to be compromised once.
FORWARD = """
CREATE FUNCTION signing_key_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       OR (NEW.kid, NEW.purpose, NEW.public_key, NEW.created_at) IS DISTINCT FROM
          (OLD.kid, OLD.purpose, OLD.public_key, OLD.created_at)
       OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
       OR (OLD.compromised_at IS NOT NULL AND NEW.compromised_at IS DISTINCT FROM OLD.compromised_at) THEN
        RAISE EXCEPTION 'a signing key stays published for ever and is retired once'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER goes_forward BEFORE UPDATE OR DELETE ON signing_keys
    FOR EACH ROW EXECUTE FUNCTION signing_key_goes_forward();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON signing_keys EXECUTE FUNCTION refuse_change();
"""

RIGHTS = """
GRANT SELECT, INSERT ON period_keys, file_signatures TO clearinghouse_poster;
SELECT protect_tenant('file_signatures', 'system = tenant()');
"""

_ADD_ONLY = ("period_keys", "file_signatures")


def upgrade() -> None:
    """Create the tables, what keeps them as they are, and the rights to them."""
    for part in (TABLES, FORWARD):
        op.execute(part)
    for table in _ADD_ONLY:
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
