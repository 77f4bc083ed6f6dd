"""An accepted transaction, as the model remembers it (domain.md §3)."""

from dataclasses import dataclass, field
from fractions import Fraction

from .books import Leg
from .request import Request
from .rules import Rulebook
from .wallet import Draw, Lot


@dataclass(eq=False)
class Transaction:
    """An accepted transaction and all that a refund of it needs. Quantities: points or fen."""

    request: Request
    rulebook: Rulebook
    period: str
    late: bool
    original: "Transaction | None" = None
    size: int = 0  # what was asked for
    refunded: int = 0
    lot: Lot | None = None  # the lot that a spend or an award issued; the load of a load
    points: int = 0  # points that a spend or an award issued
    taken_back: int = 0  # of those, by refunds
    rate: Fraction = Fraction(0)  # points per yuan that a spend earned at
    draws: list[Draw] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
