"""Receiving a batch: each part is stored as it comes, and nothing counts before the last one is there.

The parts are committed one by one: one transaction that is open for as long as a hotel's line takes to send
100 MB would keep everybody's events waiting. A batch that breaks off is removed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from clearinghouse.domain.calendar import period_of
from clearinghouse.domain.errors import (
    BatchUnreadable,
    ClearinghouseError,
    DatabaseUnavailable,
    IdempotencyKeyInFlight,
    IdempotencyKeyReused,
)
from clearinghouse.operations.batches.cutting import Cutter, Format, Limits, Part
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs.reading import Readable
from clearinghouse.operations.party import Party
from clearinghouse.store import batches
from clearinghouse.store.batches import Job, Received, StoredPart, Uploader
from clearinghouse.store.vault import Vault

#: An upload that is slower than a part in this time gives a sign of life in between.
_SIGN_OF_LIFE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a batch was at receipt; sent again under its key it gets the same receipt, ``replayed``.

    ``lines`` counts the lines that get a result, ``size`` the bytes.
    """

    batch_id: UUID
    format: Format
    received_at: datetime
    size: int
    lines: int
    replayed: bool


def receive(
    context: Context,
    party: Party,
    key: str,
    kind: Format,
    body: Readable,
    limits: Limits | None = None,
) -> Receipt:
    """Receive a batch and let it wait to be worked off; the same key and body again change nothing.

    Raises:
        BatchUnreadable, BatchTooLarge: nothing was kept.
        IdempotencyKeyReused: another body came under this key before.
        IdempotencyKeyInFlight: the same key is being uploaded at this moment.
        ClearinghouseError: the operator hosts nothing.
    """
    if party.system is None:
        raise ClearinghouseError("a batch is sent by a member system, not by the operator")
    uploader = Uploader(party.of_a_client(), party.system, party.hotels)
    hashed = blake2b(key.encode(), digest_size=16).digest()
    now = context.clock()
    batch_id = context.new_id(period_of(now.date()))
    with context.database.posting() as session:
        number = batches.begin(session, uploader, hashed, kind, batch_id, now)
        before = (
            batches.find_by_key(session, party.of_a_client(), hashed) if number is None else None
        )
    cutter = Cutter(kind, limits or Limits())
    if number is None:
        return _again(before, cutter, body)
    upload = _Upload(context, uploader, number, batch_id)
    try:
        for part_no, part in enumerate(cutter.parts(_Beating(body, upload.beat))):
            upload.store(part_no, part)
        upload.complete(cutter)
    except BaseException:
        # What can't be removed now lies still, and is removed with the abandoned ones.
        with suppress(DatabaseUnavailable), context.database.posting() as session:
            batches.discard(session, number)
        raise
    return Receipt(batch_id, kind, now, cutter.size, cutter.lines, replayed=False)


def open_part(vault: Vault, batch_id: UUID, part: StoredPart) -> Part:
    """Return a stored part as it came."""
    content = zlib.decompress(vault.unseal(sealed=part.content, what=_place(batch_id, part.part)))
    return Part(part.first_line, part.last_line, content)


def _place(batch_id: UUID, part: int) -> str:
    return f"batch {batch_id.hex} {part}"


def _again(before: Job | None, cutter: Cutter, body: Readable) -> Receipt:
    """Answer an upload whose key is known: read it to its end, only to see whether it is the same."""
    if before is None or before.state == "receiving":
        raise IdempotencyKeyInFlight
    with suppress(BatchUnreadable):
        for _ in cutter.parts(body):
            pass
    if cutter.digest != before.digest:
        raise IdempotencyKeyReused
    return Receipt(
        before.batch_id, Format(before.format), before.received_at, before.size, before.lines, True
    )


class _Upload:
    """An upload under way: its parts and its signs of life."""

    def __init__(self, context: Context, uploader: Uploader, number: int, batch_id: UUID) -> None:
        self._context = context
        self._system = uploader.system
        self._number = number
        self._batch_id = batch_id
        self._touched = context.clock()

    def beat(self) -> None:
        """Give a sign of life if the last one is a while ago."""
        now = self._context.clock()
        if now - self._touched > _SIGN_OF_LIFE:
            self._touched = now
            with self._context.database.posting() as session:
                self._mine(batches.touch(session, self._number, now))

    def store(self, part_no: int, part: Part) -> None:
        """Store a part, compressed and sealed."""
        # The lines are much alike: the quickest level does nearly all that can be done.
        packed = zlib.compress(part.content, 1)
        sealed = self._context.vault.seal(secret=packed, what=_place(self._batch_id, part_no))
        stored = StoredPart(part_no, part.first_line, part.last_line, sealed)
        self._touched = self._context.clock()
        with self._context.database.posting() as session:
            self._mine(batches.touch(session, self._number, self._touched))
            batches.add_part(session, self._number, self._system, stored)

    def complete(self, cutter: Cutter) -> None:
        """Let the batch wait to be worked off."""
        what = Received(cutter.layout, cutter.digest, cutter.size, cutter.lines)
        with self._context.database.posting() as session:
            self._mine(batches.received(session, self._number, what))

    @staticmethod
    def _mine(still: bool) -> None:
        if not still:
            # It lay still for so long that the same key was sent again: that one is the batch now.
            raise IdempotencyKeyInFlight


class _Beating:
    """A body each of whose blocks is followed by a heartbeat."""

    def __init__(self, body: Readable, beat: Callable[[], None]) -> None:
        self._body = body
        self._beat = beat

    def read(self, size: int, /) -> bytes:
        """Return the next block."""
        block = self._body.read(size)
        self._beat()
        return block
