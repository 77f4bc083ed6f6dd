"""The self-check around money: a settlement begins and ends with what must be true of all frozen figures.

It is quick: it adds up frozen figures and no legs. That those are what the legs sum to, ``clearinghouse check`` proves.
"""

from __future__ import annotations

from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.store.checks import FROZEN_CHECKS
from clearinghouse.store.database import Session


def must_be_sound(session: Session) -> None:
    """Judge the frozen figures of all months as this transaction sees them.

    Raises:
        BooksDoNotBalance: something is wrong; the sentence says what is first.
    """
    for check in FROZEN_CHECKS:
        found = check.find(session)
        if found.first is not None:
            raise BooksDoNotBalance(
                f"{found.first} (invariant {check.number}); nothing is settled on that"
            )
