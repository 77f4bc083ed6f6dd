"""What two people are about to post for reasons of risk, told in plain words: before it is proposed and confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _

from clearinghouse.domain.calendar import parse_period
from clearinghouse.store.proposals import Proposal
from web.frame.showing import month, yuan

#: Deeds of risk, by the names that ``operations.two_people`` has them under.
POST, RELEASE = "collateral.post", "collateral.release"
DEFAULT, RECOVER, CONTRIBUTIONS = "risk.default", "risk.recover", "risk.contributions"
DEEDS = (POST, RELEASE, DEFAULT, RECOVER, CONTRIBUTIONS)

Values = Mapping[str, Any]


class Share(NamedTuple):
    """A line of what is split: a step, who bears or gets it, and how many fen."""

    step: str
    who: str
    amount_minor: int


class Told(NamedTuple):
    """A deed in words: its title, what is posted sentence by sentence, the split to the fen, and what to type."""

    title: str
    sentences: list[str]
    shares: list[Share]
    total_label: str
    total_minor: int
    to_type: str


def told(what: str, values: Values) -> Told:
    """Tell a deed; ``values`` are those of its proposal."""
    return {
        POST: _posting,
        RELEASE: _release,
        DEFAULT: _default,
        RECOVER: _recovery,
        CONTRIBUTIONS: _contributions,
    }[what](values)


def told_of(found: Proposal) -> Told:
    """Tell the deed of a proposal."""
    return told(found.document["what"], found.document)


def _posting(values: Values) -> Told:
    code, amount = values["system"], values["amount_minor"]
    return Told(
        _("收取保证金"),
        [
            _(
                "记入 %(code)s 的保证金 %(amount)s 元，依据 %(reference)s。",
                code=code,
                amount=yuan(amount),
                reference=values["reference"],
            ),
            _("这笔钱到账后，请在银行流水中把它匹配为保证金；违约时只动用已到账的部分。"),
            _("%(code)s 的可用额度随之增加相同的金额。", code=code),
        ],
        [],
        _("合计"),
        amount,
        code,
    )


def _release(values: Values) -> Told:
    code, amount = values["system"], values["amount_minor"]
    return Told(
        _("退还保证金"),
        [
            _(
                "从 %(code)s 的保证金中退还 %(amount)s 元，依据 %(reference)s。",
                code=code,
                amount=yuan(amount),
                reference=values["reference"],
            ),
            _("%(code)s 的可用额度随之减少相同的金额。", code=code),
        ],
        [],
        _("合计"),
        amount,
        code,
    )


def _default(values: Values) -> Told:
    code, name, seen = values["system"], month(parse_period(values["period"])), values["seen"]
    began = _(
        "%(code)s 的%(month)s应付款中有 %(amount)s 元逾期未付，宣告违约。",
        code=code,
        month=name,
        amount=yuan(seen["unpaid_minor"]),
    )
    return Told(
        _("宣告违约并分摊损失"),
        [began, *_waterfall(code, seen)],
        _borne_by(code, seen),
        _("逾期未付"),
        seen["unpaid_minor"],
        code,
    )


def _waterfall(code: str, seen: Values) -> list[str]:
    """Tell who bears a default, step by step."""
    sentences = []
    collateral, fund, borne = (
        seen[key] for key in ("collateral_minor", "fund_minor", "borne_minor")
    )
    if collateral:
        sentences.append(
            _(
                "第一步：动用 %(code)s 已到账的保证金 %(amount)s 元，抵付欠款。",
                code=code,
                amount=yuan(collateral),
            )
        )
    else:
        sentences.append(_("第一步：%(code)s 没有已到账的保证金可以动用。", code=code))
    if fund:
        sentences.append(
            _(
                "第二步：互保基金垫付 %(amount)s 元，记为基金对 %(code)s 的债权。",
                code=code,
                amount=yuan(fund),
            )
        )
    else:
        sentences.append(_("第二步：互保基金不垫付。"))
    cuts = sum(seen["haircuts"].values())
    if cuts:
        sentences.append(
            _(
                "第三步：其余 %(amount)s 元由该账期的收款成员按应收比例分摊，从付给他们的款项中扣下，"
                "记为他们对 %(code)s 的债权。",
                code=code,
                amount=yuan(cuts),
            )
        )
    if borne:
        sentences.append(
            _("清算所自己承担 %(amount)s 元，即本可收取的手续费。", amount=yuan(borne))
        )
    sentences.append(
        _(
            "%(code)s 随即暂停参与跨系统业务，本系统内的业务照常；保证金没有抵付的部分它仍须偿还。",
            code=code,
        )
    )
    return sentences


def _borne_by(code: str, seen: Values) -> list[Share]:
    """Return who bears what of a default, in the order of the waterfall."""
    shares = [
        Share(_("保证金"), code, seen["collateral_minor"]),
        Share(_("互保基金"), _("互保基金"), seen["fund_minor"]),
        *(Share(_("按比例分摊"), who, amount) for who, amount in sorted(seen["haircuts"].items())),
        Share(_("清算所承担"), _("清算所"), seen["borne_minor"]),
    ]
    return [one for one in shares if one.amount_minor]


def _recovery(values: Values) -> Told:
    code, name, seen = values["system"], month(parse_period(values["period"])), values["seen"]
    paid = seen["paid_minor"]
    if paid > 0:
        sentences = [
            _(
                "%(code)s 违约后就%(month)s又支付了 %(amount)s 元，按相反的次序分给垫付的各方。",
                code=code,
                month=name,
                amount=yuan(paid),
            ),
            _(
                "先按比例偿还成员的债权，记入其账户，随下一次付款支付；再补回互保基金；最后归清算所。"
            ),
        ]
    else:
        sentences = [
            _(
                "%(code)s 违约后就%(month)s支付的款项中有 %(amount)s 元已被退回或撤销，从得到它的各方收回。",
                code=code,
                month=name,
                amount=yuan(-paid),
            ),
            _("先收回清算所的部分，再从互保基金，最后按比例从成员收回；他们的债权重新成立。"),
            _("%(code)s 再次暂停参与跨系统业务。", code=code),
        ]
    shares = [
        *(Share(_("成员债权"), who, amount) for who, amount in sorted(seen["claims"].items())),
        Share(_("互保基金"), _("互保基金"), seen["fund_minor"]),
        Share(_("清算所"), _("清算所"), seen["kept_minor"]),
    ]
    return Told(
        _("分配违约后的收款") if paid > 0 else _("收回已分配的款项"),
        sentences,
        [one for one in shares if one.amount_minor],
        _("合计"),
        paid,
        code,
    )


def _contributions(values: Values) -> Told:
    name, seen = month(parse_period(values["period"])), values["seen"]
    total = sum(seen.values())
    return Told(
        _("互保基金缴存"),
        [
            _(
                "按%(month)s的规则，%(count)s 个成员共缴存 %(amount)s 元到互保基金。",
                month=name,
                count=len(seen),
                amount=yuan(total),
            ),
            _("缴存是存款，不是费用：记在成员账户上，随下一次付款一并收取。"),
        ],
        [Share(_("缴存"), who, amount) for who, amount in sorted(seen.items())],
        _("合计"),
        total,
        str(values["period"]),
    )
