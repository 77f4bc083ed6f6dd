"""Every invariant of domain.md §5 as queries that anyone may run at any time, numbered as they stand there.

``CHECKS`` are in the order of their numbers: 1 the journal, 2 travellers' pools, 3 hotels' points, 4 net
positions, 5 fees, 6 references and refunds, 7 what is published, 8 sums of sums, 9 risk (§4).
"""

from __future__ import annotations

from clearinghouse.store.checks import (
    adjustments,
    hotels,
    journal,
    legs,
    netting,
    payments,
    pools,
    protection,
    publication,
    risk,
    transactions,
)
from clearinghouse.store.checks.check import Check, Finding

CHECKS: tuple[Check, ...] = (
    journal.SUMS_TO_ZERO,
    journal.ACCOUNTS_EXIST,
    journal.BELONG_TO_AN_ENTRY,
    journal.TRANSACTIONS_ARE_WHOLE,
    journal.LEGS_ARE_POSTED,
    protection.DATABASE_REFUSES_CHANGE,
    pools.LOTS_EQUAL_THE_LEDGER,
    pools.TRAVELLERS_EQUAL_THE_LEDGER,
    pools.LOTS_ARE_SOUND,
    pools.LOTS_ARE_AS_AGREED,
    pools.DEBTS_EQUAL_THE_LEDGER,
    pools.HOLDS_ARE_THOSE_AUTHORISED,
    hotels.ISSUED_EQUALS_OUTSTANDING,
    hotels.LIABILITY_EQUALS_THE_LEDGER,
    hotels.OPENING_IS_LAST_CLOSING,
    netting.POSITIONS_SUM_TO_ZERO,
    netting.POSITIONS_EQUAL_THE_LEGS,
    netting.OBLIGATIONS_EQUAL_THE_LEGS,
    netting.ACCOUNTS_EQUAL_THE_LEGS,
    netting.VAT_IS_THE_RULEBOOKS,
    adjustments.ADJUSTMENTS_ARE_POSTED,
    adjustments.DISPUTES_ARE_ADJUSTED,
    payments.ACCOUNTS_ARE_WHAT_IS_OPEN,
    adjustments.PROPOSALS_HAD_FOUR_EYES,
    legs.OWN_SYSTEM_IS_FREE,
    legs.FEES_ARE_THE_RULEBOOKS,
    legs.SYSTEMS_ARE_THOSE_OF_THE_DAY,
    legs.LEGS_SUM_TO_TRANSACTIONS,
    legs.LEGS_ARE_OF_THE_LOTS_DRAWN,
    legs.CROSS_HOSTS_HAVE_ACCEPTED,
    legs.RULEBOOKS_ARE_UNEDITED,
    transactions.REFERENCES_MATCH,
    transactions.REFUNDS_STAY_WITHIN,
    transactions.REVERSALS_ARE_OF_THEIR_LEGS,
    transactions.EARNED_AS_STATED,
    transactions.RULEBOOK_OF_THE_DAY,
    transactions.PERIODS_ARE_RIGHT,
    publication.PERIODS_CLOSE_IN_ORDER,
    publication.STORED_FILES_ARE_WHOLE,
    publication.MANIFESTS_LIST_ALL,
    payments.PAID_PERIODS_ARE_SETTLED,
    netting.ROLLUPS_EQUAL_A_RECOUNT,
    netting.OBLIGATIONS_SUM_TO_POSITIONS,
    risk.COLLATERAL_IS_THERE,
    risk.CLAIMS_ARE_WHAT_WAS_BORNE,
    risk.FUND_IS_WHAT_WAS_CONTRIBUTED,
    risk.SUSPENDED_DO_NOT_CROSS,
    payments.BANK_IS_ITS_LINES,
    payments.LINES_ARE_ALLOCATED,
    payments.ALLOCATIONS_ARE_POSTED,
    payments.INSTRUCTIONS_ARE_THE_NETS,
    payments.MATCHES_HAD_FOUR_EYES,
)

#: Those of money that a settlement asks before it begins and before it publishes. They read what is frozen, some rows a
#: system and month, never legs or postings: however long a month is, they take some milliseconds.
FROZEN_CHECKS: tuple[Check, ...] = (
    hotels.OPENING_IS_LAST_CLOSING,
    netting.POSITIONS_SUM_TO_ZERO,
    netting.VAT_IS_THE_RULEBOOKS,
    netting.OBLIGATIONS_SUM_TO_POSITIONS,
    payments.INSTRUCTIONS_ARE_THE_NETS,
)

__all__ = ["CHECKS", "FROZEN_CHECKS", "Check", "Finding"]
