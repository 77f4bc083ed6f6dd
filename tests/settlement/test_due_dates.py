"""The due date that documents print: days after the closing, so that a month settled late costs nobody days."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from settlement.run import read_file, settle
from tests.alliances import MiniAlliance

OCTOBER = parse_period("2026-10")
#: Half past one in the morning of the 21st in Shanghai.
LATE = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    made = MiniAlliance(context, tmp_path)
    made.accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    made.accept("redeem", "CLD-GZ", "2", "T1", "2026-10-04", points=400)
    return made


def printed(alliance: MiniAlliance) -> set[date]:
    """Return the due dates of the statement, of the payment file and in the manifest."""

    def content(path: str) -> bytes:
        return b"".join(read_file(alliance.context, OCTOBER, path))

    order = content("payments.pain001.xml").decode()
    (requested,) = re.findall(r"<ReqdExctnDt>\s*<Dt>(.*)</Dt>", order)
    statement = json.loads(content("statements/AUR.json"))["due_date"]
    summary = json.loads(content("manifest.json"))["payments"]["due_date"]
    return {date.fromisoformat(day) for day in (requested, statement, summary)}


def instructed(alliance: MiniAlliance) -> set[date]:
    return {row[0] for row in alliance.rows("SELECT due_on FROM payment_instructions")}


def test_a_month_settled_on_time_is_due_by_the_schedule(alliance: MiniAlliance) -> None:
    alliance.settle("2026-10")
    assert printed(alliance) == instructed(alliance) == {date(2026, 11, 14)}


def test_a_month_settled_late_is_due_from_its_closing_on(alliance: MiniAlliance) -> None:
    alliance.clock.pass_to(LATE)
    settle(alliance.context, OCTOBER)
    assert printed(alliance) == instructed(alliance) == {date(2026, 12, 1)}


def test_a_run_that_is_stuck_over_midnight_prints_what_it_would_have(
    alliance: MiniAlliance,
) -> None:
    alliance.clock.pass_to(LATE)
    close(alliance.context, OCTOBER)
    alliance.clock.pass_to(datetime(2026, 11, 21, 17, 30, tzinfo=UTC))
    settle(alliance.context, OCTOBER)
    assert printed(alliance) == {date(2026, 12, 1)}
    assert instructed(alliance) == {date(2026, 12, 2)}
