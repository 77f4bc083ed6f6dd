"""Enrolments: a code to the phone, then the card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from clearinghouse.client.cards import Card
from clearinghouse.client.transport import Ask, Transport, in_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """An enrolment that waits for the code that went to the phone."""

    enrolment_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """The card that was ``issued``, or the one that the person had in this system (``already_own_member``)."""

    outcome: str
    card: Card


class Enrolments:
    """``/v1/enrolments``; needs ``cards:write``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def begin(
        self, *, hotel: str, tier_code: str, name: str, phone: str, email: str | None = None
    ) -> Enrolment:
        """Begin to enrol a traveller: a one-time code goes to the phone.

        It is not sent again by itself where the answer is lost, so that nobody gets several codes.
        """
        body = in_json(
            {"hotel": hotel, "tier_code": tier_code, "name": name, "phone": phone, "email": email}
        )
        return self._transport.read(Enrolment, Ask(method="POST", path="/v1/enrolments", body=body))

    def confirm(self, enrolment_id: str, code: str, *, card_number: str | None = None) -> Enrolled:
        """Confirm the phone by its code; the card is issued unless the person has one of this system."""
        body = in_json({"code": code, "card_number": card_number})
        path = f"/v1/enrolments/{quote(enrolment_id, safe='')}/confirm"
        return self._transport.read(Enrolled, Ask(method="POST", path=path, body=body))
