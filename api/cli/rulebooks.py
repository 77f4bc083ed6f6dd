"""``clearinghouse rulebook``: the versions of the agreement, and who has accepted them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from api.cli.authority import signed
from api.cli.common import PERIOD, books
from api.cli.tables import FORMAT, print_json, print_table
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.money import yuan
from clearinghouse.operations import drafts, govern, registry
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.packs.agreement import BYTES_MAX
from settlement.impact import impact, last_published


@click.group("rulebook")
def rulebook_commands() -> None:
    """Versions of the one agreement that every system accepts; a change is a new version."""


@rulebook_commands.command("list")
@FORMAT
def list_rulebooks(format_name: str) -> None:
    """List all versions, oldest first."""
    with books() as context:
        found = registry.rulebooks(context)
    if format_name == "json":
        print_json([asdict(entry) for entry in found])
        return
    print_table(
        "联盟规则 Rulebooks",
        ("版本 Version", "生效日 Effective from", "现行 In force", "SHA-256", "已接受 Accepted"),
        [
            (
                entry.version,
                entry.effective_from,
                "是 yes" if entry.in_force else None,
                entry.sha256[:16],
                f"{len(entry.accepted)} / {len(entry.accepted) + len(entry.missing)}",
            )
            for entry in found
        ],
        figures=1,
    )


@rulebook_commands.command("show")
@click.argument("version")
def show_rulebook(version: str) -> None:
    """Show VERSION whole, as JSON, with its hash and the systems that have accepted it."""
    with books() as context:
        print_json(asdict(registry.rulebook(context, version)))


@rulebook_commands.command("diff")
@click.argument("one")
@click.argument("other")
@FORMAT
def diff_rulebooks(one: str, other: str, format_name: str) -> None:
    """Show the fields in which two versions differ."""
    with books() as context:
        found = registry.rulebook_difference(context, one, other)
    if format_name == "json":
        print_json({name: {one: left, other: right} for name, (left, right) in found.items()})
        return
    print_table(
        "差异 Differences",
        ("字段 Field", one, other),
        [(name, _shown(left), _shown(right)) for name, (left, right) in found.items()],
        figures=2,
    )


@rulebook_commands.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@signed
def add_rulebook(file: Path, authority: Authority) -> None:
    """Record the version in FILE, a rulebook.json. Systems then accept it, each for itself.

    It must take effect after the last closed month. From that day on a system that has not accepted it can't
    host cards, points and stored value of others.
    """
    with books() as context:
        rulebook = govern.add_rulebook(context, file, authority)
    click.echo(
        f"version {rulebook.version} takes effect on {rulebook.effective_from};"
        " no system has accepted it yet"
    )


@rulebook_commands.command("impact")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--period", type=PERIOD, help="A published month.  [default: the last one]")
@FORMAT
def show_impact(file: Path, period: int | None, format_name: str) -> None:
    """Show what a published month would have cost under the draft in FILE, leg by leg.

    Nothing is recorded. It takes as long as the month is large.
    """
    agreed = drafts.read_draft(file.read_bytes()[: BYTES_MAX + 1])
    with books() as context:
        month = last_published(context) if period is None else period
        if month is None:
            raise NotFound("no month is published yet")
        found = impact(context, agreed.rulebook, month, by_leg=True)
    if format_name == "json":
        print_json(asdict(found))
        return
    print_table(
        f"影响(元) Impact (CNY) {format_period(month)} · {agreed.rulebook.version}",
        ("系统 System", "费用 Fees", "按草案 Would be", "变化 Change", "净额 Net", "按草案 Would be", "变化 Change"),
        [
            (
                row.code,
                yuan(row.before.fees_minor),
                yuan(row.after.fees_minor),
                yuan(row.fee_change_minor),
                yuan(row.before.net_minor),
                yuan(row.after.net_minor),
                yuan(row.net_change_minor),
            )
            for row in found.systems
        ],
        figures=6,
    )  # fmt: skip


@rulebook_commands.command("accept")
@click.argument("version")
@click.argument("systems", nargs=-1)
@click.option(
    "--all", "for_all", is_flag=True, help="For every system; recorded as the operator's."
)
@signed
def accept_rulebook(
    version: str, systems: tuple[str, ...], for_all: bool, authority: Authority
) -> None:
    """Record that SYSTEMS (codes) accept VERSION."""
    if for_all == bool(systems):
        raise click.UsageError("name the systems that accept it, or --all")
    with books() as context:
        new = govern.accept_rulebook(context, version, None if for_all else systems, authority)
        missing = registry.rulebook(context, version).missing
    click.echo(f"{len(new)} systems have newly accepted {version}; {len(missing)} are missing")


def _shown(value: Any) -> str:
    """Show a value as the document has it."""
    return value if isinstance(value, str) else json.dumps(value)
