"""What carries short messages: an SMS gateway over HTTP or by its mail address, a mail server, or the log.

The log is for development: whoever reads it can confirm a phone or address that is not theirs.
"""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import structlog
import urllib3
from urllib3.exceptions import HTTPError

from clearinghouse.config import Variable
from clearinghouse.domain.errors import CodeNotSent, ConfigError

#: Carries a text to a phone (E.164) or an e-mail address; raises ``CodeNotSent`` if it can't.
Gateway = Callable[[str, str], None]

LOG = "log:"
_SECONDS = 10.0
_NOT_SENT = "the code could not be handed over for sending; try again later"
_SUBJECT = "验证码 Code"
_log = structlog.get_logger()


def phone_gateway(variable: Variable, url: str) -> Gateway:
    """Return what carries texts to phones, as a setting says.

    Raises:
        ConfigError: the URL can't be used; the sentence does not repeat it, since it may hold a password.
    """
    if url == LOG:
        return log_text
    parts, host, port = _split(url)
    if host is not None and parts.scheme in ("smtp", "smtps"):
        domain = unquote(parts.path).strip("/")
        if not domain or "/" in domain:
            raise ConfigError(
                f"{variable.name} must end with /DOMAIN?from=ADDRESS for a mail gateway."
            )
        return SmsByMail(MailServer.from_parts(variable, parts, host, port), domain)
    if host is not None and (
        parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))
    ):
        return HttpGateway.from_parts(parts, host, port)
    raise ConfigError(f"{variable.name} must be log:, smtp://…, smtps://… or https://….")


def mail_gateway(variable: Variable, url: str) -> Gateway:
    """Return what carries texts to e-mail addresses, as a setting says; a path in the URL means nothing here.

    Raises:
        ConfigError: the URL can't be used; the sentence does not repeat it.
    """
    if url == LOG:
        return log_text
    parts, host, port = _split(url)
    if host is None or parts.scheme not in ("smtp", "smtps"):
        raise ConfigError(f"{variable.name} must be log:, smtp://… or smtps://….")
    return MailServer.from_parts(variable, parts, host, port)


def log_text(to: str, text: str) -> None:
    """Write a text to the log, for development; of the phone or address only its end is told."""
    _log.warning(
        event="one-time code, not sent: the sender is log:, which is for development",
        to=f"******{to[-4:]}",
        text=text,
    )


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that takes mail."""

    host: str
    port: int
    sender: str
    user: str
    password: str
    tls_at_once: bool

    @classmethod
    def from_parts(
        cls, variable: Variable, parts: SplitResult, host: str, port: int | None
    ) -> MailServer:
        """Read ``smtp://user:password@host:port/…?from=ADDRESS``.

        Raises:
            ConfigError: it does not say from which address.
        """
        senders = parse_qs(parts.query).get("from", [])
        if len(senders) != 1:
            raise ConfigError(f"{variable.name} must end with ?from=ADDRESS for a mail server.")
        at_once = parts.scheme == "smtps"
        return cls(
            host,
            port or (465 if at_once else 587),
            senders[0],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            at_once,
        )

    def __call__(self, to: str, text: str) -> None:
        """Send a text to an e-mail address."""
        message = EmailMessage()
        try:
            message["From"] = self.sender
            message["To"] = Address(addr_spec=to)
        except (MessageError, ValueError, IndexError) as error:
            raise _not_sent(error) from error
        message["Subject"] = _SUBJECT
        message.set_content(text)
        try:
            with self._connection() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise _not_sent(error) from error

    def _connection(self) -> smtplib.SMTP:
        tls = ssl.create_default_context()
        if self.tls_at_once:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=tls)
        server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        # Codes and passwords cross no network in the clear; a relay on this machine may have no TLS.
        if not _is_this_machine(self.host):
            server.starttls(context=tls)
        return server


@dataclass(frozen=True, slots=True)
class SmsByMail:
    """An SMS gateway that takes mail to NUMBER@DOMAIN, the number in international form without a plus."""

    server: MailServer
    domain: str

    def __call__(self, to: str, text: str) -> None:
        """Send a text to a phone."""
        self.server(f"{to.removeprefix('+')}@{self.domain}", text)


@dataclass(frozen=True, slots=True)
class HttpGateway:
    """An SMS gateway that takes ``POST {"to": "+86…", "text": "…"}`` and answers 2xx."""

    pool: urllib3.PoolManager
    url: str
    headers: dict[str, str]

    @classmethod
    def from_parts(cls, parts: SplitResult, host: str, port: int | None) -> HttpGateway:
        """Read ``https://user:password@host:port/path?query``; user and password go into Basic authentication."""
        headers = {"Content-Type": "application/json"}
        if parts.username is not None:
            who = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers |= urllib3.make_headers(basic_auth=who)
        netloc = f"[{host}]" if ":" in host else host
        place = netloc if port is None else f"{netloc}:{port}"
        url = parts._replace(netloc=place, fragment="").geturl()
        timeout = urllib3.Timeout(connect=_SECONDS / 2, read=_SECONDS)
        # Not tried again: a gateway that is slow to answer would send two messages.
        return cls(urllib3.PoolManager(timeout=timeout, retries=False), url, headers)

    def __call__(self, to: str, text: str) -> None:
        """Send a text to a phone."""
        body = json.dumps({"to": to, "text": text}, ensure_ascii=False).encode()
        try:
            answer = self.pool.request(
                "POST", self.url, body=body, headers=self.headers, redirect=False
            )
        except HTTPError as error:
            raise _not_sent(error) from error
        if not 200 <= answer.status < 300:
            _log.error(event="code not sent", status=answer.status)
            raise CodeNotSent(_NOT_SENT)


def _not_sent(error: Exception) -> CodeNotSent:
    # Its text may hold the phone or the gateway's password.
    _log.error(event="code not sent", error=type(error).__qualname__)
    return CodeNotSent(_NOT_SENT)


def _split(url: str) -> tuple[SplitResult, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.hostname, parts.port
    except ValueError:
        return SplitResult("", "", "", "", ""), None, None


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
