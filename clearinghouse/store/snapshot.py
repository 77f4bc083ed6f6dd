"""Reading several things as of one moment, while others go on posting."""

from __future__ import annotations

from clearinghouse.store.database import Session


def hold_still(session: Session) -> None:
    """Let this transaction see the books as they are now until it ends, and write nothing.

    Call it before anything else of the transaction: PostgreSQL refuses it after the first query. Queries that
    are streamed are planned to be read to their end, not for their first rows.
    """
    session.run(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
        " SET LOCAL cursor_tuple_fraction = 1"
    )
