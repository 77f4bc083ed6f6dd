"""What one of the operator's people proposes and another confirms, beside the commands that name who approves."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.operations import confirming, two_people
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from clearinghouse.store import proposals
from tests.alliances import MiniAlliance
from tests.founding import founding

ONE, OTHER = Authority("li.ming", "letter 7"), Authority("wang.fang", "checked")

TERMS = {"run_off_months": 1}

founded = founding(rulebook=TERMS)


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    made = MiniAlliance(context, tmp_path, rulebook=TERMS)
    made.accept("award", "AUR-BJ", "A1", "T1", "2026-10-01", points=2_000)
    return made


def states(alliance: MiniAlliance) -> list[str]:
    return [row[0] for row in alliance.rows("SELECT state FROM proposals ORDER BY number")]


def test_what_is_carried_out_ends_its_proposal_with_it(alliance: MiniAlliance) -> None:
    made = two_people.propose(alliance.context, "system.suspend", {"system": "AUR"}, ONE)
    assert [row.number for row in two_people.waiting(alliance.context, "AUR")] == [made.number]
    assert two_people.waiting(alliance.context, "BAM") == []
    two_people.confirm(alliance.context, made.number, OTHER)
    assert states(alliance) == ["confirmed"]
    log = alliance.rows(
        "SELECT actor, action FROM audit_log WHERE subject = 'system AUR' ORDER BY 2"
    )
    assert log == [("li.ming", "system.suspend"), ("li.ming", "system.suspend.propose")]
    with pytest.raises(OperatorRefused, match="confirmed already, by wang"):
        two_people.confirm(alliance.context, made.number, OTHER)


def test_nobody_confirms_what_they_propose_however_they_write_their_name(
    alliance: MiniAlliance,
) -> None:
    made = two_people.propose(alliance.context, "system.suspend", {"system": "AUR"}, ONE)
    for name in ("li.ming", " LI.MING ", "ｌｉ.ｍｉｎｇ"):
        with pytest.raises(OperatorRefused, match="another person"):
            two_people.confirm(alliance.context, made.number, Authority(name, "me again"))
    assert states(alliance) == ["waiting"]


def test_the_same_waits_once(alliance: MiniAlliance) -> None:
    two_people.propose(alliance.context, "system.suspend", {"system": "AUR"}, ONE)
    with pytest.raises(OperatorRefused, match="proposed already"):
        two_people.propose(alliance.context, "system.suspend", {"system": "AUR"}, OTHER)


def test_what_is_refused_waits_on(alliance: MiniAlliance) -> None:
    made = two_people.propose(alliance.context, "system.reinstate", {"system": "AUR"}, ONE)
    with pytest.raises(OperatorRefused, match="AUR is not suspended"):
        two_people.confirm(alliance.context, made.number, OTHER)
    assert states(alliance) == ["waiting"]
    two_people.withdraw(alliance.context, made.number, ONE)
    assert states(alliance) == ["withdrawn"]


def test_an_operation_that_the_database_would_do_twice_is_undone(alliance: MiniAlliance) -> None:
    """Ended by somebody else in between: the change that carries the proposal out leaves nothing."""
    made = two_people.propose(alliance.context, "system.suspend", {"system": "AUR"}, ONE)
    deed = two_people.DEEDS["system.suspend"]
    with alliance.database.posting() as session:
        at = alliance.context.clock()
        proposals.end(session, made.number, "withdrawn", "zhao", at)
    by = Authority("li.ming", "letter 7", "wang.fang", made.number)
    with pytest.raises(Exception, match="withdrawn already"):
        deed.do(alliance.context, {"system": "AUR"}, by)
    assert alliance.rows("SELECT 1 FROM standings") == []


def test_the_end_of_a_run_off_is_confirmed_too(alliance: MiniAlliance) -> None:
    values = {"system": "AUR", "withdrawn_on": "2026-10-05", "uncovered": True}
    leaving = two_people.propose(alliance.context, "system.withdraw", values, ONE)
    two_people.confirm(alliance.context, leaving.number, OTHER)
    alliance.clock.pass_to(datetime(2027, 1, 2, tzinfo=UTC))
    ended = two_people.propose(alliance.context, "system.end-run-off", {"system": "AUR"}, ONE)
    done = two_people.confirm(alliance.context, ended.number, OTHER)
    assert getattr(done, "points", None) == 2_000
    assert states(alliance) == ["confirmed", "confirmed"]
    assert [proof.detail for proof in prove(alliance.context) if not proof.holds] == []


def test_decisions_on_disputes_are_elsewhere(alliance: MiniAlliance) -> None:
    made = two_people.propose(alliance.context, "system.suspend", {"system": "AUR"}, ONE)
    assert confirming.waiting(alliance.context) == []
    with pytest.raises(NotFound):
        confirming.confirm(alliance.context, made.number, OTHER)
    with pytest.raises(NotFound):
        two_people.confirm(alliance.context, made.number + 1, OTHER)
