"""Writes the sample alliance: three packs, the same bytes for the same arguments.

The packs are imported in order and each one's period is settled before the next is imported:
a year ago (its points expire with the shown month), the month before (so that late lines find it
closed), and the shown month, with the first lines of the month after it.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random

from api.demo.activity import Activity
from api.demo.facts import ACCEPTED, REPEATED, Example, Refusal, SampleFacts, SamplePack
from api.demo.lines import TRANSACTIONS_HEADER, Line, put_in_order
from api.demo.months import NEXT, PREVIOUS, SHOWN, YEAR_AGO, Months
from api.demo.names import HOTELS, SYSTEMS
from api.demo.network import (
    HOTELS_HEADER,
    SYSTEMS_HEADER,
    TIERS_HEADER,
    Network,
    Row,
    system_rows,
    tier_rows,
)
from api.demo.people import CARDS_HEADER, TRAVELLERS_HEADER, Roster
from api.demo.rulebooks import changed_rulebook, founding_rulebook, licensed_rulebook
from api.demo.script import Script, Tale
from api.demo.stories_change import tell_changes
from api.demo.stories_live import prepare_live
from api.demo.stories_pool import tell_pool
from api.demo.stories_refused import tell_refusals

_PACKS = (YEAR_AGO, PREVIOUS, SHOWN)
_LEAST_TRAVELLERS, _LEAST_LINES = 200, 1_000


def write_sample_packs(
    folder: Path,
    period: str = "2026-10",
    seed: int = 20261001,
    travellers: int = 3_000,
    lines: int = 20_000,
) -> SampleFacts:
    """Write three alliance packs below `folder`, named by the period each is settled for.

    `period` is the shown month, `lines` the number of lines in its file; the other months are
    smaller. Raises ValueError if a number is too small to show every rule.
    """
    if travellers < _LEAST_TRAVELLERS or lines < _LEAST_LINES:
        raise ValueError(
            f"the sample needs at least {_LEAST_TRAVELLERS} travellers and {_LEAST_LINES} lines"
        )
    months = Months.parse(period)
    network, roster = Network(months), Roster(months)
    script = Script(months, roster)
    for tell in (tell_pool, tell_changes, tell_refusals):
        tell(script)
    live = prepare_live(script)
    activity = Activity(months, network, roster, Random(seed))
    activity.enrol(travellers - roster.travellers)
    by_month = _lines_by_month(months, script, activity, lines)
    packs = _write(folder, months, network, roster, by_month)
    examples = tuple(_example(tale, months) for tale in script.tales)
    return SampleFacts(packs, examples, live, len(SYSTEMS), len(HOTELS), roster.travellers)


def _lines_by_month(
    months: Months, script: Script, activity: Activity, lines: int
) -> dict[int, list[Line]]:
    sizes = {YEAR_AGO: lines // 50, PREVIOUS: lines * 3 // 20, SHOWN: lines}
    scripted: dict[int, list[Line]] = {offset: [] for offset in (*_PACKS, NEXT)}
    for each in script.lines:
        scripted[months.offset_of(each.arrives.date())].append(each)
    ordered = {}
    for offset, told in scripted.items():
        count = sizes.get(offset, 0) - len(told)
        background = activity.month(offset, count) if count > 0 else []
        ordered[offset] = put_in_order(told + background)
    return ordered


def _write(
    folder: Path,
    months: Months,
    network: Network,
    roster: Roster,
    by_month: dict[int, list[Line]],
) -> tuple[SamplePack, ...]:
    rulebooks = (founding_rulebook(months), licensed_rulebook(months), changed_rulebook(months))
    packs = []
    for offset, rulebook, people in zip(_PACKS, rulebooks, roster.rows(), strict=True):
        pack = folder / months.name(offset)
        pack.mkdir(parents=True, exist_ok=True)
        text = json.dumps(rulebook, ensure_ascii=False, indent=2)
        (pack / "rulebook.json").write_bytes(f"{text}\n".encode())
        if offset == YEAR_AGO:
            _write_csv(pack / "systems.csv", SYSTEMS_HEADER, system_rows())
            _write_csv(pack / "hotels.csv", HOTELS_HEADER, network.founding_hotels())
            _write_csv(pack / "tiers.csv", TIERS_HEADER, tier_rows())
        if offset == SHOWN:
            _write_csv(pack / "hotels.csv", HOTELS_HEADER, network.changed_hotels())
        _write_csv(pack / "travellers.csv", TRAVELLERS_HEADER, people[0])
        _write_csv(pack / "cards.csv", CARDS_HEADER, people[1])
        files = {offset: by_month[offset]}
        if offset == SHOWN:
            files[NEXT] = by_month[NEXT]
        for month, lines in files.items():
            rows = (each.row() for each in lines)
            _write_csv(pack / _transactions_file(months, month), TRANSACTIONS_HEADER, rows)
        packs.append(_pack_facts(pack, months, offset, files))
    return tuple(packs)


def _write_csv(path: Path, header: str, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _transactions_file(months: Months, offset: int) -> str:
    return f"transactions-{months.name(offset)}.csv"


def _pack_facts(
    pack: Path, months: Months, offset: int, files: dict[int, list[Line]]
) -> SamplePack:
    lines = [each for month in files.values() for each in month]
    refusals = tuple(
        Refusal(_transactions_file(months, month), number, each.hotel, each.txn_ref, each.outcome)
        for month, listed in files.items()
        for number, each in enumerate(listed, 2)
        if each.outcome not in (ACCEPTED, REPEATED)
    )
    first_day = months.day(1, offset)
    late = sum(each.outcome == ACCEPTED and each.business_date < first_day for each in lines)
    return SamplePack(
        period=months.name(offset),
        folder=pack,
        lines=len(lines),
        repeated=sum(each.outcome == REPEATED for each in lines),
        late=late,
        kinds=dict(sorted(Counter(each.kind for each in lines).items())),
        refusals=refusals,
    )


def _example(tale: Tale, months: Months) -> Example:
    shown = tale.line
    pack = min(months.offset_of(shown.arrives.date()), SHOWN)
    return Example(
        tale.rule,
        months.name(pack),
        shown.hotel,
        shown.txn_ref,
        shown.card_number,
        shown.outcome,
        tale.zh,
        tale.en,
    )
