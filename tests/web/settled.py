"""Two settled months for the console's tests, told once and copied for each test: payments, a dispute, an adjustment.

October: points of AUR and BAM are used at CLD, cash at BAM and CLD, stored value, and a refund. AUR pays what it owes.
November: an adjustment between CLD and AUR, and hardly anything else; December is under way.
"""

from pathlib import Path

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.conftest import Server
from tests.founding import lived_in
from tests.settlement.published_months import Story
from tests.web.site import Site

OCTOBER, NOVEMBER, DECEMBER = (parse_period(f"2026-{month}") for month in (10, 11, 12))


class _Months(Story):
    def __init__(self, context: Context, folder: Path) -> None:
        super().__init__(context, folder)
        do = self.accept
        do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
        do("spend", "BAM-HZ", "2", "T1", "2026-10-03", amount=88_888)
        do("redeem", "CLD-GZ", "3", "T1", "2026-10-04", points=2_000)
        do("redeem", "BAM-HZ", "4", "T1", "2026-10-05", points=400)
        do("load", "AUR-BJ", "5", "T1", "2026-10-06", amount=100_000)
        do("stored_value_spend", "BAM-HZ", "6", "T1", "2026-10-07", amount=30_050)
        do("refund", "CLD-GZ", "9", "T1", "2026-10-09", points=500, original="3")
        do("spend", "CLD-GZ", "11", "T2", "2026-10-10", amount=50_000)
        self.settle("2026-10")
        do("refund", "CLD-GZ", "12", "T1", "2026-11-05", points=300, original="3")
        do("spend", "BAM-HZ", "13", "T1", "2026-10-31", amount=33_333)
        self.settle("2026-11")
        do("redeem", "CLD-GZ", "14", "T1", "2026-12-05", points=100)


def tell(server: Server, folder: Path) -> str:
    """Live through the months in a new database; its name."""
    name = server.new_database()
    database = Database(server.url(name))
    _Months(Context(database, Vault(bytes(32))), folder)
    database.close()
    return name


def site_on(context: Context, folder: Path) -> Site:
    """The site on a copy of those books, with the clock where the story has left it."""
    lived_in(context.database.owner_url)
    site = Site(context, folder)
    moment = site.alliance.value("SELECT max(posted_at) FROM transactions")
    site.alliance.clock.pass_to(moment)
    site.alliance.clock.pass_to(site.alliance.value("SELECT max(published_at) FROM periods"))
    return site
