"""Working batches off: any process may take one up, and whoever is killed leaves nothing to be answered twice.

A process holds an advisory lock on its batch, so a living one is not disturbed. Whoever takes a batch up
counts its ``run`` on; sequences of an earlier run that are still on their way to the server then fail.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.batches.answers import (
    BatchShare,
    BatchTakenUp,
    faulty,
    must_be_taken,
    refused,
    share_of,
)
from clearinghouse.operations.batches.cutting import Format
from clearinghouse.operations.batches.parsing import parse_part
from clearinghouse.operations.batches.uploading import open_part
from clearinghouse.operations.context import Context
from clearinghouse.operations.crews import Crew, crew_for
from clearinghouse.operations.lanes import split_into_lanes
from clearinghouse.operations.party import Party
from clearinghouse.store import batch_results, batches, outbox, rollups
from clearinghouse.store.batch_results import LineResult
from clearinghouse.store.batches import StoredPart, Taken
from clearinghouse.store.card_file import CardFile, Cards
from clearinghouse.store.database import Session

_log = logging.getLogger(__name__)

#: How many portions may pass before the roll-ups are folded.
_FOLD_EVERY = 50
#: An upload without any sign of life for so long is removed, with the card numbers in it.
_ABANDONED = timedelta(hours=1)

#: Told how many more lines were ``accepted``, ``repeated``, ``refused`` or ``invalid``.
Counted = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class _Portion:
    """Some parts of a batch, and the shares of their lines that are to be posted side by side."""

    parts: Sequence[StoredPart]
    shares: Sequence[BatchShare]
    cards: Cards


def run_batches(
    context: Context,
    stop: Event,
    *,
    lanes: int = 3,
    counted: Counted | None = None,
    pause: float = 1.0,
) -> None:
    """Work off whatever batches come, until told to stop; look for new ones every ``pause`` seconds.

    A batch that fails is put off, and tried again by whoever comes to it. Large batches are posted by
    ``lanes`` processes of their own, so this may run in a thread.
    """
    while not stop.is_set():
        try:
            busy = work_off(context, lanes=lanes, counted=counted, stop=stop)
        except Exception as error:  # noqa: BLE001 - the next batch must not wait for this one
            # The text of a database error may show what was in a line.
            _log.error("a batch failed and is put off: %s", type(error).__name__)
            busy = False
        if not busy:
            stop.wait(pause)


def work_off(
    context: Context,
    *,
    lanes: int = 3,
    counted: Counted | None = None,
    stop: Event | None = None,
) -> bool:
    """Take up the first batch that waits and answer its lines; false if there was none.

    ``stop`` ends it between two portions; the rest is taken up again later.
    """
    with context.database.office() as session:
        batches.discard_abandoned(session, context.clock() - _ABANDONED)
    # This transaction does nothing but hold the lock: free again whatever happens to this process.
    with context.database.office() as lock:
        number = batches.lock_next(lock, context.clock())
        if number is None:
            return False
        with context.database.office() as session:
            batch = batches.take_up(session, number)
        try:
            with crew_for(context, lanes, batch.size) as crew:
                if _answer(context, batch, crew, lanes, counted, stop or Event()):
                    _finish(context, batch)
        except BatchTakenUp:
            _log.warning("a batch was taken up by another process")
        except Exception:
            with context.database.office() as session:
                batches.put_off(session, number, context.clock())
            raise
    return True


def _answer(
    context: Context,
    batch: Taken,
    crew: Crew,
    lanes: int,
    counted: Counted | None,
    stop: Event,
) -> bool:
    """Answer the lines of a batch portion by portion, each prepared while the one before is posted."""
    begun: _Portion | None = None
    for done, portion in enumerate(_portions(context, batch, lanes)):
        # A portion waits for the one before it: lines of one traveller or reference keep their order.
        crew.finish()
        if begun is not None:
            _done(context, batch, begun, counted)
            begun = None
        if stop.is_set():
            return False
        crew.begin(portion.shares, portion.cards)
        begun = portion
        if done % _FOLD_EVERY == _FOLD_EVERY - 1:
            with context.database.office() as session:
                rollups.fold(session)
    crew.finish()
    if begun is not None:
        _done(context, batch, begun, counted)
    return True


def _portions(context: Context, batch: Taken, lanes: int) -> Iterator[_Portion]:
    """Yield what of a batch is not answered yet, prepared to be posted."""
    file_cards = CardFile()
    after = -1
    while True:
        with context.database.office() as session:
            parts = batches.parts(session, batch.number, after, lanes)
        if not parts:
            return
        after = parts[-1].part
        yield _prepared(context, batch, parts, lanes, file_cards)


def _prepared(
    context: Context, batch: Taken, parts: Sequence[StoredPart], lanes: int, file_cards: CardFile
) -> _Portion:
    """Parse and authorise the lines of some parts, write the results of those that are not to be posted."""
    bounds = batch.number, parts[0].part, parts[-1].part
    with context.database.posting() as session:
        answered, lane = batch_results.answered(session, *bounds)
    lines: list[Line] = []
    results: list[LineResult] = []
    for stored in parts:
        part = open_part(context.vault, batch.batch_id, stored)
        parsed = parse_part(part, Format(batch.format), batch.layout, answered)
        lines += parsed.lines
        results += map(faulty, parsed.faults)
    with context.database.posting() as session:
        allowed = _allowed(context, batch, lines, results, session)
        cards = file_cards.look_up(session, allowed, context.vault)
        if results:
            results.sort()
            share_of(batch, lane, parts, ()).write(session, results)
            lane += 1
    # What a killed process left of a portion is one lane: cards known since might cut it otherwise.
    sequences = split_into_lanes(allowed, cards.cards, 1 if answered else lanes)
    shares = [
        share_of(batch, number, parts, sequence)
        for number, sequence in enumerate(sequences, start=lane)
        if sequence
    ]
    return _Portion(parts, shares, cards)


def _allowed(
    context: Context,
    batch: Taken,
    lines: Sequence[Line],
    results: list[LineResult],
    session: Session,
) -> list[Line]:
    """Return the lines whose host the client may speak for; an unknown host is refused with the rest."""
    directory = context.directory.current(session)
    party = Party(batch.client, batch.system, batch.hotels, frozenset())
    allowed = []
    for line in lines:
        host = directory.hotel_by_code.get(line.host_hotel)
        foreign = (
            host is not None
            and directory.system_of(host.number, line.business_date) is not None
            and not party.may_act_for(directory, host.number, line.business_date)
        )
        if foreign:
            results.append(refused(line, RefusalCode.HOTEL_NOT_YOURS))
        else:
            allowed.append(line)
    return allowed


def _done(context: Context, batch: Taken, portion: _Portion, counted: Counted | None) -> None:
    """Let the results of a portion be seen, and forget its lines."""
    with context.database.office() as session:
        must_be_taken(session, batch.number, batch.run)
        batches.parts_answered(session, batch.number, batch.run, portion.parts)
        bounds = portion.parts[0].part, portion.parts[-1].part
        tally = batch_results.tally(session, batch.number, bounds)
    if counted:
        for outcome, count in tally._asdict().items():
            counted(outcome, count)


def _finish(context: Context, batch: Taken) -> None:
    """Finish a batch and tell its system, in one transaction."""
    with context.database.office() as session:
        rollups.fold(session)
        now = context.clock()
        if not batches.finish(session, batch.number, batch.run, now):
            raise BatchTakenUp("another process has taken the batch up")
        counts = batch_results.tally(session, batch.number)
        payload = {"batch": f"bat_{batch.batch_id.hex}", "lines": batch.lines, **counts._asdict()}
        outbox.add(session, now, "batch.finished", payload, batch.system)
