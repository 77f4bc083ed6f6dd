"""What needs a person at the clearing house today, each with the page where it is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from flask import url_for
from flask_babel import gettext as _

from clearinghouse.domain.calendar import format_period
from clearinghouse.operations import confirming, registry, two_people
from clearinghouse.operations.context import Context
from clearinghouse.operations.dossier import Member, MemberState
from clearinghouse.operations.exposure_report import Exposure
from clearinghouse.store import desk
from clearinghouse.store.payments.desk import Stage, stage_counts
from settlement.beside import Month, is_under_way, progress
from settlement.schedule import period_due
from web.desk import words
from web.frame.showing import day, moment, month

#: A member is near its cap when less than this part of its limit is left.
_NEAR = 5


class Task(NamedTuple):
    """Something to do: what, more of it, where, and the tone of its badge."""

    text: str
    detail: str
    href: str
    tone: str
    badge: str


def tasks(
    context: Context, members: list[Member], months: list[Month], exposures: tuple[Exposure, ...]
) -> list[Task]:
    """Return what needs a person, the most pressing first."""
    return [
        *_periods(context, months),
        *_waiting(context),
        *_risk(exposures),
        *_members(context, members),
    ]


def _periods(context: Context, months: list[Month]) -> Iterator[Task]:
    for row in months:
        if not is_under_way(row.state):
            continue
        seen, name = progress(context, row.period), format_period(row.period)
        href = url_for("desk_periods.period", month=name)
        title = month(row.period)
        if seen.at_work:
            text = _("%(month)s 月结进行中", month=title)
            yield Task(text, words.period_state(row.state).text, href, "accent", _("正在进行"))
        elif seen.failure is not None:
            text = _("%(month)s 月结停止了", month=title)
            yield Task(text, seen.failure.sentence, href, "bad", _("停止"))
        else:
            text = _("%(month)s 月结中断", month=title)
            yield Task(text, _("没有进程在处理，请继续"), href, "warn", _("待继续"))
        return
    due = period_due(context)
    if due is not None:
        href = url_for("desk_periods.period", month=format_period(due))
        yield Task(
            _("%(month)s 可以月结", month=month(due)),
            _("关账时间已过"),
            href,
            "warn",
            _("到期"),
        )


def _waiting(context: Context) -> Iterator[Task]:
    with context.database.office() as session:
        found = desk.waiting(session)
        lines = stage_counts(session)[Stage.WAITING]
    proposed = two_people.waiting(context)
    if proposed:
        yield Task(
            _("%(count)s 项操作待复核", count=len(proposed)),
            " · ".join(sorted({words.deed(row.document["what"]) for row in proposed})),
            url_for("desk_proposals.listing"),
            "warn",
            _("待复核"),
        )
    if found.matches:
        text = _("%(count)s 笔付款匹配待复核", count=found.matches)
        yield Task(text, _("须由提出人以外的人复核"), "/desk/payments", "warn", _("待复核"))
    if lines:
        text = _("%(count)s 笔银行流水待匹配", count=lines)
        href = url_for("desk_bank.lines", stage=Stage.WAITING.value)
        yield Task(text, _("由一人提出匹配、另一人复核"), href, "warn", _("待匹配"))
    decisions = len(confirming.waiting(context))
    if decisions:
        text = _("%(count)s 项裁定或更正待复核", count=decisions)
        yield Task(text, _("须由提出人以外的人复核"), "/desk/disputes", "warn", _("待复核"))
    if found.disputes_to_decide:
        text = _("%(count)s 件争议待裁定", count=found.disputes_to_decide)
        since = _("最早的从 %(at)s 起等待", at=moment(found.oldest_to_decide))
        yield Task(text, since, "/desk/disputes", "warn", _("待裁定"))
    if found.disputes_open:
        text = _("%(count)s 件争议等待对方答复", count=found.disputes_open)
        until = _("最近的答复期限 %(at)s", at=moment(found.next_answer_due))
        yield Task(text, until, "/desk/disputes", "plain", _("等待"))


def _risk(exposures: tuple[Exposure, ...]) -> Iterator[Task]:
    groups = (
        ("over", _("超过净欠上限的成员"), "bad", _("超限")),
        ("overdue", _("逾期未付款的成员"), "bad", _("逾期")),
        ("near", _("接近净欠上限的成员"), "warn", _("接近上限")),
        ("no_cap", _("未设净欠上限的成员"), "plain", _("未设上限")),
    )
    found: dict[str, list[str]] = {name: [] for name, *_rest in groups}
    for row in exposures:
        if row.overshoot_minor:
            found["over"].append(row.system_code)
        elif row.limit_minor and row.room_minor is not None and _is_near(row):
            found["near"].append(row.system_code)
        if row.overdue_minor:
            found["overdue"].append(row.system_code)
        if row.limit_minor is None:
            found["no_cap"].append(row.system_code)
    for name, text, tone, badge in groups:
        codes = found[name]
        if codes:
            href = (
                url_for("desk_members.member", code=codes[0]) if len(codes) == 1 else "/desk/risk"
            )
            yield Task(text, _listed(codes), href, tone, badge)


def _is_near(row: Exposure) -> bool:
    return (row.room_minor or 0) * _NEAR < (row.limit_minor or 0)


def _members(context: Context, members: list[Member]) -> Iterator[Task]:
    applying = [row.entry.code for row in members if row.state is MemberState.APPLICATION]
    if applying:
        href = url_for("desk_members.listing", state=MemberState.APPLICATION.value)
        yield Task(_("待接纳的申请"), _listed(applying), href, "warn", _("申请中"))
    gone = {
        row.entry.code
        for row in members
        if row.state in (MemberState.GONE, MemberState.LEAVING, MemberState.APPLICATION)
    }
    versions = registry.rulebooks(context)
    current = next((place for place, row in enumerate(versions) if row.in_force), 0)
    for version in versions[current:]:
        missing = [code for code in version.missing if code not in gone]
        if missing:
            href = url_for("desk_rulebooks.version", version=version.version)
            text = _("规则 %(version)s 尚有成员未接受", version=version.version)
            when = _("自 %(day)s 起", day=day(version.effective_from))
            tone = "bad" if version.in_force else "warn"
            yield Task(text, f"{_listed(missing)} · {when}", href, tone, _("未接受"))


def _listed(codes: list[str]) -> str:
    shown = " · ".join(codes[:6])
    if len(codes) <= 6:
        return shown
    return f"{shown} {_('等 %(count)s 家', count=len(codes))}"
