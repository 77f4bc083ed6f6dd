"""``clearinghouse db``: the embedded PostgreSQL."""

from __future__ import annotations

import os
import textwrap

import click

from clearinghouse.config import SETTINGS_TABLE, Settings
from clearinghouse.operations.opening import upgrade
from clearinghouse.store import embedded

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def _environment_help() -> str:
    """Every setting by name and meaning, in lines that click leaves as they are."""
    lines = ["\b", "Environment:"]
    for variable in SETTINGS_TABLE:
        meaning = textwrap.wrap(variable.meaning.replace("`", ""), 70)
        lines += [f"  {variable.name}", *(f"    {line}" for line in meaning)]
    return "\n".join(lines)


@click.group("db", epilog=_environment_help())
def db_commands() -> None:
    """Start, stop and look at the embedded PostgreSQL.

    Any command that needs the database starts it, and it keeps running afterwards.
    """


@db_commands.command("start")
def start() -> None:
    """Start the database, unless it runs already."""
    settings = _settings()
    if not _is_external(settings):
        embedded.ensure_running(settings)
        _show(embedded.status(settings))


@db_commands.command("stop")
def stop() -> None:
    """Stop the database; what has been written is safe, open connections are cut off."""
    settings = _settings()
    if not _is_external(settings):
        click.echo("stopped" if embedded.stop(settings) else "was not running")


@db_commands.command("status")
def status() -> None:
    """Show whether the database runs, and where its data are. Changes nothing."""
    settings = _settings()
    if not _is_external(settings):
        _show(embedded.status(settings))


@db_commands.command("migrate")
def migrate() -> None:
    """Bring the database to this version's schema. Commands do that by themselves where they log in as the owner."""
    upgrade(_settings())
    click.echo("the schema is up to date")


def _settings() -> Settings:
    found = click.get_current_context().find_object(Settings)
    return found if found is not None else Settings.from_environment(os.environ)


def _is_external(settings: Settings) -> bool:
    if settings.database_url is None:
        return False
    click.echo(f"An external database is configured: {settings.shown_database_url}")
    click.echo("The embedded PostgreSQL is not used.")
    return True


def _show(found: embedded.Status) -> None:
    state = str(found.state)
    if found.version is None:
        state += " (no data yet)"
    elif found.state is embedded.State.STALE:
        state += " (it ended without stopping; the next command recovers it)"
    rows = {
        "state": state,
        "process": found.pid,
        "version": None if found.version is None else f"PostgreSQL {found.version}",
        "data": found.data_dir,
        "socket": found.socket_folder,
        "size": None if found.version is None else _size(found.size_bytes),
    }
    for name, value in rows.items():
        if value is not None:
            click.echo(f"{name:<8} {value}")


def _size(size_bytes: int) -> str:
    value, unit = float(size_bytes), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"
