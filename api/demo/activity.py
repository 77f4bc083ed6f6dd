"""The background traffic: a few thousand travellers who mostly keep to a few hotels."""

from datetime import date, datetime, timedelta
from random import Random

from api.demo.lines import Line
from api.demo.months import PREVIOUS, SHOWN, YEAR_AGO, Months, moment
from api.demo.names import MOVING_HOTEL, TIERS
from api.demo.network import Network
from api.demo.people import Card, Roster
from api.demo.till import Till
from api.demo.wallet import Moment, Wallet

_TWO_CARDS_IN = 60
_TIER_CHANGE_IN = 150


class Activity:
    """Enrols the travellers, then makes each month's lines; months in the order of time."""

    def __init__(self, months: Months, network: Network, roster: Roster, random: Random) -> None:
        self._months = months
        self._network = network
        self._roster = roster
        self._random = random
        self._till = Till(months, network, random)
        self._wallets: list[Wallet] = []

    def enrol(self, travellers: int) -> None:
        """Give each traveller a card, favourite hotels and a day of joining."""
        for _ in range(travellers):
            issued_on = self._joining_day()
            hotel = self._random.choice(self._network.established)
            first = self._roster.enrol(hotel, self._tier(hotel, issued_on), issued_on)
            cards = [first]
            if self._random.randrange(_TWO_CARDS_IN) == 0:
                cards.append(self._other_card(first))
            others = [self._random.choice(self._network.established) for _ in range(3)]
            others = others[: self._random.randint(1, 3)]
            self._wallets.append(Wallet(cards, [hotel, hotel, *others]))
            if self._random.randrange(_TIER_CHANGE_IN) == 0:
                self._change_tier(first)

    def month(self, offset: int, count: int) -> list[Line]:
        """Exactly `count` lines that arrive in the month at this offset, in the order of time."""
        moments: list[Moment] = []
        while len(moments) < count:
            moments += self._visit(offset)
        moments = sorted(moments[:count], key=lambda each: each.when)
        lines = [self._till.line(each) for each in moments]
        if offset == YEAR_AGO:
            # By the next month that is shown it is too late to refund these.
            for wallet in self._wallets:
                wallet.refundable.clear()
        return lines

    def _joining_day(self) -> date:
        roll = self._random.randrange(100)
        if roll < 60:
            return self._months.day(20, YEAR_AGO) - timedelta(days=self._random.randint(1, 600))
        if roll < 94:
            return self._months.day(20, PREVIOUS) - timedelta(days=self._random.randint(1, 320))
        return self._months.day(self._random.randint(1, 25))

    def _tier(self, hotel: str, on: date) -> str:
        ladder = TIERS[self._network.system_of(hotel, on)]
        # The lower of two even chances: most members stay on the lowest tiers.
        rank = min(self._random.randrange(len(ladder)), self._random.randrange(len(ladder)))
        return ladder[rank].code

    def _other_card(self, first: Card) -> Card:
        hotel = self._random.choice(self._network.established)
        tier = self._tier(hotel, first.issued_on)
        return self._roster.add_card(first.traveller, hotel, tier, first.issued_on)

    def _change_tier(self, card: Card) -> None:
        day = self._months.day(self._random.randint(5, 25))
        if card.issuer_hotel == MOVING_HOTEL or card.issued_on >= day:
            return
        highest = TIERS[self._network.system_of(card.issuer_hotel, day)][-1].code
        if card.tier != highest:
            self._roster.change_tier(card, highest, day)

    def _visit(self, offset: int) -> list[Moment]:
        """One traveller at one hotel on one day: one to five moments, perhaps none."""
        chance = self._random.randrange
        wallet = self._wallets[min(chance(len(self._wallets)), chance(len(self._wallets)))]
        on = self._months.day(1 + chance(self._months.last_day(offset)), offset)
        hotel = self._random.choice(wallet.favourites)
        card = wallet.card_on(on - timedelta(days=1), chance(4))
        if card is None:
            return []
        times = [self._clock(on) for _ in range(1 + min(chance(5), chance(5)))]
        return [Moment(wallet, card, hotel, when) for when in times]

    def _clock(self, on: date) -> datetime:
        minute = self._random.randint(7 * 60, 24 * 60 - 1)
        # The first night of a month belongs to the month before, which only the shown one has.
        has_day_before = on.day > 1 or self._months.offset_of(on) == SHOWN
        if has_day_before and self._random.randrange(40) == 0:
            minute = self._random.randrange(3 * 60)
        return moment(on, minute, self._random.randrange(60))
