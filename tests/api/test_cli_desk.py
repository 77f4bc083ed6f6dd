"""``clearinghouse rulebook impact`` and ``card transfer``, as an operator types them."""

import json
from pathlib import Path

import pytest

from api.cli import cli
from clearinghouse.operations.context import Context
from tests.alliances import CARDS, RULEBOOK, MiniAlliance
from tests.api.office import Office

TWO = ("--reason", "letter 7", "--by", "李明", "--approved-by", "王芳")


@pytest.fixture
def office(founded: object, context: Context, database_url: str, tmp_path: Path) -> Office:
    made = MiniAlliance(context, tmp_path / "packs")
    made.accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    made.settle("2026-10")
    return Office(database_url, tmp_path)


def test_the_impact_of_a_draft(office: Office, tmp_path: Path) -> None:
    draft = tmp_path / "draft.json"
    members = {"version": "v2", "fees": {"spend": {"rate_ppm": 20_000}}}
    draft.write_text(json.dumps({**RULEBOOK, **members}), encoding="utf-8")
    found = office.json(cli, "rulebook", "impact", draft, "--format", "json")
    rows = {row["code"]: row for row in found["systems"]}
    assert rows["BAM"]["fees"]["spend"] == [889, 1_778]
    assert found["by_leg"] is True
    assert "17.78" in office.run(cli, "rulebook", "impact", draft)
    early = office.refusal(cli, "rulebook", "impact", draft, "--period", "2026-11")
    assert early == "2026-11 is not published yet"
    draft.write_text("{", encoding="utf-8")
    assert "not JSON" in office.refusal(cli, "rulebook", "impact", draft)


def test_a_card_is_transferred_by_two(office: Office) -> None:
    number = ("--number", CARDS["T1"])
    alone = office.refusal(cli, "card", "transfer", "BAM-HZ", *number, *TWO[:4])
    assert "second person" in alone
    shown = office.run(cli, "card", "transfer", "BAM-HZ", *number, *TWO)
    assert "627781******0013 of AUR has ended" in shown
    assert CARDS["T1"] not in shown
