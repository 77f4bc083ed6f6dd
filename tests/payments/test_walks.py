"""A desk that does whatever comes to mind, right or wrong: the books hold all the same."""

import os
import random
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.operations.payments import allocating
from clearinghouse.store.database import Database
from tests.payments.bank import Booked
from tests.payments.desk import OCTOBER, Desk

CODES = ("AUR", "BAM", "CLD")
REFERENCES = (*(f"CH-202610-{code}-1" for code in CODES), None, "CH-202611-AUR-1", "invoice 7")
STEPS = 30


class Walk:
    """Steps that follow one another at random; what a person would be refused, it is refused too."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self.desk, self.chance = desk, chance
        self.booked: list[Booked] = []
        self.refused = 0

    def bank(self) -> None:
        some = self.chance.sample(self.booked, min(len(self.booked), 2))
        for _ in range(self.chance.randint(1, 3)):
            amount = self.chance.choice((31_250, -28_211, -1_960, 500, -500, 1_960, 40_000, 1))
            some.append(
                Booked(
                    f"L{len(self.booked)}-{len(some)}",
                    amount,
                    self.chance.choice(REFERENCES),
                    self.chance.choice((*CODES, "9999", None)),
                    reversal=self.chance.random() < 0.25,
                )
            )
        self.desk.bank(*some)
        self.booked.extend(line for line in some if line not in self.booked)

    def propose(self) -> None:
        code = self.chance.choice(CODES)
        targets = self.chance.choice(
            ([], [code], [f"{code}@2026-10"], [f"{code}@credit=1", "AUR"], [f"{code}=300", "CLD"])
        )
        self.desk.propose(self._line(), *targets)

    def undo(self) -> None:
        self.desk.undo(self._line())

    def confirm(self) -> None:
        self.desk.confirm(self._line())

    def reject(self) -> None:
        self.desk.reject(self._line())

    def step(self) -> None:
        deeds: tuple[Callable[[], None], ...] = (
            self.bank, self.bank, self.propose, self.propose, self.undo, self.confirm, self.confirm,
            self.reject,
        )  # fmt: skip
        try:
            self.chance.choice(deeds if self.booked else (self.bank,))()
        except ClearinghouseError:
            self.refused += 1

    def _line(self) -> str:
        proposed = self.desk.rows(
            "SELECT l.entry_reference FROM payment_matches m JOIN bank_lines l ON l.number = m.line"
            " WHERE m.state = 'proposed'"
        )
        if proposed and self.chance.random() < 0.6:
            return str(self.chance.choice(proposed)[0])
        return self.chance.choice(self.booked).ref


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_conserves(desk: Desk, seed: int) -> None:
    walk = Walk(desk, random.Random(seed))  # noqa: S311  the same each time
    for _ in range(STEPS):
        walk.step()
    assert desk.balance(AccountKind.BANK) == -sum(line.amount for line in walk.booked)
    assert desk.value("SELECT count(*) FROM bank_lines") == len({one.ref for one in walk.booked})
    for code in CODES:
        one = desk.instruction(code)
        signed = -one.outstanding_minor if one.direction == "in" else one.outstanding_minor
        assert desk.position(code) == signed + desk.credit(code)
    desk.must_hold()
    # And the next month closes on what is left, whatever it is; in it AUR is to receive more than it owes.
    desk.post("spend", "BAM-HZ", "n1", "T1", "2026-11-13", amount=5_000_000)
    desk.post("redeem", "AUR-BJ", "n2", "T1", "2026-11-14", points=50_000)
    desk.settle("2026-11")
    assert all(desk.credit(code) == 0 for code in CODES)
    assert desk.state(OCTOBER + 1) in ("published", "settled")
    desk.must_hold()


@pytest.mark.parametrize("deed", ["import", "confirm"])
def test_a_kill_before_the_commit_leaves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    """Killed when everything is written but not committed; done again, it is done once."""
    lines = [Booked("B1", 31_250, "CH-202610-AUR-1", "AUR" if deed == "import" else None)]
    if deed == "confirm":
        desk.bank(*lines)
        desk.propose("B1")

    def act() -> Any:
        return desk.bank(*lines) if deed == "import" else desk.confirm("B1")

    child = os.fork()
    if child == 0:
        # The connections of the parent are not the child's to use.
        desk.context = replace(desk.context, database=Database(desk.context.database.owner_url))
        monkeypatch.setattr(
            allocating, "close_if_settled", lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        )
        act()
        os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert desk.instruction("AUR").confirmed_minor == 0
    assert desk.value("SELECT count(*) FROM payment_allocations") == 0
    act()
    assert desk.instruction("AUR").state == "confirmed"
    assert desk.balance(AccountKind.BANK) == -31_250
    desk.must_hold()
