"""What is on record of a member besides its code: checked by the grammar of a pack, put in place, and told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.operations.changing import Change, fit
from clearinghouse.operations.packs import fields
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.registry import end_of
from clearinghouse.store import governance, members, periods
from clearinghouse.store.database import Session
from clearinghouse.store.members import SystemProfile

#: What of a profile two people change: where a member's money goes, and how far into debt it may run (0033).
TERMS = frozenset({"bank_account", "net_debit_cap_minor"})
_SETTLING = ("closing", "netted", "stated")


def compared(
    change: Change, code: str, changes: Mapping[str, Any]
) -> tuple[SystemProfile, SystemProfile]:
    """Return the profile that is on record of a member, and as it would be with changes.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: a value does not fit.
    """
    found = members.systems(change.session).get(code)
    if found is None:
        raise NotFound(f"there is no system {shown(code)}")
    return found[0], fit_profile(found[0]._replace(**changes))


def put(change: Change, code: str, before: SystemProfile, changes: Mapping[str, Any]) -> None:
    """Put values that fit in the place of those on record, and tell the audit log.

    Raises:
        OperatorRefused: a settlement that would show the profile is under way.
    """
    _refuse_while_settling(change.session)
    governance.change_profile(change.session, code, before._replace(**changes), change.today)
    replaced = {name: getattr(before, name) for name in changes}
    change.record(
        "system.change", f"system {code}", {"before": told(replaced), "after": told(changes)}
    )


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a profile's values what a log or a page may hold: of a bank account only its end."""
    return {
        name: end_of(value) if name == "bank_account" else value for name, value in values.items()
    }


def fit_profile(profile: SystemProfile) -> SystemProfile:
    """Check a profile by the grammar of ``systems.csv``.

    Raises:
        OperatorRefused: a value does not fit, or there is no name.
    """
    prose, reference = fields.prose(), fields.optional(fields.reference)
    account = fields.optional(fields.bank_account)
    money = fields.optional(fields.whole(0, fields.AMOUNT_MAX))
    cap, collateral = profile.net_debit_cap_minor, profile.collateral_minor
    fitted = SystemProfile(
        fit("name", prose, profile.name_zh),
        fit("name", prose, profile.name_en),
        fit("uscc", reference, profile.uscc or ""),
        fit("bank account", account, profile.bank_account or "", secret=True),
        fit("net debit cap", money, "" if cap is None else str(cap)),
        fit("collateral", money, str(collateral)) or 0,
    )
    must_be_named(fitted.name_zh, fitted.name_en)
    return fitted


def must_be_named(name_zh: str, name_en: str) -> None:
    """Refuse what has no name in either language.

    Raises:
        OperatorRefused: it has none.
    """
    if not (name_zh or name_en):
        raise OperatorRefused("a name is needed, in Chinese or in English")


def _refuse_while_settling(session: Session) -> None:
    """Statements show the profile: a run that is stopped and resumed must not find another one."""
    busy = [row.period for row in periods.periods(session) if row.state in _SETTLING]
    if busy or not governance.keep_settlements_out(session):
        month = f"{format_period(busy[0])}" if busy else "a month"
        raise OperatorRefused(f"{month} is being settled; settle it to the end first")
