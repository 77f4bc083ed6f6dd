"""Whether a pack holds together and agrees with the record; the last gate before anything is written."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path

from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.packs.agreement import RULEBOOK, AgreedRulebook
from clearinghouse.operations.packs.cards import check_cards
from clearinghouse.operations.packs.known import Known
from clearinghouse.operations.packs.memberships import Memberships
from clearinghouse.operations.packs.pack import CheckedPack, Pack
from clearinghouse.operations.packs.rows import HotelRow, TierRow
from clearinghouse.operations.packs.tables import CARDS, HOTELS, SYSTEMS, TIERS, TRAVELLERS
from clearinghouse.operations.packs.tiers import check_tiers
from clearinghouse.operations.packs.transactions import Progress, examine

#: Names the clearing house's own statement.
_OPERATOR = "OPERATOR"


def check(pack: Pack, known: Known, progress: Progress | None = None) -> CheckedPack:
    """Check a pack's references and then every line of its transactions.

    Unknown hotels and cards *in transactions* are the books' business and no fault of the pack.

    Raises:
        PackFault: the first structural fault, with file and line.
    """
    _check_repeats(pack)
    _check_system_codes(pack)
    if pack.rulebook is not None:
        _check_rulebook(pack.rulebook, known)
    _check_systems_named(pack, known)
    memberships = Memberships(known.hotels)
    for hotel in pack.hotels:
        memberships.add(hotel)
    tiers = check_tiers(pack, known)
    check_cards(pack, known, memberships, tiers)
    _check_something_to_apply_to(pack, known)
    files = tuple(examine(Path(pack.folder, name), progress) for name in pack.transactions_names)
    return CheckedPack(pack, files)


def _check_repeats(pack: Pack) -> None:
    _refuse_repeats(((row.code, row.line) for row in pack.systems), SYSTEMS, "system_code")
    _refuse_repeats(
        (((row.system_code, row.tier_code), row.line) for row in pack.tiers),
        TIERS,
        "tier_code of this system",
    )
    _refuse_repeats(((row.ref, row.line) for row in pack.travellers), TRAVELLERS, "traveller_ref")


def _check_system_codes(pack: Pack) -> None:
    """Refuse a code under which the statement files of two parties would meet, on any file system."""
    for row in pack.systems:
        if row.code.upper() == _OPERATOR:
            raise PackFault(
                f"system_code {row.code} is the clearing house's own", SYSTEMS, row.line
            )
    _refuse_repeats(
        ((row.code.upper(), row.line) for row in pack.systems),
        SYSTEMS,
        "system_code (upper or lower case aside)",
    )


def _refuse_repeats(keys: Iterable[tuple[Hashable, int]], file: str, what: str) -> None:
    first: dict[Hashable, int] = {}
    for key, line in keys:
        earlier = first.setdefault(key, line)
        if earlier != line:
            raise PackFault(f"the {what} is the same as on line {earlier}", file, line)


def _check_rulebook(agreed: AgreedRulebook, known: Known) -> None:
    version, starts = agreed.rulebook.version, agreed.rulebook.effective_from
    for known_version, (known_start, known_sha256) in known.rulebooks.items():
        if known_version == version:
            if (known_start, known_sha256) != (starts, agreed.sha256):
                raise PackFault(
                    f'version "{version}" is on record with other content; a change is a new version',
                    RULEBOOK,
                    agreed.lines["version"],
                )
        elif known_start == starts:
            raise PackFault(
                f'version "{known_version}" takes effect on {starts} too; only one version can',
                RULEBOOK,
                agreed.lines["effective_from"],
            )


def _check_systems_named(pack: Pack, known: Known) -> None:
    codes = {row.code for row in pack.systems}
    rows: tuple[tuple[str, tuple[HotelRow, ...] | tuple[TierRow, ...]], ...] = (
        (HOTELS, pack.hotels),
        (TIERS, pack.tiers),
    )
    for file, named in rows:
        for row in named:
            if row.system_code not in codes and row.system_code not in known.systems:
                absent = "" if SYSTEMS in pack.present else f"; the pack has no {SYSTEMS}"
                raise PackFault(
                    f'system_code "{row.system_code}" is not known{absent}', file, row.line
                )


def _check_something_to_apply_to(pack: Pack, known: Known) -> None:
    """Refuse transactions when a whole file is plainly missing, rather than refuse their every line."""
    if not pack.transactions_names:
        return
    for file, there in (
        (HOTELS, bool(pack.hotels or known.hotels)),
        (CARDS, bool(pack.cards or known.any_cards)),
        (RULEBOOK, bool(pack.rulebook or known.rulebooks)),
    ):
        if not there:
            raise PackFault("is missing, and there is nothing of it on record", file)
