"""A naive in-memory reference model of the alliance's rules, written from domain.md alone.

It is the oracle of property tests: plain lists, plain loops, exact integers, no storage and no
clock. Left out on purpose: authorisations and holds, disputes, collateral and defaults, payments.
"""

from .alliance import Model
from .books import Liability, Obligation, Position
from .pack import Importer, Rejection
from .rules import PackError, Rulebook
from .transaction import Transaction
from .wallet import Debt, Lot

__all__ = [
    "Debt",
    "Importer",
    "Liability",
    "Lot",
    "Model",
    "Obligation",
    "PackError",
    "Position",
    "Rejection",
    "Rulebook",
    "Transaction",
]
