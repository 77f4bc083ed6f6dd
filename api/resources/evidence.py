"""``/v1/disputes/…/evidence``: files that the parties of a dispute bring, and nobody else sees."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import quote

from flask import Response, request

from api.http.blueprint import Blueprint
from api.http.caller import caller, needs, the_context
from api.http.frame import accept_bodies_up_to
from api.http.outcomes import problems
from api.http.problems import ProblemError
from api.http.till import id_of
from api.schemas.disputes import EvidenceQuery, EvidenceView
from clearinghouse.domain.evidence import BYTES_MAX, MEDIA_TYPES
from clearinghouse.operations import evidence
from clearinghouse.operations.dispute_record import EVIDENCE_PREFIX, PREFIX, EvidenceTold
from clearinghouse.operations.evidence import NewFile

blueprint = Blueprint(
    "evidence", __name__, url_prefix="/v1/disputes", description="争议证据 Evidence"
)

_BODY = {
    "required": True,
    "description": f"The file as it is, up to {BYTES_MAX:,} bytes; CSV and text in UTF-8.",
    "content": {
        kind: {"schema": {"type": "string", "format": "binary", "minLength": 1}}
        for kind in MEDIA_TYPES
    },
}
_BYTES = {"type": "string", "format": "binary"}
#: Whatever a browser makes of a file, it may not run anything of it.
_POLICY = "default-src 'none'; sandbox"


@blueprint.post("/<dispute_id>/evidence")
@needs("disputes:write")
@problems("system_client_needed", "not_found", "dispute_closed", "content_type_unsupported")
@problems("evidence_refused", "evidence_too_large", "evidence_limit_reached")
@blueprint.arguments(EvidenceQuery, location="query")
@blueprint.response(201, EvidenceView)
@blueprint.alt_response(200, schema=EvidenceView, description="The file is there already")
@blueprint.doc(requestBody=_BODY)
def add_evidence(query: dict[str, Any], dispute_id: str) -> tuple[EvidenceTold, int]:
    """提交证据文件 Bring a file to a dispute: PDF, PNG, JPEG, CSV or plain text.

    裁定前及升级后可提交。What is in the file has to be what `Content-Type` says. Both systems and the clearing house
    see it, nobody else. It is taken until the first decision, and again once the dispute is escalated. The same
    content by the same party again answers 200 with the file that there is. No party brings more than twenty files.
    """
    accept_bodies_up_to(BYTES_MAX + 1)
    if (request.content_length or 0) > BYTES_MAX:
        raise ProblemError("evidence_too_large", f"a file of evidence may have {BYTES_MAX:,} bytes")
    if request.mimetype not in MEDIA_TYPES:
        raise ProblemError("content_type_unsupported")
    new = NewFile(query["name"], request.mimetype, request.get_data(cache=False))
    told, added = evidence.add_evidence(the_context(), caller(), id_of(dispute_id, PREFIX), new)
    return told, 201 if added else 200


@blueprint.get("/<dispute_id>/evidence/<evidence_id>")
@needs("disputes:read")
@problems("system_client_needed", "not_found")
@blueprint.response(200, _BYTES, content_type="application/octet-stream")
def get_evidence(dispute_id: str, evidence_id: str) -> Response:
    """下载证据文件 Fetch a file of a dispute, byte for byte; never as a page that a browser would show."""
    found = evidence.open_evidence(
        the_context(), caller(), id_of(dispute_id, PREFIX), id_of(evidence_id, EVIDENCE_PREFIX)
    )
    answer = Response(found.content, content_type="application/octet-stream")
    answer.headers["Repr-Digest"] = (
        f"sha-256=:{b64encode(bytes.fromhex(found.file.sha256)).decode()}:"
    )
    answer.headers["Content-Security-Policy"] = _POLICY
    # A header is Latin-1; what is called otherwise is written as RFC 6266 has it.
    name = quote(found.file.name, safe="")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return answer
