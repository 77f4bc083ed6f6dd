"""``/v1/batches``: the night audit, a file of up to a million lines, each of which gets its answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from flask import Response, request

from api.http.blueprint import Blueprint
from api.http.caller import caller, needs, the_context
from api.http.frame import accept_bodies_up_to
from api.http.outcomes import problems
from api.http.pages import PageQuery, cursor_at, page_of, place
from api.http.problems import ProblemError
from api.http.till import IDEMPOTENCY_PARAMETER, given_key
from api.schemas.batches import BatchView, ResultPage, ResultQuery
from clearinghouse.domain.errors import TILL_SENTENCES, RefusalCode
from clearinghouse.operations.batches import (
    BYTES_MAX,
    LINES_MAX,
    Batch,
    Format,
    Receipt,
    all_results,
    batches_of,
    find_batch,
    receive,
    results_after,
)
from clearinghouse.store.batch_results import ACCEPTED, INVALID, REPEATED, LineResult

blueprint = Blueprint(
    "batches", __name__, url_prefix="/v1/batches", description="夜审批次 Night audit batches"
)

_FORMATS = {"text/csv": Format.CSV, "application/x-ndjson": Format.NDJSON}
_COLUMNS = [
    "line",
    "host_hotel",
    "txn_ref",
    "outcome",
    "txn_id",
    "code",
    "till_zh",
    "till_en",
    "detail",
]
#: How many results are written at a time.
_ROWS_EACH = 500
_BODY = {
    "required": True,
    "description": f"Up to {LINES_MAX:,} lines and {BYTES_MAX:,} bytes, UTF-8. The columns of the CSV header, and the"
    " members of an NDJSON line, are `host_hotel, txn_ref, original_txn_ref, kind, card_number, business_date,"
    " occurred_at, amount_minor, points`.",
    "content": {
        kind: {"schema": {"type": "string", "minLength": 1, "maxLength": BYTES_MAX}}
        for kind in _FORMATS
    },
}


@blueprint.post("")
@needs("batches:write")
@problems("batch_unreadable", "batch_incomplete", "batch_too_large", "content_type_unsupported")
@blueprint.response(202, BatchView)
@blueprint.doc(parameters=[IDEMPOTENCY_PARAMETER], requestBody=_BODY)
def send_batch() -> tuple[dict[str, Any], int, dict[str, str]]:
    """上传夜审批次 Send a night audit: CSV with a header, or one JSON object a line.

    应答后在后台逐行入账，可安全重发:同一键得到同一批次，已入账的行得到 repeated。
    It is posted behind this answer, line by line, and is safe to send again: with the same key it is the same batch,
    with another key every line that is posted already is `repeated`. A line that can't be read costs no other one.
    """
    key = given_key()
    kind = _format()
    # One more than may come, so that too many are told of as a batch's.
    accept_bodies_up_to(BYTES_MAX + 1)
    if (request.content_length or 0) > BYTES_MAX:
        raise ProblemError("batch_too_large", f"a batch may have {BYTES_MAX:,} bytes")
    body = _Whole(request.stream, request.content_length)
    receipt = receive(the_context(), caller(), key, kind, body)
    headers = {"Location": f"/v1/batches/bat_{receipt.batch_id.hex}"}
    if receipt.replayed:
        headers["Idempotent-Replayed"] = "true"
    return _at_receipt(receipt), 202, headers


@blueprint.get("")
@needs("batches:write")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(BatchView))
def list_batches(query: dict[str, Any]) -> dict[str, Any]:
    """已上传的批次，最新在前 The batches that were sent, the newest first."""
    before = place(query)
    page = batches_of(
        the_context(), caller(), None if before is None else int(before), query["limit"]
    )
    following = None if page.next_before is None else cursor_at(str(page.next_before))
    return {"data": [_document(batch) for batch in page.batches], "next_cursor": following}


@blueprint.get("/<batch_id>")
@needs("batches:write")
@problems("not_found")
@blueprint.response(200, BatchView)
def show_batch(batch_id: str) -> dict[str, Any]:
    """批次进度 How far a batch is."""
    return _document(find_batch(the_context(), caller(), batch_id))


@blueprint.get("/<batch_id>/results")
@needs("batches:write")
@problems("not_found", "batch_not_finished")
@blueprint.arguments(ResultQuery, location="query")
@blueprint.response(200, ResultPage)
@blueprint.alt_response(200, schema={"type": "string"}, content_type="text/csv")
def list_results(query: dict[str, Any], batch_id: str) -> dict[str, Any] | Response:
    """逐行结果 What became of each line, in the order of the file.

    `next_cursor` is null once every line was told: while the batch is worked off, the same cursor leads on later. With
    `Accept: text/csv` a finished batch is answered as one file.
    """
    if request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv":
        found = all_results(the_context(), caller(), batch_id)
        return Response(_as_csv(found), content_type="text/csv; charset=utf-8")
    after = place(query)
    page = results_after(the_context(), caller(), batch_id, int(after or 0), query["limit"])
    return {
        "state": page.state,
        "data": [_result(result) for result in page.results],
        "next_cursor": None if page.next_after is None else cursor_at(str(page.next_after)),
    }


class _Whole:
    """A body that must come to its end: a server that loses its client may end it early without a word."""

    def __init__(self, stream: Any, length: int | None) -> None:
        self._stream = stream
        self._length = length
        self._read = 0

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, none at the end.

        Raises:
            ProblemError: it ended before its announced length.
        """
        block: bytes = self._stream.read(size)
        self._read += len(block)
        if not block and self._length is not None and self._read < self._length:
            raise ProblemError("batch_incomplete")
        return block


def _format() -> Format:
    kind = _FORMATS.get(request.mimetype)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if kind is None or charset not in {"utf-8", "utf8"}:
        raise ProblemError("content_type_unsupported", f"send {' or '.join(_FORMATS)}, as UTF-8")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProblemError("content_type_unsupported", "a batch is sent uncompressed")
    return kind


def _at_receipt(receipt: Receipt) -> dict[str, Any]:
    """Write the first answer to an upload, which every repetition of it gets again."""
    return {
        "batch_id": f"bat_{receipt.batch_id.hex}",
        "state": "waiting",
        "format": receipt.format.value,
        "received_at": receipt.received_at,
        "finished_at": None,
        "size_bytes": receipt.size,
        "lines": receipt.lines,
        "answered": 0,
        "totals": {"accepted": 0, "repeated": 0, "refused": 0, "invalid": 0},
    }


def _document(batch: Batch) -> dict[str, Any]:
    job = batch.job
    return {
        "batch_id": f"bat_{job.batch_id.hex}",
        "state": job.state,
        "format": job.format,
        "received_at": job.received_at,
        "finished_at": job.finished_at,
        "size_bytes": job.size,
        "lines": job.lines,
        "answered": batch.answered,
        "totals": batch.tally._asdict(),
    }


def _result(result: LineResult) -> dict[str, Any]:
    accepted = result.code in {ACCEPTED, REPEATED}
    invalid = result.code == INVALID
    till = None if accepted or invalid else TILL_SENTENCES[RefusalCode(result.code)]
    return {
        "line": result.line,
        "host_hotel": result.host,
        "txn_ref": result.ref,
        "outcome": result.code if accepted else "invalid" if invalid else "refused",
        "txn_id": None if result.txn_id is None else f"txn_{result.txn_id.hex}",
        "code": None if accepted else result.code,
        "till": None if till is None else {"zh": till[0], "en": till[1]},
        "detail": result.fault,
    }


def _as_csv(results: Iterator[LineResult]) -> Iterator[str]:
    """Write results as CSV, some hundred at a time."""
    yield ",".join(_COLUMNS) + "\r\n"
    while rows := [_row(_result(result)) for result in islice(results, _ROWS_EACH)]:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        yield text.getvalue()


def _row(told: Mapping[str, Any]) -> list[Any]:
    till = told["till"] or {"zh": None, "en": None}
    return [till[name[5:]] if name.startswith("till_") else told[name] for name in _COLUMNS]
