"""Everything that can go wrong, as classes and stable codes; the sentences a till shows (interfaces.md "HTTP")."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class ClearinghouseError(Exception):
    """Base of every error meant for a person: one clear sentence and a stable ``code``."""

    code: ClassVar[str] = "failed"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigError(ClearinghouseError):
    """A setting from the environment can't be used."""

    code = "config_invalid"


class DatabaseUnavailable(ClearinghouseError):
    """The database can't be reached, started or used."""

    code = "database_unavailable"


class DatabaseUnreachable(DatabaseUnavailable):
    """No connection could be made: trying at once again would only wait as long again."""


class StagedAnew(DatabaseUnavailable):
    """What was staged of a period is not all there (any more): another process begins anew, or published it."""


class RulebookFault(ClearinghouseError):
    """A rulebook document breaks domain.md §2; ``field`` names the offending member."""

    code = "rulebook_invalid"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class PackFault(ClearinghouseError):
    """A structural fault of an alliance pack: the whole pack is refused and nothing is written."""

    code = "pack_invalid"

    def __init__(self, message: str, file: str | None = None, line: int | None = None) -> None:
        place = "" if file is None else f"{file}: " if line is None else f"{file} line {line}: "
        super().__init__(f"{place}{message}")
        self.file = file
        self.line = line


class BankFileFault(ClearinghouseError):
    """A file of the bank can't be taken as it is: nothing of it is written. ``place`` says where in it."""

    code = "bank_file_invalid"

    def __init__(self, message: str, place: str | None = None) -> None:
        super().__init__(message if place is None else f"{place}: {message}")


class NotFound(ClearinghouseError):
    """What a command names is not in the books."""

    code = "not_found"


class PeriodNotReady(ClearinghouseError):
    """A period can't be closed or read yet (domain.md §4)."""

    code = "period_not_ready"


class BooksDoNotBalance(ClearinghouseError):
    """An invariant of domain.md §5 does not hold; nothing may be published."""

    code = "books_do_not_balance"


class OperatorRefused(ClearinghouseError):
    """An operator's command contradicts what is recorded already."""

    code = "operator_refused"


class ClientRefused(ClearinghouseError):
    """A client does not prove that it is the one it says (RFC 6749 §5.2)."""

    code = "invalid_client"


class ScopeRefused(ClearinghouseError):
    """A client asks for more than it may do (RFC 6749 §5.2)."""

    code = "invalid_scope"


class TokenRefused(ClearinghouseError):
    """An access token is not ours, not for us, over, or its client was revoked (RFC 6750 §3.1)."""

    code = "token_invalid"


class CursorInvalid(ClearinghouseError):
    """A place to go on from is made up, tampered with, or another's."""

    code = "cursor_invalid"


class SystemClientNeeded(ClearinghouseError):
    """What concerns a whole system is asked for by a client that is bound to some of its hotels."""

    code = "system_client_needed"


class WebhookUrlRefused(ClearinghouseError):
    """An address that no webhook may lead to: not https, no address, or not on the public Internet."""

    code = "webhook_url_refused"


class WebhookLimitReached(ClearinghouseError):
    """A system has as many webhooks as it may have."""

    code = "webhook_limit_reached"


class WebhookDisabled(ClearinghouseError):
    """A webhook is disabled: nothing is sent to it until it is enabled."""

    code = "webhook_disabled"


class CardUnknown(NotFound):
    """There is no such card, or the one who asks may not know of it."""

    code = "card_unknown"


class CardNumberInvalid(ClearinghouseError):
    """A number that no card can have: not 16 digits, or the check digit is wrong."""

    code = "card_number_invalid"


class CardNumberTaken(ClearinghouseError):
    """A card with that number is on record already."""

    code = "card_number_taken"


class CardNotActive(ClearinghouseError):
    """A card is suspended, replaced or closed, or not yet issued."""

    code = "card_not_active"


class CardStateConflict(ClearinghouseError):
    """A card can't go from the state it is in to the one that is asked for."""

    code = "card_state_conflict"


class TierUnknown(ClearinghouseError):
    """The system's programme has no such tier on that day."""

    code = "tier_unknown"


class TierDateRefused(ClearinghouseError):
    """A card can't be given a tier from that day on: it is over, too far off, or has another tier already."""

    code = "tier_date_refused"


class HotelUnknown(NotFound):
    """There is no such hotel, or it is not yet in the alliance."""

    code = "hotel_unknown"


class HotelNotYours(ClearinghouseError):
    """A client may not speak for that hotel."""

    code = "hotel_not_yours"


class EnrolmentUnknown(NotFound):
    """The one who asks began no such enrolment."""

    code = "enrolment_unknown"


class PersonalDataInvalid(ClearinghouseError):
    """A person's name, phone or e-mail does not fit; ``field`` says which, the sentence never its value."""

    code = "personal_data_invalid"

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class TooManyCodes(ClearinghouseError):
    """That phone was sent as many one-time codes lately as it may be."""

    code = "too_many_codes"


class CodeNotSent(ClearinghouseError):
    """The one-time code could not be handed over for sending."""

    code = "code_not_sent"


class CodeWrong(ClearinghouseError):
    """That is not the one-time code that was sent."""

    code = "code_wrong"


class CodeExpired(ClearinghouseError):
    """The time for the one-time code is over, or it was tried too often."""

    code = "code_expired"


class AlreadyAllianceMember(ClearinghouseError):
    """The person holds an active card of another system; nobody is told whose (domain.md §1 principle 3)."""

    code = "already_alliance_member"


class IdempotencyKeyInFlight(ClearinghouseError):
    """Another request with the same idempotency key is being answered at this moment."""

    code = "idempotency_key_in_flight"

    def __init__(self) -> None:
        super().__init__("a request with this Idempotency-Key is still being answered")


class IdempotencyKeyReused(ClearinghouseError):
    """The idempotency key was used before, for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used before for another request")


class BatchUnreadable(ClearinghouseError):
    """An upload as a whole can't be read: nothing of it was kept. ``line`` is counted from 1."""

    code = "batch_unreadable"

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class BatchTooLarge(ClearinghouseError):
    """An upload has more bytes or lines than one batch may have: nothing of it was kept."""

    code = "batch_too_large"


class BatchNotFinished(ClearinghouseError):
    """Not every line of a batch has its result yet."""

    code = "batch_not_finished"

    def __init__(self) -> None:
        super().__init__("the batch is not finished; ask for pages of the results, or wait")


class SandboxClockRefused(ClearinghouseError):
    """The sandbox's clock goes forward only, and not too far."""

    code = "sandbox_clock_refused"


class RefusalCode(StrEnum):
    """Why a transaction is refused, in the order in which the reasons are tried (domain.md §3)."""

    HOTEL_UNKNOWN = "hotel_unknown"
    TXN_REF_REUSED = "txn_ref_reused"
    KIND_UNKNOWN = "kind_unknown"
    CARD_UNKNOWN = "card_unknown"
    BUSINESS_DATE_MISMATCH = "business_date_mismatch"
    CARD_NOT_ACTIVE = "card_not_active"
    ORIGINAL_UNKNOWN = "original_unknown"
    ORIGINAL_NOT_REFUNDABLE = "original_not_refundable"
    CARD_MISMATCH = "card_mismatch"
    REFUND_BEFORE_ORIGINAL = "refund_before_original"
    REFUND_TOO_LATE = "refund_too_late"
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    EXCEEDS_ORIGINAL = "exceeds_original"
    LOAD_ONLY_AT_ISSUER_SYSTEM = "load_only_at_issuer_system"
    STORED_VALUE_NOT_LICENSED = "stored_value_not_licensed"
    RULEBOOK_NOT_ACCEPTED = "rulebook_not_accepted"
    HOTEL_NOT_ACTIVE = "hotel_not_active"
    INSUFFICIENT_POINTS = "insufficient_points"
    INSUFFICIENT_STORED_VALUE = "insufficient_stored_value"
    NET_DEBIT_CAP_EXCEEDED = "net_debit_cap_exceeded"
    # What only the API refuses, by the moment of receipt and by who asks.
    HOTEL_NOT_YOURS = "hotel_not_yours"
    BUSINESS_DATE_IN_FUTURE = "business_date_in_future"
    OCCURRED_AT_IN_FUTURE = "occurred_at_in_future"
    PRESENTMENT_TOO_LATE = "presentment_too_late"
    # Authorisations: holds that are captured, voided or left to expire.
    AUTHORIZATION_UNKNOWN = "authorization_unknown"
    HOLD_EXPIRED = "hold_expired"
    HOLD_ALREADY_CAPTURED = "hold_already_captured"
    HOLD_ALREADY_VOIDED = "hold_already_voided"
    EXCEEDS_HOLD = "exceeds_hold"


#: What the till shows, Chinese and English; never a card number, a name or a balance.
TILL_SENTENCES: dict[RefusalCode, tuple[str, str]] = {
    RefusalCode.HOTEL_UNKNOWN: (
        "该酒店在此营业日不属于联盟",
        "The hotel is not in the alliance on this business date",
    ),
    RefusalCode.TXN_REF_REUSED: (
        "该交易号已用于另一笔内容不同的交易",
        "This reference already belongs to a transaction with other content",
    ),
    RefusalCode.KIND_UNKNOWN: ("交易类型不存在", "There is no such kind of transaction"),
    RefusalCode.CARD_UNKNOWN: ("会员卡号不存在", "The card is not known"),
    RefusalCode.BUSINESS_DATE_MISMATCH: (
        "营业日须为交易发生当地日期或其前一日",
        "The business date must be the local date of the transaction or the day before",
    ),
    RefusalCode.CARD_NOT_ACTIVE: ("会员卡在交易时未生效或已停用", "The card was not active when this happened"),
    RefusalCode.ORIGINAL_UNKNOWN: ("本酒店没有这笔原交易", "This hotel has no such original transaction"),
    RefusalCode.ORIGINAL_NOT_REFUNDABLE: ("退款不能再退款", "A refund cannot itself be refunded"),
    RefusalCode.CARD_MISMATCH: (
        "退款的会员卡与原交易不符",
        "The refund names another card than the original transaction",
    ),
    RefusalCode.REFUND_BEFORE_ORIGINAL: (
        "退款的营业日早于原交易",
        "The refund's business date is before the original's",
    ),
    RefusalCode.REFUND_TOO_LATE: ("已超过可退款天数", "The time for refunds has passed"),
    RefusalCode.AMOUNT_NOT_POSITIVE: ("金额或积分必须大于零", "The amount or points must be more than zero"),
    RefusalCode.EXCEEDS_ORIGINAL: ("退款合计超过原交易", "The refunds together exceed the original transaction"),
    RefusalCode.LOAD_ONLY_AT_ISSUER_SYSTEM: (
        "储值只能在发卡系统的酒店充值",
        "Stored value can be loaded only at a hotel of the card issuer's system",
    ),
    RefusalCode.STORED_VALUE_NOT_LICENSED: (
        "联盟在此营业日没有有效的储值牌照",
        "No stored value licence is in force on this business date",
    ),
    RefusalCode.RULEBOOK_NOT_ACCEPTED: (
        "本系统尚未接受现行联盟规则",
        "The hotel's system has not accepted the rulebook in force",
    ),
    RefusalCode.HOTEL_NOT_ACTIVE: (
        "本酒店所属系统已暂停跨系统交易或已退出联盟",
        "The hotel's system is suspended from exchange or has left the alliance",
    ),
    RefusalCode.INSUFFICIENT_POINTS: ("可用积分不足", "Not enough points are available"),
    RefusalCode.INSUFFICIENT_STORED_VALUE: ("可用储值不足", "Not enough stored value is available"),
    RefusalCode.NET_DEBIT_CAP_EXCEEDED: (
        "部分积分或储值目前只能在其发行系统的酒店使用",
        "Part of the points or stored value can be used only in its issuer's own system for now",
    ),
    RefusalCode.HOTEL_NOT_YOURS: ("此接口凭证不能代表该酒店", "These credentials may not speak for this hotel"),
    RefusalCode.BUSINESS_DATE_IN_FUTURE: ("营业日在未来", "The business date lies in the future"),
    RefusalCode.OCCURRED_AT_IN_FUTURE: (
        "交易发生时间在未来，请检查时钟与时区",
        "The moment of the transaction lies in the future: check the clock and the time zone",
    ),
    RefusalCode.PRESENTMENT_TOO_LATE: (
        "营业日已超过可提交的期限",
        "The business date is too long ago to be presented",
    ),
    RefusalCode.AUTHORIZATION_UNKNOWN: ("没有这笔预授权", "There is no such authorisation"),
    RefusalCode.HOLD_EXPIRED: ("预授权已过期", "The authorisation has expired"),
    RefusalCode.HOLD_ALREADY_CAPTURED: ("预授权已完成请款", "The authorisation has been captured already"),
    RefusalCode.HOLD_ALREADY_VOIDED: ("预授权已撤销", "The authorisation has been voided already"),
    RefusalCode.EXCEEDS_HOLD: ("请款超过预授权的数额", "The capture exceeds what the authorisation holds"),
}  # fmt: skip
