"""How the service is, on one page: what an operator looks at before anything else when somebody complains."""

from __future__ import annotations

from dataclasses import dataclass

from clearinghouse.operations.context import Context
from clearinghouse.operations.trail import note
from clearinghouse.store import deliveries, desk, health
from clearinghouse.store.desk import Waiting
from clearinghouse.store.health import Checked, DatabaseHealth, DeliveryHealth

#: Events that wait longer are late (docs/operating.md).
LATE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Health:
    """How the service is.

    Attributes:
        oldest_event_seconds: The age of the oldest event that is still to be delivered; 0 if none is.
        pauses: Logins and addresses that have to wait before they may try to sign in again.
        checked: The last proof of the books on record.
    """

    database: DatabaseHealth
    deliveries: DeliveryHealth
    oldest_event_seconds: float
    waiting: Waiting
    pauses: int
    checked: Checked | None

    @property
    def events_late(self) -> bool:
        """Tell whether events wait longer than they should."""
        return self.oldest_event_seconds > LATE_SECONDS


def health_of(context: Context) -> Health:
    """Return how the service is now."""
    now = context.clock()
    with context.database.office() as session:
        return Health(
            health.database(session),
            health.deliveries(session),
            deliveries.oldest_waiting_seconds(session, now),
            desk.waiting(session),
            health.pauses(session, now),
            health.last_check(session),
        )


def note_check(context: Context, actor: str, invariants: int, failed: list[str]) -> None:
    """Write down that the books were checked, and which invariants did not hold."""
    told = {"invariants": invariants, "failed": failed}
    note(context, actor, None, "books.check", "books", told)
