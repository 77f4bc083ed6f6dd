"""Messages go to public addresses only, to the very address that was checked, and never for long."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.outgoing import HttpPoster, resolve
from clearinghouse.domain.destinations import URL_MAX, is_public, parse_destination
from clearinghouse.domain.errors import WebhookUrlRefused
from clearinghouse.operations.delivering import Answer
from tests.receiver import Receiver, receiving

PUBLIC = ["93.184.216.34", "8.8.8.8", "1.1.1.1", "2606:2800:220:1::1", "2400:3200::1"]
PRIVATE = [
    "0.0.0.0",  # noqa: S104  an address to refuse
    "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8",
    "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.7", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "fe80::1%eth0", "localhost", "",
]  # fmt: skip
#: Names and numbers for this machine, as a resolver takes them.
OURSELVES = [
    "https://127.0.0.1/", "https://localhost/", "https://LOCALHOST:8443/x", "https://2130706433/",
    "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/", "https://[::1]/", "https://0/",
    "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1:443/", "https://[fe80::1]/", "https://0.0.0.0:5432/", "https://100.100.100.200/",
]  # fmt: skip
NO_ADDRESSES = [
    "", "x", "example.com", "//example.com/", "http://example.com/", "ftp://example.com/", "file:///etc/passwd",
    "gopher://example.com/", "https://", "https:///x", "https://user@example.com/", "https://u:p@example.com/",
    "https://@example.com/", "https://example.com/#here", "https://example.com/#", "https://exa mple.com/",
    "https://example.com/\r\nX: y", "https://example.com/\x00", "https://example.com:0/",
    "https://example.com:65536/", "https://example.com:x/", "https://[::1/", "https://[x]/",
    "https://例子.example/", "https://example.com\\@127.0.0.1/", "https://[fe80::1%25eth0]/",
    "https://exa%6dple.com/", "https://example.com/" + "a" * URL_MAX, "HTTPS", "javascript:alert(1)",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("url", OURSELVES)
def test_no_way_of_writing_it_leads_inside(url: str) -> None:
    poster = HttpPoster()
    with pytest.raises(WebhookUrlRefused):
        poster.check(url)
    assert poster.post(url, {}, b"{}") == Answer(None, "address_refused")


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(WebhookUrlRefused):
        HttpPoster(resolver=lambda *_: PUBLIC).check(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.example/a?b=c", ("https", "hooks.example", 443, "/a?b=c", "hooks.example")),
        ("HTTPS://Hooks.Example:8443", ("https", "hooks.example", 8443, "/", "hooks.example:8443")),
        ("https://[2606:2800::1]:444/", ("https", "2606:2800::1", 444, "/", "[2606:2800::1]:444")),
    ],
)
def test_an_address_taken_apart(url: str, expected: tuple[Any, ...]) -> None:
    destination = parse_destination(url)
    assert (*destination, destination.authority) == expected


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    HttpPoster(resolver=lambda *_: PUBLIC).check("https://hooks.example/")
    for private in PRIVATE:
        poster = HttpPoster(resolver=lambda *_, private=private: [*PUBLIC, private])
        with pytest.raises(WebhookUrlRefused):
            poster.check("https://hooks.example/")


def test_a_name_that_is_unknown_and_one_that_is_private_are_told_alike() -> None:
    sentences = set()
    for url in ("https://no-such-name.invalid/", "https://127.0.0.1/"):
        with pytest.raises(WebhookUrlRefused) as caught:
            HttpPoster().check(url)
        sentences.add(caught.value.message)
    assert len(sentences) == 1


def test_resolving_gives_every_address_once() -> None:
    assert resolve("127.0.0.1", 443) == ["127.0.0.1"]
    assert set(resolve("localhost", 443)) <= {"127.0.0.1", "::1"}


def test_a_name_that_leads_inside_by_the_time_of_delivery_is_refused(
    receiver: Receiver,
) -> None:
    """DNS rebinding between creation and delivery."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    poster = HttpPoster(resolver=lambda *_: next(answers))
    poster.check("https://hooks.example/")
    assert poster.post("https://hooks.example/", {}, b"{}").failure == "address_refused"
    assert receiver.messages == []


def test_the_name_is_resolved_once_and_the_connection_goes_to_that_address(
    receiver: Receiver,
) -> None:
    """DNS rebinding between check and connection: ``rebound.invalid`` has no address but the one given here."""
    asked: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    poster = HttpPoster(private=True, resolver=resolver)
    url = f"http://rebound.invalid:{receiver.port}/hook"
    assert poster.post(url, {"webhook-id": "1"}, b"{}") == Answer(200)
    assert asked == ["rebound.invalid"]
    assert receiver.messages[0].headers["host"] == f"rebound.invalid:{receiver.port}"


def test_the_next_address_is_tried_where_one_does_not_connect(receiver: Receiver) -> None:
    poster = HttpPoster(private=True, resolver=lambda *_: ["127.0.0.2", "127.0.0.1"])
    assert poster.post(f"http://a.example:{receiver.port}/", {}, b"{}") == Answer(200)


def test_the_certificate_is_checked_against_the_name(tmp_path: Path) -> None:
    server, trust = certificates(tmp_path, "hooks.example")
    with receiving(server) as receiver:
        poster = HttpPoster(private=True, trust=trust, resolver=lambda *_: ["127.0.0.1"])
        good = f"https://hooks.example:{receiver.port}/hook"
        assert poster.post(good, {}, b"{}") == Answer(200)
        assert receiver.messages[0].headers["host"] == f"hooks.example:{receiver.port}"
        other = f"https://other.example:{receiver.port}/hook"
        assert poster.post(other, {}, b"{}") == Answer(None, "tls_failed")
        stranger = HttpPoster(private=True, resolver=lambda *_: ["127.0.0.1"])
        assert stranger.post(good, {}, b"{}") == Answer(None, "tls_failed")
        assert len(receiver.messages) == 1


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers.append(307)
    assert HttpPoster(private=True).post(receiver.url, {}, b"{}") == Answer(307)
    assert len(receiver.messages) == 1


def trickle(handler: Any) -> None:
    """Answer a byte now and then, for ever."""
    with suppress(OSError):
        while True:
            handler.wfile.write(b"H")
            time.sleep(0.05)


def pour(handler: Any) -> None:
    """Answer at once, and never stop."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    with suppress(OSError):
        for _ in range(1000):
            handler.wfile.write(b"x" * 65536)


def trickle_after_status(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    trickle(handler)


def continue_for_ever(handler: Any) -> None:
    with suppress(OSError):
        while True:
            handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        (trickle, Answer(None, "timeout")),
        (continue_for_ever, Answer(None, "timeout")),
        (lambda handler: time.sleep(3), Answer(None, "timeout")),
        (pour, Answer(200)),
        (trickle_after_status, Answer(200)),
        (
            lambda handler: handler.wfile.write(b"nonsense\r\n\r\n"),
            Answer(None, "connection_failed"),
        ),
        (lambda handler: handler.connection.close(), Answer(None, "connection_failed")),
    ],
    ids=["trickle", "continue", "silence", "pour", "trickle later", "nonsense", "hang up"],
)
def test_no_answer_keeps_us_long(receiver: Receiver, behaviour: Any, answer: Answer) -> None:
    receiver.always = behaviour
    poster = HttpPoster(private=True, connect_seconds=0.5, seconds=0.6)
    began = time.monotonic()
    assert poster.post(receiver.url, {}, b"{}") == answer
    assert time.monotonic() - began < 1.5


def test_over_tls_a_trickle_is_cut_too(tmp_path: Path) -> None:
    server, trust = certificates(tmp_path, "hooks.example")
    with receiving(server) as receiver:
        receiver.always = trickle
        poster = HttpPoster(
            private=True, seconds=0.6, trust=trust, resolver=lambda *_: ["127.0.0.1"]
        )
        began = time.monotonic()
        answer = poster.post(f"https://hooks.example:{receiver.port}/", {}, b"{}")
        assert answer == Answer(None, "timeout")
        assert time.monotonic() - began < 1.5


def test_what_follows_at_once_uses_the_same_connection(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    poster = HttpPoster(private=True, resolver=resolver)
    url = f"http://a.example:{receiver.port}/"
    for _ in range(5):
        assert poster.post(url, {}, b"{}") == Answer(200)
    assert (receiver.connections, len(asked)) == (1, 1)
    poster.post(f"http://b.example:{receiver.port}/", {}, b"{}")
    assert (receiver.connections, len(asked)) == (2, 2)
    # After some seconds the name is resolved and checked again.
    monkeypatch.setattr("api.outgoing._USE_FOR", 0.0)
    poster.post(f"http://b.example:{receiver.port}/", {}, b"{}")
    assert (receiver.connections, asked) == (3, ["a.example", "b.example", "b.example"])


def test_a_connection_that_the_other_side_closed_is_made_again(receiver: Receiver) -> None:
    poster = HttpPoster(private=True)
    assert poster.post(receiver.url, {}, b"{}") == Answer(200)

    def hang_up_silently(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    receiver.answers.append(hang_up_silently)
    for _ in range(3):
        assert poster.post(receiver.url, {}, b"{}") == Answer(200)
    assert len(receiver.messages) == 4
    assert receiver.connections == 2


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    poster = HttpPoster(private=True)
    assert poster.post(f"http://127.0.0.1:{port}/", {}, b"") == Answer(None, "connection_failed")


def test_a_server_that_never_shakes_hands(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        poster = HttpPoster(private=True, connect_seconds=0.4)
        began = time.monotonic()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert poster.post(url, {}, b"") == Answer(None, "timeout")
        assert time.monotonic() - began < 1.5


def test_threads_of_the_deadline_end_with_the_attempt(receiver: Receiver) -> None:
    before = threading.active_count()
    for _ in range(20):
        HttpPoster(private=True).post(receiver.url, {}, b"{}")
    assert threading.active_count() < before + 15


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def certificates(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's certificate for one name, and the trust of somebody who knows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.9"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))
