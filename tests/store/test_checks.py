"""Every check says that sound books are sound, and finds each kind of tampering that it is there for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import ALL_CHECKS, prove
from clearinghouse.store.database import Database, Session
from clearinghouse.store.rollups import fold
from clearinghouse.store.vault import Vault
from tests.alliances import CARDS, MiniAlliance
from tests.store.tampering import PROTECTED, TAMPERING, spelled_out

SHORT = {"points_expiry_months": 1, "restore_grace_days": 5}
BY_NUMBER = {check.number: check for check in ALL_CHECKS}


@contextmanager
def as_owner(database: Database) -> Iterator[Session]:
    """A transaction of the owner of the tables that leaves nothing behind."""
    engine = create_engine(database.owner_url, poolclass=NullPool)
    with engine.connect() as connection, connection.begin() as transaction:
        try:
            yield Session(connection.connection.driver_connection, {})
        finally:
            transaction.rollback()
    engine.dispose()


def test_sound_books_are_proved(lived: Database) -> None:
    told: list[tuple[int, int]] = []
    proofs = list(prove(Context(lived, Vault(bytes(32))), lambda *done: told.append(done)))
    assert [proof for proof in proofs if not proof.holds] == []
    assert [proof.number for proof in proofs] == [check.number for check in ALL_CHECKS]
    assert [proof.number for proof in proofs if not proof.checked] == []
    assert told == [(done, len(ALL_CHECKS)) for done in range(len(ALL_CHECKS) + 1)]
    first = proofs[0]
    assert (first.name_zh, first.detail) == ("分录借贷相等", f"{first.checked:,} postings")


@pytest.mark.parametrize(
    ("number", "deed"), TAMPERING, ids=[f"{number}-{n}" for n, (number, _) in enumerate(TAMPERING)]
)
def test_tampering_is_found(lived: Database, number: str, deed: str) -> None:
    with as_owner(lived) as session:
        if number != "1.6":
            for table in PROTECTED:
                session.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        assert session.run(spelled_out(deed)) != 0, "nothing was changed"
        found = BY_NUMBER[number].run(session)
    assert found.wrong > 0, found
    assert found.first
    assert not any(secret in found.first for secret in (*CARDS.values(), "李芳", "王伟", "+86138"))


def test_every_check_is_tried() -> None:
    assert {number for number, _ in TAMPERING} == set(BY_NUMBER)
    numbers = [check.number for check in ALL_CHECKS]
    assert numbers == sorted(set(numbers))


def failing(alliance: MiniAlliance) -> list[str]:
    return [
        f"{proof.number} {proof.detail}" for proof in prove(alliance.context) if not proof.holds
    ]


def test_books_hold_before_anything_and_at_every_stage(context: Context, tmp_path: Path) -> None:
    alliance = MiniAlliance(context, tmp_path, rulebook=SHORT)
    assert failing(alliance) == []
    alliance.accept("spend", "AUR-SH", "1", "T1", "2026-09-02", amount=120_000)
    alliance.accept("redeem", "CLD-GZ", "2", "T1", "2026-09-03", points=700)
    assert failing(alliance) == []
    alliance.settle("2026-09")
    assert failing(alliance) == []
    alliance.accept("spend", "BAM-HZ", "3", "T1", "2026-10-03", amount=99)
    alliance.clock.pass_to(alliance.clock.now.replace(month=11, day=20))
    close(alliance.context, parse_period("2026-10"))
    assert (
        alliance.value("SELECT state FROM periods WHERE period = %s", parse_period("2026-10"))
        == "closing"
    )
    assert failing(alliance) == []
    alliance.accept("refund", "CLD-GZ", "4", "T1", "2026-11-21", points=700, original="2")
    assert failing(alliance) == []


def test_a_move_recorded_late_rewrites_nothing(context: Context, tmp_path: Path) -> None:
    alliance = MiniAlliance(context, tmp_path)
    alliance.accept("spend", "AUR-SH", "1", "T2", "2026-10-05", amount=10_000)
    alliance.accept("spend", "AUR-SH", "2", "T2", "2026-10-06", amount=10_000)
    alliance.clock.pass_to(alliance.clock.now.replace(day=8))
    alliance.add(
        {"hotels.csv": (("AUR-SH", "BAM", "金酒店上海", "Aurum Shanghai", "上海市", "2026-10-04"),)}
    )
    assert failing(alliance) == []
    alliance.accept("spend", "AUR-SH", "3", "T2", "2026-10-09", amount=10_000)
    assert failing(alliance) == []
    hosts = alliance.rows(
        "SELECT s.code FROM legs g JOIN systems s ON s.number = g.host_system JOIN transactions t USING (txn_id)"
        " ORDER BY t.txn_ref"
    )
    assert hosts == [("AUR",), ("AUR",), ("BAM",)]
    with as_owner(alliance.database) as session:
        session.run("ALTER TABLE legs DISABLE TRIGGER USER")
        session.run(spelled_out("UPDATE legs SET host_system = {system AUR} WHERE {leg 3}"))
        assert BY_NUMBER["5.3"].run(session).wrong == 1


def test_a_proof_writes_nothing(lived: Database) -> None:
    with as_owner(lived) as session:
        BY_NUMBER["1.1"].run(session)
        with pytest.raises(Exception, match="read-only transaction"):
            session.run("INSERT INTO lots SELECT * FROM lots")


def test_names_are_plain_in_both_languages() -> None:
    for check in ALL_CHECKS:
        assert check.name_zh
        assert check.name_zh != check.name_en
        assert check.name_en[0].isupper()
        assert not check.name_en.endswith(".")


def test_sound_books_look_sound_beside_live_traffic(context: Context, tmp_path: Path) -> None:
    alliance = MiniAlliance(context, tmp_path)
    alliance.accept("award", "BAM-HZ", "0", "T1", "2026-10-01", points=1_000_000)

    def trade() -> None:
        for number in range(1, 60):
            day = f"2026-10-{1 + number % 28:02d}"
            alliance.accept("redeem", "CLD-GZ", f"R{number}", "T1", day, points=number)
            alliance.accept("spend", "AUR-SH", f"S{number}", "T2", day, amount=100 * number)
            if number % 10 == 0:
                alliance.accept(
                    "refund", "CLD-GZ", f"F{number}", "T1", day, points=7, original=f"R{number}"
                )
                with alliance.database.office() as session:
                    fold(session)

    with ThreadPoolExecutor(1) as lane:
        trading = lane.submit(trade)
        rounds = 0
        while not trading.done() or not rounds:
            assert failing(alliance) == []
            rounds += 1
        trading.result()
    assert failing(alliance) == []
