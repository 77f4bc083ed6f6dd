"""Lines of the background traffic that have to be refused."""

from dataclasses import replace
from random import Random

from api.demo.lines import Line, line, refund
from api.demo.network import Network
from api.demo.people import unknown_card_number
from api.demo.wallet import Moment

_MORE_POINTS_THAN_ANYONE_HAS = 500_000


class Faults:
    """Makes one refused line out of a moment; nothing of it is counted in the wallet."""

    def __init__(self, network: Network, random: Random) -> None:
        self._network = network
        self._random = random
        self._mix = (
            (34, self._too_many_points),
            (56, self._too_much_stored_value),
            (68, self._unknown_card),
            (78, self._unknown_original),
            (85, self._not_positive),
            (92, self._load_elsewhere),
            (97, self._reused_reference),
            (100, self._beyond_original),
        )

    def line(self, moment: Moment) -> Line:
        """A line with the code it has to be refused with as its outcome."""
        roll = self._random.randrange(100)
        kind = next(kind for limit, kind in self._mix if roll < limit)
        return kind(moment) or self._too_many_points(moment)

    def _too_many_points(self, moment: Moment) -> Line:
        points = _MORE_POINTS_THAN_ANYONE_HAS + 100 * self._random.randrange(1000)
        made = line("redeem", moment.hotel, moment.card, moment.when, points)
        made.outcome = "insufficient_points"
        return made

    def _too_much_stored_value(self, moment: Moment) -> Line:
        amount = moment.wallet.stored + self._random.randint(1, 50_000)
        made = line("stored_value_spend", moment.hotel, moment.card, moment.when, amount)
        made.outcome = "insufficient_stored_value"
        return made

    def _unknown_card(self, moment: Moment) -> Line:
        amount = self._random.randint(1_000, 90_000)
        made = line("spend", moment.hotel, moment.card, moment.when, amount)
        made.card_number = unknown_card_number(self._random.randint(1, 99_999))
        made.outcome = "card_unknown"
        return made

    def _unknown_original(self, moment: Moment) -> Line:
        amount = self._random.randint(1_000, 90_000)
        made = line("refund", moment.hotel, moment.card, moment.when, amount)
        # No hotel of the sample comes near 900,000 lines a month.
        made.missing_original = f"{moment.when:%y%m}-9{self._random.randrange(100_000):05d}"
        made.outcome = "original_unknown"
        return made

    def _not_positive(self, moment: Moment) -> Line:
        amount = self._random.choice((0, 0, -100, -25_000))
        made = line("spend", moment.hotel, moment.card, moment.when, amount)
        made.outcome = "amount_not_positive"
        return made

    def _load_elsewhere(self, moment: Moment) -> Line | None:
        on = moment.when.date()
        home = self._network.system_of(moment.card.issuer_hotel, on)
        if self._network.system_of(moment.hotel, on) == home:
            return None
        made = line("load", moment.hotel, moment.card, moment.when, 50_000)
        made.outcome = "load_only_at_issuer_system"
        return made

    def _reused_reference(self, moment: Moment) -> Line | None:
        first = moment.wallet.last
        if first is None or first.amount is None:
            return None
        made = replace(first, arrives=moment.when, amount=first.amount + 100, same_ref_as=first)
        made.outcome = "txn_ref_reused"
        return made

    def _beyond_original(self, moment: Moment) -> Line | None:
        if not moment.wallet.refundable:
            return None
        original = self._random.choice(moment.wallet.refundable)
        made = refund(original.line, moment.when, original.left + self._random.randint(1, 500))
        made.outcome = "exceeds_original"
        return made
