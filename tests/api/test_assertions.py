"""Clients that sign assertions (``private_key_jwt``): each is good once, and only for us."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk, jwt

from api.resources.oauth import ASSERTION_TYPE
from clearinghouse.operations.clients import create_client, rotate_client
from tests.api.service import AUTHORITY, URL, Service
from tests.api.tokens import assert_refused, get, join

KEYS = {
    "Ed25519": lambda: jwk.OKPKey.generate_key("Ed25519"),
    "EdDSA": lambda: jwk.OKPKey.generate_key("Ed25519"),
    "ES256": lambda: jwk.ECKey.generate_key("P-256"),
    "PS256": lambda: jwk.RSAKey.generate_key(2048),
}


class Signer:
    """A client that signs assertions."""

    def __init__(self, service: Service, alg: str = "Ed25519") -> None:
        self.service = service
        self.alg = alg
        self.key = KEYS[alg]()
        public = json.dumps(self.key.as_dict(private=False))
        self.client_id = create_client(
            service.context, "AUR", "signer", AUTHORITY, public_key=public
        ).client_id

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.service.alliance.clock.now.timestamp())
        claims = {
            "iss": self.client_id, "sub": self.client_id, "aud": URL, "iat": now, "exp": now + 300,
            "jti": f"{time.monotonic_ns()}", **changes,
        }  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def assertion(self, key: Any = None, alg: str | None = None, **changes: Any) -> str:
        alg = alg or self.alg
        return jwt.encode({"alg": alg}, self.claims(**changes), key or self.key, algorithms=[alg])

    def ask(self, assertion: str, **form: str) -> Any:
        data = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            **form,
        }
        return self.service.http.post("/oauth/token", data=data)


@pytest.mark.parametrize("alg", KEYS)
def test_an_assertion_gets_a_token_once(service: Service, alg: str) -> None:
    signer = Signer(service, alg)
    assertion = signer.assertion()
    answer = signer.ask(assertion)
    assert answer.status_code == 200, answer.text
    assert get(service, answer.json["access_token"]).status_code == 200
    assert_refused(signer.ask(assertion), "invalid_client")
    assert signer.ask(signer.assertion(aud=[f"{URL}/oauth/token", "x"])).status_code == 200


def test_assertions_that_do_not_hold(service: Service) -> None:
    signer, other = Signer(service), Signer(service, "ES256")
    now = int(service.alliance.clock.now.timestamp())
    public = json.dumps(signer.key.as_dict(private=False))
    none = join({"alg": "none"}, signer.claims(), b"")
    wrong = [
        signer.assertion(aud="http://elsewhere.test"),
        signer.assertion(aud=None),
        signer.assertion(iss="client_other"),
        signer.assertion(sub=other.client_id),
        signer.assertion(sub="client_nobody"),
        signer.assertion(sub=["x"]),
        signer.assertion(exp=now - 60),
        signer.assertion(exp=now + 7200),
        signer.assertion(exp=10**30),
        signer.assertion(exp=None),
        signer.assertion(exp=True),
        signer.assertion(nbf=now + 600),
        signer.assertion(jti=None),
        signer.assertion(jti=""),
        signer.assertion(jti="x" * 500),
        signer.assertion(key=other.key, alg="ES256"),
        signer.assertion(key=KEYS["Ed25519"]()),
        signer.assertion(key=jwk.OctKey.import_key(public), alg="HS256"),
        none,
        "x",
        "a.b.c",
    ]
    for assertion in wrong:
        assert_refused(signer.ask(assertion), "invalid_client")
    assert_refused(signer.ask(signer.assertion(), client_id=other.client_id), "invalid_client")
    missing = {"grant_type": "client_credentials", "client_assertion": signer.assertion()}
    assert_refused(service.http.post("/oauth/token", data=missing), "invalid_request", 400)
    # Nothing that was refused counts as used, and no stranger fills the table.
    assert service.alliance.value("SELECT count(*) FROM client_assertions") <= 1


def test_a_secret_is_no_assertion_and_a_key_no_secret(service: Service) -> None:
    signer, issued = Signer(service), service.issue("AUR")
    assert_refused(
        service.token_request(type(issued)(signer.client_id, "")), "request_invalid", 422
    )
    assert_refused(service.token_request(type(issued)(signer.client_id, "x")), "invalid_client")
    claims = {"sub": issued.client_id, "iss": issued.client_id}
    assert_refused(signer.ask(signer.assertion(**claims)), "invalid_client")


def test_a_rotated_key_overlaps_with_the_former(service: Service) -> None:
    signer = Signer(service)
    former, signer.key = signer.key, KEYS["Ed25519"]()
    pem = signer.key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    rotate_client(
        service.context, signer.client_id, timedelta(hours=1), AUTHORITY, public_key=pem.decode()
    )
    assert signer.ask(signer.assertion()).status_code == 200
    assert signer.ask(signer.assertion(key=former)).status_code == 200
    clock = service.alliance.clock
    clock.pass_to(clock.now + timedelta(hours=1))
    assert_refused(signer.ask(signer.assertion(key=former)), "invalid_client")
    assert signer.ask(signer.assertion()).status_code == 200


def test_assertions_that_are_over_are_forgotten(service: Service) -> None:
    signer = Signer(service)
    assert signer.ask(signer.assertion()).status_code == 200
    clock = service.alliance.clock
    clock.pass_to(clock.now + timedelta(minutes=20))
    assert signer.ask(signer.assertion()).status_code == 200
    assert service.alliance.value("SELECT count(*) FROM client_assertions") == 1


def test_the_standard_client_library_gets_a_token(service: Service) -> None:
    """Authlib, on the other side: what it signs by itself is accepted."""
    rfc7523 = pytest.importorskip("authlib.oauth2.rfc7523")
    signer = Signer(service)
    now = int(service.alliance.clock.now.timestamp())
    assertion = rfc7523.auth.private_key_jwt_sign(
        signer.key,
        signer.client_id,
        f"{URL}/oauth/token",
        alg="Ed25519",
        issued_at=now,
        expires_in=300,
    )
    assert signer.ask(assertion).status_code == 200
