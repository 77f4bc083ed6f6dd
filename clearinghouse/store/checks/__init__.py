"""Every check."""
from clearinghouse.store.checks import journal, pools, hotels, legs
from clearinghouse.store.checks.check import Check
CHECKS = tuple(c for m in (journal, pools, hotels, legs) for c in vars(m).values() if isinstance(c, Check))
