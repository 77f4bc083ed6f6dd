"""Shared commits: who comes while others are at work goes with the next group; nobody is lost or mixed up."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from clearinghouse.operations.grouping import Group


class Work:
    """Doubles numbers, slowly, and remembers which went together."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.at_once = 0
        self.most_at_once = 0

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(0.005)
        self.groups.append(list(items))
        self.at_once -= 1
        if -1 in items:
            raise ValueError("minus one")
        return [2 * item for item in items]


def test_one_alone_goes_at_once() -> None:
    work = Work()
    assert Group(work).submit(21) == 42
    assert work.groups == [[21]]


def test_a_crowd_shares_and_everyone_gets_his_own() -> None:
    work = Work()
    group = Group[int, int](work)
    with ThreadPoolExecutor(30) as pool:
        assert list(pool.map(group.submit, range(300))) == [2 * n for n in range(300)]
    assert sorted(n for taken in work.groups for n in taken) == list(range(300))
    assert work.most_at_once == 1
    assert len(work.groups) < 100


def test_no_group_takes_more_than_its_share_of_a_long_queue() -> None:
    work = Work()
    group = Group[int, int](work)
    with ThreadPoolExecutor(150) as pool:
        assert list(pool.map(group.submit, range(150))) == [2 * n for n in range(150)]
    assert max(map(len, work.groups)) <= 64


def test_what_fails_fails_for_its_group_and_the_next_goes_on() -> None:
    group = Group[int, int](Work())
    with pytest.raises(ValueError, match="minus one"):
        group.submit(-1)
    assert group.submit(1) == 2


def test_a_group_does_not_wait_long_for_those_who_do_not_come_again() -> None:
    group = Group[int, int](Work())
    ready = threading.Barrier(8)

    def together(number: int) -> int:
        ready.wait()
        return group.submit(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(together, range(8)))
    began = time.monotonic()
    for number in range(20):
        group.submit(number)
    assert time.monotonic() - began < 5


def test_what_ends_a_leader_is_told_to_those_with_it_and_the_next_goes_on() -> None:
    def interrupted(items: Sequence[int]) -> list[int]:
        if -1 in items:
            raise SystemExit(1)
        return list(items)

    group = Group[int, int](interrupted)
    with pytest.raises(SystemExit):
        group.submit(-1)
    assert group.submit(1) == 1


def test_whoever_arrives_during_a_group_leads_the_next_at_once() -> None:
    began, goes_on = threading.Event(), threading.Event()

    def held(items: Sequence[int]) -> list[int]:
        began.set()
        assert goes_on.wait(10)
        return list(items)

    group = Group[int, int](held)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(group.submit, 0)
        assert began.wait(10)
        rest = [pool.submit(group.submit, number) for number in (1, 2, 3)]
        assert not any(each.done() for each in (first, *rest))
        goes_on.set()
        assert [each.result(10) for each in (first, *rest)] == [0, 1, 2, 3]
