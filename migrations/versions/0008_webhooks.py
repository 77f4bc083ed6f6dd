"""Webhooks: where a system wants its events sent, and what became of each sending."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = """
CREATE TABLE webhooks (
    webhook_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    system            integer REFERENCES systems,
    url               text NOT NULL,
    kinds             text[],
    created_at        timestamptz NOT NULL,
    disabled_at       timestamptz,
    disabled_why      text CHECK (disabled_why IN ('owner', 'gone', 'exhausted')),
    told_xact         xid8 NOT NULL,
    told_number       bigint NOT NULL,
    sealed            bytea NOT NULL,
    public_key        bytea NOT NULL,
    former_sealed     bytea,
    former_public_key bytea,
    former_until      timestamptz,
    CHECK ((disabled_at IS NULL) = (disabled_why IS NULL)),
    CHECK ((former_sealed IS NULL) = (former_until IS NULL)),
    CHECK ((former_sealed IS NULL) = (former_public_key IS NULL))
);
COMMENT ON COLUMN webhooks.system IS 'NULL: the operator''s own';
COMMENT ON COLUMN webhooks.kinds IS 'NULL: events of all kinds';
COMMENT ON COLUMN webhooks.told_xact IS
    'with told_number the place in the outbox up to which events are queued; a replay sets it back';
COMMENT ON COLUMN webhooks.sealed IS 'its two secrets, HMAC and Ed25519, encrypted with the master key';
COMMENT ON COLUMN webhooks.former_until IS 'after a rotation the former secrets sign messages too, until then';
CREATE INDEX webhooks_by_system ON webhooks (system);

CREATE TABLE webhook_deliveries (
    webhook_id   uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    xact         xid8 NOT NULL,
    event        bigint NOT NULL,
    system       integer,
    state        text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed', 'cancelled')),
    attempts     smallint NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL,
    last_at      timestamptz,
    last_status  smallint,
    last_failure text,
    PRIMARY KEY (webhook_id, xact, event)
);
COMMENT ON COLUMN webhook_deliveries.next_at IS
    'when it is due; while an attempt is under way, when that counts as lost and is made again';
COMMENT ON COLUMN webhook_deliveries.last_failure IS 'why the last attempt failed, where no status tells it';
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (last_at) WHERE state <> 'pending';
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks, webhook_deliveries TO clearinghouse_poster;

SELECT protect_tenant('webhooks', 'system = tenant()');
SELECT protect_tenant('webhook_deliveries', 'system = tenant()');
-- Who reads for a system needs none of the secrets, not even encrypted.
REVOKE SELECT ON webhooks FROM clearinghouse_reader;
GRANT SELECT (webhook_id, system, url, kinds, created_at, disabled_at, disabled_why, public_key, former_public_key,
    former_until) ON webhooks TO clearinghouse_reader;
"""


def upgrade() -> None:
    """Create the tables and the rights to them."""
    op.execute(TABLES)
    op.execute(RIGHTS)


def downgrade() -> None:
    """Refuse: books are never unmade."""
    raise RuntimeError("migrations only go forward; restore a backup instead")
