"""Every word of a statement, Chinese and English, in one place."""

from __future__ import annotations

from typing import NamedTuple

from clearinghouse.domain.movements import MOVEMENT_KINDS


class Label(NamedTuple):
    """One thing said in Chinese and in English."""

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.zh} {self.en}"


TITLE = Label("清算对账单", "Settlement Statement")

STATEMENT_NO = Label("对账单号", "Statement no.")
VERSION = Label("版本", "Version")
PERIOD = Label("账期", "Period")
TIMEZONE = Label("时区", "Time zone")
CUT_OFF = Label("截止时间", "Cut-off")
GENERATED = Label("出账时间", "Generated at")
DUE_DATE = Label("付款到期日", "Due date")
RULEBOOKS = Label("联盟规则版本", "Rulebook")
CURRENCY = Label("币种", "Currency")
STATUS = Label("状态", "Status")
PREPARED_FOR = Label("出具对象", "Prepared for")
CODE = Label("代码", "Code")
USCC = Label("统一社会信用代码", "USCC")
BANK_ACCOUNT = Label("银行账户", "Bank account")
LINE_COUNT = Label("明细行数", "Lines")

SUMMARY = Label("资金汇总", "Summary")
ITEM = Label("项目", "Item")
DETAIL = Label("明细", "Detail")
TOTAL = Label("合计", "Total")
OPENING = Label("期初余额", "Opening balance")
RECEIVABLE = Label("应收（作为接待方）", "Receivable as host")
PAYABLE = Label("应付（作为发行方）", "Payable as issuer")
RECEIVABLE_OPERATOR = Label("应收（向发行方）", "Receivable from issuers")
PAYABLE_OPERATOR = Label("应付（向接待方）", "Payable to hosts")
FEES = Label("清算手续费", "Clearing fees")
FEES_OPERATOR = Label("手续费收入", "Clearing fees earned")
VAT_INCLUDED = Label("其中增值税", "of which VAT")
VAT_ON_TOP = Label("增值税（另计）", "VAT on top")
ADJUSTMENTS = Label("调整", "Adjustments")
NET = Label("本期净额", "Net of the period")
PAYMENTS = Label("已收付款", "Payments")
CLOSING = Label("期末余额", "Closing balance")

TO_RECEIVE = Label("应收", "To receive")
TO_PAY = Label("应付", "To pay")
NOTHING_DUE = Label("无需收付", "Nothing due")

HOW_SETTLED = Label("净额如何收付", "How the net is settled")
STANDING = Label("账上已有余额", "Balance standing on the account")
SET_OFF_AGAINST = Label("抵销以前账期未付款", "Set off against an earlier period's debt")
REALLY_TRANSFERRED = Label("实际收付", "To be transferred")
OLDER_DEBTS = Label("以前账期未付款", "Unpaid of earlier periods")
UNPAID_AT_END = Label("期末未付", "Unpaid at the period's end")
SET_OFF_NOW = Label("本期抵销", "Set off now")
STILL_UNPAID = Label("仍须支付", "Still to be paid")

HISTORY = Label("近期净额", "Net position by month")
ACTIVITY = Label("业务活动与手续费", "Activity and fees")
BUSINESS = Label("业务", "Kind")
CROSS_SYSTEM = Label("跨系统", "Cross-system")
OWN_SYSTEM = Label("本系统（不收费）", "Own system (no fee)")
COUNT = Label("笔数", "Count")
BASE = Label("计费金额", "Fee base")
VALUE = Label("金额", "Value")
FEE = Label("手续费", "Fee")
VAT_LINE = Label("增值税", "VAT")
FEES_WITH_VAT = Label("含税手续费", "Fees incl. VAT")
FEES_WITHOUT_VAT = Label("不含税手续费", "Fees excl. VAT")
VAT_RATE = Label("税率", "Rate")
VAT_AMOUNT = Label("税额", "VAT")

COUNTERPARTIES = Label("往来系统", "Counterparties")
COUNTERPARTY = Label("对方系统", "Counterparty")
NAME_ZH = Label("中文名称", "Name in Chinese")
NAME_EN = Label("英文名称", "Name in English")
RECEIVABLE_SHORT = Label("应收", "Receivable")
PAYABLE_SHORT = Label("应付", "Payable")
NET_BEFORE_FEES = Label("费前净额", "Net before fees")
NO_COUNTERPARTIES = Label(
    "本账期无跨系统往来。", "No obligations with other systems in this period."
)

MOVEMENTS = Label("收付与其他变动", "Payments and other movements")
MOVEMENT = Label("变动", "Movement")
ADJUSTMENTS_MADE = Label("调整明细", "Adjustments")
NUMBER = Label("编号", "No.")
DATE = Label("日期", "Date")
REFERENCE = Label("参考号", "Reference")
EXPLANATION = Label("说明", "Explanation")
COUNTS_AS = Label("计入", "Counts as")
SYSTEM = Label("系统", "System")
AMOUNT = Label("金额", "Amount")
CLEARING_HOUSE_SHORT = Label("清算所", "Clearing house")

POINTS_LIABILITY = Label("积分负债", "Points liability")
POINTS_UNIT = Label("单位：积分；公允价值单位：元", "in points; fair value in yuan")
HOTEL = Label("酒店", "Hotel")
ISSUER = Label("发行方", "Issuer")
POINTS_OPENING = Label("期初", "Opening")
POINTS_ISSUED = Label("发行", "Issued")
REDEEMED_OWN = Label("本系统兑换", "Redeemed, own")
REDEEMED_CROSS = Label("跨系统兑换", "Redeemed, others")
POINTS_EXPIRED = Label("过期", "Expired")
POINTS_REVERSED = Label("冲回", "Reversed")
POINTS_CLOSING = Label("期末", "Closing")
POINTS_DEBTS = Label("客户欠分", "Owed by guests")
FAIR_VALUE = Label("公允价值", "Fair value")

SECURITIES = Label("保证金与债权", "Collateral and claims")
SECURITY_KINDS = {
    "collateral": Label("保证金余额", "Collateral held"),
    "claim": Label("对违约方的债权", "Claims on defaulters"),
    "guarantee_fund": Label("互保基金", "Guarantee fund"),
}

CONTROL = Label("清算所总控表", "Control of all systems")
SETTLING = Label("净额收付方式", "How the nets are settled")
PROOFS = Label("平衡验证", "Proofs")
PROOFS_NOTE = Label("每项须为零", "each must be zero")
FIGURES = Label("控制数", "Control figures")
COUNT_SYSTEMS = Label("系统数", "Systems")
SETTLED_BY = Label("收付方式", "Settled by")
TO_TRANSFER = Label("应划款", "To transfer")
VAT_SHORT = Label("增值税", "VAT")
PAYMENTS_SHORT = Label("收付", "Payments")
ADJUSTMENTS_SHORT = Label("调整", "Adjusted")
NET_SHORT = Label("净额", "Net")
OPENING_SHORT = Label("期初", "Opening")
CLOSING_SHORT = Label("期末", "Closing")
FEES_SHORT = Label("手续费", "Fees")
WAYS = {
    "transfer": Label("付款文件", "payment file"),
    "no_account": Label("缺银行账户", "no bank account"),
    "debit_note": Label("付款通知", "debit note"),
    "set_off": Label("抵销", "set off"),
    "nothing": Label("无", "none"),
}
PROOF_NAMES = {
    "gross": Label("全部应收 = 全部应付", "All receivables = all payables"),
    "adjusted": Label("系统间调整合计为零", "Adjustments between systems sum to zero"),
    "nets": Label("净额 + 手续费（+ 另计增值税）为零", "Net positions + fees (+ VAT on top) = 0"),
    "balances": Label("期初 + 净额 − 收付 = 期末", "Opening + net − payments = closing"),
    "points": Label("积分滚动平衡", "Points roll forward"),
}
TERMS = {
    "receivable": RECEIVABLE_SHORT,
    "payable": PAYABLE_SHORT,
    "adjustments": ADJUSTMENTS_SHORT,
    "net": NET_SHORT,
    "fees": FEES_SHORT,
    "vat": VAT_SHORT,
    "opening": OPENING_SHORT,
    "payments": PAYMENTS_SHORT,
    "closing": CLOSING_SHORT,
    "issued": POINTS_ISSUED,
    "redeemed": Label("兑换", "Redeemed"),
    "expired": POINTS_EXPIRED,
    "reversed": POINTS_REVERSED,
}
FIGURE_NAMES = {
    "systems": COUNT_SYSTEMS,
    "legs": Label("清算笔数", "Legs"),
    "obligations": Label("双边债务项数", "Bilateral obligations"),
    "adjustments": Label("调整行数", "Adjustment rows"),
    "movements": Label("变动笔数", "Movements"),
    "hotels_with_points": Label("有积分的酒店", "Hotels with points"),
    "points_outstanding": Label("未兑换积分", "Points outstanding"),
}
COUNTED_AS = {"adjustment": ADJUSTMENTS, "fee": Label("手续费", "Fees")}

SIGNING_KEY = Label("签名密钥指纹（Ed25519, SHA-256）", "Fingerprint of the signing key")
KEY_ID = Label("密钥编号", "Key id")

DEBIT_NOTE = Label("付款通知书", "Debit Note")
DEBIT_NOTE_NO = Label("通知书号", "Debit note no.")
AMOUNT_DUE = Label("应付金额", "Amount due")
HOW_IT_COMES = Label("金额构成", "How the amount comes about")
HOW_TO_PAY = Label("付款方式", "How to pay")
NET_PAYABLE = Label("本期净额应付", "Net payable for the period")
CARRIED = Label("账上贷方余额抵减", "Less credit standing on the account")
CARRIED_DEBIT = Label("账上其他应付款项", "Plus what else stands to be paid on the account")
BENEFICIARY = Label("收款人", "Beneficiary")
BENEFICIARY_BANK = Label("开户行", "Bank")
BENEFICIARY_BANK_CODE = Label("行号", "Bank code")
BENEFICIARY_ACCOUNT = Label("收款账号", "Account")
PAYMENT_REFERENCE = Label("付款附言（必填）", "Reference, required")
ISSUED_ON = Label("出具日期", "Issued on")
ACCOUNT_UNKNOWN = Label("由清算所另行通知", "will be told by the clearing house")

NOTES = Label("说明", "Notes")
FOR_CLEARING_HOUSE = Label("清算所（盖章）", "For the clearing house")
FOR_MEMBER = Label("成员系统财务负责人（签章）", "For the member: finance director")
SIGNED_NAME = Label("姓名", "Name")
SIGNED_DATE = Label("日期", "Date")

KINDS = {
    "spend": Label("消费", "Spending"),
    "redeem": Label("积分兑换", "Points redeemed"),
    "stored_value": Label("储值消费", "Stored value used"),
    "correction": Label("手续费更正", "Fees corrected"),
}
ADJUSTMENT_KINDS = {
    "dispute_upheld": Label("争议成立", "Dispute upheld"),
    "dispute_overturned": Label("争议改判", "Dispute overturned"),
    "correction": Label("更正", "Correction"),
}


def movement(kind: str) -> Label:
    """Return what a kind of movement is called."""
    found = MOVEMENT_KINDS.get(kind)
    return Label(found.zh, found.en) if found else Label(kind, kind)


def adjustment(kind: str) -> Label:
    """Return what a kind of adjustment is called."""
    return ADJUSTMENT_KINDS.get(kind) or Label(kind, kind)


STATUSES = {
    "stated": Label("已出账", "Stated"),
    "published": Label("已发布", "Published"),
    "settled": Label("已清讫", "Settled"),
}
CURRENCIES = {"CNY": Label("人民币", "CNY")}
UNITS = {"CNY": Label("人民币元", "yuan")}

SHEET_SUMMARY = Label("汇总", "Summary")
SHEET_COUNTERPARTIES = Label("对方", "Counterparties")
SHEET_LINES = Label("明细", "Lines")
SHEET_MOVEMENTS = Label("收付", "Movements")
SHEET_ADJUSTMENTS = Label("调整", "Adjustments")
SHEET_POINTS = Label("积分负债", "Points")
SHEET_SECURITIES = Label("保证金与债权", "Collateral")
SHEET_CONTROL = Label("总控", "Control")
CHECKS = Label("核对（每项应为 0.00）", "Checks (each must be 0.00)")
CHECK_RECEIVABLE = Label("对方应收合计 − 应收", "Counterparties' receivable − summary")
CHECK_PAYABLE = Label("对方应付合计 − 应付", "Counterparties' payable − summary")
CHECK_FEES = Label("业务手续费合计 − 清算手续费", "Fees by kind − summary")
CHECK_LINE_FEES = Label("明细手续费合计 − 清算手续费", "Fees of the lines − summary")
CHECK_PAYMENTS = Label("收付合计 − 已收付款", "Movements − summary")
CHECK_ADJUSTMENTS = Label("调整合计 − 调整", "Adjustments − summary")
CHECK_LINES = Label("明细净额合计 − 本期净额", "Net of the lines − summary")

#: The contract's columns as people call them; ``*_minor`` is in fen.
COLUMNS = {
    "statement_no": STATEMENT_NO,
    "line_no": Label("行号", "Line"),
    "txn_id": Label("交易编号", "Transaction id"),
    "txn_ref": Label("酒店交易号", "Hotel's reference"),
    "original_txn_ref": Label("原交易号", "Original reference"),
    "business_date": Label("营业日", "Business date"),
    "occurred_at": Label("发生时间", "Occurred at"),
    "posted_at": Label("入账时间", "Posted at"),
    "kind": Label("类型", "Kind"),
    "host_hotel": Label("接待酒店", "Host hotel"),
    "host_system": Label("接待系统", "Host system"),
    "issuer_hotel": Label("发行酒店", "Issuer hotel"),
    "issuer_system": Label("发行系统", "Issuer system"),
    "is_cross_system": Label("跨系统", "Cross-system"),
    "late": Label("迟到", "Late"),
    "card_masked": Label("会员卡", "Card"),
    "points": Label("积分", "Points"),
    "lots": Label("积分批次", "Lots"),
    "gross_debit_minor": Label("应付（分）", "Debit, fen"),
    "gross_credit_minor": Label("应收（分）", "Credit, fen"),
    "fee_rule": Label("计费规则", "Fee rule"),
    "rulebook_version": Label("规则版本", "Rulebook"),
    "fee_rate_ppm": Label("费率（百万分之）", "Fee rate, ppm"),
    "fee_base_minor": Label("计费金额（分）", "Fee base, fen"),
    "fee_minor": Label("手续费（分）", "Fee, fen"),
    "net_minor": Label("净额（分）", "Net, fen"),
    "reason": Label("原因", "Reason"),
    "counterparty_system": COUNTERPARTY,
    "dispute_status": Label("争议状态", "Dispute"),
    "remarks": Label("备注", "Remarks"),
    # Beyond the contract, in the workbook only: the same amounts in yuan.
    "gross_debit": Label("应付（元）", "Debit, yuan"),
    "gross_credit": Label("应收（元）", "Credit, yuan"),
    "fee_base": Label("计费金额（元）", "Fee base, yuan"),
    "fee": Label("手续费（元）", "Fee, yuan"),
    "net": Label("净额（元）", "Net, yuan"),
}
