"""What is published never changes: files, manifests and the order of periods (domain.md §5.7)."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from clearinghouse.domain.calendar import format_period
from clearinghouse.store.checks.check import CLOSED_THROUGH, Check, Finding, month, query
from clearinghouse.store.database import Session

#: How a binary COPY begins and ends (PostgreSQL's manual, "COPY").
_COPY_SIGNATURE, _COPY_HEADER_BYTES, _COPY_END = b"PGCOPY\n\xff\r\n\0", 19, b"\xff\xff"
_MANIFESTS = "('manifest.json', 'manifest.json.sig')"

PERIODS_CLOSE_IN_ORDER = query(
    "7.2", "账期依序关闭", "Periods close in order, and take nothing once published", "periods",
    f"""
SELECT 1, CASE
    WHEN p.state = 'open' AND p.period < {CLOSED_THROUGH}
        AND (SELECT true FROM transactions t WHERE t.period = p.period LIMIT 1)
        THEN format('%s has transactions and is open, though a later period is closed', {month("p.period")})
    WHEN (p.state = 'open' OR p.closing_at IS NOT NULL) IS NOT TRUE
        OR (p.state IN ('published', 'settled')) <> (p.published_at IS NOT NULL)
        OR p.published_at < p.closing_at
        THEN format('the moments of %s do not fit its state', {month("p.period")}) END
FROM periods p
UNION ALL
SELECT 1, CASE WHEN e.posted_at > p.published_at
    THEN format('entry %s was posted to %s after it was published', e.entry_id, {month("e.period")}) END
FROM entries e JOIN periods p ON p.period = e.period
""",
)  # fmt: skip


class _Hashing:
    """Hashes stored files out of a binary COPY, a chunk at a time: together they may be larger than memory.

    As text the same bytes took six times as long. The server sends one row a message: the number of its
    fields, then each field as its length and its bytes (−1: NULL).
    """

    def __init__(self) -> None:
        self.files = 0
        self.wrong: list[str] = []
        self._file: tuple[int, str] | None = None
        self._recorded: tuple[str, int] = ("", 0)
        self._digest, self._size = sha256(), 0

    def write(self, message: bytes) -> int:
        """Take one message of the COPY; psycopg2 calls this as if it wrote to a file."""
        row = memoryview(message)
        if message.startswith(_COPY_SIGNATURE):
            row = row[_COPY_HEADER_BYTES:]
        if len(row) > len(_COPY_END):
            period, path, recorded, size, block = _fields(row)
            self._take((int.from_bytes(period), str(path, "utf-8")), recorded, size, block)
        return len(message)

    def close(self) -> None:
        """Judge the file that came last."""
        if self._file is not None and (self._digest.hexdigest(), self._size) != self._recorded:
            self.wrong.append(
                f"{self._file[1]} of {format_period(self._file[0])} is not what was stored"
            )

    def _take(
        self, file: tuple[int, str], recorded: memoryview, size: memoryview, block: memoryview
    ) -> None:
        if file != self._file:
            self.close()
            self._file, self._recorded = file, (str(recorded, "utf-8"), int.from_bytes(size))
            self._digest, self._size = sha256(), 0
            self.files += 1
        self._digest.update(block)
        self._size += len(block)


def _fields(row: memoryview) -> Iterator[memoryview]:
    at = 2
    for _ in range(int.from_bytes(row[:2])):
        length = max(int.from_bytes(row[at : at + 4], signed=True), 0)
        at += 4
        yield row[at : at + length]
        at += length


def _stored_files(session: Session) -> Finding:
    hashing = _Hashing()
    with session.cursor() as cursor:
        cursor.copy_expert(
            "COPY (SELECT f.period, f.path, f.sha256, f.size, c.bytes FROM period_files f"
            " LEFT JOIN period_file_chunks c ON c.period = f.period AND c.path = f.path"
            " ORDER BY f.period, f.path, c.chunk) TO STDOUT (FORMAT binary)",
            hashing,
        )
    hashing.close()
    wrong = hashing.wrong
    return Finding(hashing.files, len(wrong), wrong[0] if wrong else None)


STORED_FILES_ARE_WHOLE = Check(
    "7.3",
    "已发布文件未变",
    "Every stored file still has its SHA-256 and size",
    "files",
    _stored_files,
)

MANIFESTS_LIST_ALL = query(
    "7.4", "清单列全文件", "The manifest of every published period lists all of its files", "files",
    f"""
SELECT 1, CASE
    WHEN m.document IS NULL THEN format('%s is published without a manifest', {month("p.period")})
    WHEN listed.path IS NULL THEN format('the manifest of %s does not list %s', {month("p.period")}, f.path)
    WHEN f.path IS NULL THEN format('the manifest of %s lists %s, which is not there', {month("p.period")}, listed.path)
    WHEN (listed.file ->> 'sha256', (listed.file ->> 'size')::bigint, (listed.file ->> 'rows')::bigint)
        IS DISTINCT FROM (f.sha256, f.size, f.rows)
        THEN format('the manifest of %s says something else of %s', {month("p.period")}, f.path) END
FROM (SELECT period FROM periods WHERE state IN ('published', 'settled')) AS p
LEFT JOIN (
    SELECT period, convert_from(string_agg(bytes, ''::bytea ORDER BY chunk), 'UTF8')::jsonb AS document
    FROM period_file_chunks WHERE path = 'manifest.json' GROUP BY 1
) AS m USING (period)
LEFT JOIN LATERAL (SELECT * FROM jsonb_each(m.document -> 'files')) AS listed (path, file) ON true
FULL JOIN (
    SELECT * FROM period_files JOIN (SELECT period FROM periods WHERE state IN ('published', 'settled')) AS published
        USING (period) WHERE path NOT IN {_MANIFESTS}
) AS f ON f.period = p.period AND f.path = listed.path
""",
)  # fmt: skip
