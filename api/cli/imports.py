"""``clearinghouse import``: loading an alliance pack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from api.cli.common import books, progress_bar, settings, write_file
from clearinghouse.domain.errors import TILL_SENTENCES, ClearinghouseError, RefusalCode
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import ImportResult, import_pack, rejected_lines
from clearinghouse.operations.packs.folder import contents, is_pack_name
from settlement.tables import csv_bytes

_COLUMNS = ("file", "line", "host_hotel", "txn_ref", "code", "message")
_STEPS = {"check": "检查 checking", "post": "入账 posting"}


@click.command("import")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option(
    "--rejections",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where refused lines are written.  [default: PACK/rejections.csv]",
)
def import_pack_command(pack: Path, rejections: Path | None) -> None:
    """Load the alliance pack in the folder PACK.

    A structural fault (files, columns, types, references between files) refuses the pack before anything is
    written. A line that breaks a rule of the alliance is refused alone and the rest lands. The same pack again
    changes nothing, and an import that was killed goes on where it stopped.
    """
    target = rejections or pack / "rejections.csv"
    if is_pack_file(pack, target):
        raise click.UsageError(f"{target} belongs to the pack; write the rejections elsewhere")
    with books() as context:
        result = run_import(context, pack)
        try:
            write_file(target, rejection_file(context, result))
        except ClearinghouseError as failed:
            raise ClearinghouseError(
                f"the pack has landed, but {failed.message}; run it again with another --rejections"
            ) from failed
    landed = result.landed
    click.echo(
        f"{result.lines:,} transactions, {result.rejected:,} refused (see {target});"
        f" new: {landed.systems} systems, {landed.hotels} hotel rows, {landed.tiers} tiers,"
        f" {landed.travellers:,} travellers, {landed.cards:,} card rows"
    )


def is_pack_file(pack: Path, target: Path) -> bool:
    """Tell whether the rejections would overwrite what is to be imported, or be taken for it the next time."""
    place = target.resolve()
    if place.parent == pack.resolve() and is_pack_name(place.name):
        return True
    if not target.exists():
        return False
    # What lies elsewhere may be in the pack by a link.
    found = contents(pack)
    return any(target.samefile(pack / name) for name in (*found.files, *found.transactions))


def run_import(context: Context, pack: Path) -> ImportResult:
    """Import a pack with a progress bar."""
    with progress_bar() as show:
        read: dict[str, int] = {}

        def watch(step: str, count: int, size: int) -> None:
            read[step] = read.get(step, 0) + count
            show(_STEPS[step], read[step], max(size // 2, 1))

        return import_pack(
            context,
            pack,
            lanes=settings().import_workers,
            worth_workers=settings().import_workers_from,
            watch=watch,
        )


def rejection_file(context: Context, result: ImportResult) -> Iterator[bytes]:
    """Yield the refused lines as CSV, in the order of the pack."""
    rows = (
        (file, line.line, line.host_hotel, line.txn_ref, line.code,
         " · ".join(TILL_SENTENCES[RefusalCode(line.code)]))
        for file, line in rejected_lines(context, result.files)
    )  # fmt: skip
    yield csv_bytes(_COLUMNS, rows)
