"""What ``clearinghouse serve --sandbox`` says before it serves: credentials, test cards and where to read on."""

from __future__ import annotations

import click
from rich.table import Table

from api.cli.common import console
from api.sandbox.cards import TEST_CARDS
from api.sandbox.filling import CREDENTIALS, Credentials, prepare
from clearinghouse.config import Settings


def show_sandbox(own: Settings, *, reset: bool) -> None:
    """Make the sandbox if need be, and print what one needs to use it."""
    file = own.data_dir / CREDENTIALS
    if reset or not file.exists():
        click.echo("沙箱 sandbox: 首次创建，约半分钟 being made, this takes half a minute …")
    clients = prepare(own, reset=reset)
    console().print(_clients(clients))
    console().print(_cards())
    click.echo(
        f"凭证 credentials: {file}\n说明 how to use it: docs/sandbox.md; --reset 重建 makes it afresh"
    )


def _clients(clients: list[Credentials]) -> Table:
    table = Table(
        title="沙箱的客户端 Clients of the sandbox (示例数据 sample data)",
        title_justify="left", header_style="bold",
    )  # fmt: skip
    for column in ("谁 Who", "client_id", "client_secret"):
        table.add_column(column, no_wrap=True)
    for client in clients:
        who = client.system or "运营方 operator"
        table.add_row(who, client.client_id, client.client_secret)
    return table


def _cards() -> Table:
    table = Table(title="测试卡 Test cards", title_justify="left", header_style="bold")
    table.add_column("卡号 Number", no_wrap=True)
    table.add_column("行为 Behaviour")
    for card in TEST_CARDS:
        table.add_row(card.number, f"{card.zh}\n[dim]{card.en}[/dim]")
    return table
