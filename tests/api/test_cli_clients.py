"""``clearinghouse client`` and ``keys``."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jwk
from joserfc.errors import SecurityWarning

from api.cli.clients import client_commands
from api.cli.keys import keys_commands
from clearinghouse.operations.clients import Issued
from tests.api.office import Office
from tests.api.service import Caller, Service

WHY = ("--reason", "contract 2026-17")


@pytest.fixture
def office(database_url: str, service: Service, tmp_path: Path) -> Office:
    assert service
    return Office(database_url, tmp_path)


def issued_by(output: str) -> Issued:
    found = dict(line.split(": ") for line in output.splitlines())
    return Issued(found["client_id"], found.get("client_secret"))


def test_a_client_is_made_and_works(office: Office, service: Service) -> None:
    made = office.run(
        client_commands, "create", "AUR", "--name", "前台 till", "--hotel", "AUR-BJ",
        "--scope", "hotels:read", "--scope", "cards:read", *WHY, "--by", "李明",
    )  # fmt: skip
    issued = issued_by(made)
    answer = service.token_request(issued)
    assert answer.json["scope"] == "hotels:read cards:read"
    assert Caller(service.http, answer.json["access_token"]).get("/v1/hotels").status_code == 200
    (row,) = office.json(client_commands, "list", "--format", "json", "--system", "AUR")
    assert row["client_id"] == issued.client_id
    assert (row["name"], row["proof"], row["hotels"]) == ("前台 till", "secret", ["AUR-BJ"])
    assert row["scopes"] == ["hotels:read", "cards:read"]
    listed = office.run(client_commands, "list")
    assert "前台 till" in listed
    assert issued.secret
    assert issued.secret not in listed


def test_what_was_done_is_logged_without_the_secret(office: Office, service: Service) -> None:
    made = office.json(
        client_commands, "create", "BAM", "--name", "PMS", "--format", "json", *WHY, "--approved-by", "王芳"
    )  # fmt: skip
    client_id, secret = made["client_id"], made["client_secret"]
    turned = office.json(client_commands, "rotate", client_id, "--format", "json", *WHY)
    office.run(client_commands, "revoke", client_id, *WHY)
    logged = service.alliance.rows(
        "SELECT action, subject, details::text FROM audit_log WHERE action LIKE 'client.%%' ORDER BY number"
    )
    assert [row[0] for row in logged] == ["client.create", "client.rotate", "client.revoke"]
    assert {row[1] for row in logged} == {f"client {client_id}"}
    text = "".join(row[2] for row in logged)
    assert "王芳" in text
    assert "contract 2026-17" in text
    assert secret not in text
    assert turned["client_secret"] not in text
    assert office.refusal(client_commands, "revoke", client_id, *WHY).endswith("is revoked")
    assert office.refusal(client_commands, "rotate", client_id, *WHY).endswith("is revoked")
    (row,) = office.json(client_commands, "list", "--format", "json")
    assert row["revoked_at"]


def test_rotation_can_end_the_former_secret_at_once(office: Office, service: Service) -> None:
    former = issued_by(office.run(client_commands, "create", "AUR", "--name", "till", *WHY))
    turned = office.run(client_commands, "rotate", former.client_id, "--overlap-hours", 0, *WHY)
    assert service.token_request(former).status_code == 401
    assert service.token_request(issued_by(turned)).status_code == 200


def test_a_public_key_takes_the_place_of_a_secret(office: Office, tmp_path: Path) -> None:
    key = jwk.ECKey.generate_key("P-256")
    assert key.private_key
    with pytest.warns(SecurityWarning):
        small = jwk.RSAKey.generate_key(1024)
    files = {
        "key.json": json.dumps(key.as_dict(private=False)).encode(),
        "key.pem": key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "private.json": json.dumps(key.as_dict(private=True)).encode(),
        "private.pem": key.private_key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        "small.json": json.dumps(small.as_dict(private=False)).encode(),
        "shared.json": json.dumps(jwk.OctKey.generate_key(256).as_dict(private=True)).encode(),
        "curve.json": json.dumps(jwk.OKPKey.generate_key("X25519").as_dict(private=False)).encode(),
        "none.txt": b"no key",
        "list.json": b"[1]",
        "binary": bytes(range(256)),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    def create(name: str) -> tuple[object, ...]:
        return ("create", "AUR", "--name", "signer", "--public-key", tmp_path / name, *WHY)

    for name in ("key.json", "key.pem"):
        made = office.run(client_commands, *create(name))
        assert "client_secret" not in made
    client_id = issued_by(made).client_id
    for name in ("private.json", "private.pem"):
        assert office.refusal(client_commands, *create(name)).startswith("that is a private key")
    for name in ("small.json", "shared.json", "curve.json", "none.txt", "list.json", "binary"):
        assert "key" in office.refusal(client_commands, *create(name))
    assert "its next one is needed" in office.refusal(client_commands, "rotate", client_id, *WHY)
    office.run(client_commands, "rotate", client_id, "--public-key", tmp_path / "key.json", *WHY)
    secret = issued_by(office.run(client_commands, "create", "AUR", "--name", "till", *WHY))
    assert "has a secret" in office.refusal(
        client_commands, "rotate", secret.client_id, "--public-key", tmp_path / "key.json", *WHY
    )


def test_an_operators_client_names_its_scopes(office: Office, service: Service) -> None:
    assert "at least one scope" in office.refusal(
        client_commands, "create", "--operator", "--name", "console", *WHY
    )
    made = office.run(
        client_commands, "create", "--operator", "--name", "console", "--scope", "operator", *WHY
    )
    assert service.token_request(issued_by(made)).json["scope"] == "operator"
    assert "清算所 operator" in office.run(client_commands, "list")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("XXX", "--name", "x"), 'there is no system "XXX"'),
        (("AUR", "--name", "x", "--hotel", "BAM-HZ"), 'system "AUR" has no hotel "BAM-HZ" today'),
        (("AUR", "--name", "x", "--hotel", "NONE"), 'system "AUR" has no hotel "NONE" today'),
        (("AUR", "--name", "x", "--scope", "operator"), "clients of a member can't have the scope"),
        (("--operator", "--name", "x", "--scope", "transactions:write"), "the operator's clients"),
        (("--operator", "--name", "x", "--scope", "operator", "--hotel", "AUR-BJ"), "no hotel"),
        (("AUR", "--name", " "), "a name is needed"),
        (("AUR", "--name", "x", "--by", " "), "the audit log needs it"),
    ],
)
def test_what_does_not_fit_is_refused(
    office: Office, arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in office.refusal(client_commands, "create", *arguments, *WHY)
    assert office.json(client_commands, "list", "--format", "json") == []


def test_wrong_usage(office: Office) -> None:
    office.misuse(client_commands, "create", "--name", "x", *WHY)
    office.misuse(client_commands, "create", "AUR", "--operator", "--name", "x", *WHY)
    office.misuse(client_commands, "create", "AUR", "--name", "x", "--scope", "all", *WHY)
    office.misuse(client_commands, "create", "AUR", "--name", "x")
    office.misuse(client_commands, "rotate", "x", "--overlap-hours", "721", *WHY)
    assert "there is no client" in office.refusal(client_commands, "revoke", "x", *WHY)
    assert 'no system "X"' in office.refusal(client_commands, "list", "--system", "X")


def test_keys_are_listed_and_rotated(office: Office, service: Service) -> None:
    assert "无 none" in office.run(keys_commands, "list")
    service.client("AUR")
    (first,) = office.json(keys_commands, "list", "--format", "json")
    assert set(first) == {
        "purpose", "fingerprint", "kid", "public_key", "created_at", "retired_at", "compromised_at",
    }  # fmt: skip
    assert "d" not in first["public_key"]
    told = office.run(keys_commands, "rotate", "tokens", *WHY)
    assert told.startswith("tokens are signed with key ")
    newer, former = office.json(keys_commands, "list", "--format", "json")
    assert newer["retired_at"] is None
    assert (former["kid"], bool(former["retired_at"])) == (first["kid"], True)
    assert newer["kid"] in office.run(keys_commands, "list")


def test_every_command_explains_itself(office: Office) -> None:
    for group in (client_commands, keys_commands):
        for name in group.commands:
            assert len(office.run(group, name, "--help").splitlines()) > 3
    assert "settlements:read" in office.run(client_commands, "create", "--help")
