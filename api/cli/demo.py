"""``clearinghouse demo``: a whole alliance month on this machine, and where to look at it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.markup import escape
from rich.table import Table

from api.cli.books import run_settlement, show_positions, write_period
from api.cli.checks import prove_all
from api.cli.common import console, settings, write_file
from api.cli.demo_payments import pay_everything
from api.cli.imports import rejection_file, run_import
from api.cli.verify import KEYS_BESIDE
from api.demo import SampleFacts, SamplePack, write_sample_packs
from api.demo.live_day import Entry, play_live_day
from api.demo.open_matters import leave_open
from api.demo.place import demo_settings
from api.demo.sign_ins import keep_sign_ins, make_sign_ins
from clearinghouse.config import Settings
from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.context import Context
from clearinghouse.operations.opening import opened
from clearinghouse.store import embedded

#: The rules that the story shows first; all others are in the pack as well.
_STORY = (
    "own_system_spend",
    "cross_system_spend",
    "redeem_several_issuers",
    "redeem_own_points",
    "refund_redeem",
    "stored_value_across",
    "treatment_highest_not_above",
    "debt_arises",
    "debt_repaid",
    "points_expire",
    "late_line",
    "repeated_line",
    "hotel_moves",
    "txn_ref_reused",
)


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-out"),
    show_default=True,
    help="Folder for the sample packs and the settled months.",
)
def demo(out: Path) -> None:
    """Show a whole alliance month: import, a day over HTTP, settle, state and prove a sample alliance.

    It runs on a database of its own under the data folder, made afresh each time; your books are not touched.
    """
    began = time.monotonic()
    say = console().print
    say("[bold]酒店联盟清算所 · Hotel Alliance Clearing House[/bold] — 演示 demo")
    # A pack is written elsewhere first: the folder is the reader's, and may hold what they want to keep.
    with TemporaryDirectory() as folder, _fresh_books(settings()) as context:
        facts = write_sample_packs(Path(folder))
        say(
            f"\n示例联盟 A sample alliance: {facts.systems} 个系统 systems, {facts.hotels} 家酒店 hotels,"
            f" {facts.travellers:,} 位旅客 travellers"
        )
        for pack in facts.packs:
            _import(context, pack, out)
            if pack is facts.shown:
                lived = play_live_day(context, facts.live)
                _day(lived)
            _settle(context, pack, out)
        _story(facts)
        period = parse_period(facts.shown.period)
        console().print()
        show_positions(context, period)
        pay_everything(context, out)
        found = make_sign_ins(context, facts.live.points_phone, facts.live.points_name)
        leave_open(context, facts, found)
        keep_sign_ins(demo_settings(settings()), found)
        console().print()
        if not prove_all(context):
            raise click.exceptions.Exit(1)
    _where_to_look(out, facts, lived, time.monotonic() - began)


@contextmanager
def _fresh_books(configured: Settings) -> Iterator[Context]:
    """Open the demo's own database, without what an earlier demo left in it."""
    own = demo_settings(configured)
    embedded.stop(own)
    shutil.rmtree(own.data_dir, ignore_errors=True)
    with opened(own) as context:
        yield context


def _import(context: Context, pack: SamplePack, out: Path) -> None:
    result = run_import(context, pack.folder)
    copy = out / "packs" / pack.folder.name
    copy.mkdir(parents=True, exist_ok=True)
    for file in sorted(pack.folder.iterdir()):
        write_file(copy / file.name, [file.read_bytes()])
    write_file(copy / "rejections.csv", rejection_file(context, result))
    console().print(
        f"  {pack.period}: {result.lines:>6,} 笔 transactions, {result.rejected:>3} 笔被拒 refused,"
        f" {pack.late:>2} 笔迟到 late, {pack.repeated:>2} 笔重发 repeated — 已入账 posted"
    )


def _settle(context: Context, pack: SamplePack, out: Path) -> None:
    run_settlement(context, parse_period(pack.period))
    write_period(context, parse_period(pack.period), out)
    console().print(f"  {pack.period}: 已关账、轧差、出账 closed, netted, stated and published")


def _day(lived: Sequence[Entry]) -> None:
    """Print what happened at the tills on the live day."""
    table = Table(
        title=f"{lived[0].at:%Y-%m-%d}：一天的实时交易 a day of live traffic over HTTP",
        title_justify="left",
        header_style="bold",
    )
    table.add_column("时间 Time", no_wrap=True)
    table.add_column("酒店 Hotel", no_wrap=True)
    table.add_column("收银台 At the till", overflow="fold")
    table.add_column("应答 The answer", overflow="fold")
    day = lived[0].at.date()
    for entry in lived:
        later = entry.at.date() != day
        mark = "[green]✓[/green]" if entry.status < 400 else "[red]✗[/red]"
        table.add_row(
            f"{entry.at:%H:%M}" + (f"\n[dim]{entry.at:%m-%d}[/dim]" if later else ""),
            entry.hotel,
            f"{escape(entry.zh)}\n[dim]{escape(entry.en)}[/dim]",
            f"{mark} {escape(entry.answer_zh)}\n[dim]{entry.status} {escape(entry.answer_en)}[/dim]",
        )
    console().print()
    console().print(table)
    console().print()


def _story(facts: SampleFacts) -> None:
    table = Table(
        title="这个月里有什么 What this month shows", title_justify="left", header_style="bold",
        show_lines=False,
    )  # fmt: skip
    table.add_column("酒店 Hotel", no_wrap=True)
    table.add_column("交易号 Reference", no_wrap=True)
    table.add_column("发生了什么 What happened")
    for rule in _STORY:
        example = facts.example(rule)
        table.add_row(example.host_hotel, example.txn_ref, f"{example.zh}\n[dim]{example.en}[/dim]")
    console().print()
    console().print(table)


def _where_to_look(out: Path, facts: SampleFacts, lived: Sequence[Entry], seconds: float) -> None:
    month = out / facts.shown.period
    example = facts.example("redeem_several_issuers")
    captured = next(entry for entry in lived if entry.txn_ref)
    console().print(
        f"\n[bold]看这里 Where to look[/bold] ({seconds:.0f} s)\n"
        f"  {month}/positions.csv, obligations.csv, points_liability.csv, manifest.json\n"
        f"  {month}/statements/  每个系统的账单 every system's statement: pdf, xlsx, csv, json, camt053.xml\n"
        f"  {out}/bank/  银行对账单 the bank's statement that settled the months\n"
        f"  {out}/packs/{facts.shown.folder.name}/  导入的数据 what was imported;"
        " rejections.csv 被拒明细 what was refused and why\n"
        f"  例 For example: {month}/statements/{example.host_hotel.partition('-')[0]}.pdf,"
        f" {example.txn_ref} 在其 in its .csv;"
        f" 实时交易 of the live day {captured.txn_ref} in {captured.hotel.partition('-')[0]}.csv\n"
        f"  网页 The pages, with this data: make serve  (clearinghouse serve --demo)\n"
        f"  验签 To verify, offline: clearinghouse verify --keys {out}/{KEYS_BESIDE} {month}/statements/*",
        soft_wrap=True,
    )
