"""How cards, tiers and rates are shown to their traveller: filters of the templates."""

from __future__ import annotations

from flask import Flask

from clearinghouse.operations.enquire import Issuer
from clearinghouse.operations.traveller_cards import TravellerCard
from web.frame.language import language

_PPM = 1_000_000


def give_filters(app: Flask) -> None:
    """Give the templates their filters."""
    app.jinja_env.filters.update(
        issuer_name=issuer_name,
        digits=digits,
        tier_name=tier_name,
        system_name=system_name,
        rate=rate,
    )


def issuer_name(issuer: Issuer) -> str:
    """Return the name of a hotel that issued something."""
    return _of(issuer.name_zh, issuer.name_en) or issuer.hotel_code


def digits(card_number: str) -> str:
    """Write a card number in groups of four."""
    return " ".join(card_number[at : at + 4] for at in range(0, len(card_number), 4))


def tier_name(card: TravellerCard) -> str:
    """Return what a card's tier is called."""
    return _of(card.tier_zh, card.tier_en)


def system_name(card: TravellerCard) -> str:
    """Return what the system that issued a card is called."""
    return _of(card.system_zh, card.system_en) or card.system_code


def rate(earn_ppm: int) -> str:
    """Write points in a yuan, given in millionths: ``1.5``."""
    whole, part = divmod(earn_ppm, _PPM)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".")


def _of(zh: str, en: str) -> str:
    return en or zh if language() == "en" else zh or en
