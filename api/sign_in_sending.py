"""Sending travellers' sign-in codes: to phones by the SMS gateway, to e-mail addresses by mail, or to the log."""

from __future__ import annotations

from api.gateways import LOG, mail_gateway, phone_gateway
from clearinghouse.config import MAIL_URL, SENDER_URL
from clearinghouse.domain.errors import CodeNotSent
from web.frame.shared import SendCode


def sign_in_text(code: str, minutes: int) -> str:
    """Return the message for a phone or a mailbox, in Chinese and English."""
    return (
        f"【酒店联盟】您的登录验证码是 {code}，{minutes}分钟内有效。清算所和酒店都不会向您索要此码，请勿告知任何人。"
        f" Your sign-in code is {code}, good for {minutes} minutes."
        " Neither we nor any hotel will ask for it: tell it to nobody."
    )


def sign_in_sender_for(sender_url: str, mail_url: str | None = None) -> SendCode:
    """Return what sends sign-in codes as the settings say.

    Without a setting of its own, mail goes by the mail server that carries messages to phones, or to the log where
    those go there too.

    Raises:
        ConfigError: a URL can't be used; the sentence does not repeat it, since it may hold a password.
    """
    to_phone = phone_gateway(SENDER_URL, sender_url)
    by_mail = sender_url == LOG or sender_url.startswith(("smtp:", "smtps:"))
    url = mail_url or (sender_url if by_mail else None)
    to_mailbox = None if url is None else mail_gateway(MAIL_URL, url)

    def send(to: str, code: str, minutes: int) -> None:
        carry = to_mailbox if "@" in to else to_phone
        if carry is None:
            raise CodeNotSent(f"{MAIL_URL.name} is not set: no mail can be sent")
        carry(to, sign_in_text(code, minutes))

    return send


log_sign_in_code: SendCode = sign_in_sender_for(LOG)
