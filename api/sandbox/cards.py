"""The sandbox's test cards: numbers that never change, each with its behaviour (docs/sandbox.md has the same table)."""

from __future__ import annotations

from dataclasses import dataclass

#: Issues the test cards; no credentials of the sandbox are its own, so nobody changes their state by chance.
ISSUER_HOTEL = "GINKGO-NJ"


@dataclass(frozen=True, slots=True)
class TestCard:
    """A card and what it does.

    Before anything is taken from one that is ``filled``, its pool is filled up; from one that is ``emptied``, what
    it has is used up. ``issued`` by a hotel, or by none: then there is no such card.
    """

    __test__ = False

    name: str
    number: str
    zh: str
    en: str
    issued: str | None = ISSUER_HOTEL
    filled: bool = False
    emptied: bool = False
    suspended: bool = False
    seconds: float = 0.0


TEST_CARDS = (
    TestCard(
        "approved", "9999008000000015",
        "批准：积分与储值总是够用", "Approved: there are always enough points and stored value",
        filled=True,
    ),
    TestCard(
        "insufficient", "9999008000000023",
        "不足：积分与储值总是不够", "Insufficient: never enough points or stored value",
        emptied=True,
    ),
    TestCard(
        "suspended", "9999008000000031",
        "已停用：一切交易都被拒", "Suspended: everything is refused",
        suspended=True,
    ),
    TestCard(
        "unknown", "9999008000000049",
        "不存在的卡", "There is no such card",
        issued=None,
    ),
    TestCard(
        "slow", "9999008000000056",
        "缓慢：三秒后才应答，此外同“批准”", "Slow: answered after three seconds, and otherwise as approved",
        filled=True, seconds=3.0,
    ),
    TestCard(
        "spruce", "9999008000000064",
        "云杉自己的普通会员卡", "An ordinary card of Spruce's own",
        issued="SPRUCE-BJ",
    ),
    TestCard(
        "birch", "9999008000000072",
        "白桦自己的普通会员卡", "An ordinary card of Birch's own",
        issued="BIRCH-BJ",
    ),
)  # fmt: skip
