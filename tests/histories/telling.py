"""Telling a random history: every line is drawn with an eye to the books, so that it meets their edges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clearinghouse.domain.transactions import Line
from tests.histories.world import (
    CARDS,
    HOTELS,
    TRAVELLERS,
    UNKNOWN_CARD,
    PackRows,
    model_of,
    new_world,
)
from tests.model import Model, Transaction
from tests.model.rules import later_month, month_of

Row = Mapping[str, str]

KINDS = (
    *("spend",) * 5,
    *("award",) * 3,
    *("redeem",) * 6,
    *("load",) * 2,
    *("stored_value_spend",) * 2,
    *("refund",) * 9,
)
#: What chance makes of a line that was possible.
_WILD = (
    ("amount_minor", "0"),
    ("amount_minor", ""),
    ("amount_minor", "-5"),
    ("points", "0"),
    ("points", "-1"),
    ("points", "7"),
    ("kind", "gift"),
    ("host_hotel", "Z9"),
    ("host_hotel", "D1"),
    ("host_hotel", "B1"),
    ("card_number", UNKNOWN_CARD),
    *(("card_number", card) for card in CARDS),
    ("business_date", "2016-11-20"),
    ("business_date", "2017-02-14"),
)


class Stated(NamedTuple):
    """One line of the history and the outcome that the model gives it."""

    row: Row
    outcome: str

    def line(self, line_no: int) -> Line:
        """Return the line as the packs' reader would."""
        return line_of(self.row, line_no)


class Close(NamedTuple):
    """The closing of a period (``YYYY-MM``), and whether the model lets it happen."""

    period: str
    possible: bool


@dataclass
class History:
    """An alliance, what happened in it, and the model that has seen it all."""

    packs: list[PackRows]
    events: list[Stated | Close]
    model: Model

    @property
    def stated(self) -> list[Stated]:
        """The lines without the closings."""
        return [event for event in self.events if isinstance(event, Stated)]


def line_of(row: Row, line_no: int) -> Line:
    """Turn a row of a transactions file into the line that the rules take."""

    def number(text: str) -> int | None:
        return int(text) if text else None

    return Line(
        line_no,
        row["host_hotel"],
        row["txn_ref"],
        row["original_txn_ref"] or None,
        row["kind"],
        row["card_number"],
        date.fromisoformat(row["business_date"]),
        datetime.fromisoformat(row["occurred_at"]),
        number(row["amount_minor"]),
        number(row["points"]),
    )


def tell(random: Random, lines: int, *, packs: list[PackRows] | None = None) -> History:
    """Draw a history of so many lines, with periods closed in between."""
    packs = packs or new_world(random)
    teller = _Teller(random, model_of(packs))
    for _ in range(lines):
        teller.go_on()
    return History(packs, teller.events, teller.model)


class _Teller:
    """Draws line after line; ``today`` only goes forward, business dates may lie before it."""

    def __init__(self, random: Random, model: Model) -> None:
        self.random = random
        self.model = model
        self.events: list[Stated | Close] = []
        self.today = date(2016, 12, 26)
        self.rows: list[Row] = []
        # Few hotels and cards make debts and restored lots meet; all of them make systems meet.
        self.hotels = random.sample(HOTELS, random.choice((1, 2, 3, 5)))
        self.cards = random.sample(list(CARDS), random.choice((1, 2, 5)))

    def go_on(self) -> None:
        """Draw the next line, and perhaps a closing before it."""
        random = self.random
        self.today += timedelta(days=random.choice((0, 0, 0, 0, 0, 1, 1, 2, 6)))
        if random.random() < 0.09:
            self._close()
        row = self._repeated() if self.rows and random.random() < 0.1 else self._new()
        self.rows.append(row)
        self.events.append(Stated(row, self.model.apply(row)))

    def _close(self) -> None:
        """Close the earliest open month with transactions, or now and then one that can't be closed."""
        open_months = sorted(
            {
                txn.period
                for txn in self.model.transactions.values()
                if txn.period > self.model.closed_through
            }
        )
        if not open_months:
            return
        period = open_months[0]
        if self.random.random() < 0.15:
            period = later_month(period, self.random.choice((1, -1)))
        if period <= self.model.closed_through or not "2016-12" <= period <= month_of(self.today):
            return
        try:
            self.model.close(period)
        except ValueError:
            self.events.append(Close(period, possible=False))
        else:
            self.events.append(Close(period, possible=True))

    def _repeated(self) -> Row:
        """State an earlier line again: spelled otherwise, or with other content under its reference."""
        random = self.random
        row = dict(random.choice(self.rows))
        if random.random() < 0.6:
            moment = datetime.fromisoformat(row["occurred_at"])
            row["occurred_at"] = moment.astimezone(self._offset()).isoformat()
            return row
        column = random.choice(("amount_minor", "points", "card_number", "kind", "host_hotel"))
        other = {"card_number": list(CARDS), "kind": KINDS, "host_hotel": HOTELS}
        row[column] = random.choice(other.get(column, ("", "0", "1", "70")))
        return row

    def _new(self) -> Row:
        """Draw a line that asks for something possible, unless chance makes one thing of it wild."""
        random = self.random
        kind = random.choice(KINDS)
        if kind == "refund" and self.model.transactions:
            return self._refund()
        kind = "award" if kind == "refund" else kind
        day = self.today - timedelta(days=random.choice((0, 0, 0, 0, 0, 1, 3, 12, 35)))
        able = self._able(kind, day)
        if not able and random.random() < 0.9:
            kind = random.choice(("spend", "award"))
            able = self._able(kind, day)
        card = random.choice(able or self.cards)
        row = self._row(kind, self._host(kind, card, day), card, day)
        if kind in ("award", "redeem"):
            row["points"] = str(self._points(kind, row))
        else:
            row["amount_minor"] = str(self._money(kind, row))
            if kind == "spend" and random.random() < 0.3:
                row["points"] = random.choice(("0", "1", "33", "250", "250"))
        if random.random() < 0.12:
            column, value = random.choice(_WILD)
            row[column] = value
        return row

    def _able(self, kind: str, day: date) -> list[str]:
        """The cards that are issued by then and, where something is to be drawn, have something to draw."""
        cards = [
            number
            for number in self.cards
            if any(d <= day for d in self.model.cards[number].grants)
        ]
        if kind == "redeem":
            return [c for c in cards if self.model.available_points(CARDS[c][0], day) > 0]
        if kind == "stored_value_spend":
            return [c for c in cards if self.model.stored_value(CARDS[c][0])]
        return cards

    def _host(self, kind: str, card: str, day: date) -> str:
        """Choose a hotel; for a load mostly one of the card issuer's system."""
        systems = {hotel: self.model.system_of(hotel, day) for hotel in HOTELS}
        hotels = [hotel for hotel in self.hotels if systems[hotel] is not None]
        if kind == "load" and self.random.random() < 0.8:
            own = [hotel for hotel in HOTELS if systems[hotel] == systems[CARDS[card][1]]]
            hotels = [hotel for hotel in hotels if hotel in own] or own
        return self.random.choice(hotels or HOTELS)

    def _row(self, kind: str, hotel: str, card: str, day: date) -> dict[str, str]:
        return {
            "host_hotel": hotel,
            "txn_ref": f"r{len(self.rows)}",
            "original_txn_ref": "",
            "kind": kind,
            "card_number": card,
            "business_date": day.isoformat(),
            "occurred_at": self._moment(day),
            "amount_minor": "",
            "points": "",
        }

    def _moment(self, day: date) -> str:
        """Choose a moment of the business date or the next day in the rulebook's time zone, at any offset."""
        rulebook = self.model.rulebook_on(day)
        zone = ZoneInfo(rulebook.timezone if rulebook else "Asia/Shanghai")
        shift = self.random.choice((0,) * 20 + (1,) * 10 + (2, -1))
        at = self.random.choice((time(0, 0), time(10, 30), time(23, 59, 59)))
        moment = datetime.combine(day + timedelta(days=shift), at, zone)
        return moment.astimezone(self._offset()).isoformat()

    def _offset(self) -> tzinfo | None:
        return timezone(timedelta(hours=self.random.choice((8, 8, 8, 0, -5, 14))))

    def _points(self, kind: str, row: Row) -> int:
        random = self.random
        if kind == "redeem" and random.random() < 0.7:
            day = date.fromisoformat(row["business_date"])
            available = self.model.available_points(CARDS[row["card_number"]][0], day)
            return random.choice(
                (available, available + 1, (available + 1) // 2, available // 3, available - 1)
            )
        return random.choice((1, 10, 49, 50, 51, 99, 333))

    def _money(self, kind: str, row: Row) -> int:
        random = self.random
        if kind == "stored_value_spend" and random.random() < 0.7:
            left = sum(self.model.stored_value(CARDS[row["card_number"]][0]).values())
            return random.choice((left, left + 1, (left + 1) // 2, left // 3, left - 1))
        return random.choice((1, 50, 99, 150, 1_001, 9_999, 12_345, 50_000))

    def _refund(self) -> Row:
        """Refund something: mostly what can be refunded, mostly by an amount at the edge."""
        random = self.random
        accepted = list(self.model.transactions.values())
        if random.random() < 0.02:
            nothing = self._row("refund", "A1", next(iter(CARDS)), self.today)
            return nothing | {"original_txn_ref": random.choice(("none", "r0", ""))}
        original = self._original(accepted)
        first = original.request
        day = self.today - timedelta(days=random.choice((0, 0, 0, 0, 0, 0, 2, 20)))
        if day < first.business_date and random.random() < 0.8:
            day = first.business_date
        row = self._row("refund", first.host, first.card_number, day)
        row["original_txn_ref"] = first.txn_ref
        kind = first.kind if original.original is None else original.original.request.kind
        column = "points" if kind in ("award", "redeem") else "amount_minor"
        row[column] = str(self._refunded(original))
        if random.random() < 0.06:
            column, value = random.choice(_WILD)
            row[column] = value
        return row

    def _original(self, accepted: Sequence[Transaction]) -> Transaction:
        random = self.random
        recent = accepted[-10:]
        chosen = random.choice(recent if random.random() < 0.7 else accepted)
        if chosen.original is not None and random.random() < 0.9:
            chosen = chosen.original  # once more, or what is left
        return chosen

    def _refunded(self, original: Transaction) -> int:
        left = original.size - original.refunded
        if self.random.random() < 0.2:
            return self.random.choice((1, 5))
        return self.random.choice((left, left, left + 1, (left + 1) // 2, left // 3, left - 1))


__all__ = ["TRAVELLERS", "Close", "History", "Row", "Stated", "line_of", "tell"]
