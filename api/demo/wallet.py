"""What one sample traveller can be sure to have, so that the generated uses mostly succeed.

This is no second implementation of the rules: points are a lower bound (every spend counts as if
it earned the host's lowest rate), which is all that a plausible redemption needs.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from api.demo.lines import Line
from api.demo.people import Card

_REMEMBERED = 8


@dataclass(eq=False, slots=True)
class Refundable:
    """What is left to refund of a line; a spend knows the rate that its points were counted at."""

    line: Line
    left: int
    rate_hundredths: int = 0


@dataclass(eq=False, slots=True)
class Wallet:
    """A traveller of the background traffic. `stored` is exact, `points` a lower bound."""

    cards: list[Card]
    favourites: list[str]
    points: int = 0
    stored: int = 0
    pending: list[tuple[date, int]] = field(default_factory=list)
    refundable: list[Refundable] = field(default_factory=list)
    untouched_load: Line | None = None
    last: Line | None = None

    def card_on(self, on: date, choice: int) -> Card | None:
        """One of the cards issued before a date, if there is one."""
        usable = [card for card in self.cards if card.issued_on < on]
        return usable[choice % len(usable)] if usable else None

    def usable_points(self, on: date) -> int:
        """The lower bound of what can be redeemed on a business date."""
        self.points += sum(points for usable_from, points in self.pending if usable_from <= on)
        self.pending = [entry for entry in self.pending if entry[0] > on]
        return self.points

    def remember(self, made: Line, quantity: int, rate_hundredths: int = 0) -> None:
        """Keep an accepted line for a later refund or repetition."""
        self.last = made
        self.refundable.append(Refundable(made, quantity, rate_hundredths))
        del self.refundable[:-_REMEMBERED]

    def spent(self, made: Line, amount: int, rate_hundredths: int, usable_from: date) -> None:
        """Count the points of a spend at a rate it earns at least."""
        self.pending.append((usable_from, _points(amount, rate_hundredths)))
        self.remember(made, amount, rate_hundredths)

    def refunded(self, original: Refundable, quantity: int) -> None:
        """Count a refund of part of a remembered line."""
        before = original.left
        original.left -= quantity
        kind = original.line.kind
        if kind == "spend":
            rate = original.rate_hundredths
            self.points -= _points(before, rate) - _points(original.left, rate)
        elif kind == "redeem":
            self.points += quantity
        elif kind == "award":
            self.points -= quantity
        elif kind == "load":
            self.stored -= quantity
        else:
            self.stored += quantity
        if original.left == 0:
            self.refundable.remove(original)


@dataclass(frozen=True, slots=True)
class Moment:
    """A traveller with a card in front of a till."""

    wallet: Wallet
    card: Card
    hotel: str
    when: datetime


def _points(amount: int, rate_hundredths: int) -> int:
    return amount * rate_hundredths // 10_000
