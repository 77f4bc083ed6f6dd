"""The client: all resources of the service behind one address and one proof of who asks."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Literal, Self

import urllib3

from clearinghouse.client.authorizations import Authorizations
from clearinghouse.client.batches import Batches
from clearinghouse.client.cards import Cards
from clearinghouse.client.credentials import Credentials
from clearinghouse.client.disputes import Disputes
from clearinghouse.client.enrolments import Enrolments
from clearinghouse.client.events import Events
from clearinghouse.client.hotels import Hotels
from clearinghouse.client.periods import Periods
from clearinghouse.client.retrying import Retry
from clearinghouse.client.transactions import Transactions
from clearinghouse.client.transport import Transport
from clearinghouse.client.webhooks import Webhooks

_CONNECTIONS = 16


class Client:
    """A client of the service; make one for a process and let its threads share it.

    It fetches its access token when it first needs one and renews it by itself. A request that gets no answer, or
    one that may pass (429, 502, 503, 504, a key in flight), is sent again with the same idempotency key.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        scopes: Sequence[str] = (),
        language: Literal["zh", "en"] = "zh",
        retry: Retry | None = None,
        timeout: urllib3.Timeout | None = None,
        pool: urllib3.PoolManager | None = None,
        allow_http: bool = False,
    ) -> None:
        """Make a client; nothing is sent yet.

        Args:
            base_url: The address of the service, as in ``https://clearing.example``.
            credentials: Who asks: :class:`ClientSecret` or :class:`PrivateKey`.
            scopes: What its tokens shall be good for; all that the client may, if none is named.
            language: Of titles and sentences.
            retry: How often and how long to try again.
            timeout: For a connection, and for an answer; 5 and 30 seconds without it.
            pool: Connections of one's own, for a proxy or another certificate authority.
            allow_http: Let the address be plain http although it is not this machine's.

        Raises:
            ValueError: the address can't be one of the service.
        """
        self._transport = transport = Transport(
            base_url,
            credentials,
            scopes=tuple(scopes),
            language=language,
            retry=retry or Retry(),
            timeout=timeout or urllib3.Timeout(connect=5.0, read=30.0),
            pool=pool or urllib3.PoolManager(maxsize=_CONNECTIONS),
            allow_http=allow_http,
        )
        self.hotels = Hotels(transport)
        self.cards = Cards(transport)
        self.enrolments = Enrolments(transport)
        self.transactions = Transactions(transport)
        self.authorizations = Authorizations(transport)
        self.batches = Batches(transport)
        self.events = Events(transport)
        self.webhooks = Webhooks(transport)
        self.periods = Periods(transport)
        self.disputes = Disputes(transport)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
