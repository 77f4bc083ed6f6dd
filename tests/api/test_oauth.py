"""Access tokens: who gets one, and which ones are refused."""

import json
import threading
import time
from base64 import b64encode, urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from joserfc import jwk, jwt

from clearinghouse.domain.errors import TokenRefused
from clearinghouse.domain.scopes import scopes_for
from clearinghouse.operations import tokens
from clearinghouse.operations.clients import revoke_client, rotate_client
from clearinghouse.operations.signing_keys import TOKENS, rotate
from clearinghouse.store.database import Database
from tests.api.service import AUTHORITY, URL, Caller, Service
from tests.api.tokens import HOTELS, assert_refused, get, join, parts
from tests.late_answers import AnswersLate
from tests.waiting import wait_until


def published_key(service: Service) -> dict[str, Any]:
    found = service.http.get("/.well-known/jwks.json").json["keys"]
    keys = [key for key in found if key["purpose"] == "token"]
    assert len(keys) == 1
    return dict(keys[0])


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
    wait_until(lambda: aur.get(HOTELS).status_code != 200, 20)
    assert_refused(aur.get(HOTELS))


def test_who_was_revoked_is_known_as_of_the_question(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_LOOK_EVERY_SECONDS", 0.2)
    issued = service.issue("AUR")
    token = service.token_request(issued).json["access_token"]
    late = AnswersLate(service.context.database)
    desk = tokens.TokenDesk(replace(service.context, database=cast(Database, late)), URL)
    late.arrived.set()
    assert desk.party(token)
    late.arrived.clear()
    late.read.clear()
    time.sleep(0.3)
    reader = threading.Thread(target=desk.party, args=[token])
    reader.start()
    assert late.read.wait(60)
    revoke_client(service.context, issued.client_id, AUTHORITY)
    time.sleep(0.3)
    late.arrived.set()
    reader.join()
    with pytest.raises(TokenRefused):
        desk.party(token)


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
    kid = rotate(service.context, TOKENS, AUTHORITY, compromised=False)
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


def test_a_compromised_signing_key_is_refused_at_once(service: Service) -> None:
    aur = service.client("AUR")
    assert aur.get(HOTELS).status_code == 200
    kid = rotate(service.context, TOKENS, AUTHORITY, compromised=True)
    desk = service.app.extensions["clearinghouse"].desk
    desk._look(at_once=True)
    time.sleep(0.06)
    desk._look(at_once=True)
    # Also one that was let in before.
    assert_refused(aur.get(HOTELS), "token_invalid")
    assert published_key(service)["kid"] == kid
    assert service.client("AUR").get(HOTELS).status_code == 200


def test_the_private_key_lies_sealed_in_the_books(service: Service) -> None:
    service.client("AUR")
    (sealed,) = service.alliance.rows("SELECT sealed FROM signing_keys")[0]
    desk = service.app.extensions["clearinghouse"].desk
    secret = next(iter(desk._private.values())).as_dict(private=True)["d"]
    assert secret.encode() not in bytes(sealed)
    assert urlsafe_b64decode(secret + "=") not in bytes(sealed)
    stored = service.alliance.rows("SELECT secret_hash FROM clients")
    assert {len(bytes(row[0])) for row in stored} == {32}
