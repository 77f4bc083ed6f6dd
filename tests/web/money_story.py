"""October as the desk of a test has it: AUR is to pay 312.50, BAM gets 288.11 and CLD 13.60, and the bank's files."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.alliances import RULEBOOK, MiniAlliance
from tests.conftest import Server
from tests.founding import lived_in
from tests.operations.months import publish_without_files
from tests.payments.bank import Booked, camt
from tests.web.site import Browser, Site
from web.frame.staff import Role

OCTOBER = parse_period("2026-10")
AUR, BAM = "CH-202610-AUR-1", "CH-202610-BAM-1"


def tell(server: Server, folder: Path) -> str:
    """Publish October in a new database, to be copied for each test; its name.

    A tenth of what a system pays in an average month goes to the guarantee fund.
    """
    name = server.new_database()
    database = Database(server.url(name))
    alliance = MiniAlliance(Context(database, Vault(bytes(32))), folder)
    fund = {"version": "v2", "effective_from": "2026-10-01", "guarantee_fund_ppm": 100_000}
    alliance.add({}, {**RULEBOOK, **fund})
    do = alliance.accept
    do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
    do("spend", "BAM-HZ", "2", "T1", "2026-10-03", amount=88_888)
    do("redeem", "CLD-GZ", "3", "T1", "2026-10-04", points=2_000)
    do("load", "AUR-BJ", "5", "T1", "2026-10-06", amount=100_000)
    do("stored_value_spend", "BAM-HZ", "6", "T1", "2026-10-07", amount=30_050)
    publish_without_files(alliance, "2026-10")
    database.close()
    return name


class Story:
    """The site with October published, on a day of November; two of the operator's people and one who looks."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        site.alliance.clock.pass_to(datetime(2026, 11, 12, 4, tzinfo=UTC))
        self.sign_in()

    def sign_in(self) -> None:
        """Sign in anew: a session is over once the clock has passed half an hour."""
        number = self.site.alliance.value("SELECT count(*) FROM users") + 1
        self.maker = self.site.staff(None, Role.FINANCE, f"maker{number}")
        self.checker = self.site.staff(None, Role.FINANCE, f"checker{number}")
        self.viewer = self.site.staff(None, Role.VIEWER, f"viewer{number}")

    def wait_past_due(self) -> None:
        """Let time pass until the second day behind the due date, and sign in anew."""
        due: date = self.value("SELECT max(due_on) FROM payment_instructions")
        midday = datetime(due.year, due.month, due.day, 4, tzinfo=UTC)
        self.site.alliance.clock.pass_to(midday + timedelta(days=2))
        self.sign_in()

    @property
    def day(self) -> date:
        """The bank's day."""
        found: date = self.site.alliance.clock.now.date()
        return found

    def booked(self, ref: str, amount: int, reference: str | None = None, **told: Any) -> Booked:
        """A line of the bank, of today."""
        return Booked(ref, amount, reference, **{"day": self.day, **told})

    def bank(
        self, *booked: Booked, name: str = "statement.xml", opening: int | None = None
    ) -> Browser:
        """Let the maker upload a statement of such lines."""
        return self.upload(camt(self.folder / name, booked, opening=opening).read_bytes(), name)

    def upload(self, content: bytes, name: str, **form: str) -> Browser:
        """Let the maker upload a file."""
        data = {**form, "file": (BytesIO(content), name)}
        return self.maker.post("/desk/payments/files", data)

    def line(self, ref: str) -> int:
        """The number of the line with this reference of the bank."""
        return int(self.value("SELECT number FROM bank_lines WHERE entry_reference = %s", ref))

    def seen(self, path: str) -> dict[str, str]:
        """What the checker sends who has looked at the match that waits for a line."""
        (match,) = self.checker.get(path).page.xpath("//input[@name='match']/@value")
        return {"match": match, "reason": "seen", "checked": "yes"}

    def state(self, reference: str = AUR) -> tuple[str, int]:
        """How far an instruction is, and what is confirmed of it."""
        found = self.site.alliance.rows(
            "SELECT state, confirmed_minor FROM payment_instructions WHERE reference = %s",
            reference,
        )
        return found[0][0], found[0][1]

    def audited(self, action: str) -> list[tuple[str, dict[str, Any]]]:
        """Who did an action, and what the audit log was told of it."""
        return self.site.alliance.rows(
            "SELECT actor, details FROM audit_log WHERE action = %s ORDER BY number", action
        )

    def value(self, sql: str, *parameters: object) -> Any:
        """Ask the books for one value."""
        return self.site.alliance.value(sql, *parameters)

    def must_hold(self) -> None:
        """Every invariant holds, but for the files that this October does not have."""
        for proof in prove(self.site.context):
            about_files = proof.number.startswith("7.") or proof.number == "8.3"
            assert proof.holds or about_files, (proof.number, proof.detail)


S = TypeVar("S", bound=Story)


@contextmanager
def told_again(server: Server, template: str, folder: Path, kind: type[S]) -> Iterator[S]:
    """A story on a copy of that database, on 12 November."""
    name = server.new_database(template)
    database = Database(server.url(name))
    lived_in(database.owner_url)
    site = Site(Context(database, Vault(bytes(32))), folder / "site")
    yield kind(site, folder)
    database.close()
    server.drop(name)
    assert site.failures == []
