"""Settings: what the environment may say, what it may not, and the table people read."""

import base64
import os
import pwd
from pathlib import Path

import pytest

from clearinghouse import config
from clearinghouse.config import SETTINGS_TABLE, Settings
from clearinghouse.domain.errors import ConfigError
from tests.architecture.tree import ROOT

HOME = {"HOME": "/home/li"}
KEY = bytes(range(200, 232))


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        (HOME, "/home/li/.local/share/hotel-clearinghouse"),
        ({**HOME, "XDG_DATA_HOME": "/xdg"}, "/xdg/hotel-clearinghouse"),
        ({**HOME, "XDG_DATA_HOME": "xdg"}, "/home/li/.local/share/hotel-clearinghouse"),
        ({**HOME, "CLEARINGHOUSE_DATA_DIR": "/srv/酒店 data"}, "/srv/酒店 data"),
        ({**HOME, "CLEARINGHOUSE_DATA_DIR": "~/books"}, "/home/li/books"),
        ({**HOME, "CLEARINGHOUSE_DATA_DIR": "/a/../b/"}, "/b"),
        ({**HOME, "CLEARINGHOUSE_DATA_DIR": " "}, "/home/li/.local/share/hotel-clearinghouse"),
        ({"CLEARINGHOUSE_DATA_DIR": "here"}, f"{Path.cwd()}/here"),
    ],
)
def test_the_data_folder(env: dict[str, str], folder: str) -> None:
    assert Settings.from_environment(env).data_dir == Path(folder)


@pytest.mark.parametrize("env", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_a_home_the_accounts_own_is_taken(env: dict[str, str]) -> None:
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    expected = home / ".local/share" if home.is_dir() else Path("/var/lib")
    assert Settings.from_environment(env).data_dir == expected / "hotel-clearinghouse"


def test_an_account_without_a_name_and_a_home_still_gets_a_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    assert Settings.from_environment({}).data_dir == Path("/var/lib/hotel-clearinghouse")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_database_url_gets_sqlalchemys_scheme(scheme: str) -> None:
    env = {
        **HOME,
        "CLEARINGHOUSE_DATABASE_URL": f"{scheme}://u:p%20w@db:5433/books?sslmode=require",
    }
    settings = Settings.from_environment(env)
    assert settings.database_url == "postgresql+psycopg2://u:p%20w@db:5433/books?sslmode=require"
    assert settings.shown_database_url == "postgresql://u@db:5433/books?sslmode=require"


def test_without_a_database_url_there_is_none_to_show() -> None:
    settings = Settings.from_environment(HOME)
    assert (settings.database_url, settings.shown_database_url) == (None, None)


def test_no_secret_is_shown() -> None:
    env = {
        **HOME,
        "CLEARINGHOUSE_DATABASE_URL": "postgresql://u:hush@db/books?password=hush&host=/run/pg",
        "CLEARINGHOUSE_MASTER_KEY": base64.b64encode(KEY).decode(),
    }
    settings = Settings.from_environment(env)
    assert settings.shown_database_url == "postgresql://u@db/books?host=/run/pg"
    assert "hush" not in repr(settings)
    assert "yMnK" not in repr(settings)
    assert repr(KEY) not in repr(settings)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_the_master_key_is_32_bytes_in_either_base64(encode: object) -> None:
    assert callable(encode)
    env = {**HOME, "CLEARINGHOUSE_MASTER_KEY": encode(KEY).decode()}
    assert Settings.from_environment(env).master_key == KEY


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "sqlite:///x.db", "must begin with postgresql://"),
        ("DATABASE_URL", "postgresql:x/y", "must begin with postgresql://"),
        ("DATABASE_URL", "just words", "must begin with postgresql://"),
        ("DATABASE_URL", "postgresql://hush@host", "names no database"),
        ("DATABASE_URL", "postgresql://u:hush#1@host/db", "in a password write %23"),
        ("DATABASE_URL", "postgresql://u:hu sh@host/db", "in a password write %23 or %20"),
        ("DATABASE_URL", "postgresql://u:hush@host:port/db", "is not a URL"),
        ("DATABASE_URL", "postgresql://u:hush@[host/db", "is not a URL"),
        ("BROKER_URL", "amqp://u:hush@host/0", "must be redis://host:port/0"),
        ("BROKER_URL", "redis://:hush@host:port/0", "must be redis://host:port/0"),
        ("BROKER_URL", "redis:///hush", "must be redis://host:port/0"),
        ("DATA_DIR", "/a\nb", "line break"),
        ("POSTGRES_BIN", "/a\tb", "control character"),
        ("MASTER_KEY", "hush", "must be 32 bytes in base64"),
        ("MASTER_KEY", "hush!" * 9, "must be 32 bytes in base64"),
        ("MASTER_KEY", base64.b64encode(b"hush" * 7).decode(), "must be 32 bytes in base64"),
        ("MASTER_KEY", "密" * 44, "must be 32 bytes in base64"),
        ("IMPORT_WORKERS", "0", "whole number from 1 to 64"),
        ("IMPORT_WORKERS", "65", "whole number from 1 to 64"),
        ("IMPORT_WORKERS", "-1", "whole number from 1 to 64"),
        ("IMPORT_WORKERS", "2.5", "whole number from 1 to 64"),
        ("IMPORT_WORKERS", "two", "whole number from 1 to 64"),
        ("IMPORT_WORKERS", "２", "whole number from 1 to 64"),
        ("IMPORT_WORKERS", "9" * 5000, "whole number from 1 to 64"),
    ],
)
def test_a_bad_value_is_one_sentence_that_names_the_variable_and_no_secret(
    name: str, value: str, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment({**HOME, f"CLEARINGHOUSE_{name}": value})
    message = caught.value.message
    assert message.startswith(f"CLEARINGHOUSE_{name} ")
    assert sentence in message
    assert "hush" not in message
    assert "\n" not in message


def test_every_setting_can_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(base64.b64encode(KEY).decode() + "\n")
    (tmp_path / "url").write_text("  postgresql://u:hush@db/books\n")
    (tmp_path / "workers").write_text("7\n")
    (tmp_path / "empty").write_text("\n")
    env = {
        "CLEARINGHOUSE_MASTER_KEY_FILE": str(tmp_path / "key"),
        "CLEARINGHOUSE_DATABASE_URL_FILE": str(tmp_path / "url"),
        "CLEARINGHOUSE_IMPORT_WORKERS_FILE": str(tmp_path / "workers"),
        "CLEARINGHOUSE_PUBLIC_URL_FILE": str(tmp_path / "empty"),
        "CLEARINGHOUSE_SENDER_URL_FILE": " ",
    }
    settings = Settings.from_environment({**HOME, **env})
    assert settings.master_key == KEY
    assert settings.database_url == "postgresql+psycopg2://u:hush@db/books"
    assert (settings.import_workers, settings.public_url, settings.sender_url) == (7, None, "log:")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "can't be read (No such file or directory)"),
        (b"\xff\xfehush", "is not a file of text"),
        (b"hush " * 20_000, "is too long for a setting"),
        (b"hush", "must be 32 bytes in base64"),
    ],
)
def test_a_bad_file_is_one_sentence_without_what_is_in_it(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    env = {**HOME, "CLEARINGHOUSE_MASTER_KEY_FILE": str(tmp_path / "key")}
    with pytest.raises(ConfigError, match=r"^CLEARINGHOUSE_MASTER_KEY") as caught:
        Settings.from_environment(env)
    assert sentence in caught.value.message
    assert "hush" not in caught.value.message


def test_a_setting_said_twice_is_refused(tmp_path: Path) -> None:
    env = {
        **HOME,
        "CLEARINGHOUSE_SENDER_URL": "log:",
        "CLEARINGHOUSE_SENDER_URL_FILE": str(tmp_path),
    }
    with pytest.raises(ConfigError, match="are both set"):
        Settings.from_environment(env)


def test_workers_and_programs() -> None:
    assert Settings.from_environment(HOME).import_workers == 3
    env = {"CLEARINGHOUSE_IMPORT_WORKERS": "8", "CLEARINGHOUSE_POSTGRES_BIN": "/opt/pg/bin"}
    settings = Settings.from_environment({**HOME, **env})
    assert (settings.import_workers, settings.postgres_bin) == (8, Path("/opt/pg/bin"))


def test_the_document_shows_the_table() -> None:
    rows = [f"| `{v.name}` | {v.default} | {v.meaning} |" for v in SETTINGS_TABLE]
    table = "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])
    document = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert table in document, f"docs/configuration.md must hold this table:\n\n{table}\n"


def test_every_variable_is_in_the_table() -> None:
    variables = [value for value in vars(config).values() if isinstance(value, config.Variable)]
    assert variables == list(SETTINGS_TABLE)
