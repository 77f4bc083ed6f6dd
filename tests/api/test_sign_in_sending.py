"""Travellers' sign-in codes: to phones by the gateway, to mailboxes by mail, and nowhere else."""

from email import message_from_string, policy
from typing import Any

import pytest

from api.sign_in_sending import sign_in_sender_for, sign_in_text
from clearinghouse.domain.errors import CodeNotSent, ConfigError
from tests.api.test_sending import http_gateway, mail_gateway, serving

PHONE, MAILBOX = "+8613900139000", "guest@example.cn"
TEXT = sign_in_text("004711", 10)


def sent_by_mail(seen: list[str]) -> list[tuple[str, str]]:
    """To whom each mail went, and its text."""
    to = [
        line.partition("<")[2].partition(">")[0] for line in seen if line.lower().startswith("rcpt")
    ]
    messages = [
        message_from_string(line, policy=policy.default) for line in seen if "Subject" in line
    ]
    bodies = [m.get_body().get_content().strip() for m in messages]  # type: ignore[union-attr]  # a missing one fails the test
    return list(zip(to, bodies, strict=True))


def test_the_text_is_in_both_languages_and_warns() -> None:
    assert TEXT.count("004711") == 2
    assert "请勿告知任何人" in TEXT
    assert "tell it to nobody" in TEXT


def test_a_gateway_for_phones_and_a_server_for_mail() -> None:
    phones: list[Any] = []
    mails: list[str] = []
    with serving(http_gateway(200, phones)) as port, serving(mail_gateway(mails)) as mail_port:
        send = sign_in_sender_for(
            f"http://127.0.0.1:{port}/sms",
            f"smtp://127.0.0.1:{mail_port}?from=codes@clearing.example",
        )
        send(PHONE, "004711", 10)
        send(MAILBOX, "004711", 10)
    assert [body for *_, body in phones] == [{"to": PHONE, "text": TEXT}]
    assert sent_by_mail(mails) == [(MAILBOX, TEXT)]


def test_one_mail_server_for_both() -> None:
    mails: list[str] = []
    with serving(mail_gateway(mails)) as port:
        send = sign_in_sender_for(
            f"smtp://127.0.0.1:{port}/sms.example?from=codes@clearing.example"
        )
        send(PHONE, "004711", 10)
        send(MAILBOX, "004711", 10)
    assert sent_by_mail(mails) == [("8613900139000@sms.example", TEXT), (MAILBOX, TEXT)]


def test_without_a_mail_server_no_mail_is_sent() -> None:
    send = sign_in_sender_for("https://gateway.example/sms")
    with pytest.raises(CodeNotSent, match="CLEARINGHOUSE_MAIL_URL"):
        send(MAILBOX, "004711", 10)


@pytest.mark.parametrize("to", ["a@b\r\nBcc: c@d", "@", "a@b@c,d@e"])
def test_an_address_carries_nothing_else_along(to: str) -> None:
    mails: list[str] = []
    with serving(mail_gateway(mails)) as port:
        send = sign_in_sender_for("log:", f"smtp://127.0.0.1:{port}?from=codes@clearing.example")
        with pytest.raises(CodeNotSent):
            send(to, "004711", 10)
    assert sent_by_mail(mails) == []


@pytest.mark.parametrize(
    "url",
    ["https://hush@mail.example", "smtp://hush@mail.example", "smtp:", "mail", "smtp://[hush"],
)
def test_a_mail_url_that_can_not_be_used_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        sign_in_sender_for("log:", url)
    assert refused.value.message.startswith("CLEARINGHOUSE_MAIL_URL ")
    assert "hush" not in refused.value.message
