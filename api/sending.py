"""Sending one-time codes of enrolments to phones; :mod:`api.gateways` carries them."""

from __future__ import annotations

from api.gateways import phone_gateway
from clearinghouse.config import SENDER_URL
from clearinghouse.operations.enrol import OneTimeCode, Sender


def text_of(code: OneTimeCode) -> str:
    """Return the message for a phone, in Chinese and English."""
    return (
        f"【酒店联盟】您正在{code.hotel_zh}办理入会，验证码 {code.code}，{code.minutes}分钟内有效，请只告知前台。"
        f" Your code to join at {code.hotel_en} is {code.code}, good for {code.minutes} minutes."
        " Tell it only at the front desk."
    )


def sender_for(url: str) -> Sender:
    """Return what sends codes as the setting says.

    Raises:
        ConfigError: the URL can't be used; the sentence does not repeat it, since it may hold a password.
    """
    carry = phone_gateway(SENDER_URL, url)

    def send(code: OneTimeCode) -> None:
        carry(code.phone, text_of(code))

    return send


log_code: Sender = sender_for("log:")
