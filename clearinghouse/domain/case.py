"""One line that is being decided, with what every kind of transaction needs to do its part (domain.md §3)."""

from __future__ import annotations

from dataclasses import dataclass

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Books, Txn
from clearinghouse.domain.calendar import period_of
from clearinghouse.domain.clearing import Leg
from clearinghouse.domain.directory import Directory, RulebookInForce
from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.identifiers import IdSource
from clearinghouse.domain.pools import repay
from clearinghouse.domain.transactions import Kind, Line
from clearinghouse.domain.treatment import Card, CardTier


@dataclass(frozen=True, slots=True)
class Case:
    """A line whose host, kind and card are known: what every kind is decided on."""

    line: Line
    books: Books
    directory: Directory
    new_id: IdSource
    content: bytes
    kind: Kind
    host_hotel: int
    host_system: int
    card: Card
    card_tier: CardTier
    card_system: int
    in_force: RulebookInForce | None

    def period(self) -> int:
        """Return the period by the rule of domain.md §4: that of the business date, or the earliest open one."""
        return max(period_of(self.line.business_date), self.books.closed_through + 1)

    def transaction(self, rulebook: int) -> Txn:
        """Begin the transaction: it gets its period and its id."""
        line = self.line
        period = self.period()
        return Txn(
            txn_id=self.new_id(period),
            host_hotel=self.host_hotel,
            host_system=self.host_system,
            txn_ref=line.txn_ref,
            content=self.content,
            kind=self.kind,
            card=self.card.number,
            traveller=self.card.traveller,
            business_date=line.business_date,
            occurred_at=line.occurred_at,
            rulebook=rulebook,
            period=period,
            late=period != period_of(line.business_date),
            line_no=line.line_no,
        )

    def issuer_system(self, issuer_hotel: int) -> int:
        """Return the system that an issuing hotel belongs to on the business date."""
        return self.directory.issuer_system(issuer_hotel, self.line.business_date)

    def is_own_system(self, issuer_hotel: int) -> bool:
        """Tell whether a hotel belongs to the host's own system on the business date."""
        return self.issuer_system(issuer_hotel) == self.host_system

    def has_accepted(self) -> bool:
        """Tell whether the host's system has accepted the rulebook in force (domain.md §2)."""
        return self.in_force is not None and self.host_system in self.in_force.accepted_by

    def refuse_to_cross(self) -> RefusalCode | None:
        """Return why the host may not take part in cross-system transactions, if there is a reason (§2, §4 "Risk")."""
        if not self.has_accepted():
            return RefusalCode.RULEBOOK_NOT_ACCEPTED
        standing = self.directory.standings.get(self.host_system)
        may = standing is None or standing.may_cross(self.line.business_date)
        return None if may else RefusalCode.HOTEL_NOT_ACTIVE

    def refuse_to_issue(self) -> RefusalCode | None:
        """Return why the host may issue nothing, if there is a reason: no rulebook, or its system has left (§2, §4)."""
        if self.in_force is None:
            return RefusalCode.RULEBOOK_NOT_ACCEPTED
        standing = self.directory.standings.get(self.host_system)
        may = standing is None or standing.may_issue(self.line.business_date)
        return None if may else RefusalCode.HOTEL_NOT_ACTIVE


def clear(txn: Txn, leg: Leg) -> None:
    """Add a leg to a transaction with its postings: the obligation issuer → host, and the host's fee."""
    txn.legs.append(leg)
    host = account(AccountKind.POSITION, leg.host_system)
    issuer = account(AccountKind.POSITION, leg.issuer_system)
    txn.post(issuer, host, Asset.CNY, leg.obligation_minor)
    txn.post(host, account(AccountKind.FEES), Asset.CNY, leg.fee_minor)


def pay_debts(case: Case, txn: Txn, issuer_hotel: int, amount: int) -> int:
    """Let points of a hotel repay the traveller's debts to it; return how many of them that takes."""
    debts = case.books.pool(txn.traveller).debts
    paid = 0
    for debt, part in repay(debts, issuer_hotel, txn.business_date, amount):
        posted = case.books.pay_debt(debt, part)
        owed_to = account(AccountKind.POINTS_DEBTS, issuer_hotel)
        txn.post(owed_to, account(AccountKind.TRAVELLER_DEBT, txn.traveller), Asset.POINT, posted)
        paid += part
    return paid
