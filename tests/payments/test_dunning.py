"""Dunning: each stage once, to whom it concerns, and never for money that has come."""

from datetime import date, timedelta

import pytest

from clearinghouse.domain.dunning import reached
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.operations.payments.dunning import dun
from clearinghouse.operations.payments.listing import payments
from tests.payments.bank import Booked
from tests.payments.desk import Desk

DUE = date(2026, 11, 14)


@pytest.mark.parametrize(
    ("days", "stages"),
    [
        (0, []),
        (1, ["reminder"]),
        (6, ["reminder"]),
        (7, ["reminder", "second_reminder"]),
        (14, ["reminder", "second_reminder", "default_notice"]),
    ],
)
def test_the_stages(days: int, stages: list[str]) -> None:
    assert [stage.name for stage in reached(DUE, DUE + timedelta(days=days))] == stages


def test_each_stage_is_sent_once(desk: Desk) -> None:
    assert dun(desk.context) == []
    desk.clock.pass_to(desk.clock.now.replace(day=15))
    # The clearing house does not remind itself of what it has to pay.
    assert [(one.system, one.stage) for one in dun(desk.context)] == [("AUR", "reminder")]
    assert dun(desk.context) == []
    desk.clock.pass_to(desk.clock.now.replace(day=29))
    assert [one.stage for one in dun(desk.context, date(2026, 11, 21))] == ["second_reminder"]
    assert [one.stage for one in dun(desk.context)] == ["default_notice"]
    assert desk.events("payment.overdue", "AUR")[0] == {
        "period": "2026-10",
        "reference": "CH-202610-AUR-1",
        "stage": "reminder",
        "due_on": "2026-11-14",
        "outstanding_minor": 31_250,
    }
    assert [told["stage"] for told in desk.events("payment.overdue")] == [
        "reminder",
        "second_reminder",
        "default_notice",
    ]
    seen = {one.system: one for one in payments(desk.context).instructions}
    assert (seen["AUR"].days_overdue, seen["AUR"].reminder) == (15, "default_notice")
    assert seen["BAM"].days_overdue == 15
    desk.must_hold()


def test_who_has_paid_is_not_reminded(desk: Desk) -> None:
    desk.bank(Booked("B1", 31_250, "CH-202610-AUR-1", "AUR"))
    desk.clock.pass_to(desk.clock.now.replace(day=29))
    assert dun(desk.context) == []


def test_nobody_is_reminded_today_of_tomorrow(desk: Desk) -> None:
    with pytest.raises(OperatorRefused):
        dun(desk.context, date(2026, 11, 30))
