"""``clearinghouse stage-ahead``: what workers do at night for the statements of open months."""

from __future__ import annotations

from collections import Counter

import click

from api.cli.common import books
from clearinghouse.domain.calendar import format_period
from settlement.staging import stage_ahead


@click.command("stage-ahead")
def stage_open_months() -> None:
    """Stage the legs of open months for their statements, as far as there are whole chunks of them.

    Little is then left to do for the statements of a long month when it is closed. Workers do so every night; without
    a broker, call this from the machine's own calendar when little goes on. The books stay as they are, and a month
    that was not staged ahead is staged when it is settled.
    """
    made: Counter[int] = Counter()
    with books() as context:
        while (period := stage_ahead(context)) is not None:
            made[period] += 1
    for period, chunks in sorted(made.items()):
        click.echo(
            f"{format_period(period)}: 已提前暂存 {chunks} 个分块 · chunks staged ahead: {chunks}"
        )
    if not made:
        click.echo(
            "没有可提前暂存的清算明细：未关账的账期都凑不满下一个分块，或另一进程正在暂存 · "
            "nothing to stage: no open month has another chunk of legs, or another process is at it"
        )
