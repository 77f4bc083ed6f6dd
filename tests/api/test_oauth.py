"""Access tokens: who gets one, and which ones are refused."""

import json
import time
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk, jwt

from api.resources.oauth import ASSERTION_TYPE
from clearinghouse.domain.scopes import scopes_for
from clearinghouse.operations.clients import create_client, revoke_client, rotate_client
from clearinghouse.operations.tokens import rotate_token_key
from tests.api.service import AUTHORITY, URL, Caller, Service

HOTELS = "/v1/hotels"


def get(service: Service, token: str) -> Any:
    return Caller(service.http, token).get(HOTELS)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    header, claims, signature = (urlsafe_b64decode(p + "==") for p in token.split("."))
    return json.loads(header), json.loads(claims), signature


def join(header: dict[str, Any], claims: dict[str, Any], signature: bytes) -> str:
    sections = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(urlsafe_b64encode(s).rstrip(b"=").decode() for s in sections)


def published_key(service: Service) -> dict[str, Any]:
    keys = service.http.get("/.well-known/jwks.json").json["keys"]
    assert len(keys) == 1
    return dict(keys[0])


def assert_refused(answer: Any, code: str = "token_invalid", status: int = 401) -> None:
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.content_type == "application/problem+json"
    if status == 401:
        assert answer.headers["WWW-Authenticate"]


def test_a_token_says_what_it_is_for(service: Service) -> None:
    issued = service.issue("AUR", hotels=["AUR-SH"])
    answer = service.token_request(issued, scope="hotels:read cards:read")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["expires_in"] == 3600
    assert answer.json["scope"] == "hotels:read cards:read"
    key = jwk.import_key(published_key(service))
    token = jwt.decode(answer.json["access_token"], key, algorithms=["Ed25519"])
    claims = token.claims
    assert token.header["typ"] == "at+jwt"
    assert token.header["kid"] == key.kid == key.thumbprint()
    assert (claims["iss"], claims["aud"], claims["sub"]) == (URL, URL, issued.client_id)
    assert (claims["system"], claims["hotels"]) == ("AUR", ["AUR-SH"])
    assert claims["scope"] == "hotels:read cards:read"
    assert claims["exp"] - claims["iat"] == 3600
    assert len(claims["jti"]) == 32


def test_http_basic_is_as_good_as_the_body(service: Service) -> None:
    issued = service.issue("AUR")
    basic = b64encode(f"{issued.client_id}:{issued.secret}".encode()).decode()
    form = {"grant_type": "client_credentials"}
    answer = service.http.post(
        "/oauth/token", data=form, headers={"Authorization": f"Basic {basic}"}
    )
    assert answer.status_code == 200
    assert set(answer.json["scope"].split()) == scopes_for(operator=False)
    both = {**form, "client_secret": issued.secret, "client_id": issued.client_id}
    answer = service.http.post(
        "/oauth/token", data=both, headers={"Authorization": f"Basic {basic}"}
    )
    assert_refused(answer, "invalid_request", 400)
    for header in ("Basic !", "Basic Zm9v", f"Bearer {basic}"):
        answer = service.http.post("/oauth/token", data=form, headers={"Authorization": header})
        assert_refused(answer, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
        assert answer.json["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("form", "code", "status"),
    [
        ({"client_secret": "chs_wrong"}, "invalid_client", 401),
        ({"client_id": "client_nobody"}, "invalid_client", 401),
        ({"client_id": "客户"}, "request_invalid", 422),
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
        ({"scope": "operator"}, "invalid_scope", 400),
        ({"scope": "cards:read operator"}, "invalid_scope", 400),
        ({"scope": "everything"}, "invalid_scope", 400),
        ({"audience": "x"}, "request_invalid", 422),
        ({"scope": ["cards:read", "hotels:read"]}, "invalid_request", 400),
    ],
)
def test_who_asks_wrongly_gets_no_token(
    service: Service, form: dict[str, Any], code: str, status: int
) -> None:
    answer = service.token_request(service.issue("AUR"), **form)
    assert_refused(answer, code, status)
    assert "access_token" not in answer.json


def test_a_client_without_any_proof_gets_no_token(service: Service) -> None:
    issued = service.issue("AUR")
    form = {"grant_type": "client_credentials", "client_id": issued.client_id}
    assert_refused(service.http.post("/oauth/token", data=form), "invalid_client")


def test_a_token_has_no_more_than_its_client(service: Service) -> None:
    issued = service.issue("AUR", scopes=["cards:read"])
    assert_refused(service.token_request(issued, scope="hotels:read"), "invalid_scope", 400)
    token = service.token_request(issued).json["access_token"]
    answer = get(service, token)
    assert_refused(answer, "insufficient_scope", 403)
    assert 'scope="hotels:read"' in answer.headers["WWW-Authenticate"]


def test_a_scope_is_not_gained_by_writing_it_into_the_token(service: Service) -> None:
    token = service.client("AUR", scopes=["cards:read"]).token
    assert token
    header, claims, signature = parts(token)
    claims["scope"] = "hotels:read cards:read"
    assert_refused(get(service, join(header, claims, signature)))


def test_a_token_expires(service: Service) -> None:
    aur = service.client("AUR")
    assert aur.get(HOTELS).status_code == 200
    clock = service.alliance.clock
    clock.pass_to(clock.now + timedelta(hours=1))
    assert_refused(aur.get(HOTELS))
    assert_refused(Caller(service.beside().http, aur.token).get(HOTELS))


def test_requests_without_a_good_token(service: Service) -> None:
    for header in (None, "", "Basic Zm9vOmJhcg==", "Bearer", "Bearer "):
        headers = {} if header is None else {"Authorization": header}
        assert_refused(service.http.get(HOTELS, headers=headers), "token_missing")
    for token in ("x", "a.b.c", "..", "é.é.é", "x" * 10_000, "eyJ.eyJ.", "[" * 3000):
        assert_refused(get(service, token))


def test_forged_tokens(service: Service) -> None:
    token = service.client("AUR").token
    assert token
    header, claims, signature = parts(token)
    public = published_key(service)
    stranger = jwk.OKPKey.generate_key("Ed25519")

    def signed(key: Any, alg: str, **changes: Any) -> str:
        made = {**header, "alg": alg, **changes}
        return jwt.encode(made, claims, key, algorithms=[alg])

    hmac_key = jwk.OctKey.import_key(urlsafe_b64decode(public["x"] + "=="))
    hmac_json = jwk.OctKey.import_key(json.dumps(public))
    forgeries = [
        join({**header, "alg": "none"}, claims, b""),
        join({**header, "alg": "None"}, claims, signature),
        join({**header, "alg": "EdDSA"}, claims, signature),
        join(header, claims, b""),
        join(header, {**claims, "system": "BAM"}, signature),
        join({**header, "kid": "../../etc/passwd"}, claims, signature),
        join({**header, "kid": ["x"]}, claims, signature),
        join({**header, "kid": None}, claims, signature),
        join({**header, "crit": ["exp"]}, claims, signature),
        signed(stranger, "Ed25519"),
        signed(stranger, "Ed25519", jwk=stranger.as_dict(private=False), kid=stranger.thumbprint()),
        signed(hmac_key, "HS256"),
        signed(hmac_json, "HS256"),
    ]
    for forgery in forgeries:
        assert_refused(get(service, forgery))
    assert get(service, token).status_code == 200


def test_tokens_signed_by_us_for_something_else(service: Service) -> None:
    """Whoever held the key could still not use what it signed for another purpose."""
    token = service.client("AUR").token
    assert token
    header, claims, _ = parts(token)
    desk = service.app.extensions["clearinghouse"].desk
    key = desk._private[header["kid"]]

    def signed(changed: dict[str, Any], **headers: Any) -> str:
        return jwt.encode({**header, **headers}, changed, key, algorithms=["Ed25519"])

    assert get(service, signed(claims)).status_code == 200
    for unfit in (
        {**claims, "aud": "http://elsewhere.test"},
        {**claims, "aud": [URL, "http://elsewhere.test"]},
        {**claims, "iss": "http://elsewhere.test"},
        {k: v for k, v in claims.items() if k != "exp"},
        {**claims, "exp": "never"},
        {**claims, "sub": "client_nobody"},
        {**claims, "exp": claims["iat"] - 1},
    ):
        assert_refused(get(service, signed(unfit)))
    assert_refused(get(service, signed(claims, typ="JWT")))


def test_a_revoked_client_is_out_within_seconds(service: Service) -> None:
    aur = service.client("AUR")
    assert aur.get(HOTELS).status_code == 200
    assert aur.issued
    revoke_client(service.context, aur.issued.client_id, AUTHORITY)
    assert_refused(service.token_request(aur.issued), "invalid_client")
    deadline = time.monotonic() + 4
    while aur.get(HOTELS).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert_refused(aur.get(HOTELS))


def test_a_rotated_secret_overlaps_with_the_former(service: Service) -> None:
    issued = service.issue("AUR")
    new = rotate_client(service.context, issued.client_id, timedelta(hours=2), AUTHORITY)
    assert new.secret
    assert new.secret != issued.secret
    assert service.token_request(issued).status_code == 200
    assert service.token_request(new).status_code == 200
    clock = service.alliance.clock
    clock.pass_to(clock.now + timedelta(hours=2))
    assert_refused(service.token_request(issued), "invalid_client")
    assert service.token_request(new).status_code == 200
    last = rotate_client(service.context, issued.client_id, timedelta(), AUTHORITY)
    assert_refused(service.token_request(new), "invalid_client")
    assert service.token_request(last).status_code == 200


def test_a_rotated_signing_key_stays_published_while_its_tokens_live(service: Service) -> None:
    aur = service.client("AUR")
    former = published_key(service)["kid"]
    kid = rotate_token_key(service.context, AUTHORITY)
    fresh = service.beside()
    newer = fresh.client("AUR")
    assert newer.token
    assert parts(newer.token)[0]["kid"] == kid
    assert {k["kid"] for k in fresh.http.get("/.well-known/jwks.json").json["keys"]} == {
        former,
        kid,
    }
    assert Caller(fresh.http, aur.token).get(HOTELS).status_code == 200
    time.sleep(0.06)
    assert get(service, newer.token).status_code == 200
    clock = service.alliance.clock
    clock.pass_to(clock.now + timedelta(seconds=3700))
    later = service.beside()
    assert published_key(later)["kid"] == kid


def test_the_private_key_lies_sealed_in_the_books(service: Service) -> None:
    service.client("AUR")
    (sealed,) = service.alliance.rows("SELECT sealed FROM signing_keys")[0]
    desk = service.app.extensions["clearinghouse"].desk
    secret = next(iter(desk._private.values())).as_dict(private=True)["d"]
    assert secret.encode() not in bytes(sealed)
    assert urlsafe_b64decode(secret + "=") not in bytes(sealed)
    stored = service.alliance.rows("SELECT secret_hash FROM clients")
    assert {len(bytes(row[0])) for row in stored} == {32}


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
