"""Whether the cards of a pack refer to known travellers, hotels and tiers, and agree with those on record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from clearinghouse.domain.errors import PackFault
from clearinghouse.domain.identifiers import mask_card_number
from clearinghouse.operations.packs.known import Known, KnownCard, TierStanding
from clearinghouse.operations.packs.memberships import Memberships
from clearinghouse.operations.packs.pack import Pack
from clearinghouse.operations.packs.rows import CardRow
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.packs.tables import CARDS, HOTELS, TIERS, TRAVELLERS

Tiers = Mapping[str, Mapping[str, TierStanding]]


def check_cards(pack: Pack, known: Known, memberships: Memberships, tiers: Tiers) -> None:
    """Check every row of ``cards.csv``; rows that are on record as they stand are not judged again.

    Raises:
        PackFault: an unknown traveller, hotel or tier, a hotel not yet in the alliance, a contradiction.
    """
    travellers = {row.ref for row in pack.travellers}
    first: dict[str, CardRow] = {}
    lines: dict[tuple[str, date], int] = {}
    for row in pack.cards:
        number = row.card_number
        if first.setdefault(number, row) is not row:
            _same_card(
                row, first[number].traveller_ref, first[number].issuer_hotel, "an earlier line"
            )
        earlier = lines.setdefault((number, row.issued_on), row.line)
        if earlier != row.line:
            raise _fault(row, f"on {row.issued_on} is the same as on line {earlier}")
        card = known.cards.get(number)
        if card is not None and _recorded(row, card):
            continue
        if row.traveller_ref not in travellers and row.traveller_ref not in known.travellers:
            absent = _absent(pack, TRAVELLERS)
            raise PackFault(
                f"traveller_ref {shown(row.traveller_ref)} is not known{absent}", CARDS, row.line
            )
        _check_tier(row, pack, known, memberships, tiers)


def _recorded(row: CardRow, card: KnownCard) -> bool:
    """Tell whether a card's row is on record already; a contradiction with the record is a fault."""
    _same_card(row, card.traveller_ref, card.issuer_hotel, "the record")
    tier = card.tiers.get(row.issued_on)
    if tier is not None and tier != row.tier_code:
        raise _fault(row, f"has another tier_code on record for {row.issued_on}")
    return tier is not None


def _same_card(row: CardRow, traveller_ref: str, issuer_hotel: str, where: str) -> None:
    if row.traveller_ref != traveller_ref:
        raise _fault(row, f"has another traveller_ref than in {where}")
    if row.issuer_hotel != issuer_hotel:
        raise _fault(row, f"has another issuer_hotel than in {where}")


def _check_tier(
    row: CardRow, pack: Pack, known: Known, memberships: Memberships, tiers: Tiers
) -> None:
    """Check that the tier is one of the system that owns the issuing hotel on the day."""
    hotel = row.issuer_hotel
    if hotel not in memberships:
        raise PackFault(
            f"issuer_hotel {shown(hotel)} is not known{_absent(pack, HOTELS)}", CARDS, row.line
        )
    system = memberships.system_on(hotel, row.issued_on)
    if system is None:
        raise PackFault(
            f"issuer_hotel {shown(hotel)} is not yet in the alliance on {row.issued_on}",
            CARDS,
            row.line,
        )
    if row.tier_code not in tiers.get(system, known.tiers.get(system, {})):
        raise PackFault(
            f"tier_code {shown(row.tier_code)} is none of system {shown(system)}, "
            f"whose hotel {shown(hotel)} is on {row.issued_on}{_absent(pack, TIERS)}",
            CARDS,
            row.line,
        )


def _absent(pack: Pack, file: str) -> str:
    return "" if file in pack.present else f"; the pack has no {file}"


def _fault(row: CardRow, what: str) -> PackFault:
    return PackFault(f"card_number {mask_card_number(row.card_number)} {what}", CARDS, row.line)
