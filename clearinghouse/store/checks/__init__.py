"""Every check."""

from clearinghouse.store.checks import (
    hotels,
    journal,
    legs,
    netting,
    pools,
    protection,
    publication,
    transactions,
)
from clearinghouse.store.checks.check import Check

CHECKS = tuple(
    c
    for m in (journal, pools, hotels, legs, transactions, netting, publication, protection)
    for c in vars(m).values()
    if isinstance(c, Check)
)
