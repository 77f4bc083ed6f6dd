"""Verifying a printed card, or a shown code, where we can't be reached: nothing but its text and the published keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clearinghouse.domain import compact_jws
from clearinghouse.domain.card_codes import PrintedCard, ShownCode, read_code
from clearinghouse.domain.compact_jws import Unreadable
from clearinghouse.domain.signing import SigningKey
from clearinghouse.operations.key_sets import KeySet
from clearinghouse.operations.verifying import NotProved


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
    known = keys.get(jws.kid)
    if known is None:
        raise NotProved(
            f"密钥 {jws.kid} 不在所用的公钥里，请联网后更新公钥",
            f"key {jws.kid} is not among the keys used; fetch the keys again when you can",
        )
    if not known.holds(jws):
        raise NotProved("签名不是这把密钥签的", "the signature is not one of the key that it names")
    if known.revoked:
        raise NotProved(
            f"密钥 {jws.kid} 已泄露作废，请客人重新打印",
            f"key {jws.kid} was compromised and proves nothing; the guest has to print the card again",
        )
    if at >= card.expires_at:
        raise NotProved(
            f"已于 {card.expires_at:%Y-%m-%d %H:%M} UTC 过期",
            f"it ended at {card.expires_at:%Y-%m-%d %H:%M} UTC",
        )
    return ProvedCard(card, known.key)
