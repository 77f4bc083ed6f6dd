"""The till: posting over HTTP, against pgbench running the equivalent statements on the same server."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.context import Context
from clearinghouse.store.embedded.binaries import find_binaries
from clearinghouse.store.periods import open_period
from tests.benchmarks import calling
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure, per_second, ratio
from tests.benchmarks.members import MONTH

_CALLS_EACH = 4_000
_WARM_UP = 600
_READY_SECONDS = 30
_ROOT = Path(__file__).resolve().parents[2]
_PERIOD = parse_period(MONTH)

#: What a redemption reads and writes, one statement after another, committed by itself.
_BEFORE = """
\\set traveller random(1, {travellers})
\\set hotel random(1, {hotels})
\\set system random(1, {systems})
\\set amount random(10, 60)
\\set key random(1, 9000000000000000)
BEGIN;
SELECT pg_try_advisory_xact_lock(727009, (:key::bigint % 2000000000)::int);
SELECT request, status, body FROM idempotent_answers WHERE client = 1 AND key = decode(lpad(to_hex(:key::bigint), 32, '0'), 'hex');
SELECT number FROM directory_version;
SELECT c.number_index, c.number, c.traveller, c.issuer_hotel, t.given_on, t.system, t.tier_code, t.alliance_level
    FROM cards c JOIN card_tiers t ON t.card = c.number WHERE c.number = :traveller;
SELECT FROM travellers WHERE number = :traveller FOR NO KEY UPDATE;
SELECT pg_advisory_xact_lock_shared(727003, {period});
SELECT coalesce(max(period), 0) FROM periods WHERE state <> 'open';
SELECT content, txn_id FROM transaction_refs WHERE host_hotel = :hotel AND txn_ref = 'P' || :key::bigint;
SELECT number, remaining FROM debts WHERE traveller = :traveller AND remaining > 0;
"""
_AFTER = """
INSERT INTO transaction_refs VALUES (:hotel, 'P' || :key::bigint, '\\x00112233445566778899aabbccddeeff', lpad(to_hex(:key::bigint), 32, '0')::uuid);
INSERT INTO transactions (period, txn_id, host_hotel, host_system, txn_ref, kind, card, traveller, business_date, occurred_at,
    posted_at, points, rulebook, late) VALUES ({period}, lpad(to_hex(:key::bigint), 32, '0')::uuid, :hotel, :system, 'P' || :key::bigint,
    '{kind}', :traveller, :traveller, '2025-03-20', now(), now(), :amount, 1, false);
INSERT INTO legs (period, txn_id, leg_no, fee_kind, host_hotel, host_system, issuer_hotel, issuer_system, rulebook, points,
    base_minor, obligation_minor, fee_minor) VALUES ({period}, lpad(to_hex(:key::bigint), 32, '0')::uuid, 1, '{kind}', :hotel, 1, 1, 2, 1,
    :amount, :amount, :amount, 1);
INSERT INTO postings SELECT {period}, lpad(to_hex(:key::bigint), 32, '0')::uuid, n, 33, 65, 1, :amount, NULL FROM generate_series(1, 3) AS n;
INSERT INTO rollup_increments SELECT {period}, n, 1, 2, 1, :amount FROM generate_series(1, 3) AS n;
INSERT INTO outbox (at, kind, system, payload) VALUES (now(), 'transaction.posted', :system,
    '{{"transaction": "txn_00000000000000000000000000000000", "kind": "redeem", "host_hotel": "H0001", "txn_ref": "P", "points": 1}}');
INSERT INTO idempotent_answers VALUES (1, decode(lpad(to_hex(:key::bigint), 32, '0'), 'hex'), '\\x00112233445566778899aabbccddeeff', 201,
    convert_to(repeat('x', 1500), 'UTF8'), now());
COMMIT;
"""
_USE = """
SELECT number, traveller, issuer_hotel, asset, period, issued, remaining, held, expired, gone, forgiven, usable_from,
    expires_on, restored_from FROM lots WHERE traveller = :traveller AND remaining > 0;
UPDATE lots SET remaining = remaining - :amount WHERE number =
    (SELECT number FROM lots WHERE traveller = :traveller AND remaining > 60 LIMIT 1);
"""
_ISSUE = """
INSERT INTO lots (number, traveller, issuer_hotel, asset, txn_id, period, issued, remaining, usable_from, expires_on)
    VALUES (nextval('lot_numbers'), :traveller, :hotel, 1, lpad(to_hex(:key::bigint), 32, '0')::uuid, {period}, :amount, :amount,
    '2025-03-20', '2026-03-31');
"""


def measure(bench: Bench) -> list[Figure]:
    """Measure, in turns: calls spread over all hotels, calls at one hotel, and pgbench."""
    spread: list[calling.Called] = []
    at_one: list[calling.Called] = []
    yardstick: list[float] = []
    template = bench.opening(bench.alliance)
    for number in range(1, bench.sizes.rounds + 1):
        bench.tell(f"till: round {number} of {bench.sizes.rounds}")
        with bench.books(template) as context:
            with context.database.posting() as session:
                open_period(session, _PERIOD)
            bench.settle_disk()
            with _service(bench, context) as port:
                bearer = calling.tokens(context, bench.alliance, port)
                runs = [
                    calling.requests(bench.alliance, bearer, count, seed=seed, one_hotel=one)
                    for seed, (count, one) in enumerate(
                        ((_WARM_UP, False), (_CALLS_EACH, False), (_CALLS_EACH, True))
                    )
                ]
                calling.call(port, runs[0])
                spread.append(calling.call(port, runs[1]))
                at_one.append(calling.call(port, runs[2]))
            yardstick.append(_pgbench(bench, context))
    rates = [_CALLS_EACH / run.seconds for run in spread]
    bad = sum(sum(run.statuses.values()) - run.statuses[201] for run in (*spread, *at_one))
    return [
        ratio("till.to_pgbench", "calls to pgbench's transactions", rates, yardstick, "≥ 0.35, aim 0.5"),
        per_second("till.calls", "calls answered over 16 connections", _CALLS_EACH, [r.seconds for r in spread]),
        Figure("till.pgbench", "transactions of pgbench, 16 connections", "/s", tuple(yardstick)),
        Figure("till.p99", "99th percentile of a call", "ms", tuple(_p99(r) for r in spread), "< 100"),
        ratio(
            "till.one_hotel_to_spread", "rate with all traffic on one hotel to the spread rate",
            [_CALLS_EACH / run.seconds for run in at_one], rates, "≥ 0.9",
        ),
        Figure("till.refused", "calls not answered with 201", "", (float(bad),)),
    ]  # fmt: skip


def _p99(called: calling.Called) -> float:
    return sorted(called.milliseconds)[int(len(called.milliseconds) * 0.99)]


@contextmanager
def _service(bench: Bench, context: Context) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tests.benchmarks.service", context.database.owner_url,
               str(bench.data_dir), calling.MOMENT, str(port)]  # fmt: skip
    with (bench.folder / "service.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log)
    try:
        _await(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            time.sleep(1)  # both workers make their application
            return
    raise RuntimeError("the service did not start; see service.log")


def _pgbench(bench: Bench, context: Context) -> float:
    sizes = bench.sizes
    names = {
        "travellers": sizes.travellers,
        "hotels": sizes.hotels,
        "systems": sizes.systems,
        "period": _PERIOD,
    }
    scripts = []
    for kind, body in (("redeem", _USE), ("spend", _ISSUE)):
        path = bench.folder / f"{kind}.sql"
        text = (_BEFORE + body + _AFTER).format(kind=kind, **names)
        path.write_text(text, encoding="utf-8")
        scripts += ["-f", str(path)]
    program = find_binaries(None).program("pgbench")
    done = subprocess.run(
        [program, "-n", "-c", str(calling.CONNECTIONS), "-j", "2", "-M", "prepared", "-T", "6", *scripts,
         bench.dsn(context)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"pgbench told no rate: {done.stderr[-500:]}")
    return float(found[1])
