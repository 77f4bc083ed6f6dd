"""Importing what the bank says: matched where there is no doubt, posted once, never half."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.calendar import cut_off
from clearinghouse.domain.errors import BankFileFault
from clearinghouse.domain.matching import Finding
from clearinghouse.operations.context import Context
from clearinghouse.store import frozen
from tests.alliances import MiniAlliance
from tests.payments.bank import OURS, Booked, camt, csv
from tests.payments.desk import OCTOBER, Desk

AUR, BAM, CLD = "CH-202610-AUR-1", "CH-202610-BAM-1", "CH-202610-CLD-1"
ALL = (
    Booked("B1", 31_250, AUR, "AUR"),
    Booked("B2", -28_211, BAM, "BAM"),
    Booked("B3", -1_960, CLD, "CLD"),
)


def test_publication_makes_an_instruction_for_each_net(desk: Desk) -> None:
    found = {code: desk.instruction(code) for code in ("AUR", "BAM", "CLD")}
    assert [(i.direction.value, i.amount_minor, i.reference) for i in found.values()] == [
        ("in", 31_250, AUR),
        ("out", 28_211, BAM),
        ("out", 1_960, CLD),
    ]
    # Published on 4 November; payment_days is 10.
    assert {i.due_on for i in found.values()} == {date(2026, 11, 14)}
    assert desk.state() == "published"
    desk.must_hold()


@pytest.mark.parametrize("write", [camt, csv])
def test_a_month_is_settled_when_all_of_it_is_confirmed(desk: Desk, write: object) -> None:
    assert callable(write)
    first = desk.take(write(desk.folder / "first", ALL[:2]))
    assert [(a.finding, a.matched) for a in first.arrived] == [(Finding.EXACT, True)] * 2
    assert desk.state() == "published"
    desk.take(write(desk.folder / "last", ALL[2:]))
    assert desk.state() == "settled"
    assert [desk.position(code) for code in ("AUR", "BAM", "CLD")] == [0, 0, 0]
    # What is left at the bank is what the clearing house has earned.
    assert desk.balance(AccountKind.BANK) == -(31_250 - 28_211 - 1_960)
    assert desk.balance(AccountKind.UNALLOCATED) == 0
    assert desk.events("period.settled", "BAM") == [{"period": "2026-10"}]
    assert desk.events("period.settled") == [{"period": "2026-10"}]
    assert desk.events("payment.received", "AUR") == [
        {
            "period": "2026-10",
            "reference": AUR,
            "direction": "in",
            "amount_minor": 31_250,
            "booked_on": "2026-11-10",
            "outstanding_minor": 0,
        }
    ]
    desk.must_hold()


def test_the_same_again_changes_nothing(desk: Desk) -> None:
    path = camt(desk.folder / "a.xml", ALL)
    desk.take(path)
    assert desk.take(path).repeated
    # Other bytes, the same entries and one more.
    again = desk.bank(*ALL, Booked("B4", 500, None, "AUR"))
    assert (again.known, again.lines, len(again.arrived)) == (3, 4, 1)
    assert desk.value("SELECT count(*) FROM bank_lines") == 4
    assert len(desk.audited("payment.import")) == 2
    assert desk.audited("payment.match_automatic")[0] == (
        "matching",
        f"bank line {desk.line('B1')}",
        {
            "finding": "exact",
            "parts": [{"system": "AUR", "period": "2026-10", "amount_minor": 31_250}],
        },
    )
    desk.must_hold()


def test_a_part_and_the_rest_later(desk: Desk) -> None:
    desk.bank(Booked("B1", 10_000, AUR, "AUR"))
    assert (desk.instruction("AUR").state, desk.instruction("AUR").outstanding_minor) == (
        "partial",
        21_250,
    )
    desk.bank(Booked("B2", 21_250, None, "AUR", text=f"余款 ref {AUR.lower()} thank you"))
    assert desk.instruction("AUR").state == "confirmed"
    desk.must_hold()


def test_too_much_stands_as_credit_and_the_next_month_takes_it_in(desk: Desk) -> None:
    desk.bank(Booked("B1", 40_000, AUR, "AUR"))
    assert desk.instruction("AUR").state == "confirmed"
    assert desk.credit("AUR") == desk.position("AUR") == 8_750
    # November: 2,800 of AUR's points are used at BAM, behind 533 of BAM's own.
    desk.post("spend", "AUR-SH", "n1", "T1", "2026-11-13", amount=1_000_000)
    desk.post("redeem", "BAM-HZ", "n2", "T1", "2026-11-13", points=3_333)
    desk.settle("2026-11")
    november = desk.instruction("AUR", OCTOBER + 1)
    assert (november.net_minor, november.carried_minor) == (-2_800, 8_750)
    assert (november.direction.value, november.amount_minor) == ("out", 5_950)
    assert desk.credit("AUR") == 0
    desk.must_hold()


def test_what_pays_a_creditor_too_much_waits_for_a_person(desk: Desk) -> None:
    found = desk.bank(Booked("B1", -28_300, BAM, "BAM"))
    assert [(a.finding, a.matched) for a in found.arrived] == [(Finding.OVER, False)]
    assert desk.balance(AccountKind.UNALLOCATED) == -28_300
    desk.match("B1")
    assert desk.instruction("BAM").state == "confirmed"
    assert desk.credit("BAM") == -89
    desk.must_hold()


@pytest.mark.parametrize(
    ("booked", "finding"),
    [
        pytest.param(Booked("B1", 31_250, AUR, "9999"), Finding.EXACT, id="another account"),
        pytest.param(Booked("B1", 31_250, AUR), Finding.EXACT, id="no account"),
        pytest.param(Booked("B1", 31_250, None, "AUR"), Finding.EXACT, id="no reference"),
        pytest.param(Booked("B1", 500, None, "AUR"), Finding.PARTIAL, id="only the account"),
        pytest.param(Booked("B1", 500, BAM, "BAM"), Finding.OVER, id="a creditor pays"),
        pytest.param(Booked("B1", -500, AUR, "9999"), Finding.UNKNOWN, id="the wrong way"),
        pytest.param(Booked("B1", 31_250, "CH-202610-XXX-1"), Finding.UNKNOWN, id="nobody's"),
        pytest.param(Booked("B1", 500, None, None, text=f"{AUR} {CLD}"), Finding.PARTIAL, id="two"),
    ],
)
def test_what_leaves_a_doubt_is_not_matched(desk: Desk, booked: Booked, finding: Finding) -> None:
    found = desk.bank(booked)
    assert [(a.finding, a.matched) for a in found.arrived] == [(finding, False)]
    assert desk.value("SELECT count(*) FROM payment_allocations") == 0
    assert desk.balance(AccountKind.UNALLOCATED) == booked.amount
    desk.must_hold()


def test_a_second_payment_of_the_same_waits(desk: Desk) -> None:
    found = desk.bank(Booked("B1", 31_250, AUR, "AUR"), Booked("B2", 31_250, AUR, "AUR"))
    assert [a.matched for a in found.arrived] == [True, False]
    desk.must_hold()


def test_a_returned_payment_is_owed_again(desk: Desk) -> None:
    desk.bank(*ALL)
    desk.bank(
        Booked("R1", 1_960, CLD, None, reversal=True),
        Booked("R2", -31_250, AUR, "AUR", reversal=True),
    )
    assert desk.instruction("CLD").outstanding_minor == 1_960
    assert desk.instruction("AUR").state == "open"
    # Settled stays settled: the instruction is what is open.
    assert desk.state() == "settled"
    assert desk.events("payment.returned", "CLD")[0]["outstanding_minor"] == 1_960
    desk.bank(Booked("B9", -1_960, CLD, "CLD"))
    assert desk.instruction("CLD").state == "confirmed"
    desk.must_hold()


def test_a_later_file_matches_what_waited(desk: Desk) -> None:
    """A payment in advance names what is not published yet."""
    november = "CH-202611-AUR-1"
    assert not desk.bank(Booked("B1", 2_800, november, "AUR")).arrived[0].matched
    desk.post("spend", "AUR-SH", "n1", "T1", "2026-11-13", amount=1_000_000)
    desk.post("redeem", "BAM-HZ", "n2", "T1", "2026-11-13", points=3_333)
    desk.settle("2026-11")
    found = desk.bank(Booked("B2", 31_250, AUR, "AUR"))
    assert [a.matched for a in found.arrived] == [True, True]
    assert desk.instruction("AUR", OCTOBER + 1).state == "confirmed"
    desk.must_hold()


def test_older_debts_are_set_off_before_anything_is_paid_out(desk: Desk) -> None:
    """AUR has not paid October's 312.50; in November it hosts and is to receive 500.00 less a fee of 10.00."""
    desk.post("spend", "BAM-HZ", "n1", "T1", "2026-11-13", amount=5_000_000)
    desk.post("redeem", "AUR-BJ", "n2", "T1", "2026-11-14", points=50_000)
    desk.settle("2026-11")
    november = desk.instruction("AUR", OCTOBER + 1)
    assert (november.direction.value, november.amount_minor) == ("out", 49_000)
    assert november.set_off_minor == november.confirmed_minor == 31_250
    assert desk.instruction("AUR").state == "confirmed"
    assert desk.position("AUR") == november.outstanding_minor == 17_750
    desk.must_hold()


def test_an_older_month_whose_last_debt_is_set_off_is_settled(desk: Desk) -> None:
    """Of October only AUR's debt is open; it is met by what AUR is to receive for November."""
    desk.bank(Booked("B1", -28_211, BAM, "BAM"), Booked("B2", -1_960, CLD, "CLD"))
    assert desk.state() == "published"
    desk.post("spend", "BAM-HZ", "n1", "T1", "2026-11-13", amount=5_000_000)
    desk.post("redeem", "AUR-BJ", "n2", "T1", "2026-11-14", points=50_000)
    desk.settle("2026-11")
    assert (desk.state(), desk.state(OCTOBER + 1)) == ("settled", "published")
    for code in (None, "AUR", "BAM", "CLD"):
        assert desk.events("period.settled", code) == [{"period": "2026-10"}]
    desk.must_hold()


def test_what_was_paid_between_netting_and_publication_stands_as_credit(desk: Desk) -> None:
    """The figures of November are those of its end; AUR pays October's debt in December, before it is published."""
    desk.post("spend", "BAM-HZ", "n1", "T1", "2026-11-13", amount=5_000_000)
    desk.post("redeem", "AUR-BJ", "n2", "T1", "2026-11-14", points=50_000)
    desk.clock.pass_to(desk.clock.now.replace(month=12, day=2))
    desk.bank(Booked("B1", 31_250, AUR, "AUR", day=date(2026, 12, 2)))
    desk.settle("2026-11")
    november = desk.instruction("AUR", OCTOBER + 1)
    assert november.outstanding_minor == 17_750
    assert desk.credit("AUR") == 31_250
    desk.must_hold()


@pytest.mark.parametrize("more_owed", [False, True])
def test_a_debt_is_met_once_although_its_return_counts_later(desk: Desk, more_owed: bool) -> None:
    """AUR pays for October; what comes back in December was paid again in November, as a late file tells."""
    owed = 0
    if more_owed:
        desk.post("spend", "AUR-SH", "n1", "T1", "2026-11-13", amount=1_000_000)
        desk.post("redeem", "BAM-HZ", "n2", "T1", "2026-11-13", points=3_333)
        desk.settle("2026-11")
        owed = desk.instruction("AUR", OCTOBER + 1).amount_minor
    month = 12 if more_owed else 11
    desk.post("spend", "BAM-HZ", "n3", "T1", f"2026-{month}-13", amount=5_000_000)
    desk.post("redeem", "AUR-BJ", "n4", "T1", f"2026-{month}-14", points=50_000)
    desk.bank(Booked("B1", 31_250, AUR, "AUR", day=date(2026, month, 14)))
    desk.clock.pass_to(cut_off(OCTOBER + month - 10, 1, "Asia/Shanghai"))
    first = date(2027, 1, 1) if more_owed else date(2026, 12, 1)
    desk.bank(Booked("R1", -31_250, AUR, "AUR", day=first, reversal=True))
    desk.bank(Booked("B2", 31_250, AUR, "AUR", day=first - timedelta(days=1)))
    desk.settle(f"2026-{month}")
    paid_out = desk.instruction("AUR", OCTOBER + month - 10)
    assert (paid_out.direction.value, paid_out.set_off_minor) == ("out", owed)
    assert desk.instruction("AUR").state == "confirmed"
    assert desk.position("AUR") == paid_out.outstanding_minor == paid_out.amount_minor - owed
    desk.must_hold()


def test_an_entry_stands_in_the_period_of_its_day_or_in_the_earliest_open_one(desk: Desk) -> None:
    desk.bank(Booked("B1", 100, day=date(2026, 10, 30)), Booked("B2", 100, day=date(2026, 11, 9)))
    assert {row[0] for row in desk.rows("SELECT in_period FROM bank_lines")} == {OCTOBER + 1}
    desk.must_hold()


def fault(desk: Desk, path: Path, **options: bool) -> str:
    """What is said of a file that is refused; nothing of it is written."""
    before = desk.rows("SELECT count(*) FROM bank_files"), desk.rows("SELECT count(*) FROM entries")
    with pytest.raises(BankFileFault) as refused:
        desk.take(path, **options)
    assert before == (
        desk.rows("SELECT count(*) FROM bank_files"),
        desk.rows("SELECT count(*) FROM entries"),
    )
    return refused.value.message


def test_what_contradicts_an_earlier_file_is_refused(desk: Desk) -> None:
    desk.bank(*ALL)
    path = camt(desk.folder / "x.xml", [Booked("B1", 31_251, AUR, "AUR")])
    assert "imported before with another date or amount" in fault(desk, path)


def in_parts(path: Path, *fen: int) -> Path:
    """A statement of one entry, as told in its parts."""
    text = path.read_text(encoding="utf-8")
    start, end = text.index("<TxDtls>"), text.index("</NtryDtls>")
    parts = [
        text[start:end].replace("</Refs>", f'</Refs><Amt Ccy="CNY">{Decimal(one) / 100:.2f}</Amt>')
        for one in fen
    ]
    split = path.with_suffix(f".{len(fen)}.xml")
    split.write_text(text[:start] + "".join(parts) + text[end:], encoding="utf-8")
    return split


@pytest.mark.parametrize("write", [camt, csv])
@pytest.mark.parametrize("sum_first", [True, False])
def test_an_entry_is_posted_once_in_one_sum_or_in_its_parts(
    desk: Desk, write: object, sum_first: bool
) -> None:
    assert callable(write)
    booked = [Booked("X5", 20_000, AUR, "AUR")]
    parts = in_parts(camt(desk.folder / "a.xml", booked), 15_000, 5_000)
    files = [write(desk.folder / "b", booked), parts]
    first, second = files if sum_first else reversed(files)
    desk.take(first)
    again = desk.take(second)
    assert (again.lines - again.known, desk.balance(AccountKind.BANK)) == (0, -20_000)
    other = in_parts(camt(desk.folder / "c.xml", [Booked("X5", 30_000, AUR, "AUR")]), *[10_000] * 3)
    assert "imported before with another date or amount" in fault(desk, other)
    # The same sum on its way back is another entry.
    desk.bank(Booked("X5", -20_000, AUR, "AUR", reversal=True))
    assert desk.balance(AccountKind.BANK) == 0
    desk.must_hold()


def test_a_reference_in_other_capitals_is_the_same_if_the_rest_is(desk: Desk) -> None:
    desk.bank(Booked("B1", 20_000, AUR, "AUR"))
    assert desk.bank(Booked("b1", 20_000, AUR, "AUR")).known == 1
    assert desk.bank(Booked("b1", 20_001, AUR, "AUR")).known == 0
    assert desk.balance(AccountKind.BANK) == -40_001
    twice = camt(desk.folder / "x.xml", [Booked("B2", 1), Booked("b2", 1)])
    assert "it has the bank's reference of" in fault(desk, twice)
    desk.must_hold()


def test_another_account_must_be_said_to_be_ours(desk: Desk) -> None:
    desk.bank(*ALL)
    path = camt(desk.folder / "x.xml", [Booked("B1", 1)], account="7777000000000000002")
    said = fault(desk, path)
    assert "another account (…0002)" in said
    assert OURS not in said
    assert not desk.take(path, new_account=True).repeated
    desk.must_hold()


@pytest.mark.parametrize(
    ("day", "said"),
    [(date(2026, 11, 14), "still to come"), (date(1999, 12, 31), "more than a year ago")],
)
def test_the_future_and_the_far_past_are_refused(desk: Desk, day: date, said: str) -> None:
    path = camt(desk.folder / "x.xml", [Booked("B1", 1, day=day)])
    assert said in fault(desk, path)


def test_no_month_is_opened_before_the_first(context: Context, tmp_path: Path) -> None:
    alliance = MiniAlliance(context, tmp_path)
    alliance.accept("spend", "AUR-SH", "1", "T1", "2026-11-02", amount=100)
    desk = Desk(alliance, context, tmp_path)
    desk.bank(Booked("B1", 1, day=date(2026, 9, 1)))
    assert desk.rows("SELECT period FROM periods") == [(OCTOBER + 1,)]
    desk.must_hold()


def test_a_gap_between_statements_is_told(desk: Desk) -> None:
    assert desk.bank(Booked("B1", 100), opening=1_000).gap_minor == 0
    assert desk.bank(Booked("B2", 100), opening=1_500).gap_minor == 400


def test_what_the_payment_file_orders_comes_back_confirmed(desk: Desk) -> None:
    """The bank carries out payments.pain001.xml and tells so: every payment out is matched by itself."""
    with desk.context.database.office() as session:
        order = etree.fromstring(
            b"".join(frozen.file_chunks(session, OCTOBER, "payments.pain001.xml"))
        )
    told = [
        Booked(
            f"P{number}",
            -round(Decimal(one.findtext(".//{*}InstdAmt")) * 100),
            one.findtext(".//{*}EndToEndId"),
            one.findtext("{*}CdtrAcct//{*}Id/{*}Othr/{*}Id"),
        )
        for number, one in enumerate(order.iter("{*}CdtTrfTxInf"))
    ]
    assert len(told) == 2
    assert all(one.matched for one in desk.bank(*told).arrived)
    assert desk.instruction("BAM").state == desk.instruction("CLD").state == "confirmed"
    desk.must_hold()
