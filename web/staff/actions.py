"""What the audit trail is about, in words: actions, and what is told of each."""

from __future__ import annotations

from collections.abc import Mapping

from web.frame.staff import DESK
from web.frame.texts import gettext as _


def action_name(action: str) -> str:
    """Return what an action is called; one that has no name yet is told by its code."""
    return _of_people().get(action) or _of_the_operator().get(action) or action


#: What an action's name has said already.
_TOLD = (
    "user",
    "client",
    "dispute",
    "key",
    "system",
    "hotel",
    "period",
    "rulebook",
    "card",
    "statement",
)


def subject_name(subject: str) -> str:
    """Return which one an action was about, without the word for its kind where the action's name has it."""
    kind, _space, one = subject.partition(" ")
    return one if one and kind in _TOLD else subject


def kinds(area: str) -> list[tuple[str, str]]:
    """Return what the trail of an area can be narrowed to: the beginnings of actions."""
    of_both = [
        ("", _("全部")),
        ("sign_", _("登录与退出")),
        ("user.", _("用户管理")),
        ("statement.", _("对账单")),
        ("dispute.", _("争议")),
    ]
    if area != DESK:
        return of_both
    return [
        *of_both,
        ("payment.", _("付款")),
        ("adjustment.", _("调整")),
        ("system.", _("成员")),
        ("hotel.", _("酒店")),
        ("rulebook.", _("规则")),
        ("period.", _("账期")),
        ("risk.", _("风险")),
        ("collateral.", _("保证金")),
        ("client.", _("接口客户端")),
        ("keys.", _("签名密钥")),
        ("card.", _("会员卡转移")),
    ]


def details_of(details: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return what is told of an action, without what is empty; the reason stands apart."""
    names = _of_details()
    return [
        (names.get(key, key), _shown(value))
        for key, value in details.items()
        if key != "reason" and value not in (None, "", [], {})
    ]


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    if isinstance(value, bool):
        return _("是") if value else _("否")
    return str(value)


def _of_people() -> dict[str, str]:
    return {
        "sign_in": _("登录"),
        "sign_in.failed": _("登录失败"),
        "sign_in.paused": _("登录被暂停"),
        "sign_out": _("退出登录"),
        "user.create": _("新建用户"),
        "user.role": _("更改角色"),
        "user.reset": _("重置登录"),
        "user.unlock": _("解除暂停"),
        "user.deactivate": _("停用用户"),
        "user.set_up": _("完成首次设置"),
        "user.password": _("更改密码"),
        "user.recovery_codes": _("新备用码"),
        "statement.download": _("下载对账单"),
        "dispute.open": _("提出争议"),
        "dispute.answer": _("答复争议"),
        "dispute.escalate": _("要求升级"),
        "evidence.add": _("新增证据"),
        "evidence.download": _("下载证据"),
    }


def _of_the_operator() -> dict[str, str]:
    return {
        "client.create": _("新增接口客户端"),
        "client.rotate": _("更换接口客户端"),
        "client.revoke": _("撤销接口客户端"),
        "keys.rotate": _("更换签名密钥"),
        "keys.withdraw": _("作废签名密钥"),
        "keys.resign": _("重新签名"),
        "system.add": _("新增成员"),
        "system.change": _("变更成员资料"),
        "system.suspend": _("暂停成员"),
        "system.reinstate": _("恢复成员"),
        "system.withdraw": _("成员退出"),
        "hotel.add": _("新增酒店"),
        "hotel.move": _("酒店转会"),
        "rulebook.add": _("新增规则版本"),
        "rulebook.accept": _("接受规则"),
        "period.settle": _("清算账期"),
        "period.download": _("下载账期文件"),
        "dispute.evidence": _("下载证据"),
        "payment.import": _("导入银行文件"),
        "payment.match": _("匹配付款"),
        "payment.match_automatic": _("自动匹配付款"),
        "payment.confirm": _("确认付款"),
        "payment.reject": _("驳回匹配"),
        "risk.default": _("宣告违约"),
        "risk.recover": _("追偿"),
        "risk.contributions": _("缴存互保基金"),
        "card.transfer": _("会员卡转移"),
        "books.check": _("检查账簿"),
    }


def _of_details() -> dict[str, str]:
    return {
        "approved_by": _("批准人"),
        "role": _("角色"),
        "former": _("原来"),
        "what": _("哪一步"),
        "by": _("方式"),
        "address": _("来源标记"),
        "sessions": _("会话数"),
        "system": _("系统"),
        "name": _("名称"),
        "scopes": _("权限"),
        "hotels": _("酒店"),
        "former_until": _("原密钥有效至"),
        "format": _("格式"),
        "period": _("账期"),
        "file": _("文件"),
        "reason": _("理由"),
        "purpose": _("用途"),
        "compromised": _("已泄露"),
        "invariants": _("项数"),
        "failed": _("不成立"),
    }
