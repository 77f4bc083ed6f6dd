"""A change of the alliance under way: who makes it and why, and what keeps it from rewriting history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.calendar import first_day, format_period, period_of
from clearinghouse.domain.errors import OperatorRefused, PackFault
from clearinghouse.operations.context import Context
from clearinghouse.operations.membership import PackDate, known, land
from clearinghouse.operations.packs import CheckedPack, Pack, check, fields
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.proposers import must_be_there
from clearinghouse.store import audit, governance, proposals
from clearinghouse.store.database import Session
from clearinghouse.store.directory import directory_changed

_ACTOR_MAX = 100
_REASON_MAX = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Authority:
    """Who makes a change, why, and on whose approval if it needed one.

    ``proposal`` is the number of the one that the change carries out (``operations.two_people``).
    """

    actor: str
    reason: str
    approved_by: str | None = None
    proposal: int | None = None


class Change:
    """A change under way: what it needs, and what the audit log is told of it."""

    def __init__(self, context: Context, session: Session, authority: Authority) -> None:
        self.context = context
        self.session = session
        self.authority = fit_authority(authority)
        self.now = context.clock()
        self.today = business_day(context.directory.current(session), self.now)

    def record(self, action: str, subject: str, details: Mapping[str, object]) -> None:
        """Write the audit log and let all processes read the directory anew."""
        log(self.session, self.now, self.authority, action, subject, details)
        directory_changed(self.session)

    def must_be_open(self, what: str, day: date) -> None:
        """Refuse a date in or before a closed month, and keep its month from closing meanwhile."""
        closed = governance.hold_open(self.session, day)
        if period_of(day) <= closed:
            raise OperatorRefused(
                f"{what} can't take effect on {day}: {format_period(closed)} is closed and nothing"
                f" rewrites it; the first possible day is {first_day(closed + 1)}"
            )

    def check(self, pack: Pack) -> None:
        """Check rows against the record, by the rules of a pack."""
        try:
            check(pack, known(self.session, self.context.vault, pack))
        except PackFault as fault:
            raise OperatorRefused(without_place(fault)) from None

    def land(self, pack: Pack) -> None:
        """Check rows by the rules of a pack and write them."""
        self.check(pack)
        try:
            land(
                self.session,
                self.context.vault,
                CheckedPack(pack, ()),
                PackDate(self.today, False),
                self.now,
            )
        except PackFault as fault:
            raise OperatorRefused(without_place(fault)) from None


@contextmanager
def changing(context: Context, authority: Authority) -> Iterator[Change]:
    """Open the transaction of a change; one at a time, and none beside an import."""
    with context.database.office() as session:
        if not governance.take_turn(session):
            raise OperatorRefused(
                "an import or another change is under way; try again when it has ended"
            )
        change = Change(context, session, authority)
        _must_wait(session, change.authority.proposal)
        yield change
        by = change.authority
        if by.proposal is not None:
            # In the same transaction, and the database refuses a second end: nothing is carried out twice.
            proposals.end(session, by.proposal, "confirmed", by.approved_by or "", change.now)


def _must_wait(session: Session, number: int | None) -> None:
    """Hold the proposal that a change carries out; refuse one that is ended meanwhile, or whose author may not act."""
    found = None if number is None else proposals.hold(session, number)
    if found is None:
        return
    if found.state != "waiting":
        raise OperatorRefused(f"proposal {number} is {found.state} already, by {found.ended_by}")
    must_be_there(session, found.proposed_by)


def log(
    session: Session,
    at: datetime,
    authority: Authority,
    action: str,
    subject: str,
    details: Mapping[str, object],
) -> None:
    """Write the audit log: what was done, by whom, why, and on whose approval if it needed one."""
    told = {"reason": authority.reason, **details}
    if authority.approved_by is not None:
        told["approved_by"] = authority.approved_by
    audit.record(session, at, authority.actor, action, subject, told)


def without_place(fault: PackFault) -> str:
    """Return what is wrong without file and line, which a command does not have."""
    return fault.message.removeprefix(f"{fault.file} line {fault.line}: ").removeprefix(
        f"{fault.file}: "
    )


def fit(what: str, parse: Callable[[str], T], text: str, *, secret: bool = False) -> T:
    """Return the value of a text by the grammar of the packs; a ``secret`` one is not told.

    Raises:
        OperatorRefused: it does not fit.
    """
    try:
        return parse(text)
    except fields.Unfit as reason:
        value = "" if secret else f" {shown(text)}"
        raise OperatorRefused(f"the {what}{value} {reason}") from None


def fit_authority(authority: Authority) -> Authority:
    """Check who does it and why, by the grammar of the packs.

    Raises:
        OperatorRefused: something is missing, or does not fit.
    """
    for what, text in (("name of who does it", authority.actor), ("reason", authority.reason)):
        if not text.strip():
            raise OperatorRefused(f"the {what} is missing; the audit log needs it")
    approved_by = authority.approved_by
    return Authority(
        fit("name of who does it", fields.prose(_ACTOR_MAX), authority.actor),
        fit("reason", fields.prose(_REASON_MAX), authority.reason),
        None if approved_by is None else fit("approval", fields.prose(_ACTOR_MAX), approved_by),
        authority.proposal,
    )
