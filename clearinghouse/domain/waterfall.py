"""Who bears what a defaulter does not pay, and who gets what it pays at last (domain.md §4 "Risk").

The waterfall: the defaulter's collateral, then the guarantee fund, then the creditors of that run pro rata. What is
still left is what the clearing house itself was to earn. Whatever the defaulter pays later goes back in the reverse
order. Every split is exact: the shares sum to what is split, to the fen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Loss(NamedTuple):
    """How an unpaid amount is covered, in fen; ``haircuts`` by system number.

    ``borne_minor`` is the rest: the clearing house's own fees of that run, which nobody else is owed.
    """

    collateral_minor: int
    fund_minor: int
    haircuts: Mapping[int, int]
    borne_minor: int

    @property
    def haircut_minor(self) -> int:
        """All haircuts together."""
        return sum(self.haircuts.values())


def waterfall(
    unpaid_minor: int, collateral_minor: int, fund_minor: int, creditors: Mapping[int, int]
) -> Loss:
    """Cover what is unpaid; ``creditors`` are the run's net receivers and what each was to receive.

    Nobody loses more than it was to receive.
    """
    collateral = min(unpaid_minor, max(collateral_minor, 0))
    fund = min(unpaid_minor - collateral, max(fund_minor, 0))
    rest = unpaid_minor - collateral - fund
    haircut = min(rest, sum(creditors.values()))
    return Loss(collateral, fund, split(haircut, creditors), rest - haircut)


class Recovery(NamedTuple):
    """How what a defaulter pays at last is handed on, in fen; ``claims`` by system number. Below zero: taken back."""

    claims: Mapping[int, int]
    fund_minor: int
    kept_minor: int

    @property
    def paid_minor(self) -> int:
        """All of it together."""
        return sum(self.claims.values()) + self.fund_minor + self.kept_minor


def recovery(
    paid_minor: int, claims: Mapping[int, int], fund_minor: int, borne_minor: int
) -> Recovery:
    """Hand on what was paid, in the reverse order: the creditors' claims first, then the fund, then our own fees.

    ``claims``, ``fund_minor`` and ``borne_minor`` are what is still outstanding of each.
    """
    to_creditors = min(paid_minor, sum(claims.values()))
    to_fund = min(paid_minor - to_creditors, fund_minor)
    kept = min(paid_minor - to_creditors - to_fund, borne_minor)
    return Recovery(split(to_creditors, claims), to_fund, kept)


def taken_back(returned_minor: int, handed_on: Recovery, fund_minor: int) -> Recovery:
    """Take back what was handed on of money that is gone again, the last first: our fees, the fund, the creditors.

    Creditors give back pro rata to what each got, and the fund what it still has (``fund_minor``). What is taken back
    stands below zero.
    """
    kept = min(returned_minor, handed_on.kept_minor)
    of_fund = min(returned_minor - kept, handed_on.fund_minor, max(fund_minor, 0))
    of_creditors = min(returned_minor - kept - of_fund, sum(handed_on.claims.values()))
    shares = split(of_creditors, handed_on.claims)
    return Recovery({system: -share for system, share in shares.items()}, -of_fund, -kept)


def split(amount_minor: int, weights: Mapping[int, int]) -> dict[int, int]:
    """Split an amount pro rata, in whole fen that sum to it; by largest remainder, ties to the lower number.

    No share is above its weight as long as the amount is not above all weights together. Shares of 0 are left out.
    """
    total = sum(weights.values())
    if amount_minor == 0 or total == 0:
        return {}
    shares = {key: amount_minor * weight // total for key, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda key: (-(amount_minor * weights[key] % total), key))
    for key in by_remainder[: amount_minor - sum(shares.values())]:
        shares[key] += 1
    return {key: share for key, share in sorted(shares.items()) if share}
