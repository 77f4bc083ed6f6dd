"""What secures debts at the end of a period: pledged collateral, the guarantee fund, claims on who did not pay."""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.store.database import Session

_KINDS = (AccountKind.COLLATERAL, AccountKind.CLAIM, AccountKind.GUARANTEE_FUND)


def securities(session: Session, period: int) -> dict[tuple[AccountKind, int], int]:
    """Return the credit balances at a closed period's end by kind and owner (0: the clearing house), in fen.

    Only entries of money move these accounts; those of expiry and VAT, which are many or never do, are passed over.
    """
    rows = session.rows(
        "SELECT side.account & 31, side.account >> 5, sum(side.amount)::bigint FROM entries e"
        " JOIN postings p ON p.period = e.period AND p.entry_id = e.entry_id"
        " CROSS JOIN LATERAL (VALUES (p.debit, -p.amount), (p.credit, p.amount)) AS side (account, amount)"
        " WHERE e.period <= %s AND e.kind NOT IN ('expiry', 'vat') AND side.account & 31 = ANY (%s)"
        " GROUP BY 1, 2 HAVING sum(side.amount) <> 0",
        [period, [kind.value for kind in _KINDS]],
    )
    return {(AccountKind(kind), owner): amount for kind, owner, amount in rows}
