"""Disputes: between the two systems of a published leg, by the deadlines of its rulebook, and nobody else's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from uuid import UUID, uuid4

import psycopg2
import psycopg2.errors
import pytest

from clearinghouse.domain.dispute_errors import (
    DisputeAnswered,
    DisputeExists,
    LegNotDisputable,
    RespondentOnly,
    StatementNotPublished,
)
from clearinghouse.domain.disputes import (
    DisputeState,
    due_after,
    may_follow,
)
from clearinghouse.domain.errors import ClearinghouseError, NotFound, SystemClientNeeded
from clearinghouse.operations.context import Context
from clearinghouse.operations.disputing import (
    Claim,
    Dispute,
    Line,
    answer_dispute,
    dispute,
    disputes_of,
    open_dispute,
)
from clearinghouse.operations.events import events_after
from clearinghouse.operations.party import Party
from tests.alliances import MiniAlliance
from tests.operations.months import must_hold, publish_without_files
from tests.operations.parties import party

ACCEPT, CONTEST = "accept", "contest"


class Court:
    """October is published: points of AUR used at CLD, cash at BAM with a card of AUR, points of AUR used at AUR."""

    def __init__(self, context: Context, folder: Path) -> None:
        self.alliance = MiniAlliance(context, folder)
        self.context = self.alliance.context
        do = self.alliance.accept
        do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
        self.used = do("redeem", "CLD-GZ", "2", "T1", "2026-10-03", points=400).txn.txn_id
        self.cash = do("spend", "BAM-HZ", "3", "T1", "2026-10-04", amount=88_888).txn.txn_id
        self.own = do("redeem", "AUR-BJ", "4", "T1", "2026-10-05", points=100).txn.txn_id
        publish_without_files(self.alliance, "2026-10")
        self.later = do("redeem", "CLD-GZ", "5", "T1", "2026-11-05", points=50).txn.txn_id
        self.aur, self.bam, self.cld = (
            party(self.alliance, code) for code in ("AUR", "BAM", "CLD")
        )
        self.operator = party(self.alliance, None)

    def open(
        self, who: Party, txn_id: UUID, reason: str = "amount_wrong", text: str = "少了"
    ) -> Dispute:
        found, _ = open_dispute(self.context, who, Line(txn_id, 1), Claim(reason, text))
        return found

    def answer(
        self, who: Party, found: Dispute, said: str = CONTEST, text: str = "没错"
    ) -> Dispute:
        return answer_dispute(self.context, who, found.dispute_id, said, text)

    def listed(self, who: Party, state: str | None = None) -> list[UUID]:
        return [row.dispute_id for row in disputes_of(self.context, who, state, None, 100)]

    def told(self, who: Party) -> list[tuple[str, str]]:
        kinds = ["dispute.opened", "dispute.answered"]
        page = events_after(self.context, who, None, 100, kinds)
        return [(event.kind, event.data["dispute"]) for event in page.events]


@pytest.fixture
def court(founded: object, context: Context, tmp_path: Path) -> Court:
    return Court(context, tmp_path)


@contextmanager
def nothing_written(court: Court, error: type[ClearinghouseError]) -> Iterator[None]:
    """A refusal that leaves the books as they are."""
    sql = (
        "SELECT (SELECT array_agg(d) FROM disputes d)::text, (SELECT array_agg(s) FROM dispute_steps s)::text,"
        " (SELECT count(*) FROM outbox)"
    )
    before = court.alliance.rows(sql)
    with pytest.raises(error):
        yield
    assert court.alliance.rows(sql) == before


def test_a_dispute_is_opened_and_answered(court: Court) -> None:
    opened = court.open(court.aur, court.used)
    assert (opened.opened_by, opened.respondent, opened.state) == ("AUR", "CLD", "open")
    assert (opened.period, opened.leg_no, opened.late) == ("2026-10", 1, False)
    answered = court.answer(court.cld, opened)
    assert (answered.state, answered.answer, answered.answer_text) == ("answered", CONTEST, "没错")
    assert (answered.answer_late, answered.decided_at) == (False, None)
    steps = [(step.state, step.by) for step in answered.steps]
    assert steps == [("open", "AUR"), ("answered", "CLD")]
    for who in (court.aur, court.cld):
        assert dispute(court.context, who, opened.dispute_id) == answered
        assert court.told(who) == [("dispute.opened", opened.id), ("dispute.answered", opened.id)]
    assert court.told(court.bam) == court.told(court.operator) == []
    must_hold(court.context)


def test_either_system_of_a_leg_may_dispute_it(court: Court) -> None:
    assert court.open(court.cld, court.used).respondent == "AUR"
    assert court.open(court.aur, court.used).respondent == "CLD"


def test_of_cash_the_host_disputes_its_fee_with_the_operator(court: Court) -> None:
    opened = court.open(court.bam, court.cash, "fee_wrong")
    assert opened.respondent is None
    # What a guest spends elsewhere is not the card issuer's business.
    with nothing_written(court, NotFound):
        court.open(court.aur, court.cash)
    with nothing_written(court, RespondentOnly):
        court.answer(court.bam, opened)
    with nothing_written(court, NotFound):
        court.answer(court.aur, opened)
    answered = court.answer(court.operator, opened, ACCEPT)
    assert [step.by for step in answered.steps] == ["BAM", None]
    assert court.told(court.operator) == court.told(court.bam)


def test_what_can_not_be_disputed(court: Court) -> None:
    for who, txn_id, error in (
        (court.aur, court.own, LegNotDisputable),
        (court.aur, court.later, StatementNotPublished),
        (court.bam, court.used, NotFound),
        (court.bam, court.later, NotFound),
        (court.bam, court.own, NotFound),
        (court.operator, court.used, NotFound),
        (court.aur, uuid4(), NotFound),
        (court.aur, UUID(int=0), NotFound),
        (court.aur, UUID(int=(1 << 128) - 1), NotFound),
    ):
        with nothing_written(court, error):
            court.open(who, txn_id)
    with nothing_written(court, NotFound):
        open_dispute(court.context, court.aur, Line(court.used, 2), Claim("other", "x"))


def test_the_same_again_is_the_same_dispute(court: Court) -> None:
    first, added = open_dispute(
        court.context, court.aur, Line(court.used, 1), Claim("amount_wrong", "少了")
    )
    again, added_again = open_dispute(
        court.context, court.aur, Line(court.used, 1), Claim("amount_wrong", "又")
    )
    assert (added, added_again) == (True, False)
    assert again == first
    with nothing_written(court, DisputeExists):
        court.open(court.aur, court.used, "duplicate")
    answered = court.answer(court.cld, first)
    assert court.open(court.aur, court.used) == answered
    assert len(court.told(court.cld)) == 2


def test_it_is_answered_once_and_by_its_respondent(court: Court) -> None:
    opened = court.open(court.aur, court.used)
    with nothing_written(court, RespondentOnly):
        court.answer(court.aur, opened)
    with nothing_written(court, RespondentOnly):
        court.answer(court.operator, opened)
    for stranger in (court.bam, Party(1, None, None, frozenset({"disputes:write"}))):
        with nothing_written(court, NotFound):
            court.answer(stranger, opened)
    answered = court.answer(court.cld, opened)
    assert court.answer(court.cld, opened) == answered
    for said, text in ((ACCEPT, "没错"), (CONTEST, "还是没错")):
        with nothing_written(court, DisputeAnswered):
            court.answer(court.cld, opened, said, text)


def test_who_comes_late_is_heard_and_flagged(court: Court) -> None:
    published = court.alliance.value("SELECT published_at FROM periods WHERE period = 2026*12+9")
    last = due_after(published, 30, "Asia/Shanghai") - timedelta(seconds=1)
    court.alliance.clock.pass_to(last)
    in_time = court.open(court.aur, court.used)
    court.alliance.clock.pass_to(last + timedelta(seconds=1))
    late = court.open(court.cld, court.used)
    assert (in_time.late, late.late) == (False, True)
    assert in_time.answer_due_at == due_after(last, 15, "Asia/Shanghai")
    court.alliance.clock.pass_to(in_time.answer_due_at)
    assert court.answer(court.cld, in_time).answer_late


def test_days_end_with_the_local_day() -> None:
    midnight = datetime(2026, 12, 5, 16, tzinfo=UTC)  # in Shanghai the sixth begins
    assert due_after(midnight - timedelta(seconds=1), 0, "Asia/Shanghai") == midnight
    assert due_after(midnight, 1, "Asia/Shanghai") == midnight + timedelta(days=2)


def test_each_sees_its_own(court: Court) -> None:
    used, cash = court.open(court.aur, court.used), court.open(court.bam, court.cash, "fee_wrong")
    court.answer(court.operator, cash)
    one, other = used.dispute_id, cash.dispute_id
    assert court.listed(court.aur) == court.listed(court.cld) == [one]
    assert court.listed(court.bam) == [other]
    assert court.listed(court.operator) == [other, one]
    assert court.listed(court.operator, "open") == [one]
    office = Party(court.operator.client, None, None, frozenset({"disputes:read"}))
    assert court.listed(office) == [other]
    for who, hidden in ((court.aur, other), (court.cld, other), (court.bam, one), (office, one)):
        with pytest.raises(NotFound):
            dispute(court.context, who, hidden)
    for who, own in ((court.aur, one), (court.bam, other)):
        with court.context.database.reading(who.system) as session:
            assert session.rows("SELECT dispute_id FROM disputes") == [(own,)]
            assert session.rows("SELECT DISTINCT dispute_id FROM dispute_steps") == [(own,)]
    with court.context.database.reading(None) as session:
        assert session.rows("SELECT 1 FROM disputes") == []
        assert session.rows("SELECT 1 FROM dispute_steps") == []


def test_a_client_of_some_hotels_has_no_disputes(court: Court) -> None:
    opened = court.open(court.aur, court.used)
    desk = party(court.alliance, "CLD", ["CLD-GZ"])
    with nothing_written(court, SystemClientNeeded):
        court.open(desk, court.used)
    with nothing_written(court, SystemClientNeeded):
        court.answer(desk, opened)
    with pytest.raises(SystemClientNeeded):
        court.listed(desk)
    with pytest.raises(SystemClientNeeded):
        dispute(court.context, desk, opened.dispute_id)


def test_the_database_lets_a_dispute_go_where_the_rules_do(court: Court) -> None:
    """The trigger and the table of the rules are two: for every pair of states they agree."""
    opened = court.open(court.aur, court.used)
    # From any state: what a state needs is filled in as if it had gone the whole way.
    for state, following in product(DisputeState, DisputeState):
        allowed = may_follow(state, following)
        deed = (
            f"ALTER TABLE disputes DISABLE TRIGGER goes_forward; UPDATE disputes SET {filled(state)};"
            f" ALTER TABLE disputes ENABLE TRIGGER goes_forward; UPDATE disputes SET {filled(following)};"
        )
        connection = psycopg2.connect(court.context.database.owner_url.replace("+psycopg2", "", 1))
        try:
            with connection.cursor() as cursor:
                if allowed:
                    cursor.execute(deed)
                else:
                    with pytest.raises(psycopg2.errors.RestrictViolation):
                        cursor.execute(deed)
        finally:
            connection.close()
    assert dispute(court.context, court.aur, opened.dispute_id) == opened


def filled(state: DisputeState) -> str:
    """A state with what it needs."""
    answered = "NULL" if state is DisputeState.OPEN else "'contest'"
    text = "NULL" if state is DisputeState.OPEN else "'x'"
    times = {
        DisputeState.OPEN: ("NULL", "NULL", "NULL"),
        DisputeState.ANSWERED: ("opened_at", "NULL", "NULL"),
        DisputeState.ESCALATED: ("opened_at", "opened_at", "opened_at"),
    }
    answered_at, decided_at, escalated_at = times.get(
        state, ("opened_at", "opened_at", "escalated_at")
    )
    upheld = "NULL" if decided_at == "NULL" else "0"
    escalated_by = "CASE WHEN escalated_at IS NOT NULL THEN opened_by END"
    if escalated_at == "opened_at":
        escalated_by = "opened_by"
    return (
        f"state = '{state}', answer = {answered}, answer_text = {text}, answered_at = {answered_at},"
        f" decided_at = {decided_at}, escalate_until = {decided_at}, upheld_minor = {upheld},"
        f" escalated_at = {escalated_at}, escalated_by = {escalated_by}"
    )


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE disputes SET text = 'other'",
        "UPDATE disputes SET late = NOT late",
        "UPDATE disputes SET state = 'open'",
        "UPDATE disputes SET state = 'upheld', decided_at = now(), answer = 'accept'",
        "DELETE FROM disputes",
        "TRUNCATE disputes CASCADE",
        "UPDATE dispute_steps SET text = ''",
        "DELETE FROM dispute_steps",
        "TRUNCATE dispute_steps",
    ],
)
def test_what_was_said_stays(court: Court, deed: str) -> None:
    court.answer(court.cld, court.open(court.aur, court.used))
    connection = psycopg2.connect(court.context.database.owner_url.replace("+psycopg2", "", 1))
    try:
        with connection.cursor() as cursor, pytest.raises(psycopg2.errors.RestrictViolation):
            cursor.execute(deed)
    finally:
        connection.close()


def test_a_decided_dispute_is_escalated_once(court: Court) -> None:
    court.answer(court.cld, court.open(court.aur, court.used))
    connection = psycopg2.connect(court.context.database.owner_url.replace("+psycopg2", "", 1))
    try:
        with connection.cursor() as cursor:
            for change in (
                "state = 'rejected', decided_at = now(), escalate_until = now(), upheld_minor = 0",
                "state = 'escalated', escalated_at = now(), escalated_by = opened_by",
                "state = 'rejected'",
            ):
                cursor.execute(f"UPDATE disputes SET {change}")
            with pytest.raises(psycopg2.errors.RestrictViolation):
                cursor.execute("UPDATE disputes SET state = 'escalated'")
    finally:
        connection.close()
