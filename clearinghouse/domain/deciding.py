"""Deciding one transaction: the refusals in their order, then what its kind does (domain.md §3).

``decide`` is the one way in for value. It reads and changes only the ``Books`` it is given, and changes
nothing when it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from clearinghouse.domain import holding, kinds, refunding, using
from clearinghouse.domain.books import Books, Txn
from clearinghouse.domain.calendar import local_date
from clearinghouse.domain.case import Case
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.holds import Hold
from clearinghouse.domain.identifiers import IdSource
from clearinghouse.domain.transactions import Authorization, Capture, Kind, Line, content_hash

_DECIDERS: Mapping[Kind, Callable[[Case], Txn | RefusalCode]] = {
    Kind.SPEND: kinds.spend,
    Kind.AWARD: kinds.award,
    Kind.REDEEM: using.use_pool,
    Kind.LOAD: kinds.load,
    Kind.STORED_VALUE_SPEND: using.use_pool,
    Kind.REFUND: refunding.refund,
}
_KINDS = {kind.value: kind for kind in Kind}
_DEFAULT_TIMEZONE = "Asia/Shanghai"
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The transaction is in the books."""

    txn: Txn


@dataclass(frozen=True, slots=True)
class Held:
    """The authorisation stands, now or since the same content was stated before."""

    hold: Hold
    repeated: bool


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same content was accepted before; this is the id it got then."""

    txn_id: UUID


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed and the reference stays free."""

    code: RefusalCode


#: What becomes of a line; only an authorisation is ever ``Held``.
Outcome = Accepted | Repeated | Refused | Held


def decide(
    line: Line,
    books: Books,
    directory: Directory,
    new_id: IdSource,
    not_taken: RefusalCode | None = None,
) -> Outcome:
    """Decide one line and, if it is accepted, enter it in ``books``.

    ``not_taken`` is why the line comes too late or too early, if it does; a repeat is answered all the same.
    """
    if isinstance(line, Authorization):
        return _authorize(line, books, directory, new_id, not_taken)
    if isinstance(line, Capture):
        return _capture(line, books, directory, new_id, not_taken)
    host = _host(line, directory)
    if host is None:
        return Refused(RefusalCode.HOTEL_UNKNOWN)
    content = content_hash(line, books.card_indexes[line.card_number])
    known = books.references.get((host[0], line.txn_ref))
    if known is not None:
        same = known[0] == content
        return Repeated(known[1]) if same else Refused(RefusalCode.TXN_REF_REUSED)
    case = not_taken or _case(line, books, directory, new_id, host, content)
    if isinstance(case, RefusalCode):
        return Refused(case)
    result = _DECIDERS[case.kind](case)
    if isinstance(result, RefusalCode):
        return Refused(result)
    books.accept(result)
    return Accepted(result)


def _authorize(
    line: Authorization,
    books: Books,
    directory: Directory,
    new_id: IdSource,
    not_taken: RefusalCode | None,
) -> Held | Refused:
    """Decide an authorisation and, if it is accepted, hold its lots in ``books`` (§3 "Authorisation").

    It is refused for what would refuse the transaction itself. Its reference is that of the transaction which
    is to come of it.
    """
    host = _host(line, directory)
    if host is None:
        return Refused(RefusalCode.HOTEL_UNKNOWN)
    content = content_hash(line, books.card_indexes[line.card_number])
    known = books.hold_references.get((host[0], line.txn_ref))
    if known is not None:
        same = known.content == content
        return Held(known, True) if same else Refused(RefusalCode.TXN_REF_REUSED)
    if (host[0], line.txn_ref) in books.references:
        return Refused(RefusalCode.TXN_REF_REUSED)
    case = not_taken or _case(line, books, directory, new_id, host, content)
    if isinstance(case, RefusalCode):
        return Refused(case)
    hold = holding.hold(case)
    if isinstance(hold, RefusalCode):
        return Refused(hold)
    books.hold(hold)
    return Held(hold, False)


def _capture(
    line: Capture,
    books: Books,
    directory: Directory,
    new_id: IdSource,
    not_taken: RefusalCode | None,
) -> Outcome:
    """Decide the capture of an authorisation and, if it is accepted, enter the transaction in ``books``."""
    hold = books.holds.get(line.auth_id)
    if hold is None:
        return Refused(RefusalCode.AUTHORIZATION_UNKNOWN)
    content = content_hash(line, books.card_indexes[line.card_number])
    known = books.references.get((hold.host_hotel, line.txn_ref))
    if known is not None and known == (content, hold.txn_id):
        return Repeated(known[1])
    ended = holding.refusal_of_ended(hold)
    if ended is not None:
        return Refused(ended)
    if known is not None:
        return Refused(RefusalCode.TXN_REF_REUSED)
    host = _host(line, directory)
    if host is None:
        return Refused(RefusalCode.HOTEL_UNKNOWN)
    case = not_taken or _case(line, books, directory, new_id, host, content)
    if isinstance(case, RefusalCode):
        return Refused(case)
    result = holding.capture(case, hold)
    if isinstance(result, RefusalCode):
        return Refused(result)
    books.accept(result)
    return Accepted(result)


def _host(line: Line, directory: Directory) -> tuple[int, int] | None:
    """Return the host hotel and the system it belongs to on the business date."""
    host = directory.hotel_by_code.get(line.host_hotel)
    system = None if host is None else directory.system_of(host.number, line.business_date)
    return None if host is None or system is None else (host.number, system)


def _case(
    line: Line,
    books: Books,
    directory: Directory,
    new_id: IdSource,
    host: tuple[int, int],
    content: bytes,
) -> Case | RefusalCode:
    """Return what the kinds are decided on, or the first refusal that every kind has."""
    kind = _KINDS.get(line.kind)
    if kind is None:
        return RefusalCode.KIND_UNKNOWN
    card = books.cards.get(line.card_number)
    if card is None:
        return RefusalCode.CARD_UNKNOWN
    in_force = directory.rulebook_on(line.business_date)
    timezone = in_force.rulebook.timezone if in_force else _DEFAULT_TIMEZONE
    happened_on = local_date(line.occurred_at, timezone)
    if happened_on not in (line.business_date, line.business_date + _ONE_DAY):
        return RefusalCode.BUSINESS_DATE_MISMATCH
    card_tier = card.tier_on(line.business_date)
    card_system = directory.system_of(card.issuer_hotel, line.business_date)
    # What a card held while it was good is captured whatever has become of the card since.
    asked_at = (books.holds[line.auth_id] if isinstance(line, Capture) else line).occurred_at
    if card_tier is None or card_system is None or not card.active_at(asked_at):
        return RefusalCode.CARD_NOT_ACTIVE
    return Case(
        line, books, directory, new_id, content, kind, host[0], host[1],
        card, card_tier, card_system, in_force,
    )  # fmt: skip
