"""Drafts of the rulebook: read and checked as adopting them would, with nothing written (docs/decisions/0031)."""

from __future__ import annotations

from clearinghouse.domain.calendar import first_day, format_period, period_of
from clearinghouse.domain.errors import OperatorRefused, PackFault
from clearinghouse.operations.changing import without_place
from clearinghouse.operations.context import Context
from clearinghouse.operations.govern import as_pack, must_be_new
from clearinghouse.operations.membership import known
from clearinghouse.operations.packs import check
from clearinghouse.operations.packs.agreement import AgreedRulebook, read_rulebook_bytes
from clearinghouse.store import periods


def read_draft(data: bytes) -> AgreedRulebook:
    """Read and check a draft of a rulebook by itself, as a file of it would be.

    Raises:
        PackFault: it is no sound rulebook; said without a file's name.
    """
    try:
        return read_rulebook_bytes(data)
    except PackFault as fault:
        raise PackFault(without_place(fault), None, fault.line) from None


def check_draft(context: Context, agreed: AgreedRulebook) -> None:
    """Check a draft against what is on record; nobody is kept waiting, so adopting it checks again.

    Raises:
        OperatorRefused: the version is on record, another takes effect on the same day, or it would take effect in or
            before a closed month.
    """
    with context.database.office() as session:
        must_be_new(session, agreed)
        closed, day = periods.closed_through(session), agreed.rulebook.effective_from
        if period_of(day) <= closed:
            raise OperatorRefused(
                f'version "{agreed.rulebook.version}" can\'t take effect on {day}: {format_period(closed)} is closed'
                f" and nothing rewrites it; the first possible day is {first_day(closed + 1)}"
            )
        pack = as_pack(rulebook=agreed)
        try:
            check(pack, known(session, context.vault, pack))
        except PackFault as fault:
            raise OperatorRefused(without_place(fault)) from None
