"""The sandbox's clock in its database: how far it is ahead of the world's (docs/sandbox.md).

Its table is made where a sandbox is set up and nowhere else; the books of an alliance have none.
"""

from __future__ import annotations

from sqlalchemy import NullPool, create_engine, text

from clearinghouse.store.database import Session

#: Advisory lock under which the table is made: two processes must not grant rights to it at once.
_MAKING_LOCK = 727016

_TABLE = """
CREATE TABLE IF NOT EXISTS sandbox_clock (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    ahead  bigint NOT NULL DEFAULT 0 CHECK (ahead >= 0)
);
COMMENT ON COLUMN sandbox_clock.ahead IS 'microseconds';
INSERT INTO sandbox_clock DEFAULT VALUES ON CONFLICT DO NOTHING;
GRANT SELECT, UPDATE ON sandbox_clock TO clearinghouse_poster;
"""


def make_clock(owner_url: str) -> None:
    """Make the table of the clock, unless it is there."""
    engine = create_engine(owner_url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MAKING_LOCK})"))
            connection.execute(text(_TABLE))
    finally:
        engine.dispose()


def ahead(session: Session) -> int:
    """Return how many microseconds the clock is ahead."""
    row = session.row("SELECT ahead FROM sandbox_clock")
    return int(row[0]) if row else 0


def set_ahead(session: Session, microseconds: int) -> bool:
    """Put the clock ahead; tell whether it was, since it never goes back."""
    changed = session.run(
        "UPDATE sandbox_clock SET ahead = %s WHERE ahead <= %s", [microseconds, microseconds]
    )
    return changed == 1
