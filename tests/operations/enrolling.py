"""A front desk that enrols people, for tests."""

from dataclasses import replace

from clearinghouse.operations.enrol import (
    Applicant,
    Begun,
    Enrolled,
    OneTimeCode,
    begin,
    confirm,
)
from clearinghouse.operations.party import Party
from tests.alliances import MiniAlliance
from tests.operations.parties import party

NEW = Applicant("AUR-BJ", "A1", "赵敏", "13900139000", "Zhao@Example.CN")
#: T2 of the alliance, who holds a card of CLD.
WANG = replace(NEW, name="王伟", phone="+8613800138001")
#: T1, who holds one of AUR.
LI = replace(NEW, name="李芳", phone="+8613800138000")


class Desk:
    """A front desk of a system, and a drawer with the codes that went to phones."""

    def __init__(self, alliance: MiniAlliance, system: str = "AUR") -> None:
        self.alliance = alliance
        self.context = alliance.context
        self.party: Party = party(alliance, system)
        self.sent: list[OneTimeCode] = []

    def begin(self, applicant: Applicant = NEW) -> Begun:
        return begin(self.context, self.party, applicant, self.sent.append)

    def confirm(self, begun: Begun, code: str | None = None, number: str | None = None) -> Enrolled:
        code = self.sent[-1].code if code is None else code
        return confirm(self.context, self.party, begun.enrolment_id, code, number)

    def enrol(self, applicant: Applicant = NEW) -> Enrolled:
        return self.confirm(self.begin(applicant))

    def wrong(self) -> str:
        return f"{(int(self.sent[-1].code) + 1) % 1_000_000:06}"


def counted(alliance: MiniAlliance) -> tuple[int, int]:
    """How many travellers and cards there are."""
    travellers, cards = alliance.rows(
        "SELECT count(*) FROM travellers UNION ALL SELECT count(*) FROM cards"
    )
    return travellers[0], cards[0]
