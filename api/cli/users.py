"""``clearinghouse user``: who may sign in to the pages."""

from __future__ import annotations

import click

from api.cli.authority import signed
from api.cli.common import books
from api.cli.tables import FORMAT, print_json, print_table
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.users import Role
from clearinghouse.operations import users
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.users import Invited, ListedUser

_ROLES = {Role.VIEWER: "查看 viewer", Role.FINANCE: "财务 finance", Role.ADMIN: "管理员 admin"}


@click.group("user")
def user_commands() -> None:
    """People who sign in to the pages: to a system's finance console, or to the operator's desk."""


@user_commands.command("create")
@click.argument("name")
@click.option("--system", "system_code", metavar="CODE", help="The member system of the user.")
@click.option("--operator", is_flag=True, help="One of the operator's own people.")
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="viewer looks, finance acts, admin also manages users.",
)
@FORMAT
@signed
def create(
    name: str,
    system_code: str | None,
    operator: bool,
    role: str,
    format_name: str,
    authority: Authority,
) -> None:
    """Make the user NAME; its login is NAME@CODE, of the operator's people NAME.

    NAME need not be anybody's name. The initial password is shown once, here; it is good for the first sign-in, at
    which the user sets up an own password and a second factor.
    """
    if (system_code is None) != operator:
        raise click.UsageError("say --system CODE, or --operator")
    with books() as context:
        made = users.create_user(context, system_code, name, Role(role), authority)
    _show(made, format_name)


@user_commands.command("reset")
@click.argument("login")
@FORMAT
@signed
def reset(login: str, format_name: str, authority: Authority) -> None:
    """Let the user LOGIN set up password and second factor anew: a lost phone, a forgotten password."""
    with books() as context:
        found = users.user_named(context, login)
        made = users.reset_user(context, found.system, found.number, authority)
    _show(made, format_name)


@user_commands.command("deactivate")
@click.argument("login")
@signed
def deactivate(login: str, authority: Authority) -> None:
    """End the user LOGIN for good, with all its sessions."""
    with books() as context:
        found = users.user_named(context, login)
        users.deactivate_user(context, found.system, found.number, authority)
    click.echo(f"user {found.login} is deactivated")


@user_commands.command("unlock")
@click.argument("login")
@signed
def unlock(login: str, authority: Authority) -> None:
    """Forget the failed attempts of the user LOGIN, so that it may sign in at once."""
    with books() as context:
        found = users.user_named(context, login)
        users.unlock_user(context, found.system, found.number, authority)
    click.echo(f"user {found.login} may try again at once")


@user_commands.command("list")
@click.option("--system", "system_code", metavar="CODE", help="Only the users of this system.")
@click.option("--operator", is_flag=True, help="Only the operator's own people.")
@FORMAT
def list_users(system_code: str | None, operator: bool, format_name: str) -> None:
    """List users, deactivated ones too."""
    if system_code is not None and operator:
        raise click.UsageError("say --system or --operator, not both")
    with books() as context:
        if (
            system_code is not None
            and system_code not in context.current_directory().system_by_code
        ):
            raise NotFound(f"there is no system {shown(system_code)}")
        found = [
            user
            for user in users.every_user(context)
            if (system_code is None and not operator) or user.system_code == system_code
        ]
    if format_name == "json":
        print_json([user._asdict() for user in found])
        return
    print_table(
        "用户 Users",
        ("登录名 Login", "系统 System", "角色 Role", "状态 State", "最近登录 Last sign-in"),
        [
            (
                user.login,
                user.system_code or "清算所 operator",
                _ROLES[Role(user.role)],
                _state(user),
                user.signed_in_at and f"{user.signed_in_at:%Y-%m-%d %H:%M}",
            )
            for user in found
        ],
    )


def _state(user: ListedUser) -> str:
    if user.deactivated_at is not None:
        return "已停用 deactivated"
    return "正常 active" if user.initial_until is None else "待首次登录 not set up yet"


def _show(made: Invited, format_name: str) -> None:
    if format_name == "json":
        print_json(
            {
                "login": made.login,
                "initial_password": made.initial_password,
                "good_until": made.good_until,
            }
        )
        return
    click.echo(f"login: {made.login}")
    click.echo(f"initial_password: {made.initial_password}")
    click.echo(f"good_until: {made.good_until:%Y-%m-%d %H:%M} UTC")
    click.echo("The initial password is not kept and can't be shown again.", err=True)
