"""The stage on which the told examples play: own travellers, exact amounts, one line at a time."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from api.demo.facts import ACCEPTED
from api.demo.lines import Line, line, refund, repeat
from api.demo.months import SHOWN, YEAR_AGO, Months
from api.demo.people import Card, Roster

_ISSUED_BEFORE_FOUNDING_DAYS = 200


@dataclass(frozen=True, slots=True)
class Tale:
    """One rule, the line that shows it and what to see there."""

    rule: str
    line: Line
    zh: str
    en: str


class Script:
    """Collects scripted lines; their travellers take no part in the other traffic."""

    def __init__(self, months: Months, roster: Roster) -> None:
        self.months = months
        self.roster = roster
        self.lines: list[Line] = []
        self.tales: list[Tale] = []

    def card(self, hotel: str, tier: str = "MEMBER", issued_on: date | None = None) -> Card:
        """A card of a new traveller, by default one from before the alliance began."""
        return self.roster.enrol(hotel, tier, issued_on or self._before_founding())

    def second_card(self, first: Card, hotel: str, tier: str = "MEMBER") -> Card:
        """Another system's card of the same traveller, brought in by that system."""
        return self.roster.add_card(first.traveller, hotel, tier, self._before_founding())

    def _before_founding(self) -> date:
        founding = self.months.day(1, YEAR_AGO)
        return founding - timedelta(days=_ISSUED_BEFORE_FOUNDING_DAYS)

    def at(self, day: int, clock: str, offset: int = SHOWN) -> datetime:
        """A local moment of the shown month, or of another one by its offset."""
        return self.months.at(day, clock, offset)

    def play(self, each: Line) -> Line:
        """Add a line as it is."""
        self.lines.append(each)
        return each

    def spend(self, card: Card, hotel: str, when: datetime, amount: int) -> Line:
        """Cash paid, in fen."""
        return self.play(line("spend", hotel, card, when, amount))

    def award(self, card: Card, hotel: str, when: datetime, points: int) -> Line:
        """Points given."""
        return self.play(line("award", hotel, card, when, points))

    def redeem(self, card: Card, hotel: str, when: datetime, points: int) -> Line:
        """Points used."""
        return self.play(line("redeem", hotel, card, when, points))

    def load(self, card: Card, hotel: str, when: datetime, amount: int) -> Line:
        """Stored value bought, in fen."""
        return self.play(line("load", hotel, card, when, amount))

    def use(self, card: Card, hotel: str, when: datetime, amount: int) -> Line:
        """Stored value used, in fen."""
        return self.play(line("stored_value_spend", hotel, card, when, amount))

    def refund(self, original: Line, when: datetime, quantity: int) -> Line:
        """A refund in the unit of its original."""
        return self.play(refund(original, when, quantity))

    def repeat(self, first: Line, when: datetime, offset_hours: int, zeros: int) -> Line:
        """The same line again, spelled in another way."""
        return self.play(repeat(first, when, offset_hours, zeros))

    def tell(self, rule: str, shown: Line, zh: str, en: str) -> None:
        """Name a line as the example of a rule."""
        self.tales.append(Tale(rule, shown, zh, en))

    def refused(self, code: str, shown: Line, zh: str, en: str, rule: str = "") -> None:
        """Say that a line has to be refused, and name it as the example of the code or a rule."""
        shown.outcome = code
        self.tell(rule or code, shown, zh, en)

    def reuse_ref(self, first: Line, when: datetime, quantity: int) -> Line:
        """Another quantity under the reference of `first`."""
        again = replace(first, arrives=when, same_ref_as=first, outcome=ACCEPTED)
        if first.pays_in_points:
            again.points = quantity
        else:
            again.amount = quantity
        return self.play(again)
