"""What can be wrong with a dispute, a claim or its evidence (domain.md §4 "Disputes")."""

from __future__ import annotations

from clearinghouse.domain.errors import ClearinghouseError


class LegNotDisputable(ClearinghouseError):
    """A leg inside one system: there is nobody to dispute it with (domain.md §4)."""

    code = "leg_not_disputable"


class StatementNotPublished(ClearinghouseError):
    """A leg's period is not published, so there is nothing to dispute yet (domain.md §4)."""

    code = "statement_not_published"


class DisputeExists(ClearinghouseError):
    """A system disputes a leg that it disputes already, for another reason."""

    code = "dispute_exists"


class RespondentOnly(ClearinghouseError):
    """A dispute is answered by somebody else than its respondent."""

    code = "respondent_only"


class DisputeAnswered(ClearinghouseError):
    """A dispute has another answer already."""

    code = "dispute_answered"


class LegAmbiguous(ClearinghouseError):
    """A transaction has several legs on one's statement, and nothing says which is meant."""

    code = "leg_ambiguous"


class ClaimTooHigh(ClearinghouseError):
    """A dispute claims more than is left of its leg, or nothing, or nothing is said of a leg without value."""

    code = "claim_too_high"


class DisputeNotDecided(ClearinghouseError):
    """A dispute is escalated that no decision stands on."""

    code = "dispute_not_decided"


class EscalationClosed(ClearinghouseError):
    """A dispute is escalated too late, a second time, or after it was accepted."""

    code = "escalation_closed"


class PartiesOnly(ClearinghouseError):
    """The operator does what only a system can that is a party to the dispute."""

    code = "parties_only"


class DisputeClosed(ClearinghouseError):
    """Evidence is brought while a decision stands."""

    code = "dispute_closed"


class EvidenceRefused(ClearinghouseError):
    """A file is not what it is said to be, or of a kind that is not taken."""

    code = "evidence_refused"


class EvidenceTooLarge(ClearinghouseError):
    """A file of evidence has more bytes than one may have."""

    code = "evidence_too_large"


class EvidenceLimitReached(ClearinghouseError):
    """A party has brought as many files as it may to one dispute."""

    code = "evidence_limit_reached"
