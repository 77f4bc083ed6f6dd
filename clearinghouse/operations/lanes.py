"""Cutting a run of lines into lanes that can be posted side by side with the result of posting them in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

from clearinghouse.domain.transactions import Line
from clearinghouse.domain.treatment import Card


def split_into_lanes(
    lines: Sequence[Line], cards: Mapping[str, Card], lanes: int
) -> list[list[Line]]:
    """Split lines into ``lanes`` sequences, each in file order, that share neither traveller nor reference.

    Lines influence each other only through the traveller they concern (lots, debts) and the references they
    give or name. So all lines of a traveller go to one lane, and travellers that meet at a reference all go
    to the first. A card that is none of ``cards`` is a traveller of its own.
    """
    if lanes == 1:
        return [list(lines)]
    first_at: dict[tuple[str, str], int] = {}
    meeting: set[int] = set()
    owners = []
    for line in lines:
        card = cards.get(line.card_number)
        owner = card.traveller if card else -1 - crc32(line.card_number.encode())
        owners.append(owner)
        for reference in (line.txn_ref, line.original_txn_ref):
            if reference:
                other = first_at.setdefault((line.host_hotel, reference), owner)
                if other != owner:
                    meeting.update((other, owner))
    sequences: list[list[Line]] = [[] for _ in range(lanes)]
    for line, owner in zip(lines, owners, strict=True):
        sequences[0 if owner in meeting else owner % lanes].append(line)
    return sequences
