"""Who posts the sequences of an import or a batch: this process, or several, since one decides on one core only."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import traceback
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from itertools import count, cycle
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Protocol

from clearinghouse.domain.deciding import Outcome
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.context import Context
from clearinghouse.operations.post import post
from clearinghouse.store import imports
from clearinghouse.store.card_file import CardFile, Cards
from clearinghouse.store.database import Database, Session

#: Bytes of transactions from which on it pays to start workers, which takes them a second or two.
WORTH_WORKERS = 4_000_000
#: After so many shares a worker looks for cycles once.
_COLLECT_EVERY = 50

#: What a worker tells of a share that failed: the error, and where it was.
_Failure = tuple[Exception, str]


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
def crew_for(
    context: Context, lanes: int, size: int, worth_workers: int | None = None
) -> Iterator[Crew]:
    """Make the crew for files of so many bytes together: workers if it is worth it, else this process alone."""
    if lanes == 1 or size < (WORTH_WORKERS if worth_workers is None else worth_workers):
        yield _Alone(context)
        return
    workers = _Workers(context, lanes)
    try:
        yield workers
    except BaseException:
        # Nobody waits for what is under way any more: it is not committed, and the next import does it.
        workers.kill()
        raise
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

    def __init__(self, context: Context, number: int) -> None:
        self._context = context
        self._pipes: list[Connection] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        #: One for each answer that is still to come; first of all, that a worker is there.
        self._awaited: list[Connection] = []
        try:
            for _ in range(number):
                self._start()
        except OSError as error:
            self.kill()
            self.dismiss()
            raise ClearinghouseError(
                f"a process of this import can't be started: {error.strerror};"
                " set CLEARINGHOUSE_IMPORT_WORKERS=1 and run it again"
            ) from error

    def _start(self) -> None:
        mine, theirs = Pipe()
        self._pipes.append(mine)
        self._awaited.append(mine)
        with theirs:
            # Sent before it starts: it finds everything there, even if this process is killed meanwhile.
            mine.send(sys.path)
            mine.send((self._context.database.poster_url, self._context.vault))
            # In a group of its own, so that Ctrl-C reaches this process alone, which then ends its workers.
            self._processes.append(
                subprocess.Popen(  # noqa: S603  our own words
                    [sys.executable, "-P", "-c", _worker_code()],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    process_group=0,
                )
            )

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
                told: _Failure | None = self._awaited.pop().recv()
                if told is not None:
                    failure, where = told
                    failure.add_note(where)
            except (EOFError, OSError):
                failure = ClearinghouseError(
                    "a process of this import was ended; what was committed stays, run it again"
                )
        if failure is not None:
            raise failure

    def kill(self) -> None:
        """End the workers in the midst of what they do."""
        for process in self._processes:
            process.kill()

    def dismiss(self) -> None:
        """Let the workers end, and wait until they have; what one of them is posting it posts to its end."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.wait()


def _worker_code() -> str:
    """Return the program of a worker, whose standard input is its pipe.

    ``multiprocessing`` would load the main module of this process in each worker: that of the command takes a
    second, and a script that imports a pack as it is loaded would wait there for itself.
    """
    return (
        "import sys; from multiprocessing.connection import Connection; pipe = Connection(0);"
        f" sys.path[:] = pipe.recv(); from {__name__} import {work.__name__}; {work.__name__}(pipe)"
    )


def _send(pipe: Connection, message: object) -> None:
    # If the other side has ended, that is told when its answer is waited for.
    with suppress(OSError):
        pipe.send(message)


def work(pipe: Connection) -> None:
    """Be a worker: post each share that comes, and end when nobody is there to send more."""
    url, vault = pipe.recv()
    context = Context(Database(url), vault)
    try:
        with few_collections(), context.database.office() as presence:
            # An import that comes after this one was killed waits for it; told only then, no share is posted before.
            imports.share_work(presence)
            _send(pipe, None)
            _serve(context, pipe)
    except Exception as error:  # noqa: BLE001 - told to the importing process, if it still listens
        _send(pipe, _sendable(error))
    context.database.close()


def _serve(context: Context, pipe: Connection) -> None:
    cards: dict[Hashable, CardFile] = {}
    for number in count(1):
        try:
            share, unknown, now = pipe.recv()
        except (EOFError, OSError):
            return
        _send(pipe, _posted(context, share, unknown, now, cards))
        if number % _COLLECT_EVERY == 0:
            gc.collect()


def _posted(
    context: Context,
    share: Share,
    unknown: set[str],
    now: datetime,
    files: dict[Hashable, CardFile],
) -> _Failure | None:
    """Post a share; return what went wrong."""
    at_that_time = replace(context, clock=lambda: now)
    try:
        with context.database.posting() as session:
            card_file = files.setdefault(share.source, CardFile())
            found = card_file.look_up(session, share.lines, context.vault)
        # A card that came to be known since the portion was cut would have cut it otherwise.
        known = {number: card for number, card in found.cards.items() if number not in unknown}
        _post_share(at_that_time, share, Cards(known, found.indexes))
    except Exception as error:  # noqa: BLE001 - told to the importing process, which raises it
        return _sendable(error)
    return None


def _sendable(error: Exception) -> _Failure:
    """Return an error, or one that tells of it if it would not arrive as it is, and its traceback."""
    where = "In a worker:\n" + "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - whatever makes it unfit to be sent
        return RuntimeError(type(error).__name__), where
    return error, where


def _post_share(context: Context, share: Share, cards: Cards) -> None:
    post(context, share.lines, share.record, cards, received=share.received)
