"""The sample alliance in small, settled and signed in to, behind a server of this process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from api.app import create_app
from api.demo import SampleFacts, write_sample_packs
from api.demo.bank import SAMPLE_OPERATOR
from api.demo.live_day import play_live_day
from api.demo.live_service import ToldClock
from api.demo.open_matters import leave_open
from api.demo.sign_ins import SignIns, StaffSignIn, make_sign_ins
from api.http.options import Options
from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from settlement.run import settle

#: After the shown month was published, before anything is due.
NOW = datetime(2026, 11, 9, 2, 30, tzinfo=UTC)


@dataclass
class World:
    """The books, whoever may sign in, and where the pages are.

    ``codes`` has what was sent to travellers: where to, the code, for how many minutes.
    """

    context: Context
    clock: ToldClock
    facts: SampleFacts
    sign_ins: SignIns
    codes: list[tuple[str, str, int]]
    url: str = ""

    def staff(self, login: str) -> StaffSignIn:
        """Return a user's secrets."""
        return next(each for each in self.sign_ins.staff if each.login == login)

    def last_code(self) -> str:
        """Return the code that a traveller was just sent; it is sent behind the page that asks for it."""
        until = time.monotonic() + 60
        while not self.codes:
            assert time.monotonic() < until, "no code came"
            time.sleep(0.02)
        return self.codes.pop()[1]

    def code_of(self, login: str) -> str:
        """Return what the user's app shows, once the code before it is over: each counts once."""
        self.clock.now += timedelta(seconds=30)
        return pyotp.TOTP(self.staff(login).totp_secret).at(self.clock())


@contextmanager
def world(
    database_url: str, folder: Path, travellers: int = 300, lines: int = 1_500
) -> Iterator[World]:
    """Make it, which takes some seconds, and serve it."""
    database = Database(database_url)
    clock = ToldClock(NOW)
    context = Context(database, Vault(bytes(32)), clock, operator=SAMPLE_OPERATOR)
    facts = write_sample_packs(folder, travellers=travellers, lines=lines)
    for pack in facts.packs:
        import_pack(context, pack.folder)
        if pack is facts.shown:
            play_live_day(context, facts.live)
        settle(context, parse_period(pack.period))
    sign_ins = make_sign_ins(context, facts.live.points_phone, facts.live.points_name)
    leave_open(context, facts, sign_ins)
    made = World(context, clock, facts, sign_ins, [])
    with _served(made) as url:
        made.url = url
        yield made
    database.close()


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing: failures are in the application's own log."""


@contextmanager
def _served(made: World) -> Iterator[str]:
    def app(url: str) -> Flask:
        options = Options(
            public_url=url,
            send_sign_in_code=lambda *sent: made.codes.append(sent),
            access_log=False,
        )
        return create_app(made.context, options)

    server = make_server(
        "127.0.0.1", 0, app("http://127.0.0.1"), threaded=True, request_handler=_Silent
    )
    url = f"http://127.0.0.1:{server.server_port}"
    server.app = app(url)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
