"""Every code that an error can have: its HTTP status, and what it means in Chinese and English.

This is the one place where a status is decided. ``/docs/problems`` shows the table, and a test holds it against
every error class of the core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clearinghouse.domain.errors import TILL_SENTENCES, RefusalCode


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A code's status and meaning; ``refusal`` is a decision by the rules that a till shows its guest."""

    status: int
    zh: str
    en: str
    refusal: bool = False


#: Refusals that contradict what is there already; all others are plain 422.
_CONFLICTS = frozenset({"txn_ref_reused"})

_PROBLEMS: Mapping[str, ProblemKind] = {
    # The request itself.
    "json_invalid": ProblemKind(400, "请求正文不是有效的 JSON", "The body is not valid JSON"),
    "request_malformed": ProblemKind(400, "请求有误", "The request is malformed"),
    "request_invalid": ProblemKind(
        422, "请求的内容不符合规定，见 errors", "The request does not fit; see errors"
    ),
    "cursor_invalid": ProblemKind(
        400, "翻页游标无效，请从头查询", "The cursor is not valid here; start again without one"
    ),
    "not_found": ProblemKind(404, "没有找到", "There is no such thing, or not for you"),
    "method_not_allowed": ProblemKind(405, "此地址不支持该方法", "This address has no such method"),
    "not_acceptable": ProblemKind(406, "无法提供所要求的格式", "There is no such format"),
    "conflict": ProblemKind(409, "与现状冲突", "This contradicts what is there"),
    "body_too_large": ProblemKind(413, "请求正文过大", "The body is too large"),
    "address_too_long": ProblemKind(414, "地址过长", "The address is too long"),
    "content_type_unsupported": ProblemKind(
        415, "不支持的内容类型", "The body must have the documented content type"
    ),
    # Idempotency keys.
    "idempotency_key_missing": ProblemKind(
        400, "缺少 Idempotency-Key 请求头", "The header Idempotency-Key is needed here"
    ),
    "idempotency_key_invalid": ProblemKind(
        400,
        "Idempotency-Key 须为 1 至 255 个可见 ASCII 字符",
        "An Idempotency-Key has 1 to 255 visible ASCII characters",
    ),
    "idempotency_key_in_flight": ProblemKind(
        409, "同一幂等键的请求仍在处理", "A request with this idempotency key is still in flight"
    ),
    "idempotency_key_reused": ProblemKind(
        422, "该幂等键已用于另一个请求", "This idempotency key was used for another request"
    ),
    # Who asks.
    "token_missing": ProblemKind(
        401, "缺少访问令牌，请先调用 /oauth/token", "An access token is needed; get one at /oauth/token"
    ),
    "token_invalid": ProblemKind(
        401, "访问令牌无效、已过期或已撤销", "The access token is not valid, has expired or was revoked"
    ),
    "insufficient_scope": ProblemKind(
        403, "访问令牌没有所需的权限范围", "The access token does not have the scope that this needs"
    ),
    "invalid_request": ProblemKind(400, "令牌请求有误", "The token request is malformed"),
    "invalid_client": ProblemKind(401, "客户端身份验证失败", "The client does not prove who it is"),
    "invalid_scope": ProblemKind(
        400, "客户端没有所申请的权限范围", "The client does not have this scope"
    ),
    "unsupported_grant_type": ProblemKind(
        400, "只支持 client_credentials", "Only client_credentials is supported"
    ),
    "rate_limited": ProblemKind(
        429, "请求过于频繁，请按 Retry-After 稍后再试", "Too many requests; wait as Retry-After says"
    ),
    # Cards and enrolments.
    "card_number_invalid": ProblemKind(422, "会员卡号无效", "That can't be the number of a card"),
    "card_number_taken": ProblemKind(409, "该会员卡号已被使用", "There is a card with that number already"),
    "card_code_invalid": ProblemKind(
        422, "这不是有效的会员码", "That is not a valid code of a card"
    ),
    "card_code_expired": ProblemKind(
        422, "会员码已过期，请客人出示新的", "The card's code is over; let the guest show a new one"
    ),
    "card_code_used": ProblemKind(
        409, "此会员码已在别处使用，请客人出示新的",
        "Another hotel has read this code; let the guest show a new one",
    ),
    "card_state_conflict": ProblemKind(
        409, "会员卡当前状态不允许此操作", "The state that the card is in does not allow this"
    ),
    "tier_unknown": ProblemKind(422, "本系统当日没有该等级", "The system has no such tier on that day"),
    "tier_date_refused": ProblemKind(
        409, "不能自该日起授予等级", "The card can't be given another tier from that day on"
    ),
    "enrolment_unknown": ProblemKind(404, "没有这笔入会申请", "There is no such enrolment"),
    "personal_data_invalid": ProblemKind(
        422, "姓名、手机号或邮箱不符合规定，见 errors", "Name, phone or e-mail does not fit; see errors"
    ),
    "missing_stay_refused": ProblemKind(
        422, "住店补报或其答复不符合规定", "The report of a missing stay, or its answer, does not fit"
    ),
    "missing_stay_answered": ProblemKind(
        409, "该补报已答复或已撤回", "The report was answered or withdrawn already"
    ),
    "card_already_held": ProblemKind(
        409, "您已持有该系统的会员卡，或近期申请过多",
        "There is a card of that system already, or too many were asked for lately",
    ),
    "too_many_codes": ProblemKind(
        429, "该手机号一小时内的验证码已达上限", "This phone was sent as many codes as it may be in an hour"
    ),
    "code_not_sent": ProblemKind(503, "验证码未能发送，请稍后再试", "The code could not be sent; try again later"),
    "code_wrong": ProblemKind(422, "验证码不正确", "That is not the code that was sent"),
    "code_expired": ProblemKind(
        409, "验证码已失效，请重新申请入会", "The code is no longer good; begin the enrolment again"
    ),
    "already_alliance_member": ProblemKind(
        409, "该旅客已是联盟会员，持原卡即可享受待遇",
        "The person is a member of the alliance already; the card they have is honoured here",
    ),
    # Events and webhooks.
    "system_client_needed": ProblemKind(
        403, "需要整个系统的客户端，而非个别酒店的客户端", "This needs a client of the whole system, not of some hotels"
    ),
    "webhook_url_refused": ProblemKind(
        422, "推送地址须为公网 https 地址", "A webhook leads to an https address on the public Internet"
    ),
    "webhook_limit_reached": ProblemKind(409, "推送地址数量已达上限", "There are as many webhooks as there may be"),
    "webhook_disabled": ProblemKind(409, "推送已停用，请先启用", "The webhook is disabled; enable it first"),
    # Disputes.
    "leg_not_disputable": ProblemKind(
        422, "同一系统内的清算腿不能提出争议", "A leg inside one system can't be disputed"
    ),
    "statement_not_published": ProblemKind(
        409, "账期尚未发布，暂不能提出争议", "The period is not published; there is nothing to dispute yet"
    ),
    "dispute_exists": ProblemKind(
        409, "本系统已以其他原因对此提出争议，尚未裁定", "Your system disputes this already, for another reason"
    ),
    "respondent_only": ProblemKind(403, "只有被争议方可以答复", "Only the respondent can answer a dispute"),
    "dispute_answered": ProblemKind(409, "争议已答复，不能更改", "The dispute is answered already, and otherwise"),
    "leg_ambiguous": ProblemKind(
        422, "该交易在账单上有多行，须注明是哪一行", "The transaction has several lines; say which one"
    ),
    "claim_too_high": ProblemKind(
        422, "所主张的金额超过该笔所余，或须注明金额", "More is claimed than is left of the leg, or no amount is given"
    ),
    "dispute_not_decided": ProblemKind(409, "争议尚未裁定", "The dispute is not decided yet"),
    "escalation_closed": ProblemKind(
        409, "已不能升级该争议", "The dispute can't be escalated any more: too late, done once, or accepted"
    ),
    "parties_only": ProblemKind(403, "只有争议双方可以升级", "Only the two systems of a dispute can escalate it"),
    "dispute_closed": ProblemKind(
        409, "争议已裁定，不再接受证据", "The dispute is decided and takes no more evidence"
    ),
    "evidence_refused": ProblemKind(
        422, "文件内容与所称类型不符或不被接受", "The file is not what it is said to be, or of a kind that is not taken"
    ),
    "evidence_too_large": ProblemKind(413, "证据文件过大", "The file of evidence is too large"),
    "evidence_limit_reached": ProblemKind(
        409, "证据文件数量已达上限", "There are as many files of evidence as there may be"
    ),
    # The operator's own.
    "operator_refused": ProblemKind(
        409, "与已记录的内容冲突", "This contradicts what is on record already"
    ),
    "pack_invalid": ProblemKind(422, "联盟数据包有结构错误", "The alliance pack has a structural fault"),
    "bank_file_invalid": ProblemKind(422, "银行对账文件有误", "The bank's file is not sound"),
    "rulebook_invalid": ProblemKind(422, "联盟规则文件有误", "The rulebook is not sound"),
    "period_not_ready": ProblemKind(
        409, "账期尚未到可以结账或查询的时候", "The period can't be closed or read yet"
    ),
    # Batches.
    "batch_unreadable": ProblemKind(
        400, "批次无法读取，未保留任何内容", "The batch can't be read as a whole; nothing of it was kept"
    ),
    "batch_too_large": ProblemKind(
        413, "批次过大，请拆成几批发送", "The batch is too large; send it as several"
    ),
    "batch_incomplete": ProblemKind(
        400, "批次没有收全，请用同一幂等键重发", "The batch did not come to its end; send it again with the same key"
    ),
    "batch_not_finished": ProblemKind(409, "批次尚未处理完毕", "Not every line of the batch is answered yet"),
    # The sandbox's.
    "sandbox_clock_refused": ProblemKind(
        422, "测试时钟只能向前拨，且不能太远", "The test clock goes forward only, and not too far"
    ),
    # Ours.
    "failed": ProblemKind(500, "清算所内部错误", "Something went wrong at the clearing house"),
    "config_invalid": ProblemKind(500, "清算所配置有误", "The clearing house is not set up properly"),
    "books_do_not_balance": ProblemKind(
        500, "账目不平，已停止发布", "The books do not balance; nothing is published"
    ),
    "database_unavailable": ProblemKind(
        503, "清算所暂时不可用，请用同一幂等键重试", "Not available now; try again with the same idempotency key"
    ),
}  # fmt: skip


def refusal_status(code: RefusalCode) -> int:
    """Return the status of a transaction's refusal."""
    return 409 if code.value in _CONFLICTS else 422


#: By code, all problems there are; refusals in the order in which they are tried.
CATALOGUE: Mapping[str, ProblemKind] = {
    **_PROBLEMS,
    **{
        code.value: ProblemKind(refusal_status(code), *TILL_SENTENCES[code], refusal=True)
        for code in RefusalCode
    },
}
