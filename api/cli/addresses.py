"""What ``clearinghouse serve`` says: where the pages and the API are, and who may sign in to a demo."""

from __future__ import annotations

import click
from rich.table import Table

from api.cli.common import console
from api.demo.sign_ins import kept_sign_ins
from clearinghouse.config import Settings

_PAGES = (
    ("/pool", "旅客 travellers"),
    ("/console", "酒店财务 hotel finance"),
    ("/desk", "清算所 clearing house"),
)


def show_addresses(url: str, demo: Settings | None) -> None:
    """Print the addresses; of a demo, with its settings, also how to sign in."""
    for path, who in _PAGES:
        click.echo(f"{url}{path:<9} {who}")
    click.echo(f"{url}/  (文档 reference: /docs, 健康 health: /livez, 就绪 ready: /readyz)")
    if demo is not None:
        _show_sign_ins(demo)


def _show_sign_ins(demo: Settings) -> None:
    found = kept_sign_ins(demo)
    table = Table(
        title="演示数据的登录 Sign-ins of the demo (示例数据 sample data)",
        title_justify="left", header_style="bold",
    )  # fmt: skip
    for column in (
        "哪里 Where",
        "登录名 Login",
        "密码 Password",
        "动态码密钥 TOTP secret",
        "现在 Now",
    ):
        table.add_column(column, no_wrap=True)
    for each in found.staff:
        table.add_row(each.where, each.login, each.password, each.totp_secret, each.code_now())
    console().print(table)
    click.echo(
        f"旅客 A traveller: {found.traveller_phone}，姓名 name {found.traveller_name}"
        " — 验证码印在这里的日志里 the code is printed here, in the log"
    )
