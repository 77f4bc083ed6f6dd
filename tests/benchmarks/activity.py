"""Seeded transaction lines that the clearing house accepts: it keeps the balances that the rules would give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from tests.benchmarks.members import MONTH, MONTH_BEFORE, Alliance, Card

HEADER = (
    "host_hotel,txn_ref,original_txn_ref,kind,card_number,business_date,occurred_at,"
    "amount_minor,points"
)
_DAYS = 31
_LEAST_POINTS, _LEAST_FEN = 100, 1_000
#: Enough for all that a traveller redeems, and drawn first: every redemption costs the same.
OPENING_POINTS = 50_000
#: One transaction in so many is remembered as one that may be refunded later.
_REMEMBERED = 8
_TRIES = 4
#: Host, original reference, kind, card, amount in fen and points; empty where the kind has none.
_Made = tuple[int, str, str, Card, int | str, int | str]


def write_opening(alliance: Alliance, folder: Path) -> Path:
    """Write the pack, of the month before, that gives every traveller the opening points."""
    folder.mkdir(parents=True)
    hotels = alliance.hotels
    with (folder / f"transactions-{MONTH_BEFORE}.csv").open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for number, card in enumerate(alliance.cards[: alliance.travellers]):
            file.write(
                f"{hotels[number % len(hotels)]},O{number},,award,{card.number},{MONTH_BEFORE}-20,"
                f"{MONTH_BEFORE}-20T12:00:00+08:00,,{OPENING_POINTS}\n"
            )
    return folder


@dataclass(slots=True)
class Activity:
    """An endless stream of lines over the days of a month; asked again, it goes on where it stopped.

    Of all lines about 78 % spend, 10 % redeem, 6 % use stored value, 2 % load it, 2 % refund, 2 % award.

    Attributes:
        of: After so many lines the month is over; the rest happens on its last day.
        one_hotel: All lines are at the first hotel.
        at_home: Share of stays at a hotel of the card's own system (beside those that chance gives).
        same_anywhere: The same lines come out, and are accepted, at whichever hotels: only cards of the
            first system load stored value, and points are counted as the meanest and dearest host would.
        opened: Every traveller has the opening points of ``write_opening`` before the first line.
    """

    alliance: Alliance
    of: int
    one_hotel: bool = False
    at_home: float = 0.4
    same_anywhere: bool = False
    opened: bool = False
    seed: int = 2
    count: int = 0
    _chance: Random = field(init=False)
    #: Hosts are drawn apart, so that without it the same lines come out at other hotels.
    _places: Random = field(init=False)
    _points: list[int] = field(init=False)
    _value: list[int] = field(init=False)
    _loaded: list[Card] = field(init=False, default_factory=list)
    _loading: list[Card] = field(init=False)
    _refundable: list[tuple[int, str, str, Card, int]] = field(init=False, default_factory=list)
    _kinds: tuple[tuple[float, Callable[[Card], _Made | None]], ...] = field(init=False)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)  # noqa: S311 - the same lines every time
        self._places = Random(self.seed + 1)  # noqa: S311  the same each time
        self._points = [OPENING_POINTS * self.opened] * self.alliance.travellers
        self._value = [0] * self.alliance.travellers
        cards = self.alliance.cards
        self._loading = [card for card in cards if card.system == 0 or not self.same_anywhere]
        self._kinds = (
            (0.10, self._redeem),
            (0.16, self._use),
            (0.18, self._load),
            (0.20, self._refund),
            (0.22, self._award),
        )

    def lines(self) -> Iterator[str]:
        """Yield lines for ever."""
        chance, cards, codes = self._chance, self.alliance.cards, self.alliance.hotels
        while True:
            self.count += 1
            card = cards[int(chance.random() * len(cards))]
            drawn = chance.random()
            made = None
            for below, make in self._kinds:
                if drawn < below:
                    made = make(card)
                    break
            host, original, kind, card, amount, points = made or self._spend(card)
            day, moment = self._moment()
            yield (
                f"{codes[host]},R{self.count},{original},{kind},{card.number},{day},{day}T{moment}+08:00,"
                f"{amount},{points}\n"
            )

    def write(self, folder: Path, lines: int) -> Path:
        """Write the next lines as a pack of their own."""
        folder.mkdir(parents=True)
        with (folder / f"transactions-{MONTH}.csv").open("w", encoding="utf-8") as file:
            file.write(HEADER + "\n")
            file.writelines(islice(self.lines(), lines))
        return folder

    def _moment(self) -> tuple[str, str]:
        second = min(self.count / self.of, 1 - 1e-6) * _DAYS * 86_400
        day, rest = divmod(int(second), 86_400)
        moment = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
        return f"{MONTH}-{day + 1:02d}", moment

    def _host(self, card: Card) -> int:
        home, anywhere = self._places.random() < self.at_home, self._places.random()
        if self.one_hotel:
            return 0
        if home:
            own = self.alliance.hotels_of[card.system]
            return own[int(anywhere * len(own))]
        return int(anywhere * len(self.alliance.hotels))

    def _remember(self, host: int, kind: str, card: Card, amount: int) -> None:
        if self.count % _REMEMBERED == 0:
            self._refundable.append((host, f"R{self.count}", kind, card, amount))

    def _earned(self, host: int, card: Card, fen: int, of_all: Callable[[list[int]], int]) -> int:
        """Points for so much cash at a host; ``of_all`` chooses among all hosts' rates instead."""
        earn = self.alliance.earn_ppm
        if self.same_anywhere:
            rate = of_all([levels[card.level] for levels in earn])
        else:
            rate = earn[self.alliance.system_of[host]][card.level]
        return fen * rate // 100_000_000

    def _spend(self, card: Card) -> _Made:
        host, amount = self._host(card), 5_000 + int(self._chance.expovariate(1 / 60_000))
        self._points[card.traveller] += self._earned(host, card, amount, min)
        self._remember(host, "spend", card, amount)
        return host, "", "spend", card, amount, ""

    def _award(self, card: Card) -> _Made:
        host, points = self._host(card), 50 * self._chance.randint(1, 10)
        self._points[card.traveller] += points
        return host, "", "award", card, "", points

    def _redeem(self, card: Card) -> _Made | None:
        for _ in range(_TRIES):
            has = self._points[card.traveller]
            if has >= _LEAST_POINTS:
                points = min(has, _LEAST_POINTS + int(self._chance.expovariate(1 / 2_000)))
                self._points[card.traveller] -= points
                host = self._host(card)
                self._remember(host, "redeem", card, points)
                return host, "", "redeem", card, "", points
            card = self._chance.choice(self.alliance.cards)
        return None

    def _load(self, _: Card) -> _Made:
        card, amount = self._chance.choice(self._loading), 10_000 * self._chance.randint(5, 20)
        self._value[card.traveller] += amount
        self._loaded.append(card)
        own = self.alliance.hotels_of[card.system]
        host = 0 if self.one_hotel else own[int(self._places.random() * len(own))]
        return host, "", "load", card, amount, ""

    def _use(self, _: Card) -> _Made | None:
        while self._loaded:
            index = self._chance.randrange(len(self._loaded))
            card = self._loaded[index]
            has = self._value[card.traveller]
            if has >= _LEAST_FEN:
                amount = min(has, _LEAST_FEN + int(self._chance.expovariate(1 / 30_000)))
                self._value[card.traveller] -= amount
                host = self._host(card)
                self._remember(host, "stored_value_spend", card, amount)
                return host, "", "stored_value_spend", card, amount, ""
            self._loaded[index] = self._loaded[-1]
            self._loaded.pop()
        return None

    def _refund(self, _: Card) -> _Made | None:
        if not self._refundable:
            return None
        index = self._chance.randrange(len(self._refundable))
        host, original, kind, card, whole = self._refundable[index]
        self._refundable[index] = self._refundable[-1]
        self._refundable.pop()
        amount = whole if self._chance.random() < 0.5 else whole // 2
        if kind == "redeem":
            self._points[card.traveller] += amount
            return host, original, "refund", card, "", amount
        if kind == "spend":
            left = self._earned(host, card, whole - amount, min)
            self._points[card.traveller] -= self._earned(host, card, whole, max) - left
        else:
            self._value[card.traveller] += amount
            self._loaded.append(card)
        return host, original, "refund", card, amount, ""
