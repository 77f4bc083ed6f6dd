"""``clearinghouse system`` and ``hotel``: the members of the alliance."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import click

from api.cli.authority import signed
from api.cli.common import DATE, books
from api.cli.risk import STANDING_COMMANDS
from api.cli.rulebooks import rulebook_commands
from api.cli.tables import FORMAT, both, print_json, print_table
from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.money import PPM, yuan
from clearinghouse.operations import govern, registry
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.registry import HotelEntry, SystemEntry
from clearinghouse.store.members import Membership, SystemProfile

__all__ = ["hotel_commands", "rulebook_commands", "system_commands"]

_AS_OF = click.option(
    "--as-of", type=DATE, metavar="YYYY-MM-DD", help="Business date.  [default: today]"
)
_FROM = click.option(
    "--from",
    "effective_from",
    type=DATE,
    metavar="YYYY-MM-DD",
    help="First business date.  [default: today]",
)
_NAME_ZH = click.option("--name-zh", help="Legal name in Chinese.")
_NAME_EN = click.option("--name-en", help="Legal name in English.")
_PROFILE = (
    click.option("--uscc", help="Unified social credit code."),
    click.option("--bank-account", help="Account for the net position."),
    click.option("--cap", "net_debit_cap_minor", type=int, metavar="FEN", help="Net debit cap."),
    click.option("--collateral", "collateral_minor", type=int, metavar="FEN", help="Collateral."),
)


def _profile_options(command: Any) -> Any:
    for option in (*reversed(_PROFILE), _NAME_EN, _NAME_ZH):
        command = option(command)
    return command


@click.group("system")
def system_commands() -> None:
    """Members of the alliance: each is one legal entity with one net position."""


@system_commands.command("list")
@_AS_OF
@FORMAT
def list_systems(as_of: date | None, format_name: str) -> None:
    """List all systems."""
    with books() as context:
        found = registry.systems(context, as_of)
    if format_name == "json":
        print_json([_system_document(entry) for entry in found])
        return
    print_table(
        "系统 Systems",
        ("系统 System", "名称 Name", "跨系统接待 Hosts others", "酒店 Hotels", "等级 Tiers"),
        [
            (
                entry.code,
                both(entry.profile.name_zh, entry.profile.name_en),
                "是 yes" if entry.may_host_others else "否 no",
                len(entry.hotels),
                len(entry.tiers),
            )
            for entry in found
        ],
        figures=2,
    )


@system_commands.command("show")
@click.argument("code")
@_AS_OF
@FORMAT
def show_system(code: str, as_of: date | None, format_name: str) -> None:
    """Show the system CODE: its profile, hotels, tiers and the rulebooks that it has accepted."""
    with books() as context:
        entry = registry.system(context, code, as_of)
    if format_name == "json":
        print_json(_system_document(entry))
        return
    profile = entry.profile
    cap = profile.net_debit_cap_minor
    for label, value in (
        ("系统 System", f"{entry.code} {both(profile.name_zh, profile.name_en)}"),
        ("统一社会信用代码 USCC", profile.uscc),
        ("银行账户 Bank account", profile.bank_account),
        ("净借记上限(元) Net debit cap (CNY)", "未设 none set" if cap is None else yuan(cap)),
        ("担保品(元) Collateral (CNY)", yuan(profile.collateral_minor)),
        ("已接受规则 Accepted rulebooks", ", ".join(entry.accepted) or "无 none"),
        ("跨系统接待 Hosts others", "是 yes" if entry.may_host_others else "否 no"),
        ("暂停 Suspended", "是 yes" if entry.suspended else None),
        ("退出 Leaves", entry.withdrawn_on),
        ("积分有效至 Points good until", entry.run_off_until),
    ):
        if value is not None:
            click.echo(f"{label}: {value}")
    _show_hotels(entry.hotels)
    print_table(
        "会员等级 Tiers",
        ("等级 Tier", "名称 Name", "联盟级别 Level", "次序 Rank", "每元积分 Points per yuan", "折扣 Discount"),
        [
            (
                tier.code,
                both(tier.name_zh, tier.name_en),
                tier.alliance_level,
                tier.rank,
                f"{tier.earn_ppm // PPM}.{tier.earn_ppm % PPM:06d}".rstrip("0").rstrip("."),
                f"{tier.discount_percent} %",
            )
            for tier in entry.tiers
        ],
        figures=4,
    )  # fmt: skip


@system_commands.command("add")
@click.argument("code")
@_profile_options
@signed
def add_system(code: str, authority: Authority, **profile: Any) -> None:
    """Record the system CODE as a member.

    It needs tiers (tiers.csv of a pack) before it can have hotels, and must accept the rulebook in force before
    it can host cards and points of others.
    """
    given = {"name_zh": "", "name_en": "", "collateral_minor": 0, **_given(profile)}
    absent = dict.fromkeys(set(SystemProfile._fields) - set(given))
    with books() as context:
        govern.add_system(context, code, SystemProfile(**{**absent, **given}), authority)
    click.echo(f"system {code} is on record; next: its tiers, then the rulebook, then its hotels")


@system_commands.command("change")
@click.argument("code")
@_profile_options
@click.option("--no-cap", is_flag=True, help="Remove the net debit cap.")
@signed
def change_system(code: str, authority: Authority, no_cap: bool, **profile: Any) -> None:
    """Change what is on record of the system CODE. Statements of published months stay as they are.

    The bank account and the net debit cap take two people: say who approves with --approved-by.
    """
    changes = _given(profile) | ({"net_debit_cap_minor": None} if no_cap else {})
    if not changes:
        raise click.UsageError("say what changes, for example --name-en or --bank-account")
    with books() as context:
        govern.change_system(context, code, changes, authority)
    click.echo(f"system {code} is changed")


for _command in STANDING_COMMANDS:
    system_commands.add_command(_command)


@click.group("hotel")
def hotel_commands() -> None:
    """Hotels, and which system each belongs to from when on."""


@hotel_commands.command("list")
@click.option("--system", "system_code", metavar="CODE", help="Only the hotels of this system.")
@_AS_OF
@FORMAT
def list_hotels(system_code: str | None, as_of: date | None, format_name: str) -> None:
    """List hotels with their systems on a business date."""
    with books() as context:
        found = registry.hotels(context, as_of, system_code)
    if format_name == "json":
        print_json([asdict(entry) for entry in found])
    else:
        _show_hotels(found)


@hotel_commands.command("add")
@click.argument("code")
@click.argument("system")
@_NAME_ZH
@_NAME_EN
@click.option("--city", default="", help="City.")
@_FROM
@signed
def add_hotel(
    code: str,
    system: str,
    name_zh: str | None,
    name_en: str | None,
    city: str,
    effective_from: date | None,
    authority: Authority,
) -> None:
    """Record the hotel CODE as one of SYSTEM from a business date on."""
    with books() as context:
        day = effective_from or _today(context)
        hotel = Membership(code, day, system, name_zh or "", name_en or "", city)
        govern.add_hotel(context, hotel, authority)
    click.echo(f"hotel {code} belongs to {system} from {day} on")


@hotel_commands.command("move")
@click.argument("code")
@click.argument("system")
@_FROM
@signed
def move_hotel(code: str, system: str, effective_from: date | None, authority: Authority) -> None:
    """Let the hotel CODE belong to SYSTEM from a business date on.

    The points and cards that it has issued move with it. Nothing that is cleared already is rewritten, so the
    date must lie after the last closed month.
    """
    with books() as context:
        moved = govern.move_hotel(
            context, code, system, effective_from or _today(context), authority
        )
    click.echo(f"hotel {code} moves from {moved.from_system} to {system} on {moved.effective_from}")
    if moved.legs_kept:
        click.echo(
            f"{moved.legs_kept:,} legs since then are cleared already and keep their systems"
        )


def _given(profile: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in profile.items() if value is not None}


def _today(context: Context) -> date:
    with context.database.office() as session:
        return business_day(context.directory.current(session), context.clock())


def _system_document(entry: SystemEntry) -> dict[str, Any]:
    return {**asdict(entry), "profile": entry.profile._asdict()}


def _show_hotels(entries: tuple[HotelEntry, ...] | list[HotelEntry]) -> None:
    print_table(
        "酒店 Hotels",
        ("酒店 Hotel", "系统 System", "名称 Name", "城市 City", "自 Since", "将归属 Moves"),
        [
            (
                entry.code,
                entry.system_code or "尚未加入 not yet",
                both(entry.name_zh, entry.name_en),
                entry.city,
                entry.since,
                f"{entry.moves_on} → {entry.moves_to}" if entry.moves_on else None,
            )
            for entry in entries
        ],
    )
