"""Evidence: files that the parties of a dispute bring, seen by them and the clearing house alone (domain.md §4)."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple
from uuid import UUID, uuid4

from clearinghouse.domain.dispute_errors import (
    DisputeClosed,
    EvidenceLimitReached,
    EvidenceTooLarge,
)
from clearinghouse.domain.disputes import DECIDED, DisputeState
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.evidence import BYTES_MAX, FILES_MAX, check_content, check_name
from clearinghouse.operations.context import Context
from clearinghouse.operations.dispute_record import (
    EVIDENCE_PREFIX,
    EvidenceTold,
    evidence_told,
    found_for,
    named,
    viewer_of,
)
from clearinghouse.operations.events import refuse_part, seeing
from clearinghouse.operations.party import Party
from clearinghouse.operations.trail import note_user
from clearinghouse.store import evidence as store
from clearinghouse.store.evidence import EvidenceFile

__all__ = ["EVIDENCE_PREFIX", "NewFile", "OpenedFile", "add_evidence", "open_evidence"]


class NewFile(NamedTuple):
    """A file as it is brought: its name, what it is said to be, and its bytes."""

    name: str
    media_type: str
    content: bytes


class OpenedFile(NamedTuple):
    """A file and its bytes."""

    file: EvidenceTold
    content: bytes


def add_evidence(
    context: Context, party: Party, dispute_id: UUID, new: NewFile
) -> tuple[EvidenceTold, bool]:
    """Bring a file to a dispute, as one of its parties or the operator; the answer tells whether it is new.

    The same content by the same party again is the same file. Until the first decision, and again once it is
    escalated; what is decided is decided on what was there.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
        NotFound: the party is no party to such a dispute.
        EvidenceTooLarge: it has too many bytes.
        EvidenceRefused: it is not what it is said to be, or is not taken.
        EvidenceLimitReached: the party has brought as many files as it may.
        DisputeClosed: a decision stands.
    """
    refuse_part(party)
    if len(new.content) > BYTES_MAX:
        raise EvidenceTooLarge(f"a file of evidence may have {BYTES_MAX:,} bytes")
    with context.database.posting() as session:
        found = found_for(session, viewer_of(party), dispute_id, hold=True)
        directory = context.directory.current(session)
        check_name(new.name)
        check_content(new.content, new.media_type)
        digest = sha256(new.content).hexdigest()
        known = store.same_content(session, dispute_id, party.system, digest)
        if known is not None:
            return evidence_told(directory, known), False
        if DisputeState(found.state) in DECIDED:
            raise DisputeClosed("the dispute is decided; escalate it to bring more evidence")
        if store.count_of(session, dispute_id, party.system) >= FILES_MAX:
            raise EvidenceLimitReached(f"a party brings {FILES_MAX} files to a dispute at most")
        file = EvidenceFile(
            uuid4(), dispute_id, party.system, new.name, new.media_type, len(new.content), digest,
            context.clock(),
        )  # fmt: skip
        # The dispute is held, so nobody of this party brings the same beside us.
        store.add(session, file, party.doer, new.content)
        note_user(session, file.at, party, "evidence.add", named(found), sha256=digest)
        return evidence_told(directory, file), True


def open_evidence(
    context: Context, party: Party, dispute_id: UUID, evidence_id: UUID
) -> OpenedFile:
    """Return a file of a dispute to one of its parties or the operator.

    Raises:
        SystemClientNeeded: the client is bound to some hotels.
        NotFound: the party is no party to such a dispute, or it has no such file.
    """
    directory = context.current_directory()
    with seeing(context, party) as session:
        found_for(session, viewer_of(party), dispute_id)
        file = store.file(session, dispute_id, evidence_id)
        if file is None:
            raise NotFound("the dispute has no such file")
        return OpenedFile(
            evidence_told(directory, file), b"".join(store.content(session, evidence_id))
        )
