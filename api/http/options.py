"""What the application is told at its start, besides the books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from api.sending import log_code, sender_for
from api.sign_in_sending import log_sign_in_code, sign_in_sender_for
from clearinghouse.config import Settings
from clearinghouse.operations.enrol import Sender
from web.frame.shared import SendCode


@dataclass(frozen=True, slots=True)
class Options:
    """How the service is reached and how much it takes.

    Attributes:
        public_url: The address under which hotels reach it; issuer and audience of its tokens.
        proxies: How many proxies before the service are believed about whom they were asked by.
        requests_per_second: What one client may ask of all workers together.
        tokens_per_minute: Attempts to get a token, by client id and by address.
        workers: Processes that share the requests.
        sandbox: It serves a sandbox: with test cards and what moves their time.
        access_log: Every request is a line of the log.
        webhook_private: Webhooks may lead to private addresses and over plain http, for tests.
        send: Hands one-time codes over for sending.
        send_sign_in_code: Hands travellers' sign-in codes over for sending.
        ask_workers: Asks the workers to go on with a period's run; ``None``: there is no broker.
    """

    public_url: str = "http://127.0.0.1:8080"
    proxies: int = 0
    requests_per_second: int = 1000
    tokens_per_minute: int = 120
    workers: int = 1
    sandbox: bool = False
    access_log: bool = True
    webhook_private: bool = False
    send: Sender = log_code
    send_sign_in_code: SendCode = log_sign_in_code
    ask_workers: Callable[[int], None] | None = None

    @classmethod
    def from_settings(cls, settings: Settings, *, port: int = 8080, workers: int = 1) -> Self:
        """Take what the environment decides; without a public URL it is this machine's port."""
        return cls(
            public_url=settings.public_url or f"http://127.0.0.1:{port}",
            proxies=settings.proxies,
            requests_per_second=settings.requests_per_second,
            tokens_per_minute=settings.tokens_per_minute,
            workers=workers,
            webhook_private=settings.webhook_private,
            send=sender_for(settings.sender_url),
            send_sign_in_code=sign_in_sender_for(settings.sender_url, settings.mail_url),
            ask_workers=None if settings.broker_url is None else _workers_of(settings),
        )


def _workers_of(settings: Settings) -> Callable[[int], None]:
    def ask(period: int) -> None:
        # Late: a service that never settles needs no Celery.
        from settlement import tasks

        tasks.use(settings)
        tasks.ask(period)

    return ask
