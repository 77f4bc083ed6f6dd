"""Downloads of published files, byte for byte as they were signed, and of their signatures."""

from __future__ import annotations

from flask import Blueprint, Response, request

from clearinghouse.domain.calendar import format_period
from settlement import published
from settlement.published import StatementFile
from web.console.common import month_of
from web.frame.shared import the_context
from web.frame.staff import console_page, note, party

blueprint = Blueprint("console_downloads", __name__, url_prefix="/console/statements")

_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "camt053": "application/xml",
}
_DEBIT_NOTE = "debit-note"
_SIGNATURE_TYPE = "application/jose"


@blueprint.get("/<period>/files/<name>")
@console_page()
def file(period: str, name: str) -> Response:
    """Fetch a file: the statement in a format, or the debit note."""
    found = _opened(month_of(period), name)
    _note(period, name)
    response = Response(found.content, content_type=_TYPES.get(name, _TYPES["pdf"]))
    response.content_length = found.size
    response.set_etag(found.sha256)
    response.headers.set("Content-Disposition", "attachment", filename=found.name)
    return response


@blueprint.get("/<period>/files/<name>.sig")
@console_page()
def signature(period: str, name: str) -> Response:
    """Fetch the signature of a file, called as the file with ``.sig`` behind it."""
    month = month_of(period)
    content = published.own_signature(
        the_context(), party(), month, None if name == _DEBIT_NOTE else name
    )
    called = f"{_opened(month, name).name}.sig"
    _note(period, f"{name}.sig")
    response = Response(content, content_type=_SIGNATURE_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=called)
    return response


def _opened(month: int, name: str) -> StatementFile:
    if name == _DEBIT_NOTE:
        return published.own_debit_note(the_context(), party(), month)
    return published.own_statement(the_context(), party(), month, name)


def _note(period: str, name: str) -> None:
    if request.method == "GET":
        note("statement.download", f"statement {format_period(month_of(period))}", file=name)
