"""The clearing house's chart of accounts, as numbers that carry their owner.

An account is ``owner * 32 + kind``, so no look-up and no row is needed to post. Every kind belongs to one
sort of owner: a traveller, a hotel, a system or the clearing house itself (owner 0).

How value moves: *points* of a hotel go from its ``POINTS_ISSUED`` to the traveller and on to its
``POINTS_REDEEMED`` or ``POINTS_EXPIRED``; ``POINTS_REVERSED`` stands against every reversal, in either
direction. *Debts* are a pair of accounts of their own. *Stored value* works alike in fen. A system's
``POSITION`` is its account with the clearing house, the counterparty of every obligation (domain.md §1): a credit
balance is what it is still to receive. ``COLLATERAL`` is what it has pledged; ``CLAIM`` what it, or with owner 0 the
guarantee fund, has advanced for a system that did not pay. Our money is in ``BANK``; ``UNALLOCATED`` is money that came
and that nobody has claimed.
"""

from __future__ import annotations

from enum import IntEnum

_KIND_BITS = 5
_KIND_MASK = (1 << _KIND_BITS) - 1


class Asset(IntEnum):
    """What a posting counts: points, or fen of the settlement currency."""

    POINT = 1
    CNY = 2


class AccountKind(IntEnum):
    """The kinds of account; 1–7 belong to travellers, 8–15 to hotels, 16–23 to systems, 24–31 to us."""

    TRAVELLER_POINTS = 1
    TRAVELLER_STORED_VALUE = 2
    TRAVELLER_DEBT = 3
    POINTS_ISSUED = 8
    POINTS_REDEEMED = 9
    POINTS_EXPIRED = 10
    POINTS_REVERSED = 11
    POINTS_DEBTS = 12
    STORED_VALUE_ISSUED = 13
    STORED_VALUE_USED = 14
    POSITION = 16
    COLLATERAL = 17
    CLAIM = 18
    FEES = 24
    VAT = 25
    BANK = 26
    UNALLOCATED = 27
    GUARANTEE_FUND = 28


#: Which asset each kind of account holds.
ASSET_OF: dict[AccountKind, Asset] = {
    kind: Asset.CNY
    if kind >= AccountKind.STORED_VALUE_ISSUED or kind == AccountKind.TRAVELLER_STORED_VALUE
    else Asset.POINT
    for kind in AccountKind
}


def account(kind: AccountKind, owner: int = 0) -> int:
    """Return the account of this kind that belongs to this owner."""
    return owner << _KIND_BITS | kind


def kind_of(number: int) -> AccountKind:
    """Return the kind of an account."""
    return AccountKind(number & _KIND_MASK)


def kind_number(number: int) -> int:
    """Return the number of an account's kind, which is quicker where millions are looked at."""
    return number & _KIND_MASK


def owner_of(number: int) -> int:
    """Return the owner of an account: the number of a traveller, hotel or system; 0 is the clearing house."""
    return number >> _KIND_BITS
