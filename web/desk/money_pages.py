"""The desk's pages of money: payments and the bank, disputes and corrections, risk."""

from __future__ import annotations

from web.desk import bank, corrections, defaults, disputes, payments, risk, risk_proposals

MONEY = (
    payments.blueprint,
    bank.blueprint,
    disputes.blueprint,
    corrections.blueprint,
    risk.blueprint,
    defaults.blueprint,
    risk_proposals.blueprint,
)
