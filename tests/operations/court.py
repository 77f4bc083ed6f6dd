"""A dispute from its first word to its last, in books of its own: who opens, answers, decides and escalates it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from clearinghouse.operations.changing import Authority
from clearinghouse.operations.confirming import confirm, posted, propose_decision
from clearinghouse.operations.context import Context
from clearinghouse.operations.disputing import (
    Claim,
    Dispute,
    Line,
    answer_dispute,
    dispute,
    escalate_dispute,
    open_dispute,
)
from clearinghouse.operations.events import events_after
from clearinghouse.operations.party import Party
from clearinghouse.store.database import Database, Session
from clearinghouse.store.vault import Vault
from tests.alliances import MiniAlliance, TestClock
from tests.conftest import Server
from tests.operations.months import publish_without_files
from tests.operations.parties import party

_WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
NOVEMBER = 2026 * 12 + 10
MAKER, CHECKER = Authority("示例甲", "凭证不符"), Authority("示例乙", "同意")
THIRD, FOURTH = Authority("示例丙", "再次审理"), Authority("示例丁", "同意")


@contextmanager
def published_october(server: Server, folder: Path) -> Iterator[str]:
    """A database in which October is published; a court is held in a copy of it."""
    name = server.new_database()
    database = Database(server.url(name))
    alliance = MiniAlliance(Context(database, Vault(bytes(32))), folder)
    do = alliance.accept
    do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
    do("redeem", "CLD-GZ", "2", "T1", "2026-10-03", points=400)
    do("spend", "BAM-HZ", "3", "T1", "2026-10-04", amount=88_888)
    publish_without_files(alliance, "2026-10")
    database.close()
    yield name
    server.drop(name)


class Court:
    """Points of AUR used at CLD for 4.00, of which CLD paid a fee of 0.08; cash at BAM, with a fee of 8.89."""

    def __init__(self, server: Server, template: str) -> None:
        self.name = server.new_database(template)
        database = Database(server.url(self.name), pool_size=8)
        self.alliance = alliance = MiniAlliance.__new__(MiniAlliance)
        found = Context(database, Vault(bytes(32)))
        with database.office() as session:
            now = session.rows("SELECT max(published_at) FROM periods")[0][0]
        alliance.clock = TestClock(now)
        alliance.context = replace(found, clock=alliance.clock)
        self.context = alliance.context
        self.aur, self.bam, self.cld = (party(alliance, code) for code in ("AUR", "BAM", "CLD"))
        self.operator = party(alliance, None)
        self.used, self.cash = (self._txn(ref) for ref in ("2", "3"))

    def _txn(self, ref: str) -> UUID:
        found = self.alliance.value("SELECT txn_id FROM transactions WHERE txn_ref = %s", ref)
        assert isinstance(found, UUID)
        return found

    def open(
        self, who: Party | None = None, amount: int | None = None, reason: str = "amount_wrong"
    ) -> Dispute:
        who = who or self.aur
        txn = self.cash if who == self.bam else self.used
        return open_dispute(self.context, who, Line(txn, 1), Claim(reason, "不符", amount))[0]

    def answer(self, found: Dispute, said: str = "contest", who: Party | None = None) -> Dispute:
        return answer_dispute(self.context, who or self.cld, found.dispute_id, said, "答")

    def escalate(self, found: Dispute, who: Party | None = None) -> Dispute:
        return escalate_dispute(self.context, who or self.aur, found.dispute_id, "不服")

    def decide(self, found: Dispute, upheld: int | None = None, *, second: bool = False) -> Dispute:
        maker, checker = (THIRD, FOURTH) if second else (MAKER, CHECKER)
        made = propose_decision(self.context, found.dispute_id, upheld, maker)
        confirm(self.context, made.number, checker)
        return self.again(found)

    def again(self, found: Dispute) -> Dispute:
        party = Party(self.operator.client, None, None, frozenset({"operator"}))
        return dispute(self.context, party, found.dispute_id)

    def rows(self) -> list[tuple[str, str | None, int]]:
        return [
            (row.system, row.counterparty, row.amount_minor)
            for row in posted(self.context, NOVEMBER)
        ]

    def sums(self) -> dict[tuple[str, bool], int]:
        found: dict[tuple[str, bool], int] = {}
        for system, other, amount in self.rows():
            found[system, other is None] = found.get((system, other is None), 0) + amount
        return {key: amount for key, amount in found.items() if amount}

    @contextmanager
    def beside(self, deed: Callable[[], object]) -> Iterator[tuple[Session, Callable[[], object]]]:
        """Do something in a transaction, and a deed beside it that is begun before that ends; with what became of it.

        The deed is begun once all is done, and the transaction ends once the deed waits for a lock, or is done too.
        """
        with ThreadPoolExecutor(1) as pool, self.context.database.posting() as session:
            done: list[Future[object]] = []
            yield session, lambda: done[0].exception() or done[0].result()
            done.append(pool.submit(deed))
            while not done[0].done() and not self.alliance.value(_WAITING):
                time.sleep(0.01)

    def told(self, who: Party) -> list[str]:
        return [
            event.kind
            for event in events_after(self.context, who, None, 100).events
            if event.kind.startswith("dispute")
        ]
