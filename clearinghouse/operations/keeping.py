"""Keeping house: what is forgotten in time, and what tells that somebody lags behind."""

from __future__ import annotations

from datetime import timedelta

from clearinghouse.operations.context import Context
from clearinghouse.store import deliveries, idempotency

#: How long a first answer is kept for its idempotency key; ``txn_ref`` stays unique for ever beside it.
ANSWERS_KEPT = timedelta(days=30)


def forget_old_answers(context: Context) -> int:
    """Forget first answers that nobody will ask for again; return how many."""
    with context.database.posting() as session:
        return idempotency.forget(session, context.clock() - ANSWERS_KEPT)


def oldest_waiting_seconds(context: Context) -> float:
    """Return the age of the oldest event that is still to be delivered; 0 if none is."""
    with context.database.office() as session:
        return deliveries.oldest_waiting_seconds(session, context.clock())
