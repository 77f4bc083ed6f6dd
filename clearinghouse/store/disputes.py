"""Disputes as they are stored: claim, answer and decisions, and the steps of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.adjustments import Standing
from clearinghouse.domain.disputes import CASH, Claimable, claimable
from clearinghouse.domain.identifiers import period_of_id
from clearinghouse.store.adjustments import CorrectedLeg, hold_leg
from clearinghouse.store.bulk import array
from clearinghouse.store.database import Session
from clearinghouse.store.doer import Doer

_COLUMNS = (
    "dispute_id, period, txn_id, leg_no, opened_by, respondent, reason, text, claimed_minor, state, late,"
    " opened_at, answer_due_at, overdue_at, answer, answer_text, answered_at, upheld_minor, decided_at,"
    " escalate_until, escalated_at, escalated_by"
)


_SIDES = {"opened": "opened_by", "answer": "respondent"}


class Viewer(NamedTuple):
    """For whom disputes are read: a system, the operator (``None``) for its own, or ``everything``."""

    system: int | None
    everything: bool = False


class Leg(NamedTuple):
    """A leg as a dispute needs it, with the period that it is in; systems, hotels and rulebook by number.

    ``root`` is the leg that it reverses, or itself, and ``standing`` what refunds and adjustments have left of that.
    """

    period: int
    fee_kind: str
    host_hotel: int
    host_system: int
    issuer_hotel: int
    issuer_system: int
    rulebook: int
    obligation_minor: int
    txn_ref: str
    published_at: datetime | None
    root: tuple[UUID, int]
    standing: Standing

    def claimable(self, *, on_fee: bool, by_host: bool) -> Claimable:
        """Return what can be claimed of it, by its host or its issuer, or of its fee."""
        return claimable(
            on_fee=on_fee,
            by_host=by_host,
            obligation_minor=self.obligation_minor,
            standing_minor=self.standing.base_minor,
            standing_fee=self.standing.fee_minor,
        )


class NewDispute(NamedTuple):
    """A claim to be recorded."""

    dispute_id: UUID
    period: int
    txn_id: UUID
    leg_no: int
    opened_by: int
    respondent: int | None
    reason: str
    text: str
    claimed_minor: int
    late: bool
    opened_at: datetime
    answer_due_at: datetime
    doer: Doer


class Dispute(NamedTuple):
    """A dispute; systems by number, ``respondent`` is ``None`` for the operator, money in fen."""

    dispute_id: UUID
    period: int
    txn_id: UUID
    leg_no: int
    opened_by: int
    respondent: int | None
    reason: str
    text: str
    claimed_minor: int
    state: str
    late: bool
    opened_at: datetime
    answer_due_at: datetime
    overdue_at: datetime | None
    answer: str | None
    answer_text: str | None
    answered_at: datetime | None
    upheld_minor: int | None
    decided_at: datetime | None
    escalate_until: datetime | None
    escalated_at: datetime | None
    escalated_by: int | None


class Step(NamedTuple):
    """A step of a dispute; ``by_system`` is ``None`` for the operator."""

    state: str
    at: datetime
    by_system: int | None
    text: str
    upheld_minor: int | None = None


def leg_of(session: Session, txn_id: UUID, leg_no: int) -> Leg | None:
    """Return a leg and what stands of it."""
    row = session.row(
        "SELECT g.period, g.fee_kind, g.host_hotel, g.host_system, g.issuer_hotel, g.issuer_system, g.rulebook,"
        " g.obligation_minor, t.txn_ref, p.published_at, coalesce(g.reverses_txn, g.txn_id),"
        " coalesce(g.reverses_leg, g.leg_no) FROM legs g JOIN periods p ON p.period = g.period"
        " JOIN transactions t ON t.period = g.period AND t.txn_id = g.txn_id"
        " WHERE g.period = %s AND g.txn_id = %s AND g.leg_no = %s",
        [period_of_id(txn_id), txn_id, leg_no],
    )
    if row is None:
        return None
    root = (row[-2], row[-1])
    return Leg._make((*row[:-2], root, _standing(session, *root)))


class Reversal(NamedTuple):
    """A leg of a family: one that was reversed, or one that reverses it; ``fee_minor`` is the host's to know."""

    period: int
    txn_id: UUID
    leg_no: int
    txn_ref: str
    business_date: date
    points: int | None
    base_minor: int
    fee_minor: int | None


def reversals(session: Session, root: UUID, root_leg: int) -> list[Reversal]:
    """Return a leg and, behind it, the legs that reverse it, in the order of their transactions."""
    rows = session.rows(
        "SELECT g.period, g.txn_id, g.leg_no, t.txn_ref, t.business_date, g.points, g.base_minor, g.fee_minor"
        " FROM legs g JOIN transactions t ON t.period = g.period AND t.txn_id = g.txn_id"
        " WHERE g.period = %s AND g.txn_id = %s AND g.leg_no = %s"
        " UNION ALL SELECT g.period, g.txn_id, g.leg_no, t.txn_ref, t.business_date, g.points, g.base_minor,"
        "  g.fee_minor FROM transactions t JOIN legs g ON g.period = t.period AND g.txn_id = t.txn_id"
        "  WHERE t.original = %s AND g.reverses_txn = %s AND g.reverses_leg = %s",
        [period_of_id(root), root, root_leg, root, root, root_leg],
    )
    found = [Reversal(*row) for row in rows]
    return found[:1] + sorted(found[1:], key=lambda row: row.txn_id)


def held_leg(session: Session, txn_id: UUID, leg_no: int) -> Leg | None:
    """Return a leg as it stands, and let nobody else correct it until this transaction ends."""
    leg = leg_of(session, txn_id, leg_no)
    if leg is None:
        return None
    hold_leg(session, *leg.root)
    return leg_of(session, txn_id, leg_no)


def corrected(found: Leg, txn_id: UUID, leg_no: int) -> CorrectedLeg:
    """Return a leg as an adjustment names it."""
    return CorrectedLeg(
        txn_id, leg_no, found.txn_ref, found.host_hotel, found.issuer_hotel, found.host_system,
        found.issuer_system,
    )  # fmt: skip


def legs_on_statement(
    session: Session, system: int, txn_id: UUID, leg_no: int | None, issuer_hotel: str | None
) -> list[int]:
    """Return which legs of a transaction, of those named, stand on a system's statement; one of cash on its host's."""
    rows = session.rows(
        "SELECT g.leg_no FROM legs g JOIN hotels i ON i.number = g.issuer_hotel"
        " WHERE g.period = %s AND g.txn_id = %s AND (%s::int IS NULL OR g.leg_no = %s)"
        " AND (%s::text IS NULL OR i.code = %s)"
        " AND (g.host_system = %s OR (g.issuer_system = %s AND g.fee_kind <> %s)) ORDER BY 1",
        [period_of_id(txn_id), txn_id, leg_no, leg_no, issuer_hotel, issuer_hotel, system, system, CASH],
    )  # fmt: skip
    return [row[0] for row in rows]


def _standing(session: Session, root: UUID, root_leg: int) -> Standing:
    """Add up a leg, the legs that reverse it, and the adjustments of all of them."""
    row = session.row(
        "WITH family AS ("
        " SELECT txn_id, leg_no, host_system, base_minor, fee_minor FROM legs"
        "  WHERE period = %s AND txn_id = %s AND leg_no = %s"
        " UNION ALL SELECT g.txn_id, g.leg_no, g.host_system, g.base_minor, g.fee_minor FROM transactions t"
        "  JOIN legs g ON g.period = t.period AND g.txn_id = t.txn_id"
        "  WHERE t.original = %s AND g.reverses_txn = %s AND g.reverses_leg = %s),"
        " changes AS (SELECT a.amount_minor, a.counterparty FROM family f"
        "  JOIN adjustments a ON a.txn_id = f.txn_id AND a.leg_no = f.leg_no AND a.system = f.host_system)"
        " SELECT (SELECT sum(base_minor) FROM family)"
        "  + coalesce((SELECT sum(amount_minor) FROM changes WHERE counterparty IS NOT NULL), 0),"
        " (SELECT sum(fee_minor) FROM family)"
        "  - coalesce((SELECT sum(amount_minor) FROM changes WHERE counterparty IS NULL), 0)",
        [period_of_id(root), root, root_leg, root, root, root_leg],
    )
    base, fee = row or (0, 0)
    return Standing(int(base), int(fee))


def add(session: Session, new: NewDispute) -> bool:
    """Record a claim; ``False``: the opener has an undecided one of that leg."""
    count = session.run(
        "INSERT INTO disputes (dispute_id, period, txn_id, leg_no, opened_by, respondent,"
        " reason, text, claimed_minor, late, opened_at, answer_due_at, client, by_user)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (txn_id, leg_no, opened_by) WHERE state NOT IN ('upheld', 'rejected') DO NOTHING",
        [*new[:-1], *new.doer],
    )
    return count == 1


def same_claim(
    session: Session, system: int, txn_id: UUID, leg_no: int, reason: str
) -> Dispute | None:
    """Return the dispute of a leg that a system has opened for a reason, decided or not."""
    row = session.row(
        f"SELECT {_COLUMNS} FROM disputes WHERE txn_id = %s AND leg_no = %s AND opened_by = %s AND reason = %s"
        " ORDER BY opened_at DESC LIMIT 1",
        [txn_id, leg_no, system, reason],
    )
    return Dispute(*row) if row else None


def of_leg(session: Session, system: int, txn_id: UUID, leg_no: int) -> list[Dispute]:
    """Return the disputes of a leg to which a system is a party, the oldest first."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM disputes WHERE (opened_by = %s OR respondent = %s)"
        " AND txn_id = %s AND leg_no = %s ORDER BY opened_at, dispute_id",
        [system, system, txn_id, leg_no],
    )
    return [Dispute(*row) for row in rows]


def other_undecided(session: Session, found: Dispute) -> bool:
    """Tell whether the opener of a dispute has another one of the same leg that no decision stands on."""
    row = session.row(
        "SELECT true FROM disputes WHERE txn_id = %s AND leg_no = %s AND opened_by = %s"
        " AND state NOT IN ('upheld', 'rejected') AND dispute_id <> %s",
        [found.txn_id, found.leg_no, found.opened_by, found.dispute_id],
    )
    return row is not None


def dispute(
    session: Session, viewer: Viewer, dispute_id: UUID, *, hold: bool = False
) -> Dispute | None:
    """Return a dispute that the viewer may see; held, nobody else changes it until this transaction ends."""
    seen, parameters = _seen(viewer)
    row = session.row(
        f"SELECT {_COLUMNS} FROM disputes WHERE dispute_id = %s AND {seen}"
        + (" FOR NO KEY UPDATE" if hold else ""),
        [dispute_id, *parameters],
    )
    return Dispute(*row) if row else None


def newest(
    session: Session,
    viewer: Viewer,
    state: str | None,
    before: UUID | None,
    limit: int,
    side: str | None = None,
) -> list[Dispute]:
    """Return disputes that the viewer may see, in a state or in any, the newest first, before one of them.

    ``side`` leaves those that a system has ``opened``, or those that it has to ``answer``.
    """
    seen, parameters = _seen(viewer)
    if side is not None:
        seen, parameters = f"{_SIDES[side]} IS NOT DISTINCT FROM %s", [viewer.system]
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM disputes WHERE {seen} AND (%s::text IS NULL OR state = %s)"
        " AND (%s::uuid IS NULL OR (opened_at, dispute_id) <"
        " (SELECT b.opened_at, b.dispute_id FROM disputes b WHERE b.dispute_id = %s))"
        " ORDER BY opened_at DESC, dispute_id DESC LIMIT %s",
        [*parameters, state, state, before, before, limit],
    )
    return [Dispute(*row) for row in rows]


def answer(session: Session, dispute_id: UUID, said: str, text: str, at: datetime) -> None:
    """Record the answer to a dispute; the database refuses a second one."""
    session.run(
        "UPDATE disputes SET state = 'answered', answer = %s, answer_text = %s, answered_at = %s"
        " WHERE dispute_id = %s",
        [said, text, at, dispute_id],
    )


def decide(
    session: Session,
    dispute_id: UUID,
    state: str,
    upheld_minor: int,
    at: datetime,
    escalate_until: datetime,
) -> None:
    """Record a decision."""
    session.run(
        "UPDATE disputes SET state = %s, upheld_minor = %s, decided_at = %s, escalate_until = %s"
        " WHERE dispute_id = %s",
        [state, upheld_minor, at, escalate_until, dispute_id],
    )


def escalate(session: Session, dispute_id: UUID, system: int, at: datetime) -> None:
    """Record that a system asks for another decision; the database refuses a second time."""
    session.run(
        "UPDATE disputes SET state = 'escalated', escalated_by = %s, escalated_at = %s WHERE dispute_id = %s",
        [system, at, dispute_id],
    )


def take_overdue(session: Session, at: datetime, most: int) -> list[Dispute]:
    """Mark open disputes whose time to be answered is over, and return them; each is returned once."""
    rows = session.rows(
        "UPDATE disputes SET overdue_at = %s WHERE dispute_id IN (SELECT dispute_id FROM disputes"
        " WHERE state = 'open' AND overdue_at IS NULL AND answer_due_at <= %s"
        " ORDER BY answer_due_at, dispute_id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)"
        f" RETURNING {_COLUMNS}",
        [at, at, most],
    )
    return [Dispute(*row) for row in rows]


def add_step(session: Session, dispute_id: UUID, step: Step, doer: Doer) -> None:
    """Record a step of a dispute that this transaction has added or holds; by nobody: people of the operator."""
    session.run(
        "INSERT INTO dispute_steps (dispute_id, step, state, at, by_system, text, upheld_minor, client,"
        " by_user) SELECT %s, count(*) + 1, %s, %s, %s, %s, %s, %s, %s FROM dispute_steps WHERE dispute_id = %s",
        [dispute_id, *step, *doer, dispute_id],
    )


def steps(session: Session, wanted: Sequence[UUID]) -> dict[UUID, list[Step]]:
    """Return the steps of disputes, each in order."""
    found: dict[UUID, list[Step]] = {}
    for dispute_id, *step in session.rows(
        "SELECT dispute_id, state, at, by_system, text, upheld_minor FROM dispute_steps"
        " WHERE dispute_id = ANY (%s::uuid[]) ORDER BY dispute_id, step",
        [array(wanted)],
    ):
        found.setdefault(dispute_id, []).append(Step(*step))
    return found


def _seen(viewer: Viewer) -> tuple[str, list[object]]:
    if viewer.everything:
        return "true", []
    if viewer.system is None:
        return "respondent IS NULL", []
    return "(opened_by = %s OR respondent = %s)", [viewer.system, viewer.system]
