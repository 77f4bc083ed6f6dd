"""How each system settles a period: by a transfer that we order, by paying a debit note, or not by money at all."""

from __future__ import annotations

from dataclasses import dataclass

from clearinghouse.domain.directory import System
from clearinghouse.domain.payments import Direction, Transfer, reference_of

TRANSFER, NO_ACCOUNT, DEBIT_NOTE, SET_OFF, NOTHING = (
    "transfer",
    "no_account",
    "debit_note",
    "set_off",
    "nothing",
)
#: What an account number of ISO 20022 may have (Max34Text).
ACCOUNT_MAX = 34


@dataclass(frozen=True, slots=True)
class Settled:
    """How one system settles: ``money_minor`` is what it is paid (+) or pays (−), in fen.

    ``account`` is its own, without blanks; ``None`` where we have none that a payment file can hold.
    """

    system: System
    way: str
    money_minor: int
    reference: str
    account: str | None
    transfer: Transfer


def settled(period: int, version: int, system: System, transfer: Transfer) -> Settled:
    """Return how a system settles what is to be transferred for a period."""
    account = payable_account(system.bank_account)
    if transfer.direction is Direction.IN:
        way, money = DEBIT_NOTE, -transfer.amount_minor
    elif transfer.to_pay_minor == 0:
        way, money = (SET_OFF if transfer.set_off_minor else NOTHING), 0
    else:
        way, money = (NO_ACCOUNT if account is None else TRANSFER), transfer.to_pay_minor
    reference = reference_of(period, system.code, version)
    return Settled(system, way, money, reference, account, transfer)


def payable_account(account: str | None) -> str | None:
    """Return an account number as a payment file writes it, or ``None`` if it can't."""
    text = "".join((account or "").split())
    return text if 0 < len(text) <= ACCOUNT_MAX else None
