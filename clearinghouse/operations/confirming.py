"""Two people: what moves money between members is proposed by one and confirmed by another (domain.md §4).

It concerns decisions on disputes, and corrections that the operator posts without a dispute. Until it is confirmed a
proposal changes nothing; confirmed, it is carried out in the same transaction, judged anew by what the books say then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from clearinghouse.domain.adjustments import CORRECTION
from clearinghouse.domain.disputes import CLAIM_MAX, FEE_WRONG, respondent_of
from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.domain.identifiers import period_of_id
from clearinghouse.domain.people import same_person
from clearinghouse.operations.adjusting import About, adjust
from clearinghouse.operations.changing import Authority, fit, fit_authority, log
from clearinghouse.operations.context import Context
from clearinghouse.operations.dispute_record import PREFIX
from clearinghouse.operations.judging import Ruling, check_ruling, decide
from clearinghouse.operations.packs import fields
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.proposers import must_be_there
from clearinghouse.store import disputes, periods
from clearinghouse.store import proposals as store
from clearinghouse.store.adjustments import CorrectedLeg, adjustments_of
from clearinghouse.store.database import Session
from clearinghouse.store.proposals import Proposal

_PUBLISHED = ("published", "settled")
_DECISION, _CORRECTION = "decision", "correction"
#: Proposals of other things that need two people are those of ``operations.two_people``.
_OURS = (_DECISION, _CORRECTION)


@dataclass(frozen=True, slots=True)
class Correction:
    """An adjustment that the operator posts; systems by code, ``None`` is the clearing house, whose fee it then is.

    ``leg`` (transaction and number) or ``reference`` says what is corrected; ``amount_minor`` is fen above 0.
    """

    payer: str | None
    payee: str | None
    amount_minor: int
    leg: tuple[UUID, int] | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of a proposal: the state that its dispute is in, or the number of its adjustment."""

    number: int
    dispute_state: str | None
    adjustment: int | None


class Posted(NamedTuple):
    """An adjustment as one system has it; without a counterparty it is a fee, given back where it is above 0."""

    number: int
    system: str
    counterparty: str | None
    amount_minor: int
    kind: str
    reference: str
    text: str
    txn_ref: str | None
    dispute_state: str | None
    at: datetime


def propose_decision(
    context: Context, dispute_id: UUID, upheld_minor: int | None, authority: Authority
) -> Proposal:
    """Propose to give the opener so many fen of its claim, all of it (``None``) or nothing (0).

    The authority's reason is that of the decision: both parties read it.

    Raises:
        NotFound: there is no such dispute.
        OperatorRefused: it can't be decided now or so, or another proposal waits for it.
    """
    by = fit_authority(authority)
    with context.database.posting() as session:
        found = disputes.dispute(
            session, disputes.Viewer(None, everything=True), dispute_id, hold=True
        )
        if found is None:
            raise NotFound("there is no such dispute")
        amount = found.claimed_minor if upheld_minor is None else upheld_minor
        check_ruling(session, context, dispute_id, Ruling(amount, by.reason))
        document = {"what": _DECISION, "upheld_minor": amount}
        made = _add(context, session, dispute_id, document, by)
        log(
            session, made.proposed_at, by, "dispute.propose", _subject(made),
            {"proposal": made.number, "upheld_minor": amount},
        )  # fmt: skip
        return made


def propose_correction(context: Context, correction: Correction, authority: Authority) -> Proposal:
    """Propose an adjustment in the earliest open period; the authority's reason stands on the statements of both.

    Raises:
        NotFound: there is no such system or leg.
        LegNotDisputable: the leg is inside one system and carries nothing that could be wrong.
        OperatorRefused: it says not what it corrects, corrects what is not published yet, is not between the parties
            of its leg, or takes back more than is left of it.
    """
    by = fit_authority(authority)
    with context.database.posting() as session:
        document = _document(context, session, correction)
        if store.same_waits(session, document):
            raise OperatorRefused("the same is proposed already and waits for a second person")
        made = _add(context, session, None, document, by)
        told = {"proposal": made.number, **document}
        log(session, made.proposed_at, by, "adjustment.propose", _subject(made), told)
        return made


def confirm(context: Context, number: int, authority: Authority) -> Confirmed:
    """Carry out what another person has proposed.

    A second decision on a dispute, after it was escalated, is confirmed by somebody who had no part in the first.

    Raises:
        NotFound: there is no such proposal.
        OperatorRefused: it is ended, it is one's own, one had a part in the first decision, whoever has proposed it may
            no longer act, or it is not fit any more.
    """
    by = fit_authority(authority)
    with context.database.posting() as session:
        found = _held(session, number)
        if same_person(by.actor, found.proposed_by):
            raise OperatorRefused(
                "another person than the one who has proposed it has to confirm it"
            )
        must_be_there(session, found.proposed_by)
        at = context.clock()
        if found.dispute_id is not None:
            before = store.deciders(session, found.dispute_id)
            if any(same_person(by.actor, name) for name in before):
                raise OperatorRefused(
                    "a person who had no part in the first decision has to confirm the second"
                )
            ruling = Ruling(found.document["upheld_minor"], found.reason)
            decided = decide(session, context, found.dispute_id, ruling)
            done = Confirmed(number, decided.state, None)
        else:
            done = Confirmed(number, None, _correct(context, session, found))
        store.end(session, number, "confirmed", by.actor, at)
        told = {
            "proposal": number,
            "proposed_by": found.proposed_by,
            "adjustment": done.adjustment,
            **found.document,
        }
        log(session, at, by, _action(found, "confirm"), _subject(found), told)
        return done


def withdraw(context: Context, number: int, authority: Authority) -> None:
    """End a proposal without carrying it out; its author may do that too.

    Raises:
        NotFound: there is no such proposal.
        OperatorRefused: it is ended.
    """
    by = fit_authority(authority)
    with context.database.posting() as session:
        found, at = _held(session, number), context.clock()
        store.end(session, number, "withdrawn", by.actor, at)
        log(session, at, by, _action(found, "withdraw"), _subject(found), {"proposal": number})


def waiting(context: Context) -> list[Proposal]:
    """Return the proposals that wait for a second person, the oldest first."""
    with context.database.office() as session:
        return [row for row in store.waiting(session) if row.document["what"] in _OURS]


def posted(context: Context, period: int) -> list[Posted]:
    """Return the adjustments of a period, one for each system that one concerns, in order."""
    systems = context.current_directory().systems
    with context.database.office() as session:
        return [
            Posted(
                row.number,
                systems[row.system].code,
                None if row.counterparty is None else systems[row.counterparty].code,
                row.amount_minor,
                row.kind,
                row.reference,
                row.text,
                row.txn_ref,
                row.dispute_state,
                row.at,
            )
            for row in adjustments_of(session, period)
        ]


def _add(
    context: Context,
    session: Session,
    dispute_id: UUID | None,
    document: Mapping[str, object],
    by: Authority,
) -> Proposal:
    made = store.add(session, dispute_id, document, by.actor, by.reason, context.clock())
    if made is None:
        raise OperatorRefused("a proposal waits for that dispute already; confirm or withdraw it")
    return made


def _held(session: Session, number: int) -> Proposal:
    found = store.hold(session, number)
    if found is None or found.document["what"] not in _OURS:
        raise NotFound(f"there is no proposal {number}")
    if found.state != "waiting":
        raise OperatorRefused(f"proposal {number} is {found.state} already, by {found.ended_by}")
    return found


def _document(context: Context, session: Session, wanted: Correction) -> dict[str, Any]:
    """Check a correction and write it as the proposal keeps it."""
    by_code = context.directory.current(session).system_by_code
    for code in (wanted.payer, wanted.payee):
        if code is not None and code not in by_code:
            raise NotFound(f"there is no system {shown(code)}")
    if wanted.payer == wanted.payee:
        raise OperatorRefused("a correction is between two parties")
    if not 0 < wanted.amount_minor <= CLAIM_MAX:
        raise OperatorRefused(f"a correction is of 1 to {CLAIM_MAX} fen")
    if (wanted.leg is None) == (wanted.reference is None):
        raise OperatorRefused("say which leg is corrected, or give a reference to what is")
    document: dict[str, Any] = {
        "what": _CORRECTION,
        "payer": wanted.payer,
        "payee": wanted.payee,
        "amount_minor": wanted.amount_minor,
    }
    if wanted.leg is None:
        return {**document, "reference": fit("reference", fields.reference, wanted.reference or "")}
    txn_id, leg_no = wanted.leg
    if periods.state_of(session, period_of_id(txn_id)) not in _PUBLISHED:
        raise OperatorRefused(
            "the transaction's period is not published; until then a refund corrects it"
        )
    document |= {"txn_id": txn_id.hex, "leg_no": leg_no}
    _leg(session, document, {code: system.number for code, system in by_code.items()})
    return document


def _correct(context: Context, session: Session, found: Proposal) -> int:
    document, by_code = found.document, context.directory.current(session).system_by_code
    numbers = {code: system.number for code, system in by_code.items()}
    leg = _leg(session, document, numbers) if "txn_id" in document else None
    return adjust(
        session,
        context,
        payer=numbers.get(document["payer"]),
        payee=numbers.get(document["payee"]),
        amount_minor=document["amount_minor"],
        kind=CORRECTION,
        reference=document.get("reference") or f"txn_{document['txn_id']}",
        text=found.reason,
        about=About(leg),
    )


def _leg(session: Session, document: Mapping[str, Any], numbers: Mapping[str, int]) -> CorrectedLeg:
    """Return the leg that a correction is of, held, once it is judged as a decision on a dispute would be.

    Its line names the leg's hotels and reference: nobody may see them who is no party to it (decision 0006).
    """
    txn_id, leg_no = UUID(hex=document["txn_id"]), document["leg_no"]
    payer, payee = (numbers.get(document[side]) for side in ("payer", "payee"))
    leg = disputes.held_leg(session, txn_id, leg_no)
    if leg is None:
        raise NotFound("there is no such leg")
    host, issuer = leg.host_system, leg.issuer_system
    reason = FEE_WRONG if None in (payer, payee) else CORRECTION
    if {payer, payee} != {host, respondent_of(host, host, issuer, leg.fee_kind, reason)}:
        raise OperatorRefused(
            "a leg is corrected between its host and its issuer, and its fee, all that cash carries, with its host"
        )
    # A fee is charged without a bound, as a host may get more without one.
    most = leg.claimable(on_fee=payer is None, by_host=payee != issuer).most
    if document["amount_minor"] > most:
        raise OperatorRefused(f"refunds and corrections have left {most} fen of the leg")
    return disputes.corrected(leg, txn_id, leg_no)


def _action(found: Proposal, deed: str) -> str:
    return f"{'adjustment' if found.dispute_id is None else 'dispute'}.{deed}"


def _subject(found: Proposal) -> str:
    if found.dispute_id is None:
        return f"proposal {found.number}"
    return f"dispute {PREFIX}{found.dispute_id.hex}"
