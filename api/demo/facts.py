"""What the generator tells about the packs it wrote, for the demo's narration and for tests."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

ACCEPTED, REPEATED = "accepted", "repeated"


@dataclass(frozen=True, slots=True)
class Example:
    """Where one rule can be seen.

    `outcome` is `accepted`, `repeated` (the first result again) or the refusal's code.
    """

    rule: str
    pack: str
    host_hotel: str
    txn_ref: str
    card_number: str
    outcome: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that has to be refused; `line` counts the header as line 1, as rejections.csv does."""

    file: str
    line: int
    host_hotel: str
    txn_ref: str
    code: str


@dataclass(frozen=True, slots=True)
class SamplePack:
    """One folder to import; `period` is to be settled before the next pack is imported."""

    period: str
    folder: Path
    lines: int
    repeated: int
    late: int
    kinds: dict[str, int]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class LiveSetting:
    """The day of the shown month that is left to be lived over HTTP, and the cards of its two guests.

    The packs give `points_card` 4,500 points and `purse_card` ¥1,000.00 of stored value before that day; the holder of
    `points_card` is called `points_name` and has `points_phone`.
    """

    day: date
    points_card: str
    points_phone: str
    points_name: str
    purse_card: str


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """The packs in the order of import, one example of every rule they show, and a day to be lived."""

    packs: tuple[SamplePack, ...]
    examples: tuple[Example, ...]
    live: LiveSetting
    systems: int
    hotels: int
    travellers: int

    @property
    def shown(self) -> SamplePack:
        """The pack of the month that the demo is about."""
        return self.packs[-1]

    def example(self, rule: str) -> Example:
        """The example of a rule; raises KeyError if none is shown."""
        for example in self.examples:
            if example.rule == rule:
                return example
        raise KeyError(rule)
