"""What happens at the till in one moment of the background traffic."""

from datetime import timedelta
from random import Random

from api.demo.faults import Faults
from api.demo.lines import Line, line, refund, repeat
from api.demo.months import SHOWN, YEAR_AGO, Months
from api.demo.network import Network
from api.demo.rulebooks import PENDING_DAYS_AFTER_CHANGE
from api.demo.wallet import Moment

_FIRST_HOUR = 3
_LATE_UNTIL_DAY = 4
_SPELLINGS = ((0, 0), (9, 0), (8, 2), (7, 1), (8, 0))
"""UTC offset and leading zeros of a line that is sent again."""


class Till:
    """Turns moments, in the order of time, into exactly one line each."""

    def __init__(self, months: Months, network: Network, random: Random) -> None:
        self._months = months
        self._network = network
        self._random = random
        self._faults = Faults(network, random)
        self._mix = (
            (14, self._faults.line),
            (17, self._repeat),
            (47, self._refund),
            (63, self._award),
            (120, self._load),
            (240, self._redeem),
            (560, self._use),
        )

    def line(self, moment: Moment) -> Line:
        """The line of a moment: a spend unless chance and the balance give another kind."""
        offset = self._months.offset_of(moment.when.date())
        if moment.when.hour < _FIRST_HOUR:
            return self._spend(moment)
        roll = self._random.randrange(1000)
        if offset == YEAR_AGO:
            made = self._award(moment) if roll < 40 else None
            return made or self._spend(moment)
        if offset == SHOWN and moment.when.day <= _LATE_UNTIL_DAY and roll >= 980:
            return self._late(moment) or self._spend(moment)
        for limit, kind in self._mix:
            if roll < limit:
                return kind(moment) or self._spend(moment)
        return self._spend(moment)

    def _amount(self) -> int:
        """Fen; a product of even chances has the long tail of real bills."""
        chance = self._random.randint
        return chance(60, 260) * chance(60, 260) * chance(40, 220) // 60

    def _spend(self, moment: Moment, late_by: timedelta = timedelta()) -> Line:
        amount = self._amount()
        made = line("spend", moment.hotel, moment.card, moment.when, amount)
        made.occurred_at -= late_by
        made.business_date = made.occurred_at.date()
        # After midnight it is still the business day before, perhaps of a month already closed.
        if moment.when.hour < _FIRST_HOUR:
            made.business_date -= timedelta(days=1)
        changed = made.business_date >= self._months.rule_change
        days = PENDING_DAYS_AFTER_CHANGE if changed else 0
        usable_from = made.business_date + timedelta(days=days)
        if self._random.randrange(200) == 0:
            made.points = amount // 50
            moment.wallet.pending.append((usable_from, made.points))
        else:
            rate = self._network.lowest_rate(moment.hotel, made.business_date)
            moment.wallet.spent(made, amount, rate, usable_from)
        return made

    def _late(self, moment: Moment) -> Line | None:
        days = moment.when.day + self._random.randrange(3)
        occurred = moment.when.date() - timedelta(days=days)
        if moment.card.issued_on >= occurred:
            return None
        return self._spend(moment, late_by=timedelta(days=days))

    def _award(self, moment: Moment) -> Line:
        points = 50 * self._random.randint(2, 20)
        made = line("award", moment.hotel, moment.card, moment.when, points)
        moment.wallet.points += points
        moment.wallet.remember(made, points)
        return made

    def _load(self, moment: Moment) -> Line | None:
        if moment.hotel != moment.card.issuer_hotel:
            return None
        amount = 10_000 * self._random.randint(3, 30)
        made = line("load", moment.hotel, moment.card, moment.when, amount)
        moment.wallet.stored += amount
        moment.wallet.untouched_load = made
        moment.wallet.remember(made, amount)
        return made

    def _redeem(self, moment: Moment) -> Line | None:
        usable = moment.wallet.usable_points(moment.when.date())
        points = usable * self._random.randint(3, 10) // 100 * 10
        if points < 100:
            return None
        made = line("redeem", moment.hotel, moment.card, moment.when, points)
        moment.wallet.points -= points
        moment.wallet.remember(made, points)
        return made

    def _use(self, moment: Moment) -> Line | None:
        amount = min(self._amount(), moment.wallet.stored)
        if amount < 1_000:
            return None
        made = line("stored_value_spend", moment.hotel, moment.card, moment.when, amount)
        moment.wallet.stored -= amount
        moment.wallet.untouched_load = None
        moment.wallet.remember(made, amount)
        return made

    def _refund(self, moment: Moment) -> Line | None:
        wallet = moment.wallet
        # A load that has been drawn on could be refunded in part only; leave that to the script.
        choices = [
            each
            for each in wallet.refundable
            if each.line.kind != "load" or each.line is wallet.untouched_load
        ]
        if not choices:
            return None
        original = self._random.choice(choices)
        whole = self._random.randrange(5) < 2
        tenths = 10 if whole else self._random.randint(2, 8)
        quantity = max(1, original.left * tenths // 10)
        made = refund(original.line, moment.when, quantity)
        wallet.refunded(original, quantity)
        wallet.last = made
        return made

    def _repeat(self, moment: Moment) -> Line | None:
        if moment.wallet.last is None:
            return None
        offset_hours, leading_zeros = self._random.choice(_SPELLINGS)
        return repeat(moment.wallet.last, moment.when, offset_hours, leading_zeros)
