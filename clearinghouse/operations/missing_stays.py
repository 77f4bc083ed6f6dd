"""Stays that a traveller misses: reported on their page, a case for the system that hosted (decision 0029).

The host learns what it needs to find its own bill: the card as it knows it, the days, the amount and what the
traveller wrote. Not a name, unless the card is its own. It posts the stay as any other late line, or says why not.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import HotelUnknown, NotFound
from clearinghouse.domain.identifiers import id_in
from clearinghouse.domain.traveller_errors import MissingStayAnswered, MissingStayRefused
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs import fields
from clearinghouse.operations.party import Party
from clearinghouse.store import cards, enquiry, missing_stays, outbox
from clearinghouse.store.database import Session
from clearinghouse.store.enquiry import HotelName
from clearinghouse.store.missing_stays import NewStay, StoredStay

PREFIX = "stay_"
#: How long ago a stay may have ended, how long it may have been, and how many reports may wait for an answer.
DAYS_BACK = 400
LONGEST_STAY = 120
MOST_OPEN = 20
BILL_MAX, NOTE_MAX, ANSWER_MAX = 64, 500, 500
AMOUNT_MAX = 10_000_000_00


class StayState(StrEnum):
    """What came of a report; the traveller may withdraw one that waits."""

    OPEN = "open"
    CREDITED = "credited"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class StayTold:
    """A stay as the traveller tells it: where, from when to when, what was paid in fen, and words."""

    hotel_code: str
    arrived_on: date
    left_on: date
    amount_minor: int
    bill: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class MissingStay:
    """A report as its traveller, its host or the operator sees it.

    ``card_id`` is what the host calls the card; the traveller's pages show only ``card_masked``. ``bill`` and
    ``note`` are ``None`` once the traveller's data was erased.
    """

    report_id: str
    number: int
    state: StayState
    hotel: HotelName
    system_code: str
    card_id: str
    card_masked: str
    arrived_on: date
    left_on: date
    amount_minor: int
    bill: str | None
    note: str | None
    reported_at: datetime
    answered_at: datetime | None
    answer: str | None
    txn_ref: str | None


def report_stay(context: Context, traveller: int, card: int, told: StayTold) -> str:
    """Record a stay that a traveller misses and tell the host's system; the same report again is the first one.

    Raises:
        HotelUnknown: the hotel was not in the alliance then.
        MissingStayRefused: days or amount can't be, or too many reports wait; ``field`` says which.
    """
    bill, note = _fit("bill", told.bill, BILL_MAX), _fit("note", told.note, NOTE_MAX)
    with context.database.posting() as session:
        now, directory = context.clock(), context.directory.current(session)
        _must_be_possible(told, business_day(directory, now))
        hotel = directory.hotel_by_code.get(told.hotel_code)
        system = None if hotel is None else directory.system_of(hotel.number, told.left_on)
        if hotel is None or system is None:
            raise HotelUnknown("there was no such hotel in the alliance then")
        new = NewStay(
            UUID(bytes=secrets.token_bytes(16)), traveller, card, hotel.number, system,
            told.arrived_on, told.left_on, told.amount_minor, now,
        )  # fmt: skip
        cards.lock(session, card)
        before = missing_stays.same(session, new)
        if before is not None:
            return PREFIX + before.hex
        if missing_stays.open_of(session, traveller) >= MOST_OPEN:
            raise MissingStayRefused("as many reports as there may be wait for an answer", "hotel")
        missing_stays.add(session, context.vault, new, {"bill": bill, "note": note})
        payload = {
            "report_id": PREFIX + new.report.hex,
            "hotel": hotel.code,
            "card_id": context.vault.card_id(card, system),
            "arrived_on": told.arrived_on.isoformat(),
            "left_on": told.left_on.isoformat(),
            "amount_minor": told.amount_minor,
        }
        outbox.add(session, now, "missing_stay.reported", payload, system)
    return PREFIX + new.report.hex


def own_stays(
    context: Context, traveller: int, *, before: int | None = None, most: int = 20
) -> list[MissingStay]:
    """Return a traveller's own reports, the latest first, before the one with a number."""
    with context.database.posting() as session:
        found = missing_stays.of_traveller(session, context.vault, traveller, before, most)
        return _shown(context, session, found, None)


def withdraw_stay(context: Context, traveller: int, report_id: str) -> None:
    """Withdraw a report that waits; one that does not is left as it is.

    Raises:
        NotFound: the traveller made no such report.
    """
    with context.database.posting() as session:
        found = _find(context, session, report_id)
        if found is None or found.traveller != traveller:
            raise NotFound("there is no such report")
        if found.state == StayState.OPEN:
            now = context.clock()
            missing_stays.end(session, found.report, StayState.WITHDRAWN.value, now)
            _tell(context, session, found, "missing_stay.withdrawn", now)


def stays(
    context: Context,
    party: Party,
    *,
    state: StayState | None = None,
    before: int | None = None,
    most: int = 50,
) -> list[MissingStay]:
    """Return the reports about a party's hotels (the operator: about all), the latest first.

    Raises:
        ValueError: ``most`` is below 1.
    """
    if most < 1:
        raise ValueError("at least one")
    with context.database.posting() as session:
        found = missing_stays.of_system(
            session, context.vault, party.system, state.value if state else None, before, most
        )
        seen = [each for each in found if party.may_see_hotel(each.hotel)]
        return _shown(context, session, seen, party.system)


def answer_stay(
    context: Context, party: Party, report_id: str, state: StayState, answer: str, txn_ref: str = ""
) -> MissingStay:
    """Say what came of a report: credited, with the reference of what was posted, or declined, with the reason.

    Raises:
        NotFound: there is none about the party's hotels.
        MissingStayAnswered: it was answered or withdrawn already.
        MissingStayRefused: the reason or the reference is missing or does not fit.
    """
    said = _fit("answer", answer, ANSWER_MAX)
    ref = _fit("txn_ref", txn_ref, BILL_MAX)
    if state not in (StayState.CREDITED, StayState.DECLINED):
        raise MissingStayRefused("a report is credited or declined", "state")
    if state is StayState.DECLINED and not said:
        raise MissingStayRefused("say why it is declined", "answer")
    if state is StayState.CREDITED and not ref:
        raise MissingStayRefused("name what was posted for it", "txn_ref")
    with context.database.posting() as session:
        found = _find(context, session, report_id)
        if found is None or found.system != party.system or not party.may_see_hotel(found.hotel):
            raise NotFound("there is no such report")
        if found.state != StayState.OPEN:
            raise MissingStayAnswered("the report was answered or withdrawn already")
        now = context.clock()
        missing_stays.end(
            session,
            found.report,
            state.value,
            now,
            (said or None, ref or None),
            (party.client, party.user),
        )
        _tell(context, session, found, "missing_stay.answered", now, state)
        ended = missing_stays.find(session, context.vault, found.report)
        return _shown(context, session, [ended] if ended else [], party.system)[0]


def _must_be_possible(told: StayTold, today: date) -> None:
    if told.left_on < told.arrived_on:
        raise MissingStayRefused("the stay ends before it begins", "left_on")
    if told.left_on > today:
        raise MissingStayRefused("the stay is not over yet", "left_on")
    if told.left_on < today - timedelta(days=DAYS_BACK):
        raise MissingStayRefused(f"the stay ended more than {DAYS_BACK} days ago", "left_on")
    if (told.left_on - told.arrived_on).days > LONGEST_STAY:
        raise MissingStayRefused(f"a stay has at most {LONGEST_STAY} nights", "arrived_on")
    if not 0 < told.amount_minor <= AMOUNT_MAX:
        raise MissingStayRefused("the amount can't be", "amount")


def _fit(name: str, text: str, most: int) -> str:
    try:
        return fields.prose(most)(" ".join(text.split()))
    except fields.Unfit as reason:
        raise MissingStayRefused(f"the {name} {reason}", name) from None


def _find(context: Context, session: Session, report_id: str) -> StoredStay | None:
    report = id_in(report_id, PREFIX)
    return None if report is None else missing_stays.find(session, context.vault, report, hold=True)


def _tell(
    context: Context,
    session: Session,
    found: StoredStay,
    kind: str,
    now: datetime,
    state: StayState | None = None,
) -> None:
    payload: dict[str, object] = {
        "report_id": PREFIX + found.report.hex,
        "card_id": context.vault.card_id(found.card, found.system),
    }
    if state is not None:
        payload["outcome"] = state.value
    outbox.add(session, now, kind, payload, found.system)


def _shown(
    context: Context, session: Session, found: list[StoredStay], system: int | None
) -> list[MissingStay]:
    directory: Directory = context.directory.current(session)
    today = business_day(directory, context.clock())
    names = enquiry.hotel_names(session, {each.hotel for each in found}, today)
    return [
        MissingStay(
            report_id=PREFIX + each.report.hex,
            number=each.number,
            state=StayState(each.state),
            hotel=names[each.hotel],
            system_code=directory.systems[each.system].code,
            card_id=context.vault.card_id(each.card, system),
            card_masked=each.card_masked,
            arrived_on=each.arrived_on,
            left_on=each.left_on,
            amount_minor=each.amount_minor,
            bill=None if each.told is None else each.told["bill"],
            note=None if each.told is None else each.told["note"],
            reported_at=each.reported_at,
            answered_at=each.answered_at,
            answer=each.answer,
            txn_ref=each.txn_ref,
        )
        for each in found
    ]
