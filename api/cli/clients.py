"""``clearinghouse client``: who may use the API."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from api.cli.authority import signed
from api.cli.common import books
from api.cli.tables import FORMAT, print_json, print_table
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.scopes import SCOPES
from clearinghouse.operations import clients
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.clients import Issued

_MAX_KEY_BYTES = 20_000
_PUBLIC_KEY = click.option(
    "--public-key",
    "key_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Its public key (PEM or JWK): it signs assertions and has no secret.",
)


def _scope_help() -> str:
    """Every scope with its meaning, in lines that click leaves as they are."""
    width = max(map(len, SCOPES))
    lines = [f"  {name:<{width}}  {scope.zh} {scope.en}" for name, scope in SCOPES.items()]
    return "\n".join(["\b", "Scopes:", *lines])


@click.group("client")
def client_commands() -> None:
    """Clients of the API: a till, a property management system, a night audit."""


@client_commands.command("create", epilog=_scope_help())
@click.argument("system", required=False)
@click.option("--operator", is_flag=True, help="A client of the operator instead of a SYSTEM.")
@click.option("--name", required=True, help='What will use it, as in "front desk Beijing".')
@click.option("--hotel", "hotels", multiple=True, metavar="CODE", help="Only this hotel (repeat).")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(list(SCOPES)),
    metavar="SCOPE",
    help="May do only this (repeat).  [default: all that a member's client can]",
)
@_PUBLIC_KEY
@FORMAT
@signed
def create(
    system: str | None,
    operator: bool,
    name: str,
    hotels: tuple[str, ...],
    scopes: tuple[str, ...],
    key_file: Path | None,
    format_name: str,
    authority: Authority,
) -> None:
    """Make a client of SYSTEM, for all its hotels or some. Its secret is shown once, here."""
    if (system is None) != operator:
        raise click.UsageError("name the SYSTEM that the client belongs to, or say --operator")
    with books() as context:
        issued = clients.create_client(
            context,
            system,
            name,
            authority,
            scopes=scopes or None,
            hotels=hotels or None,
            public_key=_key(key_file),
        )
    _show(issued, format_name)


@client_commands.command("rotate")
@click.argument("client_id")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 720),
    default=24,
    show_default=True,
    help="How long the former secret or key stays good beside the new one.",
)
@_PUBLIC_KEY
@FORMAT
@signed
def rotate(
    client_id: str,
    overlap_hours: int,
    key_file: Path | None,
    format_name: str,
    authority: Authority,
) -> None:
    """Give the client CLIENT_ID another secret (shown once, here) or public key."""
    with books() as context:
        overlap = timedelta(hours=overlap_hours)
        issued = clients.rotate_client(
            context, client_id, overlap, authority, public_key=_key(key_file)
        )
    _show(issued, format_name)


@client_commands.command("revoke")
@click.argument("client_id")
@signed
def revoke(client_id: str, authority: Authority) -> None:
    """End the client CLIENT_ID: it gets no more tokens, and those that it has are refused within seconds."""
    with books() as context:
        clients.revoke_client(context, client_id, authority)
    click.echo(f"client {client_id} is revoked")


@client_commands.command("list")
@click.option("--system", "system_code", metavar="CODE", help="Only the clients of this system.")
@FORMAT
def list_clients(system_code: str | None, format_name: str) -> None:
    """List clients, revoked ones too; no secrets."""
    with books() as context:
        found = clients.list_clients(context, system_code)
    if format_name == "json":
        print_json([asdict(entry) for entry in found])
        return
    print_table(
        "接口客户端 Clients",
        ("客户端 Client", "系统 System", "名称 Name", "凭证 Proof", "酒店 Hotels", "权限 Scopes", "撤销 Revoked"),
        [
            (
                entry.client_id,
                entry.system_code or "清算所 operator",
                entry.name,
                entry.proof,
                "全部 all" if entry.hotels is None else " ".join(entry.hotels),
                " ".join(entry.scopes),
                entry.revoked_at and f"{entry.revoked_at:%Y-%m-%d %H:%M}",
            )
            for entry in found
        ],
    )  # fmt: skip


def _key(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        with file.open(encoding="utf-8") as text:
            return text.read(_MAX_KEY_BYTES)
    except (OSError, UnicodeDecodeError):
        raise OperatorRefused(f"{file} can't be read as a key") from None


def _show(issued: Issued, format_name: str) -> None:
    if format_name == "json":
        shown = {"client_id": issued.client_id, "client_secret": issued.secret}
        print_json({name: value for name, value in shown.items() if value is not None})
        return
    click.echo(f"client_id: {issued.client_id}")
    if issued.secret is not None:
        click.echo(f"client_secret: {issued.secret}")
        click.echo("The secret is not kept and can't be shown again.", err=True)
