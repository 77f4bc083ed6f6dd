"""Deciding one transaction: the refusals in their order, then what its kind does (domain.md §3).

``decide`` is the one way in for value. It reads and changes only the ``Books`` it is given, and changes
nothing when it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from clearinghouse.domain import kinds, refunding
from clearinghouse.domain.books import Books, Txn
from clearinghouse.domain.calendar import local_date
from clearinghouse.domain.case import Case
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.identifiers import IdSource
from clearinghouse.domain.transactions import Kind, Line, content_hash

_DECIDERS: Mapping[Kind, Callable[[Case], Txn | RefusalCode]] = {
    Kind.SPEND: kinds.spend,
    Kind.AWARD: kinds.award,
    Kind.REDEEM: kinds.redeem,
    Kind.LOAD: kinds.load,
    Kind.STORED_VALUE_SPEND: kinds.stored_value_spend,
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
class Repeated:
    """The same content was accepted before; this is the id it got then."""

    txn_id: UUID


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed and the reference stays free."""

    code: RefusalCode


Outcome = Accepted | Repeated | Refused


def decide(line: Line, books: Books, directory: Directory, new_id: IdSource) -> Outcome:
    """Decide one line and, if it is accepted, enter it in ``books``."""
    host = directory.hotel_by_code.get(line.host_hotel)
    if host is None:
        return Refused(RefusalCode.HOTEL_UNKNOWN)
    host_system = directory.system_of(host.number, line.business_date)
    if host_system is None:
        return Refused(RefusalCode.HOTEL_UNKNOWN)
    content = content_hash(line, books.card_indexes[line.card_number])
    known = books.references.get((host.number, line.txn_ref))
    if known is not None:
        same = known[0] == content
        return Repeated(known[1]) if same else Refused(RefusalCode.TXN_REF_REUSED)
    kind = _KINDS.get(line.kind)
    if kind is None:
        return Refused(RefusalCode.KIND_UNKNOWN)
    card = books.cards.get(line.card_number)
    if card is None:
        return Refused(RefusalCode.CARD_UNKNOWN)
    in_force = directory.rulebook_on(line.business_date)
    timezone = in_force.rulebook.timezone if in_force else _DEFAULT_TIMEZONE
    happened_on = local_date(line.occurred_at, timezone)
    if happened_on not in (line.business_date, line.business_date + _ONE_DAY):
        return Refused(RefusalCode.BUSINESS_DATE_MISMATCH)
    card_tier = card.tier_on(line.business_date)
    card_system = directory.system_of(card.issuer_hotel, line.business_date)
    if card_tier is None or card_system is None:
        return Refused(RefusalCode.CARD_NOT_ACTIVE)
    case = Case(
        line, books, directory, new_id, content, kind, host.number, host_system,
        card, card_tier, card_system, in_force,
    )  # fmt: skip
    result = _DECIDERS[kind](case)
    if isinstance(result, RefusalCode):
        return Refused(result)
    books.accept(result)
    return Accepted(result)
