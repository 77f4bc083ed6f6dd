"""Night audits as hotels upload them: bodies, who sends them, and what became of their lines."""

import io
import json
from collections.abc import Sequence
from typing import Any

from clearinghouse.operations.batches import (
    Format,
    Receipt,
    all_results,
    find_batch,
    receive,
    work_off,
)
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from tests.alliances import CARDS, MiniAlliance

HEADER = "host_hotel,txn_ref,original_txn_ref,kind,card_number,business_date,occurred_at,amount_minor,points"
NAMES = HEADER.split(",")


def client(alliance: MiniAlliance, system: str, *hotels: str) -> Party:
    """A new client of a system, of all its hotels or of some."""
    number = alliance.value("SELECT number FROM systems WHERE code = %s", system)
    mine = alliance.rows("SELECT number FROM hotels WHERE code = ANY (%s)", list(hotels))
    only = [row[0] for row in mine] if hotels else None
    with alliance.database.office() as session:
        row = session.row(
            "INSERT INTO clients (client_id, system, name, scopes, hotels, created_at)"
            " SELECT 'c' || count(*), %s, 'PMS', '{}', %s, now() FROM clients RETURNING number",
            [number, only],
        )
    assert row
    return Party(row[0], number, None if only is None else frozenset(only), frozenset())


def stated(
    host: str,
    ref: str,
    kind: str = "spend",
    card: str = "T1",
    day: str = "2026-11-03",
    amount: int | None = 10_000,
    points: int | None = None,
    original: str | None = None,
    at: str | None = None,
) -> dict[str, Any]:
    """A line as its members; it happened at noon where nothing else is said."""
    moment = at or f"{day}T12:00:00+08:00"
    values = host, ref, original, kind, CARDS.get(card, card), day, moment, amount, points
    return dict(zip(NAMES, values, strict=True))


def as_csv(lines: Sequence[dict[str, Any] | str], header: str = HEADER) -> bytes:
    """A CSV body of lines, some of them as they are written."""
    rows = [
        line
        if isinstance(line, str)
        else ",".join("" if line[name] is None else str(line[name]) for name in header.split(","))
        for line in lines
    ]
    return "\n".join([header, *rows, ""]).encode()


def as_ndjson(lines: Sequence[dict[str, Any] | str]) -> bytes:
    """An NDJSON body of lines, some of them as they are written."""
    return "".join(
        f"{line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)}\n"
        for line in lines
    ).encode()


def send(context: Context, party: Party, key: str, body: bytes, kind: str = "csv") -> Receipt:
    """Upload a body."""
    return receive(context, party, key, Format(kind), io.BytesIO(body))


def named(receipt: Receipt) -> str:
    """The public id of a batch."""
    return f"bat_{receipt.batch_id.hex}"


def sent_and_done(
    alliance: MiniAlliance, party: Party, key: str, body: bytes, kind: str = "csv"
) -> str:
    """Upload a body and work it off; the id of the batch."""
    receipt = send(alliance.context, party, key, body, kind)
    while work_off(alliance.context, lanes=1):
        pass
    batch_id = named(receipt)
    assert find_batch(alliance.context, party, batch_id).job.state == "finished"
    return batch_id


def codes(context: Context, party: Party, batch_id: str) -> dict[int, str]:
    """What became of each line."""
    return {result.line: result.code for result in all_results(context, party, batch_id)}


def faults(context: Context, party: Party, batch_id: str) -> dict[int, str]:
    """What is wrong with each line that can't be read."""
    return {
        result.line: result.fault
        for result in all_results(context, party, batch_id)
        if result.fault is not None
    }
