"""Who has proposed something: whether the one of them is still there by the time another confirms it."""

from __future__ import annotations

from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.users import login_key
from clearinghouse.store import users
from clearinghouse.store.database import Session


def must_be_there(session: Session, proposed_by: str) -> None:
    """Refuse what was proposed by a login of the operator that is deactivated since; nobody does it until we end.

    Ask in the transaction that carries it out. A name that was given at the command line and is nobody's login stands
    as it is.

    Raises:
        OperatorRefused: it is.
    """
    user = users.by_key(session, login_key(proposed_by), hold=True)
    if user is not None and user.system is None and user.deactivated_at is not None:
        raise OperatorRefused(
            f"{proposed_by}, who has proposed it, is deactivated; withdraw or reject it,"
            " and propose it anew if it is right"
        )
