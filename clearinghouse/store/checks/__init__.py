"""Every check."""
from clearinghouse.store.checks import journal, pools, hotels, legs, transactions
from clearinghouse.store.checks.check import Check
CHECKS = tuple(c for m in (journal, pools, hotels, legs, transactions) for c in vars(m).values() if isinstance(c, Check))
