"""Net debit caps: whose lots a draw must leave alone (domain.md §4 "Risk"). By trying all sets of issuers.

Nothing is ever settled here, so a running debit is over all periods; there is no collateral.
"""

from itertools import combinations
from typing import TYPE_CHECKING

from .request import Request
from .wallet import Lot

if TYPE_CHECKING:
    from .alliance import Model


def running_debit(model: "Model", system: str) -> int:
    """§4: payables + fees − receivables, below 0 if it is to receive."""
    debit = 0
    for leg in model.legs():
        if not leg.cross:
            continue
        value = 0 if leg.kind == "spend" else leg.value
        debit += value if leg.other_system == system else 0
        debit += leg.fee - value if leg.host_system == system else 0
    return debit


def within_caps(model: "Model", request: Request, size: int) -> list[Lot] | None:
    """The lots that are drawn on, in order: all but those of the fewest issuers that have to be skipped.

    None if what is left is not enough: of points, besides what the traveller owes.
    """
    day, host = request.business_date, model.host_system(request)
    capped = sorted(set(model.caps) - {host})
    owed = model.wallet_of(request).live_debts(day) if request.kind == "redeem" else 0
    for number in range(len(capped) + 1):
        for skipped in combinations(capped, number):
            lots = [
                lot
                for lot in model.usable(request)
                if model.system_of(lot.issuer, day) not in skipped
            ]
            if size <= sum(lot.remaining for lot in lots) - owed and not _passed(
                model, request, lots, size
            ):
                return lots
    return None


def _passed(model: "Model", request: Request, lots: list[Lot], size: int) -> bool:
    """Whether drawing so much from these lots takes any issuer past its cap."""
    day, rulebook = request.business_date, model.rulebook_on(request.business_date)
    assert rulebook is not None, "refused before: rulebook_not_accepted"
    by_hotel: dict[str, int] = {}
    for lot in lots:
        part = min(size, lot.remaining)
        size -= part
        if part > 0:
            by_hotel[lot.issuer] = by_hotel.get(lot.issuer, 0) + part
    owed: dict[str, int] = {}
    for hotel, quantity in by_hotel.items():
        system = model.system_of(hotel, day) or ""
        value = rulebook.points_value(quantity) if request.kind == "redeem" else quantity
        owed[system] = owed.get(system, 0) + value
    owed.pop(model.host_system(request), None)
    return any(
        max(0, running_debit(model, system) + value) > model.caps[system]
        for system, value in owed.items()
        if system in model.caps
    )
