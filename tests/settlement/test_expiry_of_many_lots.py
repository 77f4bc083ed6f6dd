"""Whatever the number of lots that expire with a month, its closing posts them all."""

from pathlib import Path

from clearinghouse.operations.context import Context
from clearinghouse.operations.post import post
from tests.alliances import MiniAlliance


def test_a_traveller_with_more_lots_than_a_small_number_can_count(
    context: Context, tmp_path: Path
) -> None:
    alliance = MiniAlliance(context, tmp_path, rulebook={"points_expiry_months": 0})
    lines = [
        alliance.line("award", "AUR-BJ", f"R{n}", "T1", "2026-10-05", points=1)
        for n in range(33_000)
    ]
    for start in range(0, len(lines), 2_000):
        post(alliance.context, lines[start : start + 2_000])
    alliance.settle("2026-10")
    assert alliance.value("SELECT sum(remaining) FROM lots") == 0
