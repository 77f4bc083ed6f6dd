"""The Python client proves who it is: with a secret or a private key, once for many requests."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwk

from api.app import create_app
from clearinghouse.client import (
    ClearinghouseProblem,
    Client,
    ClientSecret,
    PrivateKey,
    signer,
)
from clearinghouse.operations.clients import create_client
from tests.alliances import CARDS
from tests.api.calling import HASTY, NOW, redeem
from tests.api.service import AUTHORITY, Service
from tests.api.wire import Line as Wire
from tests.api.wire import (
    instead,
    line_to,
    lost_after,
    problem,
    served,
)


def test_a_token_is_fetched_once_and_again_when_it_has_expired(
    service: Service, wire: Wire, cld: Client
) -> None:
    redeem(cld, "A", 10)
    redeem(cld, "B", 10)
    assert wire.tokens() == 1
    service.alliance.clock.pass_to(NOW + timedelta(hours=2))
    assert not redeem(cld, "C", 10).replayed
    assert wire.tokens() == 2
    # The one that was refused was sent again with its key.
    assert len(wire.keys()) == 4
    assert len(set(wire.keys())) == 3


def test_a_lost_token_is_asked_for_again(service: Service, wire: Wire, cld: Client) -> None:
    wire.token_faults.extend([lost_after, instead(problem(503, "x"))])
    redeem(cld)
    assert wire.tokens() == 3


def test_who_is_no_client_gets_the_reason_and_keeps_the_key(service: Service, wire: Wire) -> None:
    issued = service.issue("CLD")
    stranger = Client(wire.url, ClientSecret(issued.client_id, "chs_wrong"), retry=HASTY)
    with pytest.raises(ClearinghouseProblem) as caught:
        redeem(stranger, idempotency_key="k")
    assert (caught.value.code, caught.value.status) == ("invalid_client", 401)
    assert caught.value.idempotency_key == "k"
    narrow = Client(
        wire.url, ClientSecret(issued.client_id, issued.secret or ""), scopes=["cards:read"]
    )
    assert narrow.cards.lookup(CARDS["T1"]).status == "active"
    with pytest.raises(ClearinghouseProblem, match="insufficient_scope"):
        redeem(narrow)


@pytest.mark.parametrize("kind", ["Ed25519", "P-256 as PEM", "a function"])
def test_a_private_key_is_as_good(service: Service, wire: Wire, kind: str) -> None:
    # An assertion is signed by the machine's clock.
    context = replace(service.context, clock=lambda: datetime.now(UTC))
    key: Any = jwk.OKPKey.generate_key("Ed25519")
    private = json.dumps(key.as_dict(private=True))
    if kind.endswith("PEM"):
        made = generate_private_key(SECP256R1())
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        private = pem.decode()
        key = jwk.ECKey.import_key(private)
    signed: list[Any] = []
    sign = signer(private)
    if kind == "a function":

        def kept_elsewhere(claims: Any) -> str:
            signed.append(claims["jti"])
            return signer(private)(claims)

        sign = kept_elsewhere
    issued = create_client(
        context, "CLD", "signer", AUTHORITY, public_key=json.dumps(key.as_dict(private=False))
    )

    def application(url: str) -> Any:
        return create_app(context, replace(service.options, public_url=url))

    with served(application) as target, line_to(target) as line:
        # Lost after it was delivered: the assertion is used up, and the next attempt needs another.
        line.token_faults.append(lost_after)
        proof = PrivateKey(issued.client_id, sign, audience=target)
        with Client(line.url, proof, retry=HASTY) as client:
            assert client.cards.lookup(CARDS["T1"]).card_masked == "627781******0013"
        assert line.tokens() == 2
    assert len(set(signed)) == (2 if signed else 0)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "{}",
        '{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
        "-----BEGIN X-----",
        "public",
    ],
)
def test_what_is_no_private_key(key: str) -> None:
    if key == "public":
        key = json.dumps(jwk.OKPKey.generate_key("Ed25519").as_dict(private=False))
    with pytest.raises(ValueError, match="no private key"):
        signer(key)


def test_an_address_that_would_show_the_secret() -> None:
    for url in ("http://clearing.example", "clearing.example", "ftp://clearing.example", ""):
        with pytest.raises(ValueError, match="https"):
            Client(url, ClientSecret("c", "s"))
    Client("http://gateway.internal", ClientSecret("c", "s"), allow_http=True)
    assert "hush" not in repr(ClientSecret("c", "hush"))
