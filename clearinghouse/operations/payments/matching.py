"""Matching by hand, with four eyes: one person proposes what a line of the bank is for, another one confirms it."""

from __future__ import annotations

from collections.abc import Sequence

from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.domain.matching import Part
from clearinghouse.domain.people import same_person
from clearinghouse.operations.changing import Authority, fit_authority, log
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments.allocating import Allocating, parts_told
from clearinghouse.operations.payments.sharing import Sharing, Target
from clearinghouse.operations.proposers import must_be_there
from clearinghouse.store import risk
from clearinghouse.store.database import Session
from clearinghouse.store.payments import allocations, hold_payments, instructions, lines, matches
from clearinghouse.store.payments.lines import BankLine
from clearinghouse.store.payments.matches import ProposedMatch


def propose(
    context: Context, number: int, targets: Sequence[Target], authority: Authority
) -> tuple[Part, ...]:
    """Propose what a line is for; without targets, what suggests itself. Nothing is posted before it is confirmed.

    Raises:
        NotFound: there is no such line, system or instruction.
        OperatorRefused: the line is allocated, a proposal waits already, nothing suggests itself, or it does not fit.
    """
    authority = fit_authority(authority)
    with context.database.office() as session:
        hold_payments(session)
        line = _line_without_proposal(session, number)
        if not line.rest_minor:
            raise OperatorRefused(f"line {number} is allocated in full; --undo takes that back")
        directory = context.directory.current(session)
        parts = Sharing(session, directory, line).parts(targets)
        _record(context, session, directory, line, parts, authority, undoes=False)
        return parts


def propose_undoing(context: Context, number: int, authority: Authority) -> tuple[Part, ...]:
    """Propose to take back all that a line was allocated to, so that it can be matched otherwise.

    Raises:
        NotFound: there is no such line.
        OperatorRefused: nothing of it is allocated, it brought collateral that has been drawn, or a proposal waits
            already.
    """
    authority = fit_authority(authority)
    with context.database.office() as session:
        hold_payments(session)
        line = _line_without_proposal(session, number)
        parts = _standing(session, line)
        if not parts:
            raise OperatorRefused(f"nothing of line {number} is allocated")
        directory = context.directory.current(session)
        _must_not_be_drawn(session, directory, line, parts)
        _record(context, session, directory, line, parts, authority, undoes=True)
        return parts


def confirm(
    context: Context, number: int, authority: Authority, *, match: int | None = None
) -> ProposedMatch:
    """Confirm the proposal that waits for a line, and post it; never by whoever proposed it.

    ``match`` is the number of the proposal that was looked at: its author may put another one in its place.

    Raises:
        NotFound: no proposal waits for that line.
        OperatorRefused: the same person proposed it, whoever has may no longer act, what it says no longer fits, or it
            is another one than ``match``.
    """
    authority = fit_authority(authority)
    with context.database.office() as session:
        hold_payments(session)
        proposal, line = _waiting(session, number)
        if match is not None and match != proposal.number:
            raise OperatorRefused(
                f"another match of line {number} waits than the one that was looked at; look again"
            )
        if same_person(proposal.proposed_by, authority.actor):
            raise OperatorRefused(
                f"{authority.actor} proposed this match; another person has to confirm it"
            )
        must_be_there(session, proposal.proposed_by)
        now = context.clock()
        _must_still_fit(session, line, proposal)
        if proposal.undoes:
            _must_not_be_drawn(session, context.directory.current(session), line, proposal.parts)
        matches.decide(
            session, proposal.number, "confirmed", authority.actor, authority.reason, now
        )
        work = Allocating(context, session, now)
        work.allocate(line, proposal.parts, match=proposal.number, undo=proposal.undoes)
        work.write()
        directory = context.directory.current(session)
        told = {"proposed_by": proposal.proposed_by, **_told(directory, proposal)}
        log(session, now, authority, "payment.confirm", f"bank line {number}", told)
        return proposal


def reject(context: Context, number: int, authority: Authority) -> ProposedMatch:
    """Reject the proposal that waits for a line; whoever proposed it may withdraw it so.

    Raises:
        NotFound: no proposal waits for that line.
    """
    authority = fit_authority(authority)
    with context.database.office() as session:
        hold_payments(session)
        proposal, _ = _waiting(session, number)
        now = context.clock()
        matches.decide(session, proposal.number, "rejected", authority.actor, authority.reason, now)
        directory = context.directory.current(session)
        told = {"proposed_by": proposal.proposed_by, **_told(directory, proposal)}
        log(session, now, authority, "payment.reject", f"bank line {number}", told)
        return proposal


def _line_without_proposal(session: Session, number: int) -> BankLine:
    line = lines.line(session, number)
    if line is None:
        raise NotFound(f"there is no bank line {number}")
    waiting = matches.waiting(session, number)
    if waiting:
        raise OperatorRefused(
            f"a match of line {number} waits already, proposed by {waiting[0].proposed_by};"
            " confirm or reject it first"
        )
    return line


def _waiting(session: Session, number: int) -> tuple[ProposedMatch, BankLine]:
    line = lines.line(session, number)
    waiting = matches.waiting(session, number)
    if line is None or not waiting:
        raise NotFound(f"no match of bank line {number} waits to be confirmed")
    return waiting[0], line


def _standing(session: Session, line: BankLine) -> tuple[Part, ...]:
    """Return what stands of what a line was allocated to."""
    found = allocations.parts_of_lines(session, [line.number])
    return tuple(one.part for one in found)


def _must_still_fit(session: Session, line: BankLine, proposal: ProposedMatch) -> None:
    """Refuse what other lines, or another match of this one, have overtaken."""
    fits = (
        set(proposal.parts) <= set(_standing(session, line))
        if proposal.undoes
        else sum(part.amount_minor for part in proposal.parts) <= line.rest_minor
    )
    money = line.money
    if proposal.undoes:
        # To take a payment back is what its return would do, and the other way round.
        money = money._replace(incoming=not money.incoming, reversal=not money.reversal)
    rooms = {
        (item.period, item.system): item.open_to(money) for item in instructions.items(session)
    }
    wanted: dict[tuple[int, int], int] = {}
    for part in proposal.parts:
        if part.period is not None:
            key = (part.period, part.system)
            wanted[key] = wanted.get(key, 0) + part.amount_minor
    recorded = allocations.collateral_without_line(session)
    for part in () if proposal.undoes else proposal.parts:
        if part.collateral:
            room = recorded.get(part.system, 0)
            fits &= part.amount_minor <= (room if line.incoming else -room)
    if not fits or any(amount > rooms[key] for key, amount in wanted.items()):
        raise OperatorRefused(
            f"the match of line {line.number} no longer fits what is open; reject it and propose another"
        )


def _must_not_be_drawn(
    session: Session, directory: Directory, line: BankLine, parts: Sequence[Part]
) -> None:
    """Refuse to take back the money of collateral that a default has drawn."""
    if not line.incoming:
        return
    backed = risk.backed_collateral(session)
    for part in parts:
        if part.collateral and part.amount_minor > backed.get(part.system, 0):
            raise OperatorRefused(
                f"collateral of {directory.systems[part.system].code} that line {line.number} brought has been"
                " drawn for a default: it can't be taken back"
            )


def _record(
    context: Context,
    session: Session,
    directory: Directory,
    line: BankLine,
    parts: Sequence[Part],
    authority: Authority,
    *,
    undoes: bool,
) -> None:
    now = context.clock()
    matches.propose(
        session,
        line.number,
        parts,
        undoes=undoes,
        by=authority.actor,
        reason=authority.reason,
        at=now,
    )
    proposal = matches.waiting(session, line.number)[0]
    told = _told(directory, proposal)
    log(session, now, authority, "payment.match", f"bank line {line.number}", told)


def _told(directory: Directory, proposal: ProposedMatch) -> dict[str, object]:
    """Say what the audit log is told of a match."""
    return {
        "match": proposal.number,
        "undoes": proposal.undoes,
        "parts": parts_told(directory, proposal.parts),
    }
