"""Collateral, contributions and a default, for books in which everything has happened."""

from pathlib import Path

from clearinghouse.operations.changing import Authority
from clearinghouse.operations.collateral import post_collateral
from clearinghouse.operations.contributing import contribute
from clearinghouse.operations.defaulting import declare_default
from tests.alliances import MiniAlliance
from tests.payments.bank import bring_collateral


def fail_a_while(alliance: MiniAlliance, period: int, folder: Path) -> None:
    """Let a debtor of the month after a published one fail, whose collateral does not cover what it owes."""
    two = Authority("李明", "risk committee 12", "王芳")
    contribute(alliance.context, period, two)
    ((code, unpaid),) = alliance.rows(
        "SELECT s.code, i.amount_minor - i.confirmed_minor FROM payment_instructions i"
        " JOIN systems s ON s.number = i.system WHERE i.period = %s AND i.direction = 'in'"
        " AND i.confirmed_minor = 0 AND s.code <> 'CLD' ORDER BY 2 DESC LIMIT 1",
        period + 1,
    )
    post_collateral(alliance.context, code, unpaid // 3, "custody 1", two)
    bring_collateral(alliance.context, folder / "custody.xml", code, unpaid // 3)
    declare_default(alliance.context, code, period + 1, two)
