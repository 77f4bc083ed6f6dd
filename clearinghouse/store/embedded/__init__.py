"""The embedded PostgreSQL under the data folder: started by any command that needs it.

    endpoint = ensure_running(settings)
    engine = create_engine(endpoint.url())

``server.py`` is what commands call; ``start.py`` and ``initialise.py`` are how it comes up;
``account.py`` is who runs it; ``process.py`` and ``lock.py`` are how it is found again.
"""

from clearinghouse.store.embedded.endpoint import (
    DATABASE,
    MAINTENANCE_DATABASE,
    OWNER,
    POSTER,
    READER,
    SUPERUSER,
    Endpoint,
)
from clearinghouse.store.embedded.server import State, Status, ensure_running, exists, status, stop

__all__ = [
    "DATABASE",
    "MAINTENANCE_DATABASE",
    "OWNER",
    "POSTER",
    "READER",
    "SUPERUSER",
    "Endpoint",
    "State",
    "Status",
    "ensure_running",
    "exists",
    "status",
    "stop",
]
