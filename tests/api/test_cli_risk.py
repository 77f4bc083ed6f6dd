"""``clearinghouse risk`` and ``system suspend|reinstate|withdraw|end-run-off``, as an operator types them."""

from pathlib import Path

import pytest

from api.cli import cli
from clearinghouse.operations.context import Context
from tests.alliances import PACK, MiniAlliance
from tests.api.office import Office

TWO = ("--reason", "risk committee 12", "--by", "李明", "--approved-by", "王芳")


@pytest.fixture
def office(context: Context, database_url: str, tmp_path: Path) -> Office:
    """AUR has a cap of 10 yuan and owes 6; the others have none."""
    rows = [(*row, 1_000 if row[0] == "AUR" else "", 500) for row in PACK["systems.csv"]]
    made = MiniAlliance(context, tmp_path / "packs", files={"systems.csv": rows})
    made.accept("award", "AUR-BJ", "1", "T1", "2026-10-01", points=2_000)
    made.accept("redeem", "CLD-GZ", "2", "T1", "2026-10-02", points=600)
    return Office(database_url, tmp_path)


def test_exposure_as_a_table_and_for_scripts(office: Office) -> None:
    shown = office.run(cli, "risk", "exposure")
    assert "未设净欠上限 no net debit cap is set" in shown
    found = office.json(cli, "risk", "exposure", "--format", "json")
    rows = {row["system_code"]: row for row in found["systems"]}
    assert (rows["AUR"]["debit_minor"], rows["AUR"]["room_minor"]) == (600, 400)
    assert rows["AUR"]["warnings"] == ["collateral_short"]
    assert rows["BAM"]["warnings"] == ["no_cap", "collateral_short"]
    assert next(iter(rows)) == "AUR"


def test_collateral_comes_and_goes(office: Office) -> None:
    posted = office.run(cli, "risk", "collateral", "post", "AUR", "500", "--reference", "b1", *TWO)
    assert posted == "AUR has posted 5.00 yuan\n"
    back = office.run(cli, "risk", "collateral", "release", "AUR", "200", "--reference", "b2", *TWO)
    assert back == "AUR has 3.00 yuan posted still\n"


def test_suspended_and_back(office: Office) -> None:
    office.run(cli, "system", "suspend", "AUR", *TWO)
    assert "暂停 Suspended: 是 yes" in office.run(cli, "system", "show", "AUR")
    office.run(cli, "system", "reinstate", "AUR", *TWO)
    assert "暂停" not in office.run(cli, "system", "show", "AUR")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("risk", "default", "AUR", "2026-10", *TWO), "AUR owes nothing for 2026-10"),
        (("risk", "recover", "AUR", "2026-10", *TWO), "AUR was not in default on 2026-10"),
        (("risk", "contributions", "2026-10", *TWO), "2026-10 is not published yet"),
        (("system", "end-run-off", "AUR", *TWO), "AUR has not left"),
        (("system", "suspend", "AUR", *TWO[:4]), "needs the approval of a second person"),
        (("system", "withdraw", "AUR", "--from", "2099-10-20", *TWO), "or say --uncovered"),
    ],
)
def test_what_is_refused_is_told_in_a_sentence(
    office: Office, words: tuple[str, ...], told: str
) -> None:
    assert told in office.refusal(cli, *words)
