"""Real books in PostgreSQL: an alliance imported from packs, lines posted, periods closed and netted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from clearinghouse.domain.calendar import format_period, parse_period
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import PeriodNotReady
from clearinghouse.domain.netting import Measure
from clearinghouse.domain.pools import Pool
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.operations.lanes import split_into_lanes
from clearinghouse.operations.post import post
from clearinghouse.store import frozen
from clearinghouse.store.card_file import CardFile
from clearinghouse.store.database import Database, Session
from clearinghouse.store.directory import read_directory
from clearinghouse.store.exposure import Exposures
from clearinghouse.store.loading import DEBT_COLUMNS, LOT_COLUMNS, debt_from_row, lot_from_row
from clearinghouse.store.rollups import CURRENT
from clearinghouse.store.vault import Vault
from settlement.netting import net_period
from tests.conftest import Server
from tests.histories.paper import see_rollups, told
from tests.histories.seen import Seen, in_order, see_pool
from tests.histories.telling import Close, Stated
from tests.histories.world import CARDS, PackRows

#: After every cut-off of every history.
LATER = datetime(2026, 11, 1, tzinfo=UTC)


@contextmanager
def books(
    server: Server, *, template: str | None = None, keep: str | None = None
) -> Iterator[Context]:
    """Open a fresh database for a ``with`` block, or one that is there and to be kept."""
    name = keep or server.new_database(template)
    database = Database(server.url(name))
    try:
        yield Context(database, Vault(bytes(32)), clock=lambda: LATER, exposures=Exposures(0))
    finally:
        database.close()
        if keep is None:
            server.drop(name)


def found_alliance(context: Context, packs: Sequence[PackRows], folder: Path) -> None:
    """Import the packs in their order, each written under ``folder``."""
    for number, pack in enumerate(packs):
        import_pack(context, pack.write(folder / str(number)))


def live_through(
    context: Context,
    events: Sequence[Stated | Close],
    random: Random,
    *,
    most: int = 1,
    lanes: int = 1,
) -> list[str]:
    """Post the lines in portions of 1 to ``most``, each cut into lanes that are posted in any order.

    Closes what can be closed in between. Returns the outcome of every line, in the order of the lines.
    """
    outcomes: dict[int, str] = {}
    portion: list[Line] = []
    size = random.randint(1, most)
    for number, event in enumerate(events):
        if isinstance(event, Stated):
            portion.append(event.line(number))
        if portion and (len(portion) == size or isinstance(event, Close)):
            outcomes.update(_post_portion(context, portion, random, lanes))
            portion, size = [], random.randint(1, most)
        if isinstance(event, Close) and event.possible:
            close_period(context, event.period)
        elif isinstance(event, Close):
            with pytest.raises(PeriodNotReady):
                close_period(context, event.period)
    if portion:
        outcomes.update(_post_portion(context, portion, random, lanes))
    return [outcomes[number] for number in sorted(outcomes)]


def _post_portion(
    context: Context, portion: Sequence[Line], random: Random, lanes: int
) -> Iterator[tuple[int, str]]:
    with context.database.posting() as session:
        cards = CardFile().look_up(session, portion, context.vault)
    sequences = split_into_lanes(portion, cards.cards, lanes)
    random.shuffle(sequences)
    for sequence in sequences:
        if sequence:
            outcomes = post(context, sequence)
            for line, outcome in zip(sequence, outcomes, strict=True):
                yield line.line_no, told(outcome)


def _holders(context: Context) -> dict[str, int]:
    """Return the travellers' numbers by card number."""
    index_of = {context.vault.blind_index("card", number): number for number in CARDS}
    with context.database.office() as session:
        rows = session.rows("SELECT number_index, traveller FROM cards")
    return {index_of[bytes(index)]: traveller for index, traveller in rows}


def close_period(context: Context, period: str) -> None:
    """Close a period and freeze its figures, as a settlement does before it renders anything."""
    close(context, parse_period(period))
    net_period(context, parse_period(period))


def seen_of_books(context: Context) -> Seen:
    """See the books as the database has them."""
    seen = Seen()
    with context.database.office() as session:
        directory = read_directory(session)
        (closed,) = session.row(
            "SELECT coalesce(max(period), 0) FROM periods WHERE state <> 'open'"
        ) or (0,)
        _see_pools(seen, _holders(context), session, directory, closed)
        _see_legs(seen, session, directory)
        rollups = session.rows(
            f"SELECT period, measure, debtor, creditor, count, amount FROM {CURRENT} AS r"
        )
        sums = {(row[0], Measure(row[1]), row[2], row[3]): (row[4], row[5]) for row in rollups}
        see_rollups(seen, directory, sums, closed)
        _see_frozen(seen, session, directory)
    return seen


def _see_pools(
    seen: Seen, number_of: dict[str, int], session: Session, directory: Directory, closed: int
) -> None:
    hotels = {number: hotel.code for number, hotel in directory.hotels.items()}
    for card, (traveller, _, _) in CARDS.items():
        if traveller in seen.lots:
            continue
        pool = Pool(number_of[card])
        for row in session.rows(
            f"SELECT {LOT_COLUMNS} FROM lots WHERE traveller = %s", [pool.traveller]
        ):
            lot = lot_from_row(row)
            pool.lots[lot.number] = lot
        pool.debts = [
            debt_from_row(row)
            for row in session.rows(
                f"SELECT {DEBT_COLUMNS} FROM debts WHERE traveller = %s ORDER BY number",
                [pool.traveller],
            )
        ]
        see_pool(seen, traveller, pool, hotels, closed)


def _see_legs(seen: Seen, session: Session, directory: Directory) -> None:
    hotels = {number: hotel.code for number, hotel in directory.hotels.items()}
    systems = {number: system.code for number, system in directory.systems.items()}
    for host, ref, period, late in session.rows(
        "SELECT host_hotel, txn_ref, period, late FROM transactions"
    ):
        seen.periods[hotels[host], ref] = (format_period(period), late)
    entries: dict[tuple[UUID, int], list[tuple[str, int, int]]] = {}
    firsts = []
    for row in session.rows(
        "SELECT t.host_hotel, t.txn_ref, l.txn_id, l.leg_no, l.fee_kind, l.host_system, l.issuer_hotel,"
        " l.issuer_system, l.period, l.base_minor, l.fee_minor, l.reverses_txn, l.reverses_leg"
        " FROM legs l JOIN transactions t USING (period, txn_id)"
        " ORDER BY l.reverses_txn IS NOT NULL, l.txn_id, l.leg_no"
    ):
        entry = (format_period(row[8]), row[9], row[10])
        if row[11] is None:
            firsts.append(row)
            entries[row[2], row[3]] = [entry]
        else:
            entries[row[11], row[12]].append(entry)
    for row in firsts:
        legs = seen.legs.setdefault((hotels[row[0]], row[1]), [])
        parties = (row[4], systems[row[5]], hotels[row[6]], systems[row[7]])
        legs.append((*parties, in_order(entries[row[2], row[3]])))


def _see_frozen(seen: Seen, session: Session, directory: Directory) -> None:
    """Take the figures of netted periods from where they are frozen, in place of the roll-ups."""
    systems = {number: system.code for number, system in directory.systems.items()}
    hotels = {number: hotel.code for number, hotel in directory.hotels.items()}
    for (period,) in session.rows("SELECT period FROM periods WHERE state <> 'open'"):
        name = format_period(period)
        seen.positions[name] = {
            systems[p.system]: (
                p.receivable_minor,
                p.payable_minor,
                p.fees_minor,
                p.vat_minor,
                p.net_minor,
            )
            for p in frozen.positions(session, period)
        }
        seen.obligations[name] = {
            (systems[o.debtor], systems[o.creditor], o.kind): (o.count, o.amount_minor)
            for o in frozen.obligations(session, period)
        }
        rows = frozen.liability(session, period)
        seen.points[name] = {hotels[row.hotel]: row[1:7] for row in rows if any(row[1:7])}
        seen.owed[name] = {hotels[row.hotel]: row.debts for row in rows if row.debts}
