"""Dunning: when a system is reminded of what it has not paid (docs/decisions/0022)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple


class Stage(NamedTuple):
    """A reminder and how many calendar days behind the due date it is sent; ``zh`` and ``en`` are what it is called."""

    name: str
    days: int
    zh: str
    en: str


#: In order. The default waterfall may begin with the last one (domain.md §4 "Risk").
STAGES: Sequence[Stage] = (
    Stage("reminder", 1, "催款", "reminder"),
    Stage("second_reminder", 7, "再次催款", "second reminder"),
    Stage("default_notice", 14, "违约通知", "default notice"),
)


def reached(due_on: date, as_of: date) -> list[Stage]:
    """Return the stages that a payment due on a day, and not made, has reached by another day, in order."""
    return [stage for stage in STAGES if due_on + timedelta(days=stage.days) <= as_of]
