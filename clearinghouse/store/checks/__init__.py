"""Every check."""
from clearinghouse.store.checks import journal, pools, hotels, legs, transactions, netting, publication, protection
from clearinghouse.store.checks.check import Check
CHECKS = tuple(c for m in (journal, pools, hotels, legs, transactions, netting, publication, protection) for c in vars(m).values() if isinstance(c, Check))
