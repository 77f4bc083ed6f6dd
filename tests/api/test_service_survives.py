"""kill -9 of the whole service under load: what was answered is in the books, and asking again answers the same."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3

from clearinghouse.operations.changing import Authority
from clearinghouse.operations.clients import create_client
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.alliances import CARDS, MiniAlliance

ROOT = Path(__file__).resolve().parents[2]
THREADS = 8
KEY = bytes(32)


@pytest.fixture
def alliance(database_url: str, tmp_path: Path) -> Iterator[MiniAlliance]:
    """Its lines are of today: the service that is killed has the real clock."""
    database = Database(database_url)
    made = MiniAlliance(Context(database, Vault(KEY)), tmp_path)
    made.clock.pass_to(datetime.now(UTC))
    for card in ("T1", "T2"):
        made.accept("award", "AUR-BJ", f"A-{card}", card, datetime.now(UTC).date(), points=100_000)
    yield made
    database.close()


@contextmanager
def served(url: str, folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run the service as an operator does, in a process group of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        **os.environ,
        "CLEARINGHOUSE_DATABASE_URL": url,
        "CLEARINGHOUSE_MASTER_KEY": "A" * 43 + "=",
        "CLEARINGHOUSE_DATA_DIR": str(folder),
    }
    with (folder / "service.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve", "--port", str(port)],
            cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "service.log").read_text()
                assert time.monotonic() < until, "the service did not start"
                time.sleep(0.1)
        yield port, process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def bodies(count: int) -> list[dict[str, Any]]:
    """Redemptions and spends of two travellers, each under a reference of its own."""
    now = datetime.now(UTC).astimezone()
    return [
        {
            "kind": "redeem" if number % 2 else "spend",
            "host_hotel": "CLD-GZ",
            "txn_ref": f"K{number}",
            "card_number": CARDS["T1" if number % 4 < 2 else "T2"],
            "business_date": datetime.now(UTC).date().isoformat(),
            "occurred_at": now.isoformat(timespec="seconds"),
            **({"points": 10} if number % 2 else {"amount": {"amount_minor": 1_000}}),
        }
        for number in range(count)
    ]


def send(
    http: urllib3.PoolManager, port: int, token: str, body: dict[str, Any]
) -> tuple[int, bytes] | None:
    """Post one; ``None`` if no answer came."""
    try:
        answer = http.request(
            "POST", f"http://127.0.0.1:{port}/v1/transactions", body=json.dumps(body), retries=False, timeout=20,
            headers={
                "Authorization": f"Bearer {token}", "Idempotency-Key": body["txn_ref"],
                "Content-Type": "application/json",
            },
        )  # fmt: skip
    except urllib3.exceptions.HTTPError:
        return None
    return answer.status, answer.data


def send_all(
    port: int, token: str, stated: Sequence[dict[str, Any]], answered: dict[str, tuple[int, bytes]]
) -> None:
    http = urllib3.PoolManager(maxsize=THREADS)

    def one(body: dict[str, Any]) -> None:
        answer = send(http, port, token, body)
        if answer is not None:
            answered[body["txn_ref"]] = answer

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, stated))


def token_of(port: int, client_id: str, secret: str | None) -> str:
    answer = urllib3.PoolManager().request(
        "POST", f"http://127.0.0.1:{port}/oauth/token", encode_multipart=False,
        fields={"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret or ""},
    )  # fmt: skip
    assert answer.status == 200, answer.data
    return str(json.loads(answer.data)["access_token"])


def test_what_was_answered_is_in_the_books_and_is_answered_again(
    alliance: MiniAlliance, database_url: str, tmp_path: Path
) -> None:
    client = create_client(alliance.context, "CLD", "till", Authority("tests", "a till"))
    folder = tmp_path / "service"
    folder.mkdir()
    stated, answered = bodies(400), dict[str, tuple[int, bytes]]()
    with served(database_url, folder) as (port, process):
        token = token_of(port, client.client_id, client.secret)
        sender = threading.Thread(target=send_all, args=(port, token, stated, answered))
        sender.start()
        while len(answered) < 60:
            assert sender.is_alive()
            time.sleep(0.01)
        kill(process)
        sender.join(120)
    before = {ref: answer for ref, answer in answered.items() if answer[0] == 201}
    assert 60 <= len(before) < len(stated), "killed in the middle"
    posted = {row[0] for row in alliance.rows("SELECT txn_ref FROM transactions")}
    assert before.keys() <= posted

    again: dict[str, tuple[int, bytes]] = {}
    with served(database_url, folder) as (port, _):
        send_all(port, token_of(port, client.client_id, client.secret), stated, again)
    assert {ref: again[ref] for ref in before} == before
    assert {status for status, _ in again.values()} == {201}
    assert alliance.value("SELECT count(*) FROM transactions WHERE txn_ref LIKE 'K%%'") == len(
        stated
    )
    assert [proof.name_en for proof in prove(alliance.context) if not proof.holds] == []


def test_settings_of_the_service_are_read_once(tmp_path: Path) -> None:
    """A key that is no key is told in one sentence before anything is served."""
    environment = {
        **os.environ,
        "CLEARINGHOUSE_MASTER_KEY": "no key",
        "CLEARINGHOUSE_DATA_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", "serve"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
