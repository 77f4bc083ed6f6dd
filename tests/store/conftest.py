"""Books in which everything has happened, made once for all tests that only look at them."""

from collections.abc import Iterator

import pytest

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.context import Context
from clearinghouse.store import audit
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.alliances import MiniAlliance, live_a_while
from tests.conftest import Server
from tests.operations.failing import fail_a_while
from tests.operations.quarrelling import quarrel_a_while
from tests.payments.lived import pay_a_while


@pytest.fixture(scope="session")
def lived(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The books of two settled months and a part of a third; whoever changes them takes it back."""
    name = server.new_database()
    database = Database(server.url(name))
    alliance = MiniAlliance(
        Context(database, Vault(bytes(32))),
        tmp_path_factory.mktemp("mini"),
        rulebook={
            "points_expiry_months": 1,
            "restore_grace_days": 5,
            "guarantee_fund_ppm": 100_000,
        },
    )
    live_a_while(alliance)
    folder = tmp_path_factory.mktemp("bank")
    pay_a_while(alliance.context, folder, parse_period("2026-10"))
    fail_a_while(alliance, parse_period("2026-10"), folder)
    quarrel_a_while(alliance)
    with database.office() as session:
        audit.record(session, alliance.clock(), "tests", "story.told", "the mini alliance", {})
    yield database
    database.close()
    server.drop(name)
