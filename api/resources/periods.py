"""``/v1/periods``: how far each month is, and the own statements as they were published."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from flask import Response, request

from api.http.blueprint import Blueprint
from api.http.caller import caller, needs, the_context
from api.http.outcomes import problems
from api.http.pages import PageQuery, page, page_of, place
from api.schemas.base import money
from api.schemas.periods import PeriodView
from clearinghouse.domain.calendar import format_period, parse_period
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.netting import Position
from settlement import published
from settlement.published import PeriodSeen, StatementFile

_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xml": "application/xml",
}
#: What is called otherwise in an address than on the command line.
_FORMATS = {"xml": "camt053"}
_ENDINGS = {name: ending for ending, name in _FORMATS.items()}
_BYTES = {"type": "string", "format": "binary"}
#: A compact JWS (RFC 7515).
_SIGNATURE_TYPE = "application/jose"
_PARAMETERS = [
    {
        "in": "path",
        "name": "period",
        "required": True,
        "description": "账期 month, YYYY-MM",
        "schema": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
    },
    {"in": "path", "name": "suffix", "required": True, "schema": {"type": "string", "enum": list(_TYPES)}},
]  # fmt: skip

blueprint = Blueprint("periods", __name__, url_prefix="/v1/periods", description="账期 Periods")


@blueprint.get("")
@needs("settlements:read")
@problems("system_client_needed")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(PeriodView))
def list_periods(query: dict[str, Any]) -> dict[str, Any]:
    """List the periods, the newest first; own figures and statements are there once one is published."""
    limit, position = query["limit"], place(query)
    before = None if position is None else int(position)
    found = published.periods_seen(the_context(), caller(), before=before, most=limit + 1)
    answer = page(found, limit, lambda row: str(row.period))
    return {**answer, "data": [_shown(row) for row in answer["data"]]}


@blueprint.get("/<period>/statement.<suffix>", parameters=_PARAMETERS)
@needs("settlements:read")
@problems("system_client_needed", "not_found")
@blueprint.response(200, _BYTES, content_type=_TYPES["pdf"])
@blueprint.response(200, _BYTES, content_type=_TYPES["xlsx"])
@blueprint.response(200, _BYTES, content_type="text/csv")
@blueprint.response(200, {"type": "object"}, content_type=_TYPES["json"])
@blueprint.response(200, _BYTES, content_type=_TYPES["xml"])
@blueprint.alt_response(304, description="The statement is the one that If-None-Match names")
def get_statement(period: str, suffix: str) -> Response:
    """Fetch the own statement of a period, byte for byte as it was published; ``xml`` is camt.053.001.08."""
    name = _format_name(suffix)
    file = published.own_statement(the_context(), caller(), _number(period), name)
    return _sent(file, _TYPES[suffix])


@blueprint.get("/<period>/debit-note.pdf", parameters=_PARAMETERS[:1])
@needs("settlements:read")
@problems("system_client_needed", "not_found")
@blueprint.response(200, _BYTES, content_type=_TYPES["pdf"])
@blueprint.alt_response(304, description="The debit note is the one that If-None-Match names")
def get_debit_note(period: str) -> Response:
    """Fetch the debit note of a period, by which a system that has to pay is asked to; others have none."""
    file = published.own_debit_note(the_context(), caller(), _number(period))
    return _sent(file, _TYPES["pdf"])


@blueprint.get("/<period>/statement.<suffix>.sig", parameters=_PARAMETERS)
@needs("settlements:read")
@problems("system_client_needed", "not_found")
@blueprint.response(200, {"type": "string"}, content_type=_SIGNATURE_TYPE)
def get_statement_signature(period: str, suffix: str) -> Response:
    """Fetch the signature of the own statement: a JWS whose payload has the statement's SHA-256, period and party."""
    name = _format_name(suffix)
    return _signature(published.own_signature(the_context(), caller(), _number(period), name))


@blueprint.get("/<period>/debit-note.pdf.sig", parameters=_PARAMETERS[:1])
@needs("settlements:read")
@problems("system_client_needed", "not_found")
@blueprint.response(200, {"type": "string"}, content_type=_SIGNATURE_TYPE)
def get_debit_note_signature(period: str) -> Response:
    """Fetch the signature of the own debit note: a JWS whose payload has its SHA-256, period and party."""
    return _signature(published.own_signature(the_context(), caller(), _number(period), None))


def _format_name(suffix: str) -> str:
    """Return what the format is called that an address names."""
    return _FORMATS.get(suffix, suffix if suffix not in _ENDINGS else "")


def _signature(content: bytes) -> Response:
    answer = Response(content, content_type=_SIGNATURE_TYPE)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _number(period: str) -> int:
    try:
        return parse_period(period)
    except ValueError:
        raise NotFound("there is no such period; write it as YYYY-MM") from None


def _sent(file: StatementFile, content_type: str) -> Response:
    answer = Response(file.content, content_type=content_type)
    answer.content_length = file.size
    answer.set_etag(file.sha256)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(file.sha256)).decode()}:"
    answer.headers.set("Content-Disposition", "attachment", filename=file.name)
    answer.make_conditional(request)
    return answer


def _shown(row: PeriodSeen) -> dict[str, Any]:
    return {
        "period": format_period(row.period),
        "state": row.state,
        "published_at": row.published_at,
        "position": None if row.position is None else _position(row.position),
        "statements": sorted(_ENDINGS.get(name, name) for name in row.formats),
    }


def _position(position: Position) -> dict[str, Any]:
    return {
        "receivable": money(position.receivable_minor),
        "payable": money(position.payable_minor),
        "fees": money(position.fees_minor),
        "vat": money(position.vat_minor),
        "adjustments": money(position.adjustments_minor),
        "net": money(position.net_minor),
    }
