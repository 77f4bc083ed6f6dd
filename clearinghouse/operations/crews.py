"""Who posts the sequences of an import or a batch: this process, or several, since one decides on one core only."""

from __future__ import annotations

import gc
import pickle
import signal
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Protocol

from clearinghouse.domain.deciding import Outcome
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.context import Context
from clearinghouse.operations.post import post
from clearinghouse.store import imports
from clearinghouse.store.database import Database, Session
from clearinghouse.store.loading import CardFile, Cards
from clearinghouse.store.vault import Vault

#: Bytes of transactions from which on it pays to start workers, which takes them half a second.
_WORTH_WORKERS = 500_000


class Share(Protocol):
    """The lines of one lane of a portion; a worker gets it pickled."""

    @property
    def lines(self) -> Sequence[Line]:
        """What is posted as one sequence."""

    @property
    def source(self) -> Hashable:
        """The file or batch that they are of: cards are remembered for its length."""

    @property
    def received(self) -> datetime | None:
        """When lines of the API were received; an import replays history."""

    def record(self, session: Session, outcomes: Sequence[Outcome]) -> None:
        """Write what became of the lines, in the transaction that posts them."""


class Crew(Protocol):
    """Posts the shares of one portion after another."""

    def begin(self, shares: Sequence[Share], cards: Cards) -> None:
        """Begin with the shares of a portion; ``cards`` are those of all its lines, as it was cut by them."""

    def finish(self) -> None:
        """Wait until what was begun is in the books, and raise what went wrong with it."""


@contextmanager
def crew_for(context: Context, lanes: int, size: int) -> Iterator[Crew]:
    """Make the crew for files of so many bytes together: workers if it is worth it, else this process alone."""
    if lanes == 1 or size < _WORTH_WORKERS:
        yield _Alone(context)
        return
    workers = _Workers(context, lanes)
    try:
        yield workers
    finally:
        workers.dismiss()


@contextmanager
def few_collections() -> Iterator[None]:
    """Keep Python from looking for cycles: a sequence makes 20,000 objects, none of them in one.

    It took a third of the import's time. What exceptions leave behind is collected with every fold.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Alone:
    """This process posts one share after another."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def begin(self, shares: Sequence[Share], cards: Cards) -> None:
        for share in shares:
            _post_share(self._context, share, cards)

    def finish(self) -> None:
        """Nothing is ever under way."""


class _Workers:
    """Processes that each post the shares of one lane, on a connection of their own."""

    def __init__(self, context: Context, count: int) -> None:
        self._context = context
        # Spawned, not forked: a fork would inherit locks that another thread of this process holds.
        processes = get_context("spawn")
        self._pipes: list[Connection] = []
        #: One for each answer that is still to come; first of all, that a worker is there.
        self._awaited: list[Connection] = []
        for _ in range(count):
            mine, theirs = processes.Pipe()
            worker = processes.Process(
                target=_work, args=(theirs, context.database.owner_url, context.vault), daemon=True
            )
            worker.start()
            theirs.close()
            self._pipes.append(mine)
            self._awaited.append(mine)

    def begin(self, shares: Sequence[Share], cards: Cards) -> None:
        now = self._context.clock()
        for pipe, share in zip(cycle(self._pipes), shares, strict=False):
            unknown = {line.card_number for line in share.lines} - cards.cards.keys()
            _send(pipe, (share, unknown, now))
            self._awaited.append(pipe)

    def finish(self) -> None:
        failure: Exception | None = None
        while self._awaited:
            try:
                failure = self._awaited.pop().recv() or failure
            except EOFError:
                failure = ClearinghouseError(
                    "a process of this import was ended; what was committed stays, run it again"
                )
        if failure is not None:
            raise failure

    def dismiss(self) -> None:
        """Let the workers end; what one of them is posting it posts to its end."""
        for pipe in self._pipes:
            pipe.close()


def _send(pipe: Connection, message: object) -> None:
    # If the other side has ended, that is told when its answer is waited for.
    with suppress(BrokenPipeError):
        pipe.send(message)


def _work(pipe: Connection, url: str, vault: Vault) -> None:
    """Be a worker: post each share that comes, and end when nobody is there to send more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    context = Context(Database(url), vault)
    cards: dict[Hashable, CardFile] = {}
    with few_collections(), context.database.office() as presence:
        # An import that comes after this one was killed waits for it; told only then, no share is posted before.
        imports.share_work(presence)
        _send(pipe, None)
        while True:
            try:
                share, unknown, now = pipe.recv()
            except (EOFError, ConnectionResetError):
                return
            _send(pipe, _posted(context, share, unknown, now, cards))


def _posted(
    context: Context,
    share: Share,
    unknown: set[str],
    now: datetime,
    files: dict[Hashable, CardFile],
) -> Exception | None:
    """Post a share; return what went wrong in a form that can be sent."""
    at_that_time = replace(context, clock=lambda: now)
    try:
        with context.database.posting() as session:
            card_file = files.setdefault(share.source, CardFile())
            found = card_file.look_up(session, share.lines, context.vault)
        # A card that came to be known since the portion was cut would have cut it otherwise.
        known = {number: card for number, card in found.cards.items() if number not in unknown}
        _post_share(at_that_time, share, Cards(known, found.indexes))
    except Exception as error:  # noqa: BLE001 - told to the importing process, which raises it
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        except Exception:  # noqa: BLE001
            return RuntimeError(f"{type(error).__name__}: {error}")
        return error
    return None


def _post_share(context: Context, share: Share, cards: Cards) -> None:
    post(context, share.lines, share.record, cards, received=share.received)
