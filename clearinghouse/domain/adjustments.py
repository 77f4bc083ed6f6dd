"""Adjustments: what is corrected in a later period, between two systems or of a fee (domain.md §4 "Corrections").

A published line is never edited. What was wrong with it is put right by an entry in the earliest open period. Between
two systems it is an *adjustment* of both, which sums to zero. What concerns the clearing house is its fee, so it is a
*fee* of that later period, above or below zero: VAT follows by itself, and nets and fees go on summing to zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from clearinghouse.domain.rulebook import FeeRule

#: Kinds of adjustment.
DISPUTE_UPHELD = "dispute_upheld"
DISPUTE_OVERTURNED = "dispute_overturned"
CORRECTION = "correction"


class Adjusted(NamedTuple):
    """What adjustments come to for one system in a period, in fen.

    ``adjustments_minor`` is what it receives (+) or pays (−) of other systems, ``fees_minor`` what it is charged (+)
    or given back (−) of fees.
    """

    adjustments_minor: int = 0
    fees_minor: int = 0


class Standing(NamedTuple):
    """A leg as refunds and adjustments have left it: the value that its fee is of, and the fee, in fen."""

    base_minor: int
    fee_minor: int

    def fee_change(self, change_minor: int, rule: FeeRule) -> int:
        """Return what the fee changes by if the leg's value does: as with refunds, it is that of what stands then.

        No more is given back than stands: a fee that was given back before is not given back twice.
        """
        after = rule.fee_minor(self.base_minor + change_minor)
        return max(after - rule.fee_minor(self.base_minor), -self.fee_minor)

    def after(self, host: int, moves: Iterable[tuple[int | None, int | None, int]]) -> Standing:
        """Return the leg behind movements of money about it: payer, payee (``None``: a fee, the host's) and fen."""
        base, fee = self
        for payer, payee, amount in moves:
            gained = amount if payee == host else -amount if payer == host else 0
            if None in (payer, payee):
                fee -= gained
            else:
                base += gained
        return Standing(base, fee)
