"""The pages on a long month: how long the server takes for each, and how much travels."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from statistics import median

from flask.testing import FlaskClient

from api.http.frame import frame
from api.http.options import Options
from clearinghouse.domain.users import Role
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.user_sessions import Level, begin_in
from clearinghouse.operations.users import create_user
from clearinghouse.store import periods, traveller_access
from settlement.frozen_run import FrozenRun, read_run
from settlement.netting import net_period
from settlement.stages import make_statement
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure
from tests.benchmarks.long_month import PERIOD, made
from tests.pages import is_download, make_of
from web.frame.shared import Site
from web.site import make_site

#: As a page costs somebody who clicks: each is asked for a few times, and the middle counts.
_TIMES = 7
_TOKEN = "a benchmark's traveller"  # noqa: S105  it is nobody's
_HREF = re.compile(r'href="(/[^"#]*)"')


@dataclass(frozen=True, slots=True)
class _Seen:
    """One make of page: its path without what it is about, milliseconds of the server, bytes without compression."""

    make: str
    milliseconds: float
    bytes: int


def measure(bench: Bench) -> list[Figure]:
    """Measure every page of a long month that is published."""
    transactions = bench.sizes.months[-1]
    with bench.opened(made(bench, transactions)) as context:
        run, largest = _published(bench, context)
        seen = [*_all_pages(bench, context, run.directory.systems[largest].code)]
    return [*_figures(transactions, run.line_counts[largest], seen)]


def _published(bench: Bench, context: Context) -> tuple[FrozenRun, int]:
    """Close and net the month, state its largest member and call it published: pages of one read nothing of others'."""
    bench.tell("pages: closing, netting and stating the largest member")
    close(context, PERIOD)
    net_period(context, PERIOD)
    run = read_run(context, PERIOD)
    largest = max(run.line_counts, key=lambda system: run.line_counts[system])
    make_statement(context, run, largest, wait=True)
    with bench.connect(context) as owner, owner, owner.cursor() as cursor:
        cursor.execute("UPDATE periods SET state = 'stated' WHERE period = %s", [PERIOD])
    with context.database.office() as session:
        periods.publish(session, PERIOD, context.clock())
    bench.settle_disk()
    return run, largest


def _all_pages(bench: Bench, context: Context, code: str) -> Iterator[_Seen]:
    options = Options(access_log=False)
    app = make_site(Site(context, options.public_url, print, {}, print))
    frame(app, options)
    for door, system in (("/console", code), ("/desk", None)):
        user = create_user(context, system, "bench", Role.ADMIN, Authority("bench", "to look"))
        browser = app.test_client()
        with context.database.posting() as session:
            token = begin_in(session, context.clock(), user.user, Level.FULL)
        with browser.session_transaction() as kept:
            kept[door[1:]] = token
        yield from _behind(bench, browser, door)
    with context.database.posting() as session:
        traveller = (session.row("SELECT min(traveller) FROM cards") or (0,))[0]
        token = sha256(_TOKEN.encode()).digest()
        traveller_access.add_session(session, token, traveller, [traveller], context.clock())
    browser = app.test_client()
    browser.set_cookie("pool", _TOKEN)
    yield from _behind(bench, browser, "/pool")


def _behind(bench: Bench, browser: FlaskClient, door: str) -> Iterator[_Seen]:
    """Look at one page of every make behind a door."""
    bench.tell(f"pages: behind {door}")
    known: set[str] = set()
    waiting = [door]
    while waiting:
        path = waiting.pop(0)
        made = make_of(path)
        if made in known or not path.startswith(door) or is_download(path):
            continue
        known.add(made)
        taken = []
        for _ in range(_TIMES):
            began = time.perf_counter()
            answer = browser.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
            taken.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answers {answer.status_code}")
        if answer.mimetype != "text/html":
            continue
        yield _Seen(made, median(taken), len(answer.data))
        waiting += [href.replace("&amp;", "&") for href in _HREF.findall(answer.text)]


def _figures(transactions: int, lines: int, seen: list[_Seen]) -> Iterator[Figure]:
    about = f"{len(seen)} pages, {transactions:,} transactions, {lines:,} lines on the statement"
    for door in ("/console", "/desk", "/pool"):
        here = [each for each in seen if each.make.startswith(door)]
        slowest = max(here, key=lambda each: each.milliseconds)
        largest = max(here, key=lambda each: each.bytes)
        yield Figure(
            f"pages{door.replace('/', '.')}",
            f"the slowest page, {slowest.make}, of {about}",
            "ms",
            (slowest.milliseconds,),
            "< 100",
        )
        yield Figure(
            f"pages{door.replace('/', '.')}.size",
            f"the largest page, {largest.make}",
            "kB",
            (largest.bytes / 1000,),
            "< 150",
        )
    for each in sorted(seen, key=lambda each: -each.milliseconds)[:10]:
        yield Figure(
            f"pages.of{each.make.replace('/', '.')}", "server time", "ms", (each.milliseconds,)
        )
