"""Verifying a printed card, or a shown code, where we can't be reached: nothing but its text and the published keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clearinghouse.domain import compact_jws
from clearinghouse.domain.card_codes import PrintedCard, ShownCode, read_code
from clearinghouse.domain.compact_jws import Unreadable
from clearinghouse.domain.signing import SigningKey
from clearinghouse.operations.key_sets import KeySet, NotProved, Remedy, proving_key

_CARD_AGAIN = Remedy("请客人重新打印", "the guest has to print the card again")


@dataclass(frozen=True, slots=True)
class ProvedCard:
    """What is proved: what the code says, and which key says so. Whether the card was lost since, nobody knows."""

    card: PrintedCard | ShownCode
    key: SigningKey


def verify_card(text: str, keys: KeySet, at: datetime) -> ProvedCard:
    """Prove the code of a card at a moment.

    Raises:
        NotProved: it is not proved; says why in Chinese and English.
    """
    try:
        jws = compact_jws.opened(text.strip().encode())
        card = read_code(jws.type, jws.content)
    except (Unreadable, UnicodeError) as reason:
        why = reason if isinstance(reason, Unreadable) else "it is no text"
        raise NotProved("这不是会员卡的码", f"that is no code of a card: {why}") from None
    key = proving_key(keys, jws, _CARD_AGAIN)
    if at >= card.expires_at:
        raise NotProved(
            f"已于 {card.expires_at:%Y-%m-%d %H:%M} UTC 过期",
            f"it ended at {card.expires_at:%Y-%m-%d %H:%M} UTC",
        )
    return ProvedCard(card, key)
