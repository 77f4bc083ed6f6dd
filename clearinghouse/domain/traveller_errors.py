"""What can go wrong on the traveller's pages and with codes of cards, as classes and stable codes."""

from __future__ import annotations

from clearinghouse.domain.errors import ClearinghouseError


class CardCodeInvalid(ClearinghouseError):
    """What was read from a phone or paper is no code of a card, or none of ours."""

    code = "card_code_invalid"


class CardCodeExpired(ClearinghouseError):
    """The time of a card's code is over."""

    code = "card_code_expired"


class CardCodeUsed(ClearinghouseError):
    """A card's rotating code was read by another system's desk already."""

    code = "card_code_used"


class MissingStayRefused(ClearinghouseError):
    """A report of a missing stay, or the answer to one, can't be taken; ``field`` says what does not fit."""

    code = "missing_stay_refused"

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class MissingStayAnswered(ClearinghouseError):
    """A report of a missing stay was answered or withdrawn already."""

    code = "missing_stay_answered"


class CardAlreadyHeld(ClearinghouseError):
    """A traveller has a card of that system already, or asked for too many lately."""

    code = "card_already_held"
