"""Which files of a folder make up a pack, and which only look as if they did."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.packs.agreement import RULEBOOK
from clearinghouse.operations.packs.showing import escaped
from clearinghouse.operations.packs.tables import CARDS, HOTELS, SYSTEMS, TIERS, TRAVELLERS
from clearinghouse.operations.packs.transactions import PREFIX, month_of

REJECTIONS = "rejections.csv"
#: The header by which a file of refused lines is known under any name (interfaces.md "Commands").
_REJECTIONS_HEADER = b"file,line,host_hotel,txn_ref,code,message"
_FILES = (RULEBOOK, SYSTEMS, HOTELS, TIERS, TRAVELLERS, CARDS)


@dataclass(frozen=True, slots=True)
class Contents:
    """The pack files that are there: ``files`` by their fixed names, ``transactions`` in name order."""

    files: frozenset[str]
    transactions: tuple[str, ...]


def contents(folder: Path) -> Contents:
    """Tell which pack files a folder holds; hidden files, subfolders and other kinds are none of ours.

    Raises:
        PackFault: no such folder, no pack in it, or a file whose name is a misspelt one.
    """
    names = _names(folder)
    files: set[str] = set()
    transactions: list[str] = []
    for name in names:
        if is_pack_name(name):
            if name in _FILES:
                files.add(name)
            else:
                transactions.append(name)
        else:
            _refuse_misspelt(folder, name)
    if not files and not transactions:
        raise PackFault(
            f"{shown_path(folder)} is no alliance pack: it has none of {', '.join(_FILES)} "
            f"and {PREFIX}-YYYY-MM.csv"
        )
    return Contents(frozenset(files), tuple(transactions))


def is_pack_name(name: str) -> bool:
    """Tell whether a file of this name is a file of a pack, whatever is in it."""
    return name in _FILES or month_of(name) is not None


def shown_path(path: Path) -> str:
    """Quote a path that the user gave."""
    return f'"{escaped(str(path)[-200:])}"'


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except FileNotFoundError:
        raise PackFault(f"there is no folder {shown_path(folder)}") from None
    except NotADirectoryError:
        raise PackFault(
            f"{shown_path(folder)} is a file; an alliance pack is a folder of CSV files"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise PackFault(f"the folder {shown_path(folder)} can't be read: {reason}") from None


def _refuse_misspelt(folder: Path, name: str) -> None:
    lowered = name.lower()
    if name.startswith((".", "~")) or name == REJECTIONS:
        return
    if lowered.startswith(PREFIX) and lowered.endswith(".csv"):
        raise PackFault(
            f"is not named after a month from 2000 on, as in {PREFIX}-2026-11.csv",
            escaped(name),
        )
    close = get_close_matches(lowered, (*_FILES, f"{PREFIX}.csv"), n=1, cutoff=0.8)
    table = lowered.endswith(".csv") and (folder / name).is_file()
    if (table and not _is_rejections(folder / name)) or (close and lowered.endswith(".json")):
        hint = f"; is it {close[0]}?" if close else ""
        raise PackFault(f"is not a file of an alliance pack{hint}", escaped(name))


def _is_rejections(path: Path) -> bool:
    try:
        with path.open("rb") as handle:
            return handle.read(len(_REJECTIONS_HEADER) + 1).strip() == _REJECTIONS_HEADER
    except OSError:
        return False
