"""An import beside a month that is closed: nothing of it is rewritten, and a stopped run ends with the same bytes."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.domain.calendar import cut_off, parse_period
from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from settlement.netting import net_period
from settlement.run import files_of, read_file, settle
from tests.alliances import RULEBOOK, MiniAlliance
from tests.conftest import Server
from tests.operations.shared_alliance import shared_alliance

OCTOBER = parse_period("2026-10")
RETROACTIVE = {
    **RULEBOOK,
    "version": "v0",
    "effective_from": "2026-10-15",
    "vat_ppm": 130_000,
    "payment_days": 3,
}
RENAMED = (("AUR", "金酒店集团", "Aurum Group", "91310000MA1FL00001", "6222000047109087253"),)


@pytest.fixture
def netted(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """October's run was killed after it was netted."""
    alliance = MiniAlliance(context, tmp_path)
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-01", amount=100_000)
    alliance.clock.pass_to(cut_off(OCTOBER, 3, "Asia/Shanghai"))
    close(alliance.context, OCTOBER)
    net_period(alliance.context, OCTOBER)
    return alliance


def uninterrupted(server: Server, folder: Path) -> dict[str, str]:
    with shared_alliance(server, folder) as alliance:
        alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-01", amount=100_000)
        alliance.settle("2026-10")
        return summary(alliance)


def summary(alliance: MiniAlliance) -> dict[str, Any]:
    """What of the files does not carry ids and moments of this very database."""
    names = {file.path for file in files_of(alliance.context, OCTOBER)}
    found: dict[str, Any] = {}
    for name in sorted(names):
        if name.startswith("statements/") and name.endswith(".json"):
            document = json.loads(b"".join(read_file(alliance.context, OCTOBER, name)))
            document.pop("lines", None)
            document.pop("signing_key", None)
            found[name] = document
    return found


def test_a_rulebook_does_not_take_effect_in_a_closed_month(netted: MiniAlliance) -> None:
    with pytest.raises(PackFault, match="2026-10 is closed"):
        netted.add({}, RETROACTIVE)


def test_a_rulebook_imported_between_two_attempts_changes_no_byte(
    netted: MiniAlliance, server: Server, tmp_path: Path
) -> None:
    with suppress(PackFault):
        netted.add({}, RETROACTIVE)
    settle(netted.context, OCTOBER)
    assert summary(netted) == uninterrupted(server, tmp_path / "other")


def test_a_profile_imported_between_two_attempts_changes_no_byte(
    netted: MiniAlliance, server: Server, tmp_path: Path
) -> None:
    netted.add(
        {"systems.csv": RENAMED}, {**RULEBOOK, "version": "v2", "effective_from": "2026-12-01"}
    )
    settle(netted.context, OCTOBER)
    assert summary(netted) == uninterrupted(server, tmp_path / "other")
