"""Cards as the API tells of them; its sentences are in the language that the caller reads best."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from api.http.problems import language
from api.schemas.base import money
from clearinghouse.operations.balance import HostBalance
from clearinghouse.operations.cards import CardView, OwnCard, Treatment

_PPM = 1_000_000

Document = dict[str, Any]


def told_in(document: Document, status: int = 200) -> tuple[Document, int, dict[str, str]]:
    """Answer with a document that has sentences in it, and say in which language."""
    return document, status, {"Content-Language": language(), "Vary": "Accept-Language"}


def card_document(found: CardView) -> Document:
    """Return a card with its treatment and, of an own one, what only its system sees."""
    treated = found.treatment
    return {
        "card_id": found.card_id,
        "card_masked": found.card_masked,
        "status": found.status.value,
        "is_own_system": found.is_own_system,
        "treatment": None if treated is None else treatment_document(treated),
        "own": None if found.own is None else _own_document(found.own),
    }


def _own_document(own: OwnCard) -> Document:
    return {
        "issuer_hotel": own.issuer_hotel,
        "issued_on": own.issued_on,
        "tiers": [asdict(tier) for tier in own.tiers],
        "holder_name": own.holder_name,
        "holder_phone_masked": own.holder_phone_masked,
        "status_since": own.status_since,
        "status_reason": own.status_reason,
        "replaced_by": own.replaced_by,
    }


def treatment_document(found: Treatment) -> Document:
    """Return how a card is treated."""
    whole, part = divmod(found.earn_ppm, _PPM)
    return {
        "system": found.system_code,
        "business_date": found.business_date,
        "tier_code": found.tier_code,
        "name_zh": found.name_zh,
        "name_en": found.name_en,
        "alliance_level": found.alliance_level,
        "card_level": found.card_level,
        "benefits": [benefit._asdict() for benefit in found.benefits],
        "earn_points_per_yuan": f"{whole}.{part:06}".rstrip("0").rstrip("."),
        "discount_percent": found.discount_percent,
        "rulebook_version": found.rulebook_version,
        "reason": found.reason,
        "sentence": _sentence(found.zh, found.en),
    }


def balance_document(found: HostBalance) -> Document:
    """Return what a card can spend at a host."""
    return {
        "card_id": found.card_id,
        "card_masked": found.card_masked,
        "status": found.status.value,
        "hotel": found.hotel_code,
        "business_date": found.business_date,
        "rulebook_version": found.rulebook_version,
        "points": {
            "usable": found.usable_points,
            "own_system": found.own_system_points,
            "worth": None if found.worth_minor is None else money(found.worth_minor),
            "pending": found.pending_points,
            "held": found.held_points,
            "owed": found.owed_points,
            "becoming_usable": [
                {"usable_from": row.day, "points": row.points} for row in found.pending
            ],
            "expiring": [{"expires_on": row.day, "points": row.points} for row in found.expiring],
        },
        "stored_value": {
            "usable": money(found.usable_minor),
            "own_system": money(found.own_system_minor),
            "held": money(found.held_minor),
        },
        "why_not": [
            {
                "asset": why.asset,
                "code": why.code,
                "amount": why.amount,
                "sentence": _sentence(why.zh, why.en),
            }
            for why in found.why_not
        ],
    }


def _sentence(zh: str, en: str) -> str:
    return en if language() == "en" else zh
