"""Where a member's money goes and how far into debt it may run: one person proposes, another confirms."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.users import Role
from clearinghouse.operations import confirming, govern, two_people
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.confirming import Correction
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs import fields
from clearinghouse.operations.revising import revise
from clearinghouse.operations.users import change_role, create_user, deactivate_user
from clearinghouse.store.vault import Vault
from tests.alliances import MiniAlliance

ONE, OTHER = Authority("li.ming", "letter 7"), Authority("wang.fang", "checked")
TWO = Authority("li.ming", "letter 7", "wang.fang")
BEFORE, AFTER = "6222000047109087253", "6222000047109099999"
AGAIN = {"bank_account_again": "6222 0000 4710 9099 999"}


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    return MiniAlliance(context, tmp_path)


def on_record(alliance: MiniAlliance) -> tuple[Any, ...]:
    return alliance.rows(
        "SELECT name_en, bank_account, net_debit_cap_minor FROM systems WHERE code = 'AUR'"
    )[0]


def proposed(alliance: MiniAlliance, by: Authority = ONE, **changes: object) -> int:
    made = revise(alliance.context, "AUR", changes, by).proposal
    assert made is not None
    return made.number


def states(alliance: MiniAlliance) -> list[str]:
    return [row[0] for row in alliance.rows("SELECT state FROM proposals ORDER BY number")]


def test_terms_wait_for_a_second_person_and_the_rest_does_not(alliance: MiniAlliance) -> None:
    changes = {"name_en": "Aurum Group", "bank_account": AFTER, "net_debit_cap_minor": 500}
    done = revise(alliance.context, "AUR", changes, ONE)
    assert done.changed == ("name_en",)
    assert on_record(alliance) == ("Aurum Group", BEFORE, None)
    (waiting,) = two_people.waiting(alliance.context, "AUR")
    assert done.proposal is not None
    assert waiting.number == done.proposal.number
    two_people.confirm(alliance.context, waiting.number, OTHER, AGAIN)
    assert on_record(alliance) == ("Aurum Group", AFTER, 500)
    assert states(alliance) == ["confirmed"]
    log = alliance.rows("SELECT actor, action, details FROM audit_log ORDER BY number")
    assert [row[:2] for row in log] == [
        ("li.ming", "system.change"),
        ("li.ming", "system.change.propose"),
        ("li.ming", "system.change"),
    ]
    told = {
        "before": {"bank_account": "…7253", "net_debit_cap_minor": None},
        "after": {"bank_account": "…9999", "net_debit_cap_minor": 500},
    }
    assert log[2][2] == {"reason": "letter 7", "approved_by": "wang.fang", **told}
    assert (log[1][2]["seen"], log[1][2]["changes"]) == (told["before"], told["after"])


def test_an_account_is_whole_where_money_is_sent_from_and_nowhere_else(
    alliance: MiniAlliance,
) -> None:
    number = proposed(alliance, bank_account=AFTER)
    two_people.confirm(alliance.context, number, OTHER, AGAIN)
    assert on_record(alliance)[1] == AFTER
    for table in ("proposals", "audit_log", "outbox"):
        texts = alliance.value(f"SELECT coalesce(json_agg(t)::text, '') FROM {table} t")
        assert AFTER not in texts
        assert BEFORE not in texts
    assert "sealed" not in alliance.value("SELECT json_agg(a)::text FROM audit_log a")


def test_the_one_who_proposes_it_does_not_confirm_it(alliance: MiniAlliance) -> None:
    number = proposed(alliance, net_debit_cap_minor=500)
    with pytest.raises(OperatorRefused, match="another person"):
        two_people.confirm(alliance.context, number, Authority(" LI.MING", "me again"))
    assert (on_record(alliance)[2], states(alliance)) == (None, ["waiting"])


@pytest.mark.parametrize("typed", ["", BEFORE, "9999", AFTER[:-5] + "89999"])
def test_whoever_confirms_an_account_types_it_again(alliance: MiniAlliance, typed: str) -> None:
    """Only its end is shown, and another account may end alike."""
    number = proposed(alliance, bank_account=AFTER)
    with pytest.raises(OperatorRefused, match=r"which ends in …9999") as refused:
        two_people.confirm(alliance.context, number, OTHER, {"bank_account_again": typed})
    assert AFTER not in refused.value.message
    assert (on_record(alliance)[1], states(alliance)) == (BEFORE, ["waiting"])


@pytest.mark.parametrize(
    ("wanted", "meanwhile"),
    [
        ({"bank_account": AFTER}, {"bank_account": "6222000047100007253"}),
        ({"bank_account": AFTER}, {"bank_account": AFTER}),
        ({"net_debit_cap_minor": 500}, {"net_debit_cap_minor": 400}),
        ({"net_debit_cap_minor": 500, "bank_account": AFTER}, {"net_debit_cap_minor": 0}),
    ],
)
def test_what_is_replaced_is_what_was_seen(
    alliance: MiniAlliance, wanted: dict[str, Any], meanwhile: dict[str, Any]
) -> None:
    """Also where the former account and the present one end alike."""
    number = proposed(alliance, **wanted)
    govern.change_system(alliance.context, "AUR", meanwhile, TWO)
    before = on_record(alliance)
    with pytest.raises(OperatorRefused, match="has changed since this was proposed"):
        two_people.confirm(alliance.context, number, OTHER, AGAIN)
    assert (on_record(alliance), states(alliance)) == (before, ["waiting"])


def test_what_else_changes_meanwhile_is_no_matter(alliance: MiniAlliance) -> None:
    number = proposed(alliance, net_debit_cap_minor=500)
    revise(alliance.context, "AUR", {"name_en": "Aurum Group"}, OTHER)
    govern.change_system(alliance.context, "AUR", {"bank_account": AFTER}, TWO)
    two_people.confirm(alliance.context, number, OTHER)
    assert on_record(alliance) == ("Aurum Group", AFTER, 500)


def test_one_proposal_of_a_members_terms_waits_at_a_time(alliance: MiniAlliance) -> None:
    number = proposed(alliance, bank_account=AFTER)
    for changes in ({"bank_account": AFTER}, {"net_debit_cap_minor": 500, "name_en": "Other"}):
        with pytest.raises(OperatorRefused, match="waits for AUR; confirm or withdraw"):
            revise(alliance.context, "AUR", changes, OTHER)
    assert on_record(alliance) == ("Aurum", BEFORE, None)
    made = revise(alliance.context, "BAM", {"net_debit_cap_minor": 500}, ONE).proposal
    assert made is not None
    two_people.withdraw(alliance.context, number, OTHER)
    proposed(alliance, net_debit_cap_minor=500)
    assert states(alliance) == ["withdrawn", "waiting", "waiting"]


def test_what_does_not_fit_or_changes_nothing_is_not_proposed(alliance: MiniAlliance) -> None:
    for changes, sentence in (
        ({"bank_account": '62"22', "name_en": "Other"}, "the bank account has a quotation mark"),
        ({"net_debit_cap_minor": -1}, "net debit cap"),
        ({"bank_account": BEFORE, "name_en": "Aurum"}, "is like that already"),
    ):
        with pytest.raises(OperatorRefused, match=sentence):
            revise(alliance.context, "AUR", changes, ONE)
    assert (on_record(alliance), states(alliance)) == (("Aurum", BEFORE, None), [])


@pytest.mark.parametrize("told", ["is deactivated", "may only look now"])
def test_what_somebody_proposed_who_is_gone_is_not_confirmed(
    alliance: MiniAlliance, told: str
) -> None:
    admin = Authority("tests", "a test's user")
    user = create_user(alliance.context, None, "li.ming", Role.FINANCE, admin).user
    sent = Correction("AUR", "BAM", 700, reference="letter 7")
    money = confirming.propose_correction(alliance.context, sent, ONE).number
    terms = proposed(alliance, Authority("LI.Ming", "letter 7"), net_debit_cap_minor=500)
    if told == "is deactivated":
        deactivate_user(alliance.context, None, user, admin)
    else:
        change_role(alliance.context, None, user, Role.VIEWER, admin)
    for confirm, number in ((two_people.confirm, terms), (confirming.confirm, money)):
        with pytest.raises(OperatorRefused, match=f"who has proposed it, {told}"):
            confirm(alliance.context, number, OTHER)
    assert states(alliance) == ["waiting", "waiting"]
    two_people.withdraw(alliance.context, terms, OTHER)
    confirming.withdraw(alliance.context, money, OTHER)
    assert states(alliance) == ["withdrawn", "withdrawn"]


def test_who_goes_while_the_change_waits_for_its_turn_is_gone(alliance: MiniAlliance) -> None:
    """The clock is read once the turn has come, and before the change looks who has proposed it."""
    admin = Authority("tests", "a test's user")
    user = create_user(alliance.context, None, "li.ming", Role.FINANCE, admin).user
    number = proposed(alliance, net_debit_cap_minor=500)

    def leaving() -> datetime:
        deactivate_user(alliance.context, None, user, admin)
        return alliance.clock()

    with pytest.raises(OperatorRefused, match="who has proposed it, is deactivated"):
        two_people.confirm(replace(alliance.context, clock=leaving), number, OTHER)
    assert (on_record(alliance)[2], states(alliance)) == (None, ["waiting"])


def test_nobody_goes_while_the_change_is_made(alliance: MiniAlliance) -> None:
    create_user(alliance.context, None, "li.ming", Role.FINANCE, ONE)
    sent = Correction("AUR", "BAM", 700, reference="letter 7")
    number = confirming.propose_correction(alliance.context, sent, ONE).number
    free: list[bool] = []

    def looking() -> datetime:
        query = "SELECT FROM users WHERE login = 'li.ming' FOR UPDATE SKIP LOCKED"
        free.append(bool(alliance.rows(query)))
        return alliance.clock()

    confirming.confirm(replace(alliance.context, clock=looking), number, OTHER)
    assert free
    assert not any(free)


def test_an_account_is_narrow_however_it_was_typed(alliance: MiniAlliance) -> None:
    """A keyboard for Chinese types wide digits, which no bank reads in a payment file."""
    wide = str.maketrans("0123456789 ", "０１２３４５６７８９\u3000")
    number = proposed(alliance, bank_account="6222 0000 4710 9099 999".translate(wide))
    two_people.confirm(
        alliance.context, number, OTHER, {"bank_account_again": AFTER.translate(wide)}
    )
    assert on_record(alliance)[1] == "6222 0000 4710 9099 999"
    assert fields.bank_account(AFTER.translate(wide)) == AFTER


def test_what_was_sealed_under_another_master_key_is_proposed_anew(alliance: MiniAlliance) -> None:
    before = replace(alliance.context, vault=Vault(b"the key of yesterday".ljust(32)))
    found = revise(before, "AUR", {"bank_account": AFTER}, ONE).proposal
    assert found is not None
    with pytest.raises(OperatorRefused, match="withdraw it and propose it anew") as refused:
        two_people.confirm(alliance.context, found.number, OTHER, AGAIN)
    assert refused.value.code == "operator_refused"
    assert (on_record(alliance)[1], states(alliance)) == (BEFORE, ["waiting"])
    two_people.withdraw(alliance.context, found.number, OTHER)
    two_people.confirm(alliance.context, proposed(alliance, bank_account=AFTER), OTHER, AGAIN)
    assert (on_record(alliance)[1], states(alliance)) == (AFTER, ["withdrawn", "confirmed"])


@pytest.mark.parametrize("spoil", [lambda text: text[:8], lambda _text: "!", lambda text: text])
def test_what_is_sealed_is_whole_and_the_members_own(
    alliance: MiniAlliance, spoil: Callable[[str], str]
) -> None:
    """As it is, it is that of another member."""
    number = proposed(alliance, bank_account=AFTER)
    with alliance.database.office() as session:
        session.run(
            "INSERT INTO proposals (document, proposed_by, reason, proposed_at)"
            " SELECT document || jsonb_build_object('system', 'BAM', 'sealed', %s::text), proposed_by, reason,"
            " proposed_at FROM proposals",
            [spoil(alliance.value("SELECT document ->> 'sealed' FROM proposals"))],
        )
    with pytest.raises(OperatorRefused, match="can't be opened"):
        two_people.confirm(alliance.context, number + 1, OTHER, AGAIN)
    assert states(alliance) == ["waiting", "waiting"]
