"""What the guests of the live day have before it: the day itself is played over HTTP, by `live_day`."""

from api.demo.facts import LiveSetting
from api.demo.months import LIVE_DAY
from api.demo.people import name_of, phone_of
from api.demo.script import Script


def prepare_live(s: Script) -> LiveSetting:
    """Give one guest points of two systems and another one stored value."""
    guest = s.card("SPRUCE-BJ", "GOLD")
    s.award(guest, "SPRUCE-BJ", s.at(3, "18:20"), 3_000)
    s.award(guest, "MAPLE-SH", s.at(5, "18:20"), 1_500)
    payer = s.card("GINKGO-HZ")
    s.load(payer, "GINKGO-HZ", s.at(4, "18:20"), 100_000)
    phone, name = phone_of(guest.traveller), name_of(guest.traveller)
    return LiveSetting(s.months.day(LIVE_DAY), guest.number, phone, name, payer.number)
