"""Net debit caps act on redemptions as they happen: who is passed over, what is refused, held and told (§4 "Risk")."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from psycopg2.errors import UniqueViolation
from stdnum import luhn

from clearinghouse.domain.deciding import Accepted, Held, Outcome, Refused
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.balance import HostBalance, balance_for
from clearinghouse.operations.cards import look_up
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.collateral import must_be_new, post_collateral, release_collateral
from clearinghouse.operations.context import Context
from clearinghouse.operations.exposure_report import Exposure, exposures
from clearinghouse.operations.govern import change_system
from clearinghouse.operations.post import post
from clearinghouse.operations.prove import prove
from clearinghouse.store.directory import DirectoryCache
from clearinghouse.store.exposure import Exposures
from tests.alliances import CARDS, PACK, MiniAlliance
from tests.founding import founding
from tests.operations.parties import party

TWO = Authority("李明", "risk committee 12", "王芳")


def capped(**caps: int) -> dict[str, Any]:
    """The three systems, some with a cap in fen."""
    return {"systems.csv": [(*row, caps.get(str(row[0]), "")) for row in PACK["systems.csv"]]}


founded = founding(files=capped(AUR=1_000))


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> Iterator[MiniAlliance]:
    """AUR may owe 1,000 fen; T1 has 2,000 points of AUR-BJ that expire first and 1,500 of BAM-HZ."""
    made = MiniAlliance(context, tmp_path, files=capped(AUR=1_000))
    made.accept("award", "AUR-BJ", "A1", "T1", "2026-10-01", points=2_000)
    made.accept("award", "BAM-HZ", "A2", "T1", "2026-11-01", points=1_500)
    yield made
    assert [proof.detail for proof in prove(made.context) if not proof.holds] == []


def code(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code.value


def legs(outcome: Outcome) -> list[tuple[int, int]]:
    assert isinstance(outcome, Accepted), outcome
    return [(leg.issuer_hotel, leg.obligation_minor) for leg in outcome.txn.legs]


def exposure(alliance: MiniAlliance, system: str) -> Exposure:
    return next(r for r in exposures(alliance.context).systems if r.system_code == system)


def hotel(alliance: MiniAlliance, name: str) -> int:
    return int(alliance.value("SELECT number FROM hotels WHERE code = %s", name))


def at(alliance: MiniAlliance, name: str) -> HostBalance:
    who = party(alliance, name.partition("-")[0])
    found = look_up(alliance.context, who, CARDS["T1"])
    return balance_for(alliance.context, who, found.card_id, name)


def test_up_to_the_cap_and_not_a_fen_beyond(alliance: MiniAlliance) -> None:
    beijing, hangzhou = hotel(alliance, "AUR-BJ"), hotel(alliance, "BAM-HZ")
    first = alliance.post("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=600)
    assert legs(first) == [(beijing, 600)]
    # 401 more would be too many: none of them is taken from AUR.
    second = alliance.post("redeem", "CLD-GZ", "R2", "T1", "2026-11-02", points=401)
    assert legs(second) == [(hangzhou, 401)]
    third = alliance.post("redeem", "CLD-GZ", "R3", "T1", "2026-11-02", points=400)
    assert legs(third) == [(beijing, 400)]
    assert exposure(alliance, "AUR").debit_minor == 1_000


def test_refused_because_of_the_cap_alone(alliance: MiniAlliance) -> None:
    beyond = alliance.post("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=3_501)
    assert code(beyond) == "insufficient_points"
    # 2,000 of AUR would be drawn on first, and without AUR there are 1,500.
    assert code(alliance.post("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=3_500)) == (
        "net_debit_cap_exceeded"
    )
    assert code(alliance.post("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=1_501)) == (
        "net_debit_cap_exceeded"
    )
    alliance.accept("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=1_500)


def test_at_home_a_cap_does_not_matter(alliance: MiniAlliance) -> None:
    alliance.accept("redeem", "AUR-SH", "R1", "T1", "2026-11-02", points=3_500)
    assert exposure(alliance, "AUR").debit_minor == 0


def test_a_debt_stays_in_the_pool(alliance: MiniAlliance) -> None:
    alliance.accept("redeem", "AUR-SH", "R1", "T1", "2026-11-02", points=3_500)
    alliance.accept("refund", "BAM-HZ", "R2", "T1", "2026-11-02", points=1_500, original="A2")
    alliance.accept("award", "AUR-BJ", "A3", "T1", "2026-11-02", points=4_000)
    alliance.accept("award", "CLD-GZ", "A4", "T1", "2026-11-02", points=2_000)
    # BAM owes AUR 1,500, less AUR's fee of 30, so AUR may owe 2,470; T1 owes BAM 1,500 points.
    alliance.accept("redeem", "BAM-HZ", "R3", "T1", "2026-11-02", points=2_470)
    assert at(alliance, "BAM-HZ").usable_points == 500
    assert code(alliance.post("redeem", "BAM-HZ", "R4", "T1", "2026-11-02", points=501)) == (
        "net_debit_cap_exceeded"
    )
    alliance.accept("redeem", "BAM-HZ", "R4", "T1", "2026-11-02", points=500)


def test_within_one_sequence_each_line_sees_the_ones_before(alliance: MiniAlliance) -> None:
    lines = [
        alliance.line("redeem", "CLD-GZ", f"R{n}", "T1", "2026-11-02", points=400) for n in range(4)
    ]
    outcomes = post(alliance.context, lines)
    beijing, hangzhou = hotel(alliance, "AUR-BJ"), hotel(alliance, "BAM-HZ")
    assert [legs(outcome)[0][0] for outcome in outcomes] == [beijing] * 2 + [hangzhou] * 2


def test_what_it_is_to_receive_makes_room(alliance: MiniAlliance) -> None:
    alliance.accept("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=1_000)
    alliance.accept("award", "CLD-GZ", "A3", "T2", "2026-11-02", points=500)
    alliance.accept("redeem", "AUR-SH", "R2", "T2", "2026-11-02", points=500)
    # CLD owes AUR 500, less AUR's fee of 10.
    assert exposure(alliance, "AUR").debit_minor == 510
    last = alliance.accept("redeem", "CLD-GZ", "R3", "T1", "2026-11-02", points=490)
    assert [leg.issuer_hotel for leg in last.txn.legs] == [hotel(alliance, "AUR-BJ")]


def test_a_refund_makes_room(alliance: MiniAlliance) -> None:
    alliance.accept("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=1_000)
    alliance.accept("refund", "CLD-GZ", "R2", "T1", "2026-11-02", points=300, original="R1")
    last = alliance.accept("redeem", "CLD-GZ", "R3", "T1", "2026-11-02", points=300)
    assert [leg.issuer_hotel for leg in last.txn.legs] == [hotel(alliance, "AUR-BJ")]


def test_stored_value_is_capped_alike(alliance: MiniAlliance) -> None:
    alliance.accept("load", "AUR-BJ", "L1", "T1", "2026-11-02", amount=5_000)
    refused = alliance.post("stored_value_spend", "BAM-HZ", "R1", "T1", "2026-11-02", amount=1_001)
    assert code(refused) == "net_debit_cap_exceeded"
    alliance.accept("stored_value_spend", "BAM-HZ", "R1", "T1", "2026-11-02", amount=1_000)
    more = alliance.post("stored_value_spend", "BAM-HZ", "R2", "T1", "2026-11-02", amount=4_001)
    assert code(more) == "insufficient_stored_value"


def test_what_was_held_before_is_captured_and_shown(alliance: MiniAlliance) -> None:
    held = alliance.hold("redeem", "CLD-GZ", "H1", "T1", "2026-11-02", points=900)
    assert isinstance(held, Held)
    alliance.accept("redeem", "BAM-HZ", "R1", "T1", "2026-11-02", points=1_000)
    assert exposure(alliance, "AUR").held_minor == 900
    assert isinstance(alliance.capture(held, "C1", "2026-11-03", 900), Accepted)
    row = exposure(alliance, "AUR")
    assert (row.debit_minor, row.overshoot_minor, row.held_minor) == (1_900, 900, 0)
    assert "over_limit" in row.warnings
    beyond = alliance.hold("redeem", "CLD-GZ", "H2", "T1", "2026-11-03", points=1_501)
    assert code(beyond) == "net_debit_cap_exceeded"


def test_collateral_makes_room_and_is_given_back_when_it_is_not_needed(
    alliance: MiniAlliance,
) -> None:
    context = alliance.context
    alliance.accept("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=1_000)
    assert post_collateral(context, "AUR", 700, "bank 1", TWO) == 700
    last = alliance.accept("redeem", "CLD-GZ", "R2", "T1", "2026-11-02", points=500)
    assert [leg.issuer_hotel for leg in last.txn.legs] == [hotel(alliance, "AUR-BJ")]
    with pytest.raises(OperatorRefused, match=r"of which 2\.00 can be given back"):
        release_collateral(context, "AUR", 201, "bank 2", TWO)
    assert release_collateral(context, "AUR", 200, "bank 2", TWO) == 500
    row = exposure(alliance, "AUR")
    assert (row.cap_minor, row.collateral_minor, row.limit_minor) == (1_000, 500, 1_500)


@pytest.mark.parametrize("who", [Authority("李明", "why"), Authority("李明", "why", " 李明")])
def test_one_person_alone_posts_no_collateral(alliance: MiniAlliance, who: Authority) -> None:
    with pytest.raises(OperatorRefused, match=r"second person|somebody else"):
        post_collateral(alliance.context, "AUR", 700, "bank 1", who)
    assert alliance.value("SELECT count(*) FROM entries") == 0


def test_a_reference_is_posted_once_and_given_back_once(alliance: MiniAlliance) -> None:
    context = alliance.context
    assert post_collateral(context, "AUR", 700, "bank 1", TWO) == 700
    with pytest.raises(OperatorRefused, match='posted under the reference "bank 1" already'):
        post_collateral(context, "AUR", 900, "bank 1", TWO)
    # Of another member, under another reference, or the other way it is another matter.
    assert post_collateral(context, "BAM", 700, "bank 1", TWO) == 700
    assert post_collateral(context, "AUR", 300, "bank 2", TWO) == 1_000
    must_be_new(context, "AUR", "bank 1", back=True)
    assert release_collateral(context, "AUR", 700, "bank 1", TWO) == 300
    with pytest.raises(OperatorRefused, match='given back under the reference "bank 1" already'):
        release_collateral(context, "AUR", 100, "bank 1", TWO)
    for back in (True, False):
        with pytest.raises(OperatorRefused, match="reference of its own"):
            must_be_new(context, "AUR", "bank 1", back=back)
    assert alliance.value("SELECT count(*) FROM entries") == 4


@pytest.mark.parametrize("again", ["BG-7 of May ", "bg-7  of may", "ＢＧ-7 of May"])
def test_a_reference_is_the_same_however_it_is_written(alliance: MiniAlliance, again: str) -> None:
    assert post_collateral(alliance.context, "AUR", 700, "BG-7 of May", TWO) == 700
    with pytest.raises(OperatorRefused, match="reference of its own"):
        post_collateral(alliance.context, "AUR", 700, again, TWO)
    assert release_collateral(alliance.context, "AUR", 300, again, TWO) == 400
    with pytest.raises(OperatorRefused, match="reference of its own"):
        release_collateral(alliance.context, "AUR", 300, "BG-7 of May", TWO)


@pytest.mark.parametrize(
    ("amount", "reference"), [(700, " "), (700, "bank\n1"), (0, "bank 1"), (10**20, "bank 1")]
)
def test_what_is_no_amount_or_reference_is_not_posted(
    alliance: MiniAlliance, amount: int, reference: str
) -> None:
    with pytest.raises(OperatorRefused, match=r"reference|amount of collateral"):
        post_collateral(alliance.context, "AUR", amount, reference, TWO)
    assert alliance.value("SELECT count(*) FROM entries") == 0


def test_a_cap_that_is_changed_acts_at_once(alliance: MiniAlliance) -> None:
    change_system(alliance.context, "BAM", {"net_debit_cap_minor": 0}, TWO)
    change_system(alliance.context, "AUR", {"net_debit_cap_minor": None}, TWO)
    alliance.accept("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=2_000)
    assert code(alliance.post("redeem", "CLD-GZ", "R2", "T1", "2026-11-02", points=1)) == (
        "net_debit_cap_exceeded"
    )
    assert exposure(alliance, "AUR").warnings == ("no_cap",)


def test_the_balance_tells_how_much_and_that_there_is_more(alliance: MiniAlliance) -> None:
    alliance.accept("load", "AUR-BJ", "L1", "T1", "2026-11-02", amount=5_000)
    here = at(alliance, "CLD-GZ")
    assert here.usable_points == 1_500
    assert here.usable_minor == 1_000
    assert [(why.asset, why.code, why.amount) for why in here.why_not] == [
        ("points", "net_debit_cap_exceeded", 2_000),
        ("stored_value", "net_debit_cap_exceeded", 4_000),
    ]
    assert at(alliance, "AUR-SH").usable_points == 3_500
    alliance.accept("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=here.usable_points)


def test_the_debit_may_be_known_late_and_the_overshoot_is_shown(alliance: MiniAlliance) -> None:
    # Another process, which has read the debits and reads them again in an hour.
    other = replace(alliance.context, exposures=Exposures(3_600), directory=DirectoryCache())

    def elsewhere(ref: str, points: int) -> Outcome:
        return post(
            other, [alliance.line("redeem", "CLD-GZ", ref, "T1", "2026-11-02", points=points)]
        )[0]

    beijing, hangzhou = hotel(alliance, "AUR-BJ"), hotel(alliance, "BAM-HZ")
    assert legs(elsewhere("R1", 10)) == [(beijing, 10)]
    alliance.accept("redeem", "CLD-GZ", "R2", "T1", "2026-11-02", points=900)
    assert legs(elsewhere("R3", 900)) == [(beijing, 900)]
    row = exposure(alliance, "AUR")
    assert (row.debit_minor, row.overshoot_minor) == (1_810, 810)
    # Most of what it does itself it counts at once; a moment later it knows of the rest.
    other.exposures._read_at = float("-inf")
    assert legs(elsewhere("R4", 1)) == [(hangzhou, 1)]


def test_what_is_known_is_used_while_it_is_read_again_behind(alliance: MiniAlliance) -> None:
    behind = Exposures(3_600)
    read, gate = behind._read, Event()
    other = replace(alliance.context, exposures=behind)

    def redeem(ref: str, points: int) -> Outcome:
        line = alliance.line("redeem", "CLD-GZ", ref, "T1", "2026-11-02", points=points)
        return post(other, [line])[0]

    redeem("R1", 10)
    alliance.accept("redeem", "CLD-GZ", "R2", "T1", "2026-11-02", points=900)
    behind._read_at -= 3_600
    behind._read = lambda *known: gate.wait(60) and read(*known)  # type: ignore[method-assign]  # the test holds the reading back
    assert legs(redeem("R3", 100)) == [(hotel(alliance, "AUR-BJ"), 100)]
    gate.set()
    # Whoever gets this lock finds that it was read.
    with behind._reading:
        assert behind._debits[1] >= 910
    assert legs(redeem("R4", 1)) == [(hotel(alliance, "BAM-HZ"), 1)]


def test_tills_at_once_share_one_limit(alliance: MiniAlliance) -> None:
    """A traveller at each till, so that nothing but the limit makes them take turns: it is kept to the fen."""
    tills_open = 12
    travellers = [(f"P{n}", "示例", f"+86138001390{n:02}") for n in range(tills_open)]
    bodies = [f"62778100001{n:04}" for n in range(tills_open)]
    numbers = [body + luhn.calc_check_digit(body) for body in bodies]
    cards = [
        (number, traveller[0], "AUR-BJ", "A2", "2026-01-05")
        for number, traveller in zip(numbers, travellers, strict=True)
    ]
    alliance.add({"travellers.csv": travellers, "cards.csv": cards})
    for n, number in enumerate(numbers):
        alliance.accept("award", "AUR-BJ", f"P{n}", number, "2026-11-01", points=250)
    tills = replace(alliance.context, exposures=Exposures(3_600))
    start = Barrier(tills_open)

    def redeem(till: int) -> Outcome:
        line = alliance.line(
            "redeem", "CLD-GZ", f"R{till}", numbers[till], "2026-11-02", points=250
        )
        start.wait()
        return post(tills, [line])[0]

    with ThreadPoolExecutor(tills_open) as pool:
        outcomes = list(pool.map(redeem, range(tills_open)))
    refused = [code(outcome) for outcome in outcomes if isinstance(outcome, Refused)]
    assert refused == ["net_debit_cap_exceeded"] * (tills_open - 4)
    assert exposure(alliance, "AUR").debit_minor == 1_000


def test_what_is_not_committed_yet_survives_readings_beside_it(alliance: MiniAlliance) -> None:
    tills = replace(alliance.context, exposures=Exposures(3_600))
    beijing, hangzhou = hotel(alliance, "AUR-BJ"), hotel(alliance, "BAM-HZ")

    def redeem(ref: str, points: int, readings: int = 0) -> Outcome:
        def read(*_: object) -> None:
            for _reading in range(readings):
                directory = tills.current_directory()
                tills.exposures._read(tills.database, directory, tills.clock())

        line = alliance.line("redeem", "CLD-GZ", ref, "T1", "2026-11-02", points=points)
        return post(tills, [line], alongside=read)[0]

    assert legs(redeem("R1", 600, readings=2)) == [(beijing, 600)]
    assert legs(redeem("R2", 401)) == [(hangzhou, 401)]
    # What is in the books is counted from them alone.
    tills.exposures._read_at = float("-inf")
    assert legs(redeem("R3", 400)) == [(beijing, 400)]
    assert tills.exposures._under_way == {}


@pytest.mark.parametrize(("error", "room"), [(UniqueViolation, 400), (RuntimeError, 1_000)])
def test_what_came_to_nothing_takes_no_room_when_it_is_tried_again(
    alliance: MiniAlliance, error: type[Exception], room: int
) -> None:
    tills = replace(alliance.context, exposures=Exposures(3_600))
    attempts = count()

    def fail_once(*_: object) -> None:
        if next(attempts) == 0:
            raise error

    def line(ref: str, points: int) -> Line:
        return alliance.line("redeem", "CLD-GZ", ref, "T1", "2026-11-02", points=points)

    # A sequence that another came before is tried again by itself.
    with suppress(RuntimeError):
        post(tills, [line("R1", 600)], alongside=fail_once)
    assert legs(post(tills, [line("R2", room)])[0]) == [(hotel(alliance, "AUR-BJ"), room)]
    assert exposure(alliance, "AUR").debit_minor == 1_000


def test_a_thread_that_is_not_to_be_had_is_asked_for_again(
    alliance: MiniAlliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = Exposures(3_600)
    other = replace(alliance.context, exposures=behind)

    def redeem(ref: str) -> Outcome:
        line = alliance.line("redeem", "CLD-GZ", ref, "T1", "2026-11-02", points=10)
        return post(other, [line])[0]

    def no_thread(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    redeem("R1")
    behind._read_at -= 3_600
    long_ago = behind._read_at
    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", no_thread)
        assert isinstance(redeem("R2"), Accepted)
    redeem("R3")
    with behind._reading:
        assert behind._read_at > long_ago


def test_without_a_cap_nothing_is_read(context: Context, tmp_path: Path) -> None:
    alliance = MiniAlliance(context, tmp_path)
    alliance.accept("award", "AUR-BJ", "A1", "T1", "2026-10-01", points=2_000)
    alliance.accept("redeem", "CLD-GZ", "R1", "T1", "2026-11-02", points=2_000)
    exposures = alliance.context.exposures
    assert (exposures._directory, exposures._under_way) == (None, {})
