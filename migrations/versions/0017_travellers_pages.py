"""The traveller's pages: sign-in codes, sessions, shown codes, reports of missing stays, cards that were asked for."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"

TABLES = """
CREATE TABLE traveller_codes (
    request     uuid PRIMARY KEY,
    place_index bytea NOT NULL,
    asker_index bytea NOT NULL,
    code_hash   bytea NOT NULL,
    tries       smallint NOT NULL DEFAULT 0,
    asked_at    timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
COMMENT ON TABLE traveller_codes IS
    'sign-in codes that were asked for, whether or not anybody is known under the phone or address';
COMMENT ON COLUMN traveller_codes.place_index IS 'blind index of the phone or e-mail address';
COMMENT ON COLUMN traveller_codes.asker_index IS 'blind index of the network address that asked';
CREATE INDEX traveller_codes_by_place ON traveller_codes (place_index, asked_at);
CREATE INDEX traveller_codes_by_asker ON traveller_codes (asker_index, asked_at);
CREATE INDEX traveller_codes_by_age ON traveller_codes (asked_at);

CREATE TABLE traveller_sessions (
    token_hash bytea PRIMARY KEY,
    traveller  bigint NOT NULL REFERENCES travellers,
    pools      bigint[] NOT NULL,
    begun_at   timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    CONSTRAINT looks_at_one_of_its_pools CHECK (traveller = ANY (pools))
);
COMMENT ON COLUMN traveller_sessions.pools IS
    'everybody of that name under that phone or address: one person with several pools, who looks at one of them';
CREATE INDEX traveller_sessions_by_traveller ON traveller_sessions USING gin (pools);
CREATE INDEX traveller_sessions_by_age ON traveller_sessions (seen_at);

CREATE TABLE shown_codes (
    nonce      bytea PRIMARY KEY,
    system     integer NOT NULL REFERENCES systems,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE shown_codes IS 'rotating codes of cards that a desk has read: no other system may read them again';
CREATE INDEX shown_codes_by_age ON shown_codes (expires_at);

CREATE TABLE missing_stays (
    report       uuid PRIMARY KEY,
    number       bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    traveller    bigint NOT NULL REFERENCES travellers,
    card         bigint NOT NULL REFERENCES cards,
    hotel        integer NOT NULL REFERENCES hotels,
    system       integer NOT NULL REFERENCES systems,
    arrived_on   date NOT NULL,
    left_on      date NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    told         bytea NOT NULL,
    reported_at  timestamptz NOT NULL,
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'credited', 'declined', 'withdrawn')),
    answered_at  timestamptz,
    answer       text,
    txn_ref      text,
    by_client    integer REFERENCES clients,
    by_user      integer REFERENCES users,
    CHECK (arrived_on <= left_on),
    CONSTRAINT ends_once CHECK ((state = 'open') = (answered_at IS NULL)),
    CONSTRAINT answered_by_one CHECK (num_nonnulls(by_client, by_user) = (state IN ('credited', 'declined'))::integer)
);
COMMENT ON COLUMN missing_stays.system IS 'whose the hotel was on the last day of the stay';
COMMENT ON COLUMN missing_stays.told IS
    'the number of the bill and the note, under the traveller''s own key: both are gone with an erasure';
CREATE INDEX missing_stays_by_traveller ON missing_stays (traveller, number);
CREATE INDEX missing_stays_by_system ON missing_stays (system, number);

CREATE TABLE asked_cards (
    card      bigint PRIMARY KEY REFERENCES cards,
    traveller bigint NOT NULL REFERENCES travellers,
    system    integer NOT NULL REFERENCES systems,
    hotel     integer NOT NULL REFERENCES hotels,
    asked_at  timestamptz NOT NULL
);
COMMENT ON TABLE asked_cards IS
    'cards that travellers asked for on their own page, unsolicited: the third exception of domain.md 1.3';
CREATE INDEX asked_cards_by_traveller ON asked_cards (traveller, asked_at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON asked_cards
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON asked_cards EXECUTE FUNCTION refuse_change();
"""

RIGHTS = """
GRANT SELECT, INSERT, DELETE ON traveller_codes, traveller_sessions, shown_codes TO clearinghouse_poster;
-- What is thrown away is locked first, which needs the right to update something of it.
GRANT UPDATE (expires_at) ON shown_codes TO clearinghouse_poster;
GRANT UPDATE (tries, used_at) ON traveller_codes TO clearinghouse_poster;
GRANT UPDATE (traveller, seen_at) ON traveller_sessions TO clearinghouse_poster;
GRANT SELECT, INSERT ON missing_stays, asked_cards TO clearinghouse_poster;
GRANT UPDATE (state, answered_at, answer, txn_ref, by_client, by_user) ON missing_stays TO clearinghouse_poster;

SELECT protect_tenant('shown_codes', 'system = tenant()');
SELECT protect_tenant('missing_stays', 'system = tenant()');
SELECT protect_tenant('asked_cards', 'system = tenant()');
"""


def upgrade() -> None:
    """Create the tables and the rights."""
    for part in (TABLES, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    """Refuse: books are never unmade."""
    raise RuntimeError("migrations only go forward; restore a backup instead")
