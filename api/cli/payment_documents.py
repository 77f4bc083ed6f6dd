"""Payments as documents for scripts; money in fen, dates as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.matching import Part
from clearinghouse.domain.payments import Direction
from clearinghouse.operations.payments.importing import Imported
from clearinghouse.operations.payments.listing import Account, InstructionSeen, LineSeen, Payments


def imported_document(done: Imported) -> dict[str, Any]:
    """Return what came of a file, for scripts."""
    return {
        "file": done.name,
        "repeated": done.repeated,
        "lines": done.lines,
        "known": done.known,
        "not_booked": done.not_booked,
        "gap_minor": done.gap_minor,
        "matched": sum(one.matched for one in done.arrived),
        "arrived": [
            {
                "line": one.line.number,
                "entry_reference": one.line.entry_reference,
                "booked_on": one.line.booked_on,
                "direction": _way(one.line.incoming),
                "amount_minor": one.line.rest_minor,
                "finding": one.finding.value,
                "matched": one.matched,
            }
            for one in done.arrived
        ],
    }


def payments_document(found: Payments) -> dict[str, Any]:
    """Return what is to be paid and what waits, for scripts."""
    return {
        "as_of": found.as_of,
        "instructions": [_instruction_document(one) for one in found.instructions],
        "waiting": [line_document(one, found.codes) for one in found.waiting],
        "credits": found.credits,
    }


def account_document(found: Account) -> dict[str, Any]:
    """Return all payments of a system, for scripts."""
    return {
        "system": found.system,
        "credit_minor": found.credit_minor,
        "instructions": [_instruction_document(one) for one in found.instructions],
        "lines": [line_document(one, found.codes) for one in found.lines],
    }


def line_document(seen: LineSeen, codes: Mapping[int, str]) -> dict[str, Any]:
    """Return a line of the bank, for scripts."""
    line, match, proposal = seen.line, seen.suggestion, seen.proposal
    return {
        "line": line.number,
        "entry_reference": line.entry_reference,
        "booked_on": line.booked_on,
        "direction": _way(line.incoming),
        "reversal": line.reversal,
        "amount_minor": line.amount_minor,
        "allocated_minor": line.allocated_minor,
        "end_to_end_id": line.end_to_end,
        "remittance": line.remittance,
        "counterparty_account": line.counterparty_account,
        "counterparty_name": line.counterparty_name,
        "matched": _part_documents(seen.parts, codes),
        "suggestion": None
        if match is None
        else {"finding": match.finding.value, "parts": _part_documents(match.parts, codes)},
        "proposal": None
        if proposal is None
        else {
            "proposed_by": proposal.proposed_by,
            "undoes": proposal.undoes,
            "reason": proposal.reason,
            "parts": _part_documents(proposal.parts, codes),
        },
    }


def _instruction_document(seen: InstructionSeen) -> dict[str, Any]:
    one = seen.instruction
    return {
        "period": format_period(one.period),
        "system": seen.system,
        "direction": one.direction.value,
        "net_minor": one.net_minor,
        "carried_minor": one.carried_minor,
        "amount_minor": one.amount_minor,
        "set_off_minor": one.set_off_minor,
        "confirmed_minor": one.confirmed_minor,
        "covered_minor": one.covered_minor,
        "outstanding_minor": one.outstanding_minor,
        "due_on": one.due_on,
        "reference": one.reference,
        "state": one.state,
        "days_overdue": seen.days_overdue,
        "reminder": seen.reminder,
        "period_state": seen.period_state,
    }


def _part_documents(parts: Iterable[Part], codes: Mapping[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "system": codes[part.system],
            "period": None if part.period is None else format_period(part.period),
            "collateral": part.collateral,
            "amount_minor": part.amount_minor,
        }
        for part in parts
    ]


def _way(incoming: bool) -> str:
    return (Direction.IN if incoming else Direction.OUT).value
