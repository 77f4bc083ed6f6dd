"""The pure rules with nothing around them: books in memory, decided line after line."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from uuid import UUID

from clearinghouse.domain.books import Books, Txn
from clearinghouse.domain.calendar import format_period, last_day, parse_period
from clearinghouse.domain.clearing import Leg
from clearinghouse.domain.deciding import Accepted, Outcome, Refused, decide
from clearinghouse.domain.directory import Directory, Hotel, RulebookInForce, System, Tier
from clearinghouse.domain.entries import Entry
from clearinghouse.domain.identifiers import transaction_id
from clearinghouse.domain.limits import Limits
from clearinghouse.domain.netting import (
    FEE_MEASURES,
    OBLIGATION_KINDS,
    Increments,
    Measure,
    Obligations,
    add_points,
    add_postings,
    increments,
    net,
)
from clearinghouse.domain.rulebook import rulebook_from_document
from clearinghouse.domain.transactions import Line
from clearinghouse.domain.treatment import Card, CardTier
from tests.histories.expiring import end_debts, expire
from tests.histories.seen import PERIODS, Seen, in_order, points_rows, see_pool
from tests.histories.world import CARDS, TRAVELLERS, UNKNOWN_CARD, PackRows

#: From when a tier of a pack without any date holds: long after every history.
_UNDATED = date(2026, 11, 1)

#: When all of it is decided; only holds are judged by it, and histories have none.
_NOW = datetime(2018, 1, 1, tzinfo=UTC)


def told(outcome: Outcome) -> str:
    """Name an outcome as the model does."""
    if isinstance(outcome, Refused):
        return outcome.code.value
    return "accepted" if isinstance(outcome, Accepted) else "repeated"


class Paper:
    """Books on paper: what the store would load and write is all there all the time."""

    def __init__(self, packs: Sequence[PackRows]) -> None:
        self.directory = directory_of(packs)
        self._serial = count(1)
        self.books = Books(0, count(1), _NOW)
        if self.directory.caps:
            self.books.limits = Limits(self.directory.caps, {})
        self.entries: list[Entry] = []
        cards = {}
        for number, (card, (traveller, hotel, tiers)) in enumerate(CARDS.items(), 1):
            cards[card] = Card(
                number=number,
                traveller=TRAVELLERS.index(traveller) + 1,
                issuer_hotel=self.directory.hotel_by_code[hotel].number,
                tiers=tuple(
                    self._given(hotel, date.fromisoformat(day), tier) for day, tier in tiers
                ),
            )
        self.books.cards = cards
        self.books.card_indexes = {card: card.encode() for card in (*CARDS, UNKNOWN_CARD)}

    def _given(self, hotel: str, day: date, code: str) -> CardTier:
        system = self.directory.system_of(self.directory.hotel_by_code[hotel].number, day)
        assert system is not None
        tier = self.directory.tier_on(system, code, day)
        assert tier is not None
        return CardTier(day, system, code, tier.alliance_level)

    def _new_id(self, period: int) -> UUID:
        return transaction_id(period, 0, next(self._serial))

    def state(self, line: Line) -> str:
        """Decide one line."""
        return told(decide(line, self.books, self.directory, self._new_id))

    def close(self, period: str) -> None:
        """Post what expires with a period and let it take no more legs."""
        number = parse_period(period)
        entry = Entry(self._new_id(number), number, "expiry", last_day(number))
        for pool in self.books.pools.values():
            expire(entry, pool.lots.values())
            end_debts(entry, pool.debts, last_day(number))
        self.entries.append(entry)
        self.books.closed_through = number

    def seen(self) -> Seen:
        """See these books."""
        seen = Seen()
        hotels = {number: hotel.code for number, hotel in self.directory.hotels.items()}
        for number, traveller in enumerate(TRAVELLERS, 1):
            see_pool(seen, traveller, self.books.pool(number), hotels, self.books.closed_through)
        see_legs(seen, self.directory, self.books.accepted)
        sums = increments(self.books.accepted)
        for entry in self.entries:
            balances: dict[int, tuple[int, int]] = {}
            add_postings(balances, entry.postings)
            add_points(sums, entry.period, balances)
        see_rollups(seen, self.directory, sums, self.books.closed_through)
        return seen


def directory_of(packs: Sequence[PackRows]) -> Directory:
    """Build the directory that importing the packs in this order would give."""
    systems: dict[str, System] = {}
    hotels: dict[str, list[tuple[date, int]]] = {}
    tiers: dict[tuple[str, str], list[Tier]] = {}
    rulebooks = []
    caps: dict[int, int] = {}
    for pack in packs:
        for row in pack.files.get("systems.csv", ()):
            code = row["system_code"]
            systems[code] = System(len(systems) + 1, code, code, code)
            if row["net_debit_cap_minor"]:
                caps[systems[code].number] = int(row["net_debit_cap_minor"])
        if pack.rulebook is not None:
            rulebook = rulebook_from_document(pack.rulebook)
            known = frozenset(system.number for system in systems.values())
            rulebooks.append(RulebookInForce(len(rulebooks) + 1, rulebook, known))
        for row in pack.files.get("hotels.csv", ()):
            since = row["effective_from"]
            day = date.fromisoformat(since) if since else date.min
            hotels.setdefault(row["hotel_code"], []).append(
                (day, systems[row["system_code"]].number)
            )
        for row in pack.files.get("tiers.csv", ()):
            tier = _tier(row, pack, systems[row["system_code"]].number)
            tiers.setdefault((row["system_code"], row["tier_code"]), []).append(tier)
    return Directory(
        systems.values(),
        [Hotel(n, code, tuple(sorted(rows))) for n, (code, rows) in enumerate(hotels.items(), 1)],
        [tier for versions in tiers.values() for tier in versions],
        rulebooks,
        caps=caps,
    )


def _tier(row: dict[str, str], pack: PackRows, system: int) -> Tier:
    dated = pack.rulebook and date.fromisoformat(pack.rulebook["effective_from"])
    return Tier(
        system,
        row["tier_code"],
        dated or _UNDATED,
        row["name_zh"],
        row["name_en"],
        int(row["rank"]),
        int(row["alliance_level"]),
        int(Decimal(row["earn_points_per_yuan"]) * 1_000_000),
    )


def see_legs(seen: Seen, directory: Directory, accepted: Sequence[Txn]) -> None:
    """See transactions with their legs; a reversing leg is an entry of the leg that it reverses."""
    entries: dict[tuple[UUID, int], list[tuple[str, int, int]]] = {}
    for txn in accepted:
        key = (directory.hotels[txn.host_hotel].code, txn.txn_ref)
        seen.periods[key] = (format_period(txn.period), txn.late)
        for leg in txn.legs:
            entry = (format_period(txn.period), leg.base_minor, leg.fee_minor)
            entries.setdefault(leg.reverses or (txn.txn_id, leg.leg_no), []).append(entry)
    for txn in accepted:
        legs = [
            (*_parties(directory, leg), in_order(entries[txn.txn_id, leg.leg_no]))
            for leg in txn.legs
            if leg.reverses is None
        ]
        if legs:
            seen.legs[directory.hotels[txn.host_hotel].code, txn.txn_ref] = legs


def _parties(directory: Directory, leg: Leg) -> tuple[str, str, str, str]:
    return (
        leg.fee_kind,
        directory.systems[leg.host_system].code,
        directory.hotels[leg.issuer_hotel].code,
        directory.systems[leg.issuer_system].code,
    )


def see_rollups(seen: Seen, directory: Directory, sums: Increments, closed_through: int) -> None:
    """See periods as the roll-ups tell them: (period, measure, debtor, creditor) → (count, amount)."""
    systems = {number: system.code for number, system in directory.systems.items()}
    hotels = {number: hotel.code for number, hotel in directory.hotels.items()}
    for name in PERIODS:
        period = parse_period(name)
        gross = [
            Obligations(debtor, creditor, OBLIGATION_KINDS[measure], number, amount)
            for (month, measure, debtor, creditor), (number, amount) in sums.items()
            if month == period and measure in OBLIGATION_KINDS
        ]
        seen.obligations[name] = {
            (systems[row.debtor], systems[row.creditor], row.kind): (row.count, row.amount_minor)
            for row in gross
            if row.amount_minor
        }
        version = directory.rulebook_on(last_day(period))
        if version is not None:
            seen.positions[name] = _positions(directory, sums, gross, period)
        if period <= closed_through:
            seen.owed[name] = {}
    for (month, measure, hotel, _), (_, amount) in sums.items():
        if measure == Measure.POINTS_DEBTS:
            for name, owed in seen.owed.items():
                if month <= parse_period(name):
                    owed[hotels[hotel]] = owed.get(hotels[hotel], 0) + amount
    for name, owed in seen.owed.items():
        seen.owed[name] = {hotel: amount for hotel, amount in owed.items() if amount}
    _see_points(seen, hotels, sums)


#: The figures of a hotel's points, in their order, and how each of them counts in what is outstanding.
_MOVES = (
    (Measure.POINTS_ISSUED, 1),
    (Measure.POINTS_REDEEMED, -1),
    (Measure.POINTS_EXPIRED, -1),
    (Measure.POINTS_REVERSED, 1),
)


def _see_points(seen: Seen, hotels: Mapping[int, str], sums: Increments) -> None:
    opening = dict.fromkeys(hotels, 0)
    for name in PERIODS:
        rows = {}
        for hotel, code in hotels.items():
            moves = [
                sums.get((parse_period(name), measure, hotel, 0), (0, 0))[1]
                for measure, _ in _MOVES
            ]
            net_moves = sum(sign * move for move, (_, sign) in zip(moves, _MOVES, strict=True))
            closing = opening[hotel] + net_moves
            rows[code] = (opening[hotel], *moves, closing)
            opening[hotel] = closing
        seen.points[name] = points_rows(rows)


def _positions(
    directory: Directory, sums: Increments, gross: Sequence[Obligations], period: int
) -> dict[str, tuple[int, ...]]:
    version = directory.rulebook_on(last_day(period))
    assert version is not None
    fees: dict[int, int] = {}
    for (month, measure, host, _), (_, amount) in sums.items():
        if month == period and measure in FEE_MEASURES.values():
            fees[host] = fees.get(host, 0) + amount
    rows = net(
        directory.systems,
        gross,
        fees,
        vat_ppm=version.rulebook.vat_ppm,
        fees_include_vat=version.rulebook.fees_include_vat,
    )
    return {
        directory.systems[row.system].code: (
            row.receivable_minor,
            row.payable_minor,
            row.fees_minor,
            row.vat_minor,
            row.net_minor,
        )
        for row in rows
    }
