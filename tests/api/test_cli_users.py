"""``clearinghouse user``."""

from datetime import timedelta
from pathlib import Path

import pytest

from api.cli.users import user_commands
from clearinghouse.operations import attempts
from clearinghouse.operations.context import Context
from clearinghouse.operations.sign_in import Passed, Refused, sign_in
from clearinghouse.operations.user_sessions import Level
from tests.alliances import MiniAlliance
from tests.api.office import Office

WHY = ("--reason", "示例", "--by", "示例甲")


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    return MiniAlliance(context, tmp_path / "alliance")


@pytest.fixture
def office(database_url: str, alliance: MiniAlliance, tmp_path: Path) -> Office:
    return Office(database_url, tmp_path)


def made(office: Office, *arguments: object) -> dict[str, str]:
    found = office.json(user_commands, "create", *arguments, "--format", "json", *WHY)
    return {str(key): str(value) for key, value in found.items()}


def test_the_first_administrator_of_the_operator_is_made_here(
    office: Office, alliance: MiniAlliance
) -> None:
    chief = made(office, "chief", "--operator", "--role", "admin")
    assert chief["login"] == "chief"
    password = chief["initial_password"]
    passed = sign_in(alliance.context, "chief", password, operator=True, address="192.0.2.1")
    assert isinstance(passed, Passed)
    assert passed.level is Level.SETUP
    assert password not in str(alliance.rows("SELECT * FROM audit_log"))
    assert alliance.rows(
        "SELECT actor, action, subject, system FROM audit_log WHERE action = 'user.create'"
    ) == [("示例甲", "user.create", "user chief", None)]


def test_users_are_listed_by_system(office: Office) -> None:
    made(office, "chief", "--operator", "--role", "admin")
    made(office, "caiwu1", "--system", "AUR", "--role", "finance")
    made(office, "caiwu1", "--system", "BAM", "--role", "viewer")
    every = office.json(user_commands, "list", "--format", "json")
    assert [row["login"] for row in every] == ["chief", "caiwu1@AUR", "caiwu1@BAM"]
    (row,) = office.json(user_commands, "list", "--system", "BAM", "--format", "json")
    assert (row["system_code"], row["role"]) == ("BAM", "viewer")
    (row,) = office.json(user_commands, "list", "--operator", "--format", "json")
    assert row["login"] == "chief"
    assert "待首次登录" in office.run(user_commands, "list")


def test_what_does_not_fit_is_refused_in_a_sentence(office: Office) -> None:
    made(office, "caiwu1", "--system", "AUR", "--role", "finance")
    again = ("create", "caiwu1", "--system", "AUR", "--role", "finance", *WHY)
    assert office.refusal(user_commands, *again) == "there is a user caiwu1@AUR already"
    other = ("create", "caiwu1", "--system", "ZZZ", "--role", "finance", *WHY)
    assert office.refusal(user_commands, *other).startswith("there is no system")
    named = ("create", "财务", "--operator", "--role", "finance", *WHY)
    assert office.refusal(user_commands, *named).startswith("a login name has 2 to 32")
    assert office.refusal(user_commands, "reset", "nobody", *WHY).startswith("there is no active")
    assert office.refusal(user_commands, "list", "--system", "ZZZ").startswith("there is no system")
    assert "--operator" in office.misuse(user_commands, "create", "x1", "--role", "admin", *WHY)


def test_the_last_administrator_stays(office: Office) -> None:
    made(office, "chief", "--operator", "--role", "admin")
    refusal = office.refusal(user_commands, "deactivate", "chief", *WHY)
    assert refusal.startswith("this is the last active administrator")
    made(office, "second", "--operator", "--role", "admin")
    assert "is deactivated" in office.run(user_commands, "deactivate", "chief", *WHY)
    assert office.refusal(user_commands, "deactivate", "chief", *WHY).startswith("there is no")


def test_a_reset_gives_another_initial_password_and_unlocks(
    office: Office, alliance: MiniAlliance
) -> None:
    first = made(office, "caiwu1", "--system", "AUR", "--role", "finance")
    context, login = alliance.context, first["login"]
    for _ in range(6):
        attempts.attempt(context, login, "192.0.2.1")

    def tried(password: str) -> Passed | Refused:
        return sign_in(context, login, password, operator=False, address="192.0.2.2")

    waiting = tried(first["initial_password"])
    assert isinstance(waiting, Refused)
    assert waiting.wait is not None
    assert timedelta() < waiting.wait <= timedelta(minutes=15)
    assert "may try again" in office.run(user_commands, "unlock", login, *WHY)
    assert isinstance(tried(first["initial_password"]), Passed)
    second = office.json(user_commands, "reset", login, "--format", "json", *WHY)
    assert isinstance(tried(first["initial_password"]), Refused)
    assert isinstance(tried(second["initial_password"]), Passed)
