"""Who has proposed something: whether that one may still do so by the time another confirms it."""

from __future__ import annotations

from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.users import Role, login_key
from clearinghouse.store import users
from clearinghouse.store.database import Session


def must_be_there(session: Session, proposed_by: str) -> None:
    """Refuse what was proposed by a login of the operator that is deactivated since, or may only look now.

    Ask in the transaction that carries it out: until that ends, the login stays what it is. A name that was given at
    the command line and is nobody's login stands as it is.

    Raises:
        OperatorRefused: it is.
    """
    user = users.by_key(session, login_key(proposed_by), hold=True)
    if user is None or user.system is not None:
        return
    gone = user.deactivated_at is not None
    if gone or user.role == Role.VIEWER:
        raise OperatorRefused(
            f"{proposed_by}, who has proposed it, {'is deactivated' if gone else 'may only look now'};"
            " withdraw or reject it, and propose it anew if it is right"
        )
