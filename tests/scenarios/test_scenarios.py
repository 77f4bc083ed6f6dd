"""Every scenario beside this file comes out as it says."""

from dataclasses import replace
from pathlib import Path

import pytest

from clearinghouse.operations.context import Context
from tests.scenarios.reading import ScenarioFault, read
from tests.scenarios.running import LATER, run

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, context: Context, tmp_path: Path) -> None:
    differences = run(read(path), replace(context, clock=lambda: LATER), tmp_path)
    assert not differences, "\n" + "\n".join(differences)


def test_there_are_scenarios() -> None:
    assert "worked_example" in {path.stem for path in SCENARIOS}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b\n1  2\n", "needs a"),
        ("[hotels]\nhotel  system\nA\n", "1 cells under 2 columns"),
        ("[hotels]\nhotel  system\nA  B  C\n", "3 cells under 2 columns"),
    ],
)
def test_a_table_out_of_shape_is_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioFault, match=words):
        read(tmp_path / "x.txt")


def test_a_wrong_expectation_is_told_with_its_line(context: Context, tmp_path: Path) -> None:
    path = Path(__file__).parent / "worked_example.txt"
    text = path.read_text(encoding="utf-8")
    assert text.count("fee 889") == 1
    (tmp_path / "wrong.txt").write_text(text.replace("fee 889", "fee 888"), encoding="utf-8")
    (tmp_path / "packs").mkdir()
    wrong = run(
        read(tmp_path / "wrong.txt"), replace(context, clock=lambda: LATER), tmp_path / "packs"
    )
    assert len(wrong) == 1
    assert "fee 888" in wrong[0]
    assert "fee 889" in wrong[0]
