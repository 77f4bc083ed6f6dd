"""What every operation is given: the database, the vault, a clock and a source of ids."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from clearinghouse.domain.directory import Directory
from clearinghouse.domain.identifiers import IdSource, transaction_id
from clearinghouse.domain.operator_profile import OperatorProfile
from clearinghouse.operations.giving_way import Others
from clearinghouse.store.database import Database
from clearinghouse.store.directory import DirectoryCache
from clearinghouse.store.exposure import Exposures
from clearinghouse.store.vault import Vault

Clock = Callable[[], datetime]

_order = count()
_process_bits = [int.from_bytes(os.urandom(6))]
# A forked worker must not go on with its parent's bits: the two would make the same ids.
os.register_at_fork(
    after_in_child=lambda: _process_bits.__setitem__(0, int.from_bytes(os.urandom(6)))
)


def utc_now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)


def new_transaction_id(period: int) -> UUID:
    """Make an id that no other process makes, later than those this process made before."""
    # Ids of one millisecond keep their order by 14 bits of a counter; 48 random bits tell processes apart.
    noise = (next(_order) & 0x3FFF) << 48 | _process_bits[0]
    return transaction_id(period, time.time_ns() // 1_000_000, noise)


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of an operation; one per process and database."""

    database: Database
    vault: Vault
    clock: Clock = utc_now
    new_id: IdSource = new_transaction_id
    directory: DirectoryCache = field(default_factory=DirectoryCache)
    exposures: Exposures = field(default_factory=Exposures)
    others: Others = field(default_factory=Others)
    #: Periods that are known to have their partitions.
    open_periods: set[int] = field(default_factory=set)
    #: Who the clearing house is, for its documents.
    operator: OperatorProfile = field(default_factory=OperatorProfile)

    def current_directory(self) -> Directory:
        """Return the directory as it is now, for those who read as one system and may not see all of it."""
        with self.database.posting() as session:
            return self.directory.current(session)
