"""What a client of the API may be allowed to do: the one table of scopes, and who can hold each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a scope allows, in Chinese and English; ``member`` and ``operator`` tell whose clients can hold it."""

    zh: str
    en: str
    member: bool = True
    operator: bool = True


SCOPES: Mapping[str, Scope] = {
    "hotels:read": Scope("查询受理酒店", "see where cards are honoured"),
    "cards:read": Scope("查询会员卡、待遇与余额", "look up cards, their treatment and balance"),
    "cards:write": Scope(
        "办理入会、调整等级与状态、补卡", "enrol travellers, change tiers and states, replace cards"
    ),
    "transactions:read": Scope("查询本系统交易与预授权", "see own transactions and holds", operator=False),
    "transactions:write": Scope(
        "入账、退款与预授权", "post transactions, refund them, hold and capture", operator=False
    ),
    "batches:write": Scope("上传夜审批次并查询结果", "send night audit batches and read results", operator=False),
    "settlements:read": Scope("查询账期并下载本系统账单", "see periods and fetch own statements"),
    "disputes:read": Scope("查询争议", "see disputes to which it is a party"),
    "disputes:write": Scope("提出与答复争议", "raise and answer disputes"),
    "events:read": Scope("读取事件", "read events"),
    "events:write": Scope("管理事件推送地址", "manage webhooks"),
    OPERATOR: Scope("清算所运营", "do what only the operator may", member=False),
}  # fmt: skip


def scopes_for(operator: bool) -> frozenset[str]:
    """Return every scope that a client of the operator, or of a member, can hold."""
    return frozenset(
        name for name, scope in SCOPES.items() if (scope.operator if operator else scope.member)
    )


def in_order(scopes: Iterable[str]) -> list[str]:
    """Return scopes in the order of the table."""
    held = frozenset(scopes)
    return [name for name in SCOPES if name in held]
