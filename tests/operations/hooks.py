"""Webhooks under test: an alliance of today, its receiver, and a dispatcher that goes round on demand."""

import time
from datetime import UTC, datetime
from pathlib import Path

from api.dispatching import Dispatcher
from api.outgoing import HttpPoster
from clearinghouse.operations.context import Context
from clearinghouse.operations.delivering import Poster
from clearinghouse.operations.events import events_after
from clearinghouse.operations.party import Party
from clearinghouse.operations.webhooks import Webhook, create_webhook, list_deliveries
from clearinghouse.store import outbox
from tests.alliances import MiniAlliance
from tests.receiver import Receiver

SCOPES = frozenset({"events:read", "events:write"})
AUR = Party(client=1, system=1, hotels=None, scopes=SCOPES)
BAM = Party(client=2, system=2, hotels=None, scopes=SCOPES)
OPERATOR = Party(client=3, system=None, hotels=None, scopes=SCOPES)


class Hooks:
    """AUR is system 1, BAM system 2. The clock starts now, since receivers refuse old messages."""

    def __init__(self, context: Context, tmp_path: Path) -> None:
        self.alliance = MiniAlliance(context, tmp_path, now=datetime.now(UTC))
        self.context = self.alliance.context
        self.clock = self.alliance.clock
        self.poster = HttpPoster(private=True, connect_seconds=0.5, seconds=1.0)
        self.dispatcher = Dispatcher(self.context, self.poster, senders=4)

    def listen(
        self, receiver: Receiver, kinds: list[str] | None = None, party: Party = AUR
    ) -> Webhook:
        """Make a webhook that leads to a receiver."""
        return create_webhook(self.context, party, self.poster, receiver.url, kinds)

    def tell(self, *numbers: int, kind: str = "batch.finished", system: int | None = 1) -> None:
        """Let something happen."""
        with self.context.database.posting() as session:
            for n in numbers:
                outbox.add(session, self.clock(), kind, {"n": n, "hotel": "酒店"}, system)

    def settle(self, dispatcher: Dispatcher | None = None) -> None:
        """Go round until nothing is due and nothing under way."""
        while any((dispatcher or self.dispatcher).round()):
            time.sleep(0.01)

    def other_dispatcher(self, poster: Poster | None = None) -> Dispatcher:
        """Another process's."""
        return Dispatcher(self.context, poster or self.poster, senders=4)

    def ids(self, party: Party = AUR) -> list[str]:
        """The ids of all events of a party, in order."""
        return [event.id for event in events_after(self.context, party, None, 1000).events]

    def fates(self, webhook: str) -> list[tuple[str, int, int | None, str | None]]:
        """What became of a webhook's events, latest first: state, attempts, status, failure."""
        rows, _ = list_deliveries(self.context, AUR, webhook, None, 100)
        return [(row.state, row.attempts, row.status, row.failure) for row in rows]

    def close(self) -> None:
        self.dispatcher.stop()
