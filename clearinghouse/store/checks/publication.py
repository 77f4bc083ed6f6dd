"""What is published never changes: files, manifests and the order of periods (domain.md §5.7)."""

from __future__ import annotations

from hashlib import sha256

from clearinghouse.domain.calendar import format_period
from clearinghouse.store.checks.check import CLOSED_THROUGH, Check, Finding, month, query
from clearinghouse.store.database import Session

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


def _stored_files(session: Session) -> Finding:
    """Hash every stored file anew, a chunk at a time: files may be larger than memory."""
    wrong: list[str] = []
    files = 0
    current: tuple[int, str, str, int] | None = None
    digest, size = sha256(), 0

    def close() -> None:
        if current is not None and (digest.hexdigest(), size) != (current[2], current[3]):
            wrong.append(f"{current[1]} of {format_period(current[0])} is not what was stored")

    for period, path, recorded, length, block in session.stream(
        "SELECT f.period, f.path, f.sha256, f.size, c.bytes FROM period_files f"
        " LEFT JOIN period_file_chunks c ON c.period = f.period AND c.path = f.path"
        " ORDER BY f.period, f.path, c.chunk",
        batch=8,
    ):
        if current is None or (period, path) != current[:2]:
            close()
            current, digest, size, files = (period, path, recorded, length), sha256(), 0, files + 1
        if block is not None:
            digest.update(block)
            size += len(block)
    close()
    return Finding(files, len(wrong), wrong[0] if wrong else None)


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
