"""Row-level security: even a missing WHERE shows a system nothing of another's (interfaces.md "HTTP")."""

from pathlib import Path

import psycopg2
import pytest

from clearinghouse.operations.context import Context
from clearinghouse.store.database import Session
from tests.alliances import RULEBOOK, MiniAlliance, live_a_while

SHORT = {"points_expiry_months": 1, "restore_grace_days": 5}
#: What every member may know of the alliance.
EVERYBODYS = {
    "acceptances",
    "directory_version",
    "hotels",
    "memberships",
    "periods",
    "rulebooks",
    "systems",  # code and names, no other column
    "tiers",
}
#: Columns that say whose a row is.
OWNERS = {
    "system",
    "host_system",
    "issuer_system",
    "debtor",
    "creditor",
    "client",
    "opened_by",
    "respondent",
    "by_system",
}
#: Tables with such a column that no member may read at all.
NOBODYS = {
    "card_states", "card_tiers", "client_assertions", "clients", "idempotent_answers",
    "payment_match_parts", "rollup_increments", "rollups",
}  # fmt: skip

TABLES = "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
READABLE = f"{TABLES} AND has_any_column_privilege('clearinghouse_reader', c.oid, 'SELECT')"
POLICIES = "SELECT tablename FROM pg_policies WHERE 'clearinghouse_reader' = ANY (roles) AND cmd = 'SELECT'"


@pytest.fixture
def lived(context: Context, tmp_path: Path) -> MiniAlliance:
    alliance = MiniAlliance(context, tmp_path, rulebook={**RULEBOOK, **SHORT})
    live_a_while(alliance)
    return alliance


def names(session: Session, sql: str) -> set[str]:
    return {row[0] for row in session.rows(sql)}


def test_what_members_read_has_a_policy_or_is_everybodys(context: Context) -> None:
    with context.database.office() as session:
        readable, protected = names(session, READABLE), names(session, POLICIES)
        secured = names(session, f"{TABLES} AND c.relrowsecurity")
    assert readable - protected == EVERYBODYS
    assert protected <= secured


def test_every_table_with_a_systems_data_is_protected_or_not_readable(context: Context) -> None:
    with context.database.office() as session:
        owned = names(
            session,
            f"SELECT DISTINCT table_name FROM information_schema.columns WHERE table_name IN ({TABLES})"
            f" AND column_name IN ({', '.join(repr(column) for column in sorted(OWNERS))})"
            " AND table_name !~ '_[0-9]{6}$'",
        )
        readable, protected = names(session, READABLE), names(session, POLICIES)
    assert owned - protected - EVERYBODYS <= NOBODYS
    assert not NOBODYS & readable


def test_no_role_of_the_service_can_pass_by(context: Context) -> None:
    with context.database.office() as session:
        roles = session.rows(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles"
            " WHERE rolname IN ('clearinghouse_poster', 'clearinghouse_reader') ORDER BY 1"
        )
        owned = session.rows(
            "SELECT relname FROM pg_class WHERE relowner IN"
            " (SELECT oid FROM pg_roles WHERE rolname IN ('clearinghouse_poster', 'clearinghouse_reader'))"
        )
    assert roles == [
        ("clearinghouse_poster", False, False, False, True),
        ("clearinghouse_reader", False, False, False, True),
    ]
    assert owned == []


def test_without_a_where_a_system_sees_its_own_and_nothing_else(lived: MiniAlliance) -> None:
    systems = dict(lived.rows("SELECT code, number FROM systems"))
    for number in systems.values():
        with lived.database.reading(number) as session:
            hosts = session.rows("SELECT DISTINCT host_system FROM transactions")
            legs = session.rows("SELECT DISTINCT host_system, issuer_system FROM legs")
            positions = session.rows("SELECT DISTINCT system FROM positions")
            files = session.rows("SELECT DISTINCT system FROM period_files")
            chunks = session.row("SELECT count(*) FROM period_file_chunks")
            obligations = session.rows("SELECT debtor, creditor FROM obligations")
        assert hosts == [(number,)]
        assert legs
        assert all(number in pair for pair in legs)
        assert positions == files == [(number,)]
        assert chunks
        assert 0 < chunks[0] < lived.value("SELECT count(*) FROM period_file_chunks")
        assert all(number in pair for pair in obligations)


@pytest.mark.parametrize("system", [None, 0, 999])
def test_who_is_no_system_sees_no_systems_rows(lived: MiniAlliance, system: int | None) -> None:
    with lived.database.reading(system) as session:
        for table in sorted(names(session, POLICIES) & names(session, READABLE)):
            assert session.rows(f"SELECT 1 FROM {table} LIMIT 1") == [], table
        assert session.rows("SELECT code FROM hotels")


def test_what_one_transaction_may_see_ends_with_it(lived: MiniAlliance) -> None:
    with lived.database.reading(1) as session:
        assert session.rows("SELECT 1 FROM transactions LIMIT 1")
    with lived.database.reading(None) as session:
        assert session.rows("SELECT 1 FROM transactions LIMIT 1") == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM transactions_202610",
        "SELECT * FROM legs_202610",
        "SELECT * FROM postings",
        "SELECT * FROM lots",
        "SELECT * FROM travellers",
        "SELECT * FROM cards",
        "SELECT bank_account FROM systems",
        "SELECT collateral_minor FROM systems",
        "SELECT * FROM clients",
        "SELECT * FROM idempotent_answers",
        "SELECT * FROM signing_keys",
        "SELECT * FROM users",
        "SELECT password_hash FROM users",
        "SELECT * FROM user_sessions",
        "SELECT * FROM user_recovery_codes",
        "SELECT * FROM sign_in_attempts",
        "UPDATE audit_log SET actor = 'nobody'",
        "SELECT protect_tenant('lots', 'true')",
        "UPDATE transactions SET points = 0",
        "INSERT INTO hotels (code) VALUES ('X')",
        "SET ROLE postgres",
    ],
)
def test_a_reader_is_kept_out(lived: MiniAlliance, sql: str) -> None:
    with pytest.raises(psycopg2.Error), lived.database.reading(1) as session:
        session.run(sql)


def test_parts_are_closed_to_whoever_comes_past_the_parent(lived: MiniAlliance) -> None:
    open_parts = lived.rows(
        "SELECT c.relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
        " JOIN pg_class p ON p.oid = i.inhparent WHERE p.relname IN ('transactions', 'legs', 'postings', 'entries')"
        " AND c.relkind = 'r' AND NOT c.relrowsecurity"
    )
    assert open_parts == []
