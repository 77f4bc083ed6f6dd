"""Disputes: objections to lines of published statements, their evidence, answers and decisions."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Literal
from urllib.parse import quote

from clearinghouse.client.problems import ClearinghouseProblem
from clearinghouse.client.transport import Ask, Transport, in_json
from clearinghouse.client.values import Money, money

#: What evidence can be, by how a file's name ends.
_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".csv": "text/csv",
    ".txt": "text/plain",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A state that a dispute reached, by which system (``None``: the clearing house), and what was said."""

    state: str
    at: datetime
    by: str | None = None
    text: str
    upheld: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A file that a party has brought."""

    id: str
    by: str | None = None
    name: str
    media_type: str
    size: int
    sha256: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dispute; ``respondent`` is ``None`` where the clearing house has to answer, as for a fee.

    ``upheld`` is what the decision that stands gives the opener; ``escalate_until`` is there while another can be
    asked for.
    """

    id: str
    transaction: str
    leg_no: int
    period: str
    opened_by: str
    respondent: str | None = None
    reason: str
    text: str
    claimed: Money
    state: str
    late: bool
    opened_at: datetime
    answer_due_at: datetime
    overdue: bool
    answer: str | None = None
    answer_text: str | None = None
    answered_at: datetime | None = None
    upheld: Money | None = None
    decided_at: datetime | None = None
    escalate_until: datetime | None = None
    steps: tuple[Step, ...]
    evidence: tuple[Evidence, ...]


class Disputes:
    """``/v1/disputes``; needs ``disputes:read``, and ``disputes:write`` to do anything.

    Each of these does the same when it is done twice, so an answer that is lost is asked for again.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def open(
        self,
        transaction: str,
        *,
        reason: str,
        text: str,
        claim_minor: int | None = None,
        leg_no: int | None = None,
        issuer_hotel: str | None = None,
    ) -> Dispute:
        """Dispute a line of a published statement by its ``txn_id``.

        Where the transaction has several lines, ``issuer_hotel`` of the line (or ``leg_no``) says which.
        ``claim_minor`` is what the respondent is to pay, in fen; all that is left of the line if it isn't said. The
        same line and reason again is the same dispute.
        """
        return self._post(
            "/v1/disputes",
            {
                "transaction": transaction,
                "reason": reason,
                "text": text,
                "claim": money(claim_minor),
                "leg_no": leg_no,
                "issuer_hotel": issuer_hotel,
            },
        )

    def get(self, dispute_id: str) -> Dispute:
        """Return a dispute."""
        return self._transport.get(Dispute, _path(dispute_id))

    def list(self, *, state: str | None = None) -> Iterator[Dispute]:
        """Yield the disputes that the own system opened or has to answer, the newest first."""
        return self._transport.pages(Dispute, "/v1/disputes", state=state)

    def answer(
        self, dispute_id: str, answer: Literal["accept", "contest"], *, text: str
    ) -> Dispute:
        """Answer, as the respondent. What is accepted is upheld at once and stands on the next statements of both."""
        return self._post(f"{_path(dispute_id)}/answer", {"answer": answer, "text": text})

    def escalate(self, dispute_id: str, *, text: str) -> Dispute:
        """Ask for another decision, once in a dispute and by ``escalate_until``."""
        return self._post(f"{_path(dispute_id)}/escalate", {"text": text})

    def add_evidence(
        self, dispute_id: str, name: str, content: bytes, *, media_type: str | None = None
    ) -> Evidence:
        """Bring a file (PDF, PNG, JPEG, CSV or text); its kind is told by its name if it isn't said."""
        kind = media_type or _TYPES.get(PurePath(name).suffix.lower())
        if kind is None:
            raise ValueError("evidence is PDF, PNG, JPEG, CSV or plain text")
        return self._transport.read(
            Evidence,
            Ask(
                method="POST",
                path=f"{_path(dispute_id)}/evidence",
                query={"name": name},
                body=lambda: (content, len(content)),
                content_type=kind,
                repeatable=True,
            ),
        )

    def evidence(self, dispute_id: str, evidence_id: str) -> bytes:
        """Return a file of evidence, byte for byte. It is what the other party has sent: open it with care.

        Raises:
            ClearinghouseProblem: there is none, or what came is not what the service says it sent.
        """
        path = f"{_path(dispute_id)}/evidence/{quote(evidence_id, safe='')}"
        answer = self._transport.send(Ask(method="GET", path=path, accept="*/*"))
        stated = answer.headers.get("Repr-Digest")
        digest = b64encode(hashlib.sha256(answer.body).digest()).decode()
        if stated is not None and stated != f"sha-256=:{digest}:":
            raise ClearinghouseProblem("answer_unreadable", "the file arrived damaged", status=200)
        return answer.body

    def _post(self, path: str, document: dict[str, object]) -> Dispute:
        ask = Ask(method="POST", path=path, body=in_json(document), repeatable=True)
        return self._transport.read(Dispute, ask)


def _path(dispute_id: str) -> str:
    return f"/v1/disputes/{quote(dispute_id, safe='')}"
