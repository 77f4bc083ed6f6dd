"""Sending one-time codes to phones: through an SMS gateway over HTTP or by its mail address, or to the log.

The log is for development: whoever reads it can confirm a phone that is not theirs.
"""

from __future__ import annotations

import json
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import structlog
import urllib3
from urllib3.exceptions import HTTPError

from clearinghouse.config import SENDER_URL
from clearinghouse.domain.errors import CodeNotSent, ConfigError
from clearinghouse.operations.enrol import OneTimeCode, Sender

_SECONDS = 10.0
_NOT_SENT = "the code could not be handed over for sending; try again later"
_log = structlog.get_logger()


def text_of(code: OneTimeCode) -> str:
    """Return the message for a phone, in Chinese and English."""
    return (
        f"【酒店联盟】您正在{code.hotel_zh}办理入会，验证码 {code.code}，{code.minutes}分钟内有效，请只告知前台。"
        f" Your code to join at {code.hotel_en} is {code.code}, good for {code.minutes} minutes."
        " Tell it only at the front desk."
    )


def sender_for(url: str) -> Sender:
    """Return what sends codes as the setting says.

    Raises:
        ConfigError: the URL can't be used; the sentence does not repeat it, since it may hold a password.
    """
    if url == "log:":
        return log_code
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, SplitResult("", "", "", "", "")
    if host is not None and parts.scheme in ("smtp", "smtps"):
        return MailGateway.from_parts(parts, host, port)
    if host is not None and (
        parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))
    ):
        return HttpGateway.from_parts(parts, host, port)
    raise ConfigError(f"{SENDER_URL.name} must be log:, smtp://…, smtps://… or https://….")


def log_code(code: OneTimeCode) -> None:
    """Write a code to the log, for development; of the phone only its end is told."""
    _log.warning(
        event="one-time code, not sent: CLEARINGHOUSE_SENDER_URL is log:, which is for development",
        phone=f"******{code.phone[-4:]}",
        text=text_of(code),
    )


@dataclass(frozen=True, slots=True)
class MailGateway:
    """An SMS gateway that takes mail to NUMBER@DOMAIN, the number in international form without a plus."""

    host: str
    port: int
    domain: str
    sender: str
    user: str
    password: str
    tls_at_once: bool

    @classmethod
    def from_parts(cls, parts: SplitResult, host: str, port: int | None) -> MailGateway:
        """Read ``smtp://user:password@host:port/DOMAIN?from=ADDRESS``."""
        domain = unquote(parts.path).strip("/")
        senders = parse_qs(parts.query).get("from", [])
        if not domain or "/" in domain or len(senders) != 1:
            raise ConfigError(
                f"{SENDER_URL.name} must end with /DOMAIN?from=ADDRESS for a mail gateway."
            )
        at_once = parts.scheme == "smtps"
        return cls(
            host,
            port or (465 if at_once else 587),
            domain,
            senders[0],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            at_once,
        )

    def __call__(self, code: OneTimeCode) -> None:
        """Send a code."""
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = f"{code.phone.removeprefix('+')}@{self.domain}"
        message["Subject"] = "验证码 Code"
        message.set_content(text_of(code))
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

    def __call__(self, code: OneTimeCode) -> None:
        """Send a code."""
        body = json.dumps({"to": code.phone, "text": text_of(code)}, ensure_ascii=False).encode()
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


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
