"""Whether every system's tiers can treat a visiting card (domain.md §1 principle 2)."""

from __future__ import annotations

from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.packs.known import Known, TierStanding
from clearinghouse.operations.packs.pack import Pack
from clearinghouse.operations.packs.rows import TierRow
from clearinghouse.operations.packs.tables import HOTELS, TIERS

LOWEST_LEVEL = 1

Tiers = dict[str, dict[str, TierStanding]]


def check_tiers(pack: Pack, known: Known) -> Tiers:
    """Return all tiers of the systems that the pack gives hotels or tiers, with the pack's rows applied.

    Rows that are on record as they stand change nothing and are not judged again: importing an older pack
    once more must not stumble over tiers that came later.

    Raises:
        PackFault: a system without tiers, without one of level 1, or with two of one level and rank, which
            would leave open which of them a visiting card gets (§3 "Earn rate").
    """
    systems = {row.system_code for row in pack.hotels} | {row.system_code for row in pack.tiers}
    tiers: Tiers = {system: dict(known.tiers.get(system, {})) for system in systems}
    changed = [row for row in pack.tiers if tiers[row.system_code].get(row.tier_code) != _of(row)]
    for row in changed:
        tiers[row.system_code][row.tier_code] = _of(row)
    _refuse_equals(changed, tiers)
    judged = {row.system_code: (HOTELS, row.line) for row in reversed(pack.hotels)}
    judged.update({row.system_code: (TIERS, row.line) for row in changed})
    for system, (file, line) in judged.items():
        lowest = min((standing.alliance_level for standing in tiers[system].values()), default=None)
        if lowest is None:
            absent = "" if TIERS in pack.present else f"; the pack has no {TIERS}"
            raise PackFault(f'system "{system}" has no tiers{absent}', file, line)
        if lowest != LOWEST_LEVEL:
            raise PackFault(
                f'system "{system}" has no tier of alliance_level {LOWEST_LEVEL}; its lowest is {lowest}',
                file,
                line,
            )
    return tiers


def _of(row: TierRow) -> TierStanding:
    return TierStanding(row.rank, row.alliance_level)


def _refuse_equals(changed: list[TierRow], tiers: Tiers) -> None:
    new = {(row.system_code, row.tier_code) for row in changed}
    holders = {
        (system, standing): code
        for system in {row.system_code for row in changed}
        for code, standing in tiers[system].items()
        if (system, code) not in new
    }
    for row in changed:
        code = holders.setdefault((row.system_code, _of(row)), row.tier_code)
        if code != row.tier_code:
            raise PackFault(
                f'tiers "{code}" and "{row.tier_code}" of system "{row.system_code}" have the same '
                "alliance_level and rank",
                TIERS,
                row.line,
            )
