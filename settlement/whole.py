"""Published bytes on their way out: compared with the hash and size they were stored with, and all of them there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.store import frozen
from clearinghouse.store.database import Session
from clearinghouse.store.frozen import StoredFile
from settlement.paths import MANIFEST

_WHAT_TO_DO = 'run "clearinghouse check", and restore it from a backup'


def whole(period: int, file: StoredFile, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of a published file, the last of them only if all are what was stored.

    So whoever has been told the size, or writes a file whole or not at all, never ends well with other bytes.

    Raises:
        BooksDoNotBalance: they are not.
    """
    digest, size, last = sha256(), 0, b""
    for block in blocks:
        if last:
            yield last
        digest.update(block)
        size += len(block)
        last = block
    if (size, digest.hexdigest()) != (file.size, file.sha256):
        raise BooksDoNotBalance(
            f"{file.path} of {format_period(period)} is not what was published: its stored bytes are not those of its"
            f" SHA-256; {_WHAT_TO_DO}"
        )
    yield last


def must_be_all(session: Session, period: int, files: Sequence[StoredFile]) -> None:
    """Prove that the files of a published period are those that its manifest lists.

    Raises:
        BooksDoNotBalance: they are not, or there is no such manifest.
    """
    by_path = {file.path: file for file in files}
    manifest = by_path.pop(MANIFEST, None)
    if manifest is None:
        raise gone(period, MANIFEST)
    chunks = frozen.file_chunks(session, period, MANIFEST)
    listed = json.loads(b"".join(whole(period, manifest, chunks)))["files"]
    for path in sorted({*listed, *by_path}):
        if path not in by_path:
            raise gone(period, path)
        if path not in listed or listed[path]["sha256"] != by_path[path].sha256:
            raise BooksDoNotBalance(
                f"{path} of {format_period(period)} is not what its manifest lists; {_WHAT_TO_DO}"
            )


def gone(period: int, what: str) -> BooksDoNotBalance:
    """Return the error that something published is gone."""
    return BooksDoNotBalance(
        f"{what} of {format_period(period)} was published and is missing; {_WHAT_TO_DO}"
    )
