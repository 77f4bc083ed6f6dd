"""The run: why a settlement has stopped, for whoever follows it and for whoever would start it again."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"

UPGRADE = """
CREATE TABLE run_failures (
    period   integer PRIMARY KEY,
    at       timestamptz NOT NULL,
    sentence text NOT NULL
);
COMMENT ON TABLE run_failures IS
    'the last time that a stage of a run failed, and why; it stays when the run goes on, its stage is in periods';
GRANT SELECT, INSERT, UPDATE ON run_failures TO clearinghouse_poster;
"""


def upgrade() -> None:
    """Create the table."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Refuse: books are never unmade."""
    raise RuntimeError("migrations only go forward; restore a backup instead")
