"""Making a sandbox: a small sample alliance, the test cards, and clients of two members and of the operator."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from api.demo import write_sample_packs
from api.demo.lines import TRANSACTIONS_HEADER
from api.demo.months import Months
from api.demo.people import CARDS_HEADER, TRAVELLERS_HEADER
from api.sandbox.cards import ISSUER_HOTEL, TEST_CARDS
from clearinghouse.config import Settings
from clearinghouse.domain.calendar import format_period, parse_period, period_of
from clearinghouse.domain.errors import ConfigError
from clearinghouse.domain.scopes import scopes_for
from clearinghouse.domain.treatment import CardState
from clearinghouse.operations.card_changes import CardChange, change_card
from clearinghouse.operations.cards import look_up
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.clients import create_client, prove_by_secret, revoke_client
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.operations.party import Party
from clearinghouse.operations.sandbox_clock import opened_sandbox
from clearinghouse.store import embedded
from clearinghouse.store.embedded.lock import exclusive
from settlement.run import settle

CREDENTIALS = "credentials.json"
_MEMBERS = ("SPRUCE", "BIRCH")
_AUTHORITY = Authority("sandbox", "set up at its first start")
_TRAVELLERS, _LINES = 200, 1_000
#: What the ordinary test cards begin with, and what a filled one has at the least: points, and fen.
FILL_POINTS, FILL_MINOR = 10_000_000, 100_000_000
_ORDINARY_POINTS, _ORDINARY_MINOR = 5_000, 100_000
_MAKING_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client of the sandbox with its secret; ``system`` is ``None`` for the operator."""

    system: str | None
    client_id: str
    client_secret: str


def sandbox_settings(configured: Settings) -> Settings:
    """Return the settings of the sandbox beside these: an embedded database of its own, never the configured one."""
    return replace(configured, data_dir=configured.data_dir / "sandbox", database_url=None)


def prepare(own: Settings, *, reset: bool = False) -> list[Credentials]:
    """Make the sandbox if it is not there or shall be made afresh; return its clients.

    It is made whole or not at all: one that was killed before its credentials were written is made anew.

    Raises:
        ClearinghouseError: its database can't be used.
    """
    file = own.data_dir / CREDENTIALS
    own.data_dir.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(own.data_dir.with_name("sandbox.lock"), _MAKING_SECONDS):
        if reset or not file.exists():
            embedded.stop(own)
            shutil.rmtree(own.data_dir, ignore_errors=True)
            with opened_sandbox(own) as context:
                _keep(file, fill(context))
        else:
            with opened_sandbox(own):
                pass
    return _kept(file)


def fill(context: Context) -> list[Credentials]:
    """Fill empty books: the months until the last one, of which that is still open, the test cards and the clients."""
    last_month = period_of(context.clock().date()) - 1
    with TemporaryDirectory() as folder:
        facts = write_sample_packs(
            Path(folder), format_period(last_month), travellers=_TRAVELLERS, lines=_LINES
        )
        for pack in facts.packs:
            import_pack(context, pack.folder)
            if pack is not facts.shown:
                settle(context, parse_period(pack.period))
        months = Months(last_month)
        _write_test_cards(Path(folder) / "test-cards", months)
        import_pack(context, Path(folder) / "test-cards")
    _suspend(context, months.at(2, "00:00"))
    return [
        *(_client(context, code) for code in _MEMBERS),
        _client(context, None),
    ]


def _write_test_cards(folder: Path, months: Months) -> None:
    """Write the pack that brings the test cards: issued on the first of the month, and filled the same day."""
    folder.mkdir()
    day, at = months.day(1).isoformat(), months.at(1, "09:00").isoformat()
    travellers, cards, lines = [], [], []
    for number, card in enumerate(TEST_CARDS, start=1):
        if card.issued is None:
            continue
        ref, ordinary = f"TEST-{card.name}", not (card.filled or card.emptied or card.suspended)
        phone = f"+86199{99_000_000 + number:08d}"
        travellers.append((ref, f"测试卡 Test card {card.name}", phone, ""))
        cards.append((card.number, ref, card.issued, "MEMBER", day))
        if card.emptied:
            continue
        points = _ORDINARY_POINTS if ordinary else FILL_POINTS
        fen = _ORDINARY_MINOR if ordinary else FILL_MINOR
        said = (card.issued, f"{ref}-points", "", "award", card.number, day, at, "", str(points))
        lines.append(said)
        said = (card.issued, f"{ref}-value", "", "load", card.number, day, at, str(fen), "")
        lines.append(said)
    _write_csv(folder / "travellers.csv", TRAVELLERS_HEADER, travellers)
    _write_csv(folder / "cards.csv", CARDS_HEADER, cards)
    _write_csv(folder / f"transactions-{months.name()}.csv", TRANSACTIONS_HEADER, lines)


def _write_csv(path: Path, header: str, rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _suspend(context: Context, since: datetime) -> None:
    """Suspend the cards that shall be, by a client of their issuer's that is good for nothing afterwards."""
    system = ISSUER_HOTEL.partition("-")[0]
    issued = create_client(context, system, "test cards", _AUTHORITY, scopes=["cards:write"])
    found = prove_by_secret(context, issued.client_id, issued.secret or "")
    party = Party(found.number, found.system, found.hotels, found.scopes)
    then = replace(context, clock=lambda: since)
    for card in TEST_CARDS:
        if card.suspended:
            card_id = look_up(then, party, card.number).card_id
            change = CardChange(status=CardState.SUSPENDED, reason="测试卡 test card")
            change_card(then, party, card_id, change)
    revoke_client(context, issued.client_id, _AUTHORITY)


def _client(context: Context, system: str | None) -> Credentials:
    scopes = scopes_for(True) if system is None else None
    issued = create_client(context, system, "sandbox", _AUTHORITY, scopes=scopes)
    return Credentials(system, issued.client_id, issued.secret or "")


def _keep(file: Path, credentials: Sequence[Credentials]) -> None:
    """Write the credentials, for the eyes of this account alone; their file says that the sandbox is whole."""
    part = file.with_suffix(".part")
    text = json.dumps([asdict(one) for one in credentials], indent=1)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(f"{text}\n")
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)


def _kept(file: Path) -> list[Credentials]:
    try:
        return [Credentials(**one) for one in json.loads(file.read_text(encoding="utf-8"))]
    except (ValueError, TypeError, OSError) as error:
        raise ConfigError(f"{file} can't be read; make the sandbox afresh with --reset") from error
