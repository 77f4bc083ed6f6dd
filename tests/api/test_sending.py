"""Sending one-time codes: to a real gateway on this machine by HTTP or by mail, or to the log."""

import io
import json
import socketserver
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import structlog

from api.sending import sender_for, text_of
from clearinghouse.domain.errors import CodeNotSent, ConfigError
from clearinghouse.operations.enrol import OneTimeCode

CODE = OneTimeCode("+8613900139000", "004711", "金酒店北京", "Aurum Beijing", 10)


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written to the log."""
    written = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.WriteLogger(written),
        processors=[structlog.processors.JSONRenderer(ensure_ascii=False)],
    )
    monkeypatch.setattr("api.gateways._log", logger)
    return written


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[index,misc]  # an address of the internet is a pair
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def http_gateway(status: int, seen: list[Any]) -> HTTPServer:
    """A gateway that notes what it is sent and answers with a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.path, self.headers["Authorization"], json.loads(body)))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return HTTPServer(("127.0.0.1", 0), Handler)


def mail_gateway(seen: list[str], refusal: str = "") -> socketserver.TCPServer:
    """A gateway that takes mail, as much of SMTP as it needs."""

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 ready")
            while line := self.rfile.readline().decode().strip():
                verb = line.split(":")[0].split(" ")[0].upper()
                seen.append(line)
                if verb == "DATA":
                    self.say("354 go on")
                    text = ""
                    while (part := self.rfile.readline().decode()) != ".\r\n":
                        text += part
                    seen.append(text)
                if verb == "RCPT" and refusal:
                    self.say(refusal)
                else:
                    self.say("221 bye" if verb == "QUIT" else "250 fine")
                if verb == "QUIT":
                    return

    return socketserver.TCPServer(("127.0.0.1", 0), Handler)


def test_the_text_is_in_both_languages() -> None:
    text = text_of(CODE)
    assert text.count("004711") == 2
    assert "金酒店北京" in text
    assert "Aurum Beijing" in text


def test_over_http() -> None:
    seen: list[Any] = []
    with serving(http_gateway(200, seen)) as port:
        sender_for(f"http://user:p%40ss@127.0.0.1:{port}/sms?key=7")(CODE)
    who = "Basic " + b64encode(b"user:p@ss").decode()
    assert seen == [("/sms?key=7", who, {"to": "+8613900139000", "text": text_of(CODE)})]


@pytest.mark.parametrize("status", [302, 400, 503])
def test_a_gateway_that_refuses_is_asked_once(status: int, log: io.StringIO) -> None:
    seen: list[Any] = []
    with serving(http_gateway(status, seen)) as port, pytest.raises(CodeNotSent) as refused:
        sender_for(f"http://127.0.0.1:{port}/sms")(CODE)
    assert len(seen) == 1
    assert "004711" not in refused.value.message + log.getvalue()


def test_by_mail() -> None:
    seen: list[str] = []
    with serving(mail_gateway(seen)) as port:
        sender_for(f"smtp://127.0.0.1:{port}/sms.example?from=codes@clearing.example")(CODE)
    assert any(line.startswith("rcpt TO:<8613900139000@sms.example>") for line in seen)
    text = next(line for line in seen if "Subject" in line)
    message = message_from_string(text, policy=policy.default)
    assert message.get_body().get_content().strip() == text_of(CODE)  # type: ignore[union-attr]  # a missing one fails the test


def test_a_mail_gateway_that_refuses() -> None:
    with (
        serving(mail_gateway([], "550 no such number")) as port,
        pytest.raises(CodeNotSent) as refused,
    ):
        sender_for(f"smtp://127.0.0.1:{port}/sms.example?from=codes@clearing.example")(CODE)
    assert "139" not in refused.value.message


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "smtp://127.0.0.1:1/sms.example?from=a@b"])
def test_a_gateway_that_is_away(url: str) -> None:
    with pytest.raises(CodeNotSent):
        sender_for(url)(CODE)


def test_the_log_says_that_it_is_for_development(log: io.StringIO) -> None:
    sender_for("log:")(CODE)
    assert "for development" in log.getvalue()
    assert "004711" in log.getvalue()
    assert "13900139000" not in log.getvalue()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "log",
        "ftp://hush@host/",
        "http://hush:hush@gateway.example/",
        "https://",
        "https://[hush",
        "https://host:hush/",
        "smtp://hush@host/?from=a@b",
        "smtp://hush@host/domain",
        "smtp://hush@host/a/b?from=a@b",
    ],
)
def test_a_url_that_can_not_be_used_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        sender_for(url)
    assert refused.value.message.startswith("CLEARINGHOUSE_SENDER_URL ")
    assert "hush" not in refused.value.message
