"""Alliance packs (interfaces.md): folders of CSV files, wholly checked before anything is written.

:func:`read_pack` reads the files one by one, :func:`check` compares them with each other and with what is
:class:`Known` already. Whatever is wrong is one ``PackFault`` with file and line. Nothing here writes.
"""

from clearinghouse.operations.packs.known import HotelFacts, Known, KnownCard, TierStanding
from clearinghouse.operations.packs.pack import CheckedPack, Pack, read_pack
from clearinghouse.operations.packs.structure import check
from clearinghouse.operations.packs.transactions import TransactionsFile

__all__ = [
    "CheckedPack",
    "HotelFacts",
    "Known",
    "KnownCard",
    "Pack",
    "TierStanding",
    "TransactionsFile",
    "check",
    "read_pack",
]
