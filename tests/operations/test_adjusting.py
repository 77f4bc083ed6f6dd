"""Adjustments: what they do to nets, fees and VAT of the period that they are posted in, and that they stay."""

from pathlib import Path
from threading import Barrier, Thread

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearinghouse.domain.calendar import cut_off
from clearinghouse.operations.adjusting import adjust
from clearinghouse.operations.context import Context
from clearinghouse.store.adjustments import AdjustmentRow, adjustments_of, sums
from tests.alliances import MiniAlliance
from tests.operations.months import must_hold, publish_without_files

OCTOBER, NOVEMBER = 2026 * 12 + 9, 2026 * 12 + 10


class Corrected:
    """October is published: points of AUR used at CLD for 4.00, cash at BAM for 888.88 (fee 8.89)."""

    def __init__(self, context: Context, folder: Path, **rulebook: object) -> None:
        self.alliance = MiniAlliance(context, folder, rulebook=rulebook)
        do = self.alliance.accept
        do("spend", "AUR-SH", "1", "T1", "2026-10-02", amount=120_000)
        do("redeem", "CLD-GZ", "2", "T1", "2026-10-03", points=400)
        do("spend", "BAM-HZ", "3", "T1", "2026-10-04", amount=88_888)
        publish_without_files(self.alliance, "2026-10")
        self.numbers = dict(self.alliance.rows("SELECT code, number FROM systems"))

    def adjust(self, payer: str | None, payee: str | None, amount: int) -> int:
        numbers = {None: None, **self.numbers}
        with self.alliance.database.posting() as session:
            return adjust(
                session,
                self.alliance.context,
                payer=numbers[payer],
                payee=numbers[payee],
                amount_minor=amount,
                kind="correction",
                reference="R-1",
                text="更正",
            )

    def rows(self, period: int = NOVEMBER) -> list[AdjustmentRow]:
        with self.alliance.database.office() as session:
            return adjustments_of(session, period)

    def position(self, system: str) -> tuple[int, ...]:
        """Fees, VAT, adjustments and net of November."""
        return self.alliance.rows(
            "SELECT fees_minor, vat_minor, adjustments_minor, net_minor FROM positions"
            " WHERE period = %s AND system = %s",
            NOVEMBER,
            self.numbers[system],
        )[0]

    def must_hold(self) -> None:
        must_hold(self.alliance.context)


@pytest.fixture
def corrected(founded: object, context: Context, tmp_path: Path) -> Corrected:
    return Corrected(context, tmp_path)


def test_between_systems_it_moves_the_net_of_both_in_the_next_period(corrected: Corrected) -> None:
    before = corrected.alliance.rows("SELECT * FROM positions WHERE period = %s", OCTOBER)
    corrected.adjust("CLD", "AUR", 150)
    rows = corrected.rows()
    assert [(row.amount_minor, row.is_fee, row.period) for row in rows] == [
        (150, False, NOVEMBER),
        (-150, False, NOVEMBER),
    ]
    corrected.must_hold()
    publish_without_files(corrected.alliance, "2026-11")
    assert corrected.position("AUR") == (0, 0, 150, 150)
    assert corrected.position("CLD") == (0, 0, -150, -150)
    assert corrected.alliance.rows("SELECT * FROM positions WHERE period = %s", OCTOBER) == before
    corrected.must_hold()


@pytest.mark.parametrize(
    ("included", "vat", "net"), [(True, -50, 889), (False, -53, 942)], ids=["within", "on top"]
)
def test_a_fee_given_back_takes_its_vat_along(
    context: Context, tmp_path: Path, included: bool, vat: int, net: int
) -> None:
    corrected = Corrected(context, tmp_path, fees_include_vat=included)
    corrected.adjust(None, "BAM", 889)
    assert [row.is_fee for row in corrected.rows()] == [True]
    publish_without_files(corrected.alliance, "2026-11")
    assert corrected.position("BAM") == (-889, vat, 0, net)
    corrected.must_hold()


def test_a_fee_can_be_charged_later(corrected: Corrected) -> None:
    corrected.adjust("BAM", None, 106)
    publish_without_files(corrected.alliance, "2026-11")
    assert corrected.position("BAM") == (106, 6, 0, -106)
    corrected.must_hold()


def test_it_goes_to_the_earliest_open_period_though_a_later_one_is_in_use(
    corrected: Corrected,
) -> None:
    corrected.alliance.accept("spend", "BAM-HZ", "9", "T1", "2026-12-15", amount=100)
    corrected.adjust("CLD", "AUR", 1)
    assert {row.period for row in corrected.rows()} == {NOVEMBER}
    days = corrected.alliance.rows(
        "SELECT business_date::text FROM entries WHERE kind = 'adjustment'"
    )
    assert days == [("2026-11-30",)]


@pytest.mark.parametrize(
    ("payer", "payee", "amount"),
    [("AUR", "AUR", 1), (None, None, 1), ("AUR", "BAM", 0), ("AUR", "BAM", -1)],
)
def test_nothing_and_oneself_are_not_adjusted(
    corrected: Corrected, payer: str | None, payee: str | None, amount: int
) -> None:
    with pytest.raises(ValueError, match="two parties"):
        corrected.adjust(payer, payee, amount)
    assert corrected.rows() == []


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE adjustments SET amount_minor = 1",
        "DELETE FROM adjustments",
        "TRUNCATE adjustments",
        (
            "INSERT INTO adjustments (period, number, system, counterparty, amount_minor, kind, reference, text,"
            " business_date, entry_id, at) SELECT period, number + 9, system, counterparty, amount_minor, kind,"
            " reference, text, business_date, entry_id, at FROM adjustments"
        ),
    ],
)
def test_a_published_period_keeps_its_adjustments(corrected: Corrected, deed: str) -> None:
    corrected.adjust("CLD", "AUR", 1)
    publish_without_files(corrected.alliance, "2026-11")
    with (
        pytest.raises(psycopg2.errors.RestrictViolation),
        psycopg2.connect(
            corrected.alliance.database.owner_url.replace("+psycopg2", "", 1)
        ) as owner,
        owner.cursor() as cursor,
    ):
        cursor.execute(deed)
    corrected.adjust("CLD", "AUR", 2)
    assert [row.amount_minor for row in corrected.rows(NOVEMBER + 1)] == [2, -2]


def test_a_system_reads_its_own(corrected: Corrected) -> None:
    corrected.adjust("CLD", "AUR", 1)
    corrected.adjust(None, "BAM", 2)
    for code in ("AUR", "BAM", "CLD"):
        with corrected.alliance.database.reading(corrected.numbers[code]) as session:
            assert session.rows("SELECT DISTINCT system FROM adjustments") == [
                (corrected.numbers[code],)
            ]


_PARTY = st.sampled_from([None, "AUR", "BAM", "CLD"])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(_PARTY, _PARTY, st.integers(1, 10**12)), max_size=5))
def test_whatever_is_adjusted_sums_to_nothing(
    corrected: Corrected, deeds: list[tuple[str | None, str | None, int]]
) -> None:
    for payer, payee, amount in deeds:
        if payer != payee:
            corrected.adjust(payer, payee, amount)
    with corrected.alliance.database.office() as session:
        found = sums(session, NOVEMBER)
    assert sum(row.adjustments_minor for row in found.values()) == 0
    fees = corrected.alliance.value(
        "SELECT coalesce(sum(CASE WHEN credit = 24 THEN amount WHEN debit = 24 THEN -amount END), 0)"
        " FROM postings WHERE period = %s",
        NOVEMBER,
    )
    assert sum(row.fees_minor for row in found.values()) == fees


def test_a_month_that_closes_meanwhile_has_all_of_its_adjustments(corrected: Corrected) -> None:
    """Whoever posts while a month is closed and netted is in it or in the next one, and in nothing between."""
    start = Barrier(3)

    def post_some() -> None:
        start.wait()
        for _ in range(15):
            corrected.adjust("CLD", "AUR", 1)

    threads = [Thread(target=post_some) for _ in range(2)]
    for thread in threads:
        thread.start()
    corrected.alliance.clock.pass_to(cut_off(NOVEMBER, 3, "Asia/Shanghai"))
    start.wait()
    publish_without_files(corrected.alliance, "2026-11")
    for thread in threads:
        thread.join()
    rows = corrected.rows(NOVEMBER) + corrected.rows(NOVEMBER + 1)
    assert sum(row.amount_minor for row in rows if row.amount_minor > 0) == 30
    frozen = corrected.position("AUR")[2]
    assert frozen == sum(max(row.amount_minor, 0) for row in corrected.rows(NOVEMBER))
    corrected.must_hold()
