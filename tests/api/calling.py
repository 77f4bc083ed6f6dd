"""Calling the service with the Python client, on a line on which things may go wrong."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from clearinghouse.client import (
    Client,
    ClientSecret,
    Retry,
)
from tests.alliances import CARDS
from tests.api.service import Service
from tests.api.wire import Line as Wire

NOW = datetime(2026, 11, 10, 4, tzinfo=UTC)
DAY = date(2026, 11, 10)
AT = datetime(2026, 11, 10, 11, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
HASTY = Retry(attempts=4, seconds=20, first_pause=0.02, longest_pause=0.05)


def client_of(service: Service, wire: Wire, system: str | None = "CLD", **options: Any) -> Client:
    """A client of a system, in a hurry."""
    issued = service.issue(system)
    assert issued.secret
    secret = ClientSecret(issued.client_id, issued.secret)
    return Client(wire.url, secret, **{"retry": HASTY, **options})


def redeem(client: Client, ref: str = "3", points: int = 2_000, **more: Any) -> Any:
    return client.transactions.post(
        "redeem",
        host_hotel="CLD-GZ",
        txn_ref=ref,
        card=CARDS["T1"],
        business_date=DAY,
        occurred_at=AT,
        points=points,
        **more,
    )
