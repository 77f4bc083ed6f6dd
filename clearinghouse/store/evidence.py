"""Evidence as it is stored: files of disputes in chunks, each with its SHA-256, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.store.bulk import array
from clearinghouse.store.database import Session
from clearinghouse.store.doer import Doer

_CHUNK_BYTES = 1 << 20
_COLUMNS = "evidence_id, dispute_id, by_system, name, media_type, size, sha256, at"


class EvidenceFile(NamedTuple):
    """A file; ``by_system`` is ``None`` for the operator."""

    evidence_id: UUID
    dispute_id: UUID
    by_system: int | None
    name: str
    media_type: str
    size: int
    sha256: str
    at: datetime


def add(session: Session, new: EvidenceFile, doer: Doer, content: bytes) -> None:
    """Store a file, whose content its party has not brought to that dispute before."""
    session.run(
        f"INSERT INTO dispute_evidence ({_COLUMNS}, client, by_user)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [*new, *doer],
    )
    for chunk, at in enumerate(range(0, len(content), _CHUNK_BYTES)):
        session.run(
            "INSERT INTO dispute_evidence_chunks (evidence_id, chunk, bytes) VALUES (%s, %s, %s)",
            [new.evidence_id, chunk, content[at : at + _CHUNK_BYTES]],
        )


def same_content(
    session: Session, dispute_id: UUID, by_system: int | None, sha256: str
) -> EvidenceFile | None:
    """Return the file with this content that a party has brought to a dispute."""
    row = session.row(
        f"SELECT {_COLUMNS} FROM dispute_evidence WHERE dispute_id = %s"
        " AND by_system IS NOT DISTINCT FROM %s AND sha256 = %s",
        [dispute_id, by_system, sha256],
    )
    return EvidenceFile(*row) if row else None


def count_of(session: Session, dispute_id: UUID, by_system: int | None) -> int:
    """Return how many files a party has brought to a dispute."""
    row = session.row(
        "SELECT count(*) FROM dispute_evidence WHERE dispute_id = %s AND by_system IS NOT DISTINCT FROM %s",
        [dispute_id, by_system],
    )
    return int(row[0]) if row else 0


def files_of(session: Session, disputes: Sequence[UUID]) -> dict[UUID, list[EvidenceFile]]:
    """Return the files of disputes, each dispute's in the order in which they came."""
    found: dict[UUID, list[EvidenceFile]] = {}
    for row in session.rows(
        f"SELECT {_COLUMNS} FROM dispute_evidence WHERE dispute_id = ANY (%s::uuid[])"
        " ORDER BY dispute_id, at, evidence_id",
        [array(disputes)],
    ):
        file = EvidenceFile(*row)
        found.setdefault(file.dispute_id, []).append(file)
    return found


def file(session: Session, dispute_id: UUID, evidence_id: UUID) -> EvidenceFile | None:
    """Return one file of a dispute."""
    row = session.row(
        f"SELECT {_COLUMNS} FROM dispute_evidence WHERE dispute_id = %s AND evidence_id = %s",
        [dispute_id, evidence_id],
    )
    return EvidenceFile(*row) if row else None


def content(session: Session, evidence_id: UUID) -> Iterator[bytes]:
    """Yield a file's bytes; it is of a few megabytes at most."""
    for row in session.rows(
        "SELECT bytes FROM dispute_evidence_chunks WHERE evidence_id = %s ORDER BY chunk",
        [evidence_id],
    ):
        yield bytes(row[0])
