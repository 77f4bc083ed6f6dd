"""Which key signs a period, and the signatures of its published files; rows are added, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from clearinghouse.store.bulk import arrays
from clearinghouse.store.database import Session
from clearinghouse.store.periods import PUBLISHED


class FileToSign(NamedTuple):
    """A stored file as it is signed: its path, the code of whose it is (``None``: the operator), hash and size."""

    path: str
    system_code: str | None
    sha256: str
    size: int


class Signed(NamedTuple):
    """A signature of a published file by one key, beside what the books say of that file."""

    period: int
    file: FileToSign
    kid: str
    signature: str


def fix_key(session: Session, period: int, kid: str, at: datetime, *, named: bool) -> None:
    """Let a key sign the files of a period; ``named`` if they are to say its fingerprint."""
    session.run(
        "INSERT INTO period_keys (period, kid, named, at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [period, kid, named, at],
    )


def named_key(session: Session, period: int) -> tuple[str, dict[str, Any]] | None:
    """Return the key (id and public JWK) that the files of a period name; what became of it since changes nothing."""
    row = session.row(
        "SELECT k.kid, k.public_key FROM period_keys p JOIN signing_keys k USING (kid)"
        " WHERE p.period = %s AND p.named ORDER BY p.number DESC LIMIT 1",
        [period],
    )
    return None if row is None else (row[0], row[1])


def hold_state(session: Session, period: int) -> str:
    """Return the state of a period, which can't go on before this transaction ends."""
    row = session.row("SELECT state FROM periods WHERE period = %s FOR NO KEY UPDATE", [period])
    return str(row[0]) if row else ""


def key_of(session: Session, period: int) -> tuple[str, dict[str, Any]] | None:
    """Return the key (id and public JWK) that signs a period: the last fixed one that is not compromised."""
    row = session.row(
        "SELECT k.kid, k.public_key FROM period_keys p JOIN signing_keys k USING (kid)"
        " WHERE p.period = %s AND k.compromised_at IS NULL ORDER BY p.number DESC LIMIT 1",
        [period],
    )
    return None if row is None else (row[0], row[1])


def periods_without_key(session: Session, states: Sequence[str]) -> list[int]:
    """Return the periods in these states whose keys are all compromised, the oldest first."""
    rows = session.rows(
        "SELECT period FROM periods p WHERE state = ANY (%s)"
        " AND EXISTS (SELECT FROM period_keys f WHERE f.period = p.period)"
        " AND NOT EXISTS (SELECT FROM period_keys f JOIN signing_keys k USING (kid)"
        "  WHERE f.period = p.period AND k.compromised_at IS NULL) ORDER BY 1",
        [list(states)],
    )
    return [row[0] for row in rows]


def files_to_sign(session: Session, period: int, kid: str) -> list[FileToSign]:
    """Return the stored files of a period that a key has not signed, by path."""
    rows = session.rows(
        "SELECT f.path, s.code, f.sha256, f.size FROM period_files f LEFT JOIN systems s ON s.number = f.system"
        " WHERE f.period = %s AND NOT EXISTS (SELECT FROM file_signatures g"
        "  WHERE g.period = f.period AND g.path = f.path AND g.kid = %s)"
        ' ORDER BY f.path COLLATE "C"',
        [period, kid],
    )
    return [FileToSign(*row) for row in rows]


def add(
    session: Session, period: int, kid: str, signatures: Iterable[tuple[str, str]], at: datetime
) -> None:
    """Store the signatures (path, text) of files of a period by one key."""
    rows = [*signatures]
    if rows:
        session.run(
            "INSERT INTO file_signatures (period, path, kid, system, signature, signed_at)"
            " SELECT f.period, f.path, %s, f.system, n.signature, %s"
            " FROM unnest(%s::text[], %s::text[]) AS n (path, signature)"
            " JOIN period_files f ON f.period = %s AND f.path = n.path",
            [kid, at, *arrays(rows), period],
        )


def signature_of(session: Session, period: int, path: str) -> bytes | None:
    """Return the newest signature of a file, which is the one to serve."""
    row = session.row(
        "SELECT signature FROM file_signatures WHERE period = %s AND path = %s"
        " ORDER BY number DESC LIMIT 1",
        [period, path],
    )
    return None if row is None else row[0].encode()


def signatures_of(session: Session, period: int) -> dict[str, bytes]:
    """Return the newest signature of every file of a period, by the path of the file."""
    return {
        path: text.encode()
        for path, text in session.rows(
            "SELECT DISTINCT ON (path) path, signature FROM file_signatures WHERE period = %s"
            " ORDER BY path, number DESC",
            [period],
        )
    }


def signed_by(
    session: Session, period: int, paths: Sequence[str]
) -> dict[str, tuple[str, datetime]]:
    """Return the key and the moment of the newest signature of some files of a period, by path."""
    return {
        path: (kid, at)
        for path, kid, at in session.rows(
            "SELECT DISTINCT ON (path) path, kid, signed_at FROM file_signatures"
            " WHERE period = %s AND path = ANY (%s) ORDER BY path, number DESC",
            [period, list(paths)],
        )
    }


def published_paths(session: Session) -> list[tuple[int, str]]:
    """Return period and path of every published file."""
    rows = session.rows(
        "SELECT period, path FROM period_files JOIN periods USING (period) WHERE state = ANY (%s)"
        " ORDER BY 1, 2",
        [list(PUBLISHED)],
    )
    return [(period, path) for period, path in rows]


def all_signatures(session: Session) -> Iterator[Signed]:
    """Yield every signature of every published period, beside what the books say of its file."""
    for period, path, code, digest, size, kid, text in session.stream(
        "SELECT g.period, g.path, s.code, f.sha256, f.size, g.kid, g.signature FROM file_signatures g"
        " JOIN period_files f USING (period, path) LEFT JOIN systems s ON s.number = f.system"
        " ORDER BY g.period, g.path, g.number"
    ):
        yield Signed(period, FileToSign(path, code, digest, size), kid, text)
