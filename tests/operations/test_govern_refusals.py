"""Changes of the alliance that are refused: one sentence each, and nothing is written."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.domain.errors import ClearinghouseError, NotFound, OperatorRefused, PackFault
from clearinghouse.operations import govern
from clearinghouse.operations.changing import Authority
from tests.alliances import MiniAlliance
from tests.conftest import Server
from tests.operations.governing import PROFILE, WHO, nothing_changes, refused, written
from tests.operations.shared_alliance import shared_alliance


@pytest.fixture(scope="module")
def settled(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniAlliance]:
    """October is settled; BAM-HZ moves and version v3 takes effect in December. Nothing here may change."""
    folder = tmp_path_factory.mktemp("settled")
    with shared_alliance(server, folder) as alliance:
        alliance.accept("spend", "AUR-BJ", "1", "T1", "2026-10-01", amount=10_000)
        alliance.settle("2026-10")
        later = written(folder, version="v3", effective_from="2026-12-24")
        govern.add_rulebook(alliance.context, later, WHO)
        govern.move_hotel(alliance.context, "BAM-HZ", "CLD", date(2026, 12, 1), WHO)
        yield alliance


@pytest.mark.parametrize(
    ("code", "changes", "said"),
    [
        ("AUR", {}, 'system "AUR" is on record already; change it instead'),
        (
            "A/B",
            {},
            'the system code "A/B" may have only letters, digits, dots, hyphens and underscores',
        ),
        ("DUN", {"name_zh": "", "name_en": " "}, "a name is needed, in Chinese or in English"),
        ("DUN", {"name_en": "a\nb"}, 'the name "a\\nb" has a control character'),
        ("DUN", {"bank_account": '62"22'}, "the bank account has a quotation mark"),
        ("DUN", {"net_debit_cap_minor": -1}, 'the net debit cap "-1" is not between 0 and'),
        ("DUN", {"collateral_minor": 10**18}, "the collateral"),
    ],
)
def test_a_system_that_does_not_fit(
    settled: MiniAlliance, code: str, changes: dict[str, Any], said: str
) -> None:
    with refused() as error, nothing_changes(settled):
        govern.add_system(settled.context, code, PROFILE._replace(**changes), WHO)
    assert error.value.message.startswith(said)


@pytest.mark.parametrize(
    ("code", "system", "day", "said"),
    [
        ("AUR-XX", "BAM", "2026-12-01", 'there is no hotel "AUR-XX"'),
        ("AUR-SH", "XXX", "2026-12-01", 'system_code "XXX" is not known'),
        ("AUR-SH", "AUR", "2026-12-01", 'hotel "AUR-SH" belongs to "AUR" on 2026-12-01 already'),
        (
            "BAM-HZ",
            "AUR",
            "2026-12-01",
            'hotel "BAM-HZ" from 2026-12-01 is on record with other content',
        ),
        ("AUR-SH", "BAM", "2300-01-01", "the date"),
    ],
)
def test_a_move_that_contradicts_the_record(
    settled: MiniAlliance, code: str, system: str, day: str, said: str
) -> None:
    with refused(ClearinghouseError) as error, nothing_changes(settled):
        govern.move_hotel(settled.context, code, system, date.fromisoformat(day), WHO)
    assert error.value.message.startswith(said)


@pytest.mark.parametrize(
    ("members", "error", "said"),
    [
        ({"version": "v1", "effective_from": "2026-01-01"}, OperatorRefused,
         'version "v1" is on record already'),
        ({"version": "v1"}, OperatorRefused,
         'version "v1" is on record with other content; a change is a new version'),
        ({"effective_from": "2026-12-24"}, OperatorRefused,
         'version "v3" takes effect on 2026-12-24 too; only one version can'),
        ({"effective_from": "2026-10-31"}, OperatorRefused,
         'version "v2" can\'t take effect on 2026-10-31: 2026-10 is closed'),
        ({"effective_from": "2020-01-01"}, OperatorRefused, 'version "v2" can\'t take effect on 2020-01-01'),
        ({"vat_ppm": -1}, PackFault, "next.json line 1: vat_ppm must be between 0 and 1000000"),
        ({"colour": "red"}, PackFault, 'next.json line 1: "colour" is not a rulebook field'),
    ],
)  # fmt: skip
def test_a_rulebook_that_can_not_be_added(
    settled: MiniAlliance, tmp_path: Path, members: dict[str, Any], error: type, said: str
) -> None:
    with refused(error) as why, nothing_changes(settled):
        govern.add_rulebook(settled.context, written(tmp_path, **members), WHO)
    assert why.value.message.startswith(said)


def test_a_file_that_is_not_there(settled: MiniAlliance, tmp_path: Path) -> None:
    with refused(PackFault) as why:
        govern.add_rulebook(settled.context, tmp_path / "nowhere.json", WHO)
    assert why.value.message == "nowhere.json: can't be read: No such file or directory"


def test_nobody_unknown_accepts_and_no_unknown_version_is_accepted(settled: MiniAlliance) -> None:
    with refused(NotFound) as version, nothing_changes(settled):
        govern.accept_rulebook(settled.context, "v9", None, WHO)
    assert version.value.message == 'there is no rulebook version "v9"'
    with refused(NotFound) as system, nothing_changes(settled):
        govern.accept_rulebook(settled.context, "v1", ["AUR", "XXX"], WHO)
    assert system.value.message == 'there is no system "XXX"'


@pytest.mark.parametrize(
    ("authority", "said"),
    [
        (Authority("", "why"), "the name of who does it is missing; the audit log needs it"),
        (Authority("李明", "  "), "the reason is missing; the audit log needs it"),
        (Authority("李明", "x" * 1001), "the reason"),
    ],
)
def test_no_change_without_who_and_why(
    settled: MiniAlliance, authority: Authority, said: str
) -> None:
    with refused() as error, nothing_changes(settled):
        govern.add_system(settled.context, "DUN", PROFILE, authority)
    assert error.value.message.startswith(said)
