"""Calling the service as quickly as a few connections can: requests are written out beforehand, answers hardly read."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Any

from clearinghouse.operations.changing import Authority
from clearinghouse.operations.clients import create_client
from clearinghouse.operations.context import Context
from tests.benchmarks.members import Alliance

CONNECTIONS = 16
DAY = "2025-03-20"
MOMENT = f"{DAY}T12:00:00+08:00"


@dataclass(frozen=True, slots=True)
class Called:
    """What a run brought: seconds in all, each answer's milliseconds, how many of each status, and when each began.

    The moments are those of ``time.perf_counter``, in the order of the milliseconds.
    """

    seconds: float
    milliseconds: list[float]
    statuses: Counter[int]
    began: list[float]


def tokens(context: Context, alliance: Alliance, port: int) -> list[str]:
    """Make a client of every system and get it a token."""
    found = []
    for system in range(len(alliance.hotels_of)):
        made = create_client(context, f"S{system:02d}", "bench", Authority("bench", "benchmark"))
        form = (
            f"grant_type=client_credentials&client_id={made.client_id}&client_secret={made.secret}"
        )
        answer = _once(
            port, _request("/oauth/token", "application/x-www-form-urlencoded", form, "")
        )
        found.append(str(json.loads(answer)["access_token"]))
    return found


def requests(
    alliance: Alliance,
    bearer: Sequence[str],
    count: int,
    *,
    seed: int,
    one_hotel: bool = False,
    day: str = DAY,
) -> list[bytes]:
    """Write out requests of a day: redemptions and spends in turns, of any traveller at any hotel or all at one."""
    chance = Random(seed)  # noqa: S311 - the same requests every time
    made = []
    for number in range(count):
        hotel = 0 if one_hotel else chance.randrange(len(alliance.hotels))
        card = alliance.cards[chance.randrange(alliance.travellers)]
        body: dict[str, Any] = {
            "host_hotel": alliance.hotels[hotel],
            "txn_ref": f"B{seed}-{number}",
            "kind": "redeem" if number % 2 else "spend",
            "card_number": card.number,
            "business_date": day,
            "occurred_at": f"{day}T11:00:00+08:00",
        }
        if number % 2:
            body["points"] = chance.randrange(10, 60)
        else:
            body["amount"] = {"amount_minor": chance.randrange(1_000, 100_000)}
        made.append(
            _request(
                "/v1/transactions",
                "application/json",
                json.dumps(body),
                f"Authorization: Bearer {bearer[alliance.system_of[hotel]]}\r\n"
                f"Idempotency-Key: {seed}-{number}\r\n",
            )
        )
    return made


def call(port: int, made: Sequence[bytes], *, most_per_second: float = inf) -> Called:
    """Send all requests over some connections at once, each as soon as the last is answered or at this pace."""
    lanes = [made[lane::CONNECTIONS] for lane in range(CONNECTIONS)]
    apart = CONNECTIONS / most_per_second
    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        firsts = [began + apart * lane / CONNECTIONS for lane in range(CONNECTIONS)]
        lanes_called = list(pool.map(lambda lane, at: _lane(port, lane, at, apart), lanes, firsts))
    seconds = time.perf_counter() - began
    taken = [each for lane, *_ in lanes_called for each in lane]
    statuses: Counter[int] = sum((status for _, status, _ in lanes_called), Counter())
    return Called(seconds, taken, statuses, [each for *_, lane in lanes_called for each in lane])


def _lane(
    port: int, made: Sequence[bytes], due: float, apart: float
) -> tuple[list[float], Counter[int], list[float]]:
    taken: list[float] = []
    moments: list[float] = []
    statuses: Counter[int] = Counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for each in made:
            time.sleep(max(due - time.perf_counter(), 0))
            due += apart
            began = time.perf_counter()
            connection.sendall(each)
            status, _ = _answer(connection)
            taken.append((time.perf_counter() - began) * 1000)
            moments.append(began)
            statuses[status] += 1
    return taken, statuses, moments


def _once(port: int, made: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(made)
        return _answer(connection)[1]


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    received = connection.recv(65_536)
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    head = received[:end].lower()
    at = head.index(b"content-length:") + 15
    length = int(head[at : head.find(b"\r", at) if b"\r" in head[at:] else len(head)])
    while len(received) < end + 4 + length:
        received += _more(connection)
    return int(received[9:12]), received[end + 4 :]


def _more(connection: socket.socket) -> bytes:
    block = connection.recv(65_536)
    if not block:
        raise ConnectionError("the service hung up")
    return block


def _request(path: str, kind: str, body: str, headers: str) -> bytes:
    raw = body.encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{headers}"
    return f"{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw
