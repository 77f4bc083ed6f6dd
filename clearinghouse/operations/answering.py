"""Answering requests that move value: each key once, many requests in one database transaction (interfaces.md "HTTP").

What is answered, accepted or refused, is kept in the transaction that does it, so a client that never saw the
answer gets the same one again, whatever was killed in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from clearinghouse.domain.deciding import Accepted, Held, Outcome, Refused, Repeated
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import (
    ClearinghouseError,
    DatabaseUnreachable,
    IdempotencyKeyInFlight,
    IdempotencyKeyReused,
    RefusalCode,
)
from clearinghouse.domain.holds import Hold
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.authorizing import void
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.operations.post import Posted, in_turn, post_within
from clearinghouse.operations.receipts import Receipt, receipt_from, receipt_of
from clearinghouse.operations.telling import tell_of_outcomes
from clearinghouse.store import idempotency, receipts
from clearinghouse.store.bulk import Batch
from clearinghouse.store.database import Session
from clearinghouse.store.idempotency import Answer, Key


class HoldTold(NamedTuple):
    """An authorisation, and the directory by which it reads in codes."""

    hold: Hold
    directory: Directory


#: What an answer tells of: a transaction, an authorisation, or why there is neither.
Told = Receipt | HoldTold | RefusalCode


@dataclass(frozen=True, slots=True)
class Request:
    """A line with the key it came under; ``render`` turns what became of it into the answer."""

    key: Key
    party: Party
    line: Line
    render: Callable[[Told], Answer]


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer, and whether it was given before to the same key."""

    answer: Answer
    replayed: bool


Result = Answered | ClearinghouseError

#: How long a sequence waits for a lock, in seconds: whoever holds it so long is stuck, and all tills wait behind.
_LOCK_SECONDS = 10

#: Told how long a sequence waited for its travellers' locks, in seconds.
Waited = Callable[[float], None]


def answer(context: Context, waited: Waited, requests: Sequence[Request]) -> list[Result]:
    """Answer requests of any clients as one sequence and one commit; one result a request, in order.

    If the database refuses the sequence, each request is tried by itself, so none fails for another.
    """
    try:
        return in_turn(context, lambda session: _answer(context, session, waited, requests))
    except Exception:
        if len(requests) == 1:
            raise
    results: list[Result] = []
    for request in requests:
        last = results[-1] if results else None
        if isinstance(last, DatabaseUnreachable):
            results.append(last)
        else:
            results += _alone(context, waited, request)
    return results


def answer_void(context: Context, key: Key, hold: Hold, render: Callable[[Told], Answer]) -> Result:
    """Let go of what an authorisation holds, and answer a key with it."""

    def work(session: Session) -> Result:
        settled: dict[int, Result] = {}
        session.wait_at_most(_LOCK_SECONDS)
        claimed = idempotency.claim(session, [key])
        if not _fresh(session, [key], claimed.mine, settled):
            return settled[0]
        found = void(context, session, hold)
        directory = context.directory.at(session, claimed.directory_version)
        given = render(HoldTold(found, directory) if isinstance(found, Hold) else found)
        batch = Batch()
        idempotency.keep(batch, [(key, given)], context.clock())
        batch.write(session)
        return Answered(given, False)

    return in_turn(context, work)


def _alone(context: Context, waited: Waited, request: Request) -> list[Result]:
    try:
        return answer(context, waited, [request])
    except ClearinghouseError as error:
        return [error]
    except Exception as error:  # noqa: BLE001 - told to the one who asked; the others are still to be answered
        return [_Unforeseen(error)]


class _Unforeseen(ClearinghouseError):
    """Something failed that nobody foresaw; its cause is for the log, never for the client."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("something went wrong on our side")
        self.__cause__ = cause


def _answer(
    context: Context, session: Session, waited: Waited, requests: Sequence[Request]
) -> list[Result]:
    results: dict[int, Result] = {}
    keys = [request.key for request in requests]
    session.wait_at_most(_LOCK_SECONDS)
    claimed = idempotency.claim(session, keys)
    fresh = _fresh(session, keys, claimed.mine, results)
    if fresh:
        directory = context.directory.at(session, claimed.directory_version)
        answers = _decided(
            context, session, directory, waited, [requests[place] for place in fresh]
        )
        results |= {
            place: Answered(given, False) for place, given in zip(fresh, answers, strict=True)
        }
    return [results[place] for place in range(len(requests))]


def _decided(
    context: Context,
    session: Session,
    directory: Directory,
    waited: Waited,
    requests: Sequence[Request],
) -> list[Answer]:
    """Post the lines of those who may speak for their hosts; return the answers, which are written with them."""
    allowed = [_speaks_for_host(request, directory) for request in requests]
    lines = [request.line for request, may in zip(requests, allowed, strict=True) if may]
    answers: list[Answer] = []

    def write_answers(posted: Posted, batch: Batch) -> None:
        tell_of_outcomes(batch, posted.outcomes, directory, posted.at)
        told = iter(_told(session, posted))
        # Nothing of another's host is told, not even whether a reference is taken.
        answers.extend(
            request.render(next(told) if may else RefusalCode.HOTEL_NOT_YOURS)
            for request, may in zip(requests, allowed, strict=True)
        )
        keys = [request.key for request in requests]
        idempotency.keep(batch, list(zip(keys, answers, strict=True)), posted.at)

    posted = post_within(
        context, session, directory, lines, received=context.clock(), with_them=write_answers
    )
    waited(posted.books.waited_us / 1e6)
    return answers


def _speaks_for_host(request: Request, directory: Directory) -> bool:
    """Tell whether a request may be decided; a host that nobody knows is refused by its own code."""
    line = request.line
    host = directory.hotel_by_code.get(line.host_hotel)
    return host is None or request.party.may_act_for(directory, host.number, line.business_date)


def _fresh(
    session: Session, keys: Sequence[Key], claimed: Sequence[bool], results: dict[int, Result]
) -> list[int]:
    """Return the places of keys that were never answered, and settle the others.

    The keys are claimed by a statement before: what another has answered is seen only once its claim is over.
    """
    before = idempotency.kept(session, keys)
    fresh: dict[bytes, int] = {}
    for place, (key, mine) in enumerate(zip(keys, claimed, strict=True)):
        known = before.get(key.key)
        if known is not None:
            same = known.request == key.request
            results[place] = Answered(known.answer, True) if same else IdempotencyKeyReused()
        elif not mine or key.key in fresh:
            results[place] = IdempotencyKeyInFlight()
        else:
            fresh[key.key] = place
    return list(fresh.values())


def _told(session: Session, posted: Posted) -> list[Told]:
    """Return what there is to tell of each outcome; what was accepted before is read from the books."""
    before = {o.txn_id for o in posted.outcomes if isinstance(o, Repeated)}
    within = {o.txn.txn_id: o.txn for o in posted.outcomes if isinstance(o, Accepted)}
    found = receipts.recorded(session, sorted(before)) if before else {}

    def tell(outcome: Outcome) -> Told:
        if isinstance(outcome, Refused):
            return outcome.code
        if isinstance(outcome, Held):
            return HoldTold(outcome.hold, posted.directory)
        txn = outcome.txn if isinstance(outcome, Accepted) else within.get(outcome.txn_id)
        if txn is not None:
            return receipt_of(txn, posted.books, posted.directory, posted.at)
        if isinstance(outcome, Repeated):
            return receipt_from(found[outcome.txn_id], posted.directory)
        raise AssertionError("an accepted line has its transaction")

    return [tell(outcome) for outcome in posted.outcomes]
