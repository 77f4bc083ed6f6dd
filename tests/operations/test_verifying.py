"""Published files are proved offline, and nothing else is: no file, signature, key or name that was changed."""

import json
import os
import shutil
import socket
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk, jws

from clearinghouse.domain.compact_jws import Unreadable
from clearinghouse.domain.signing import opened
from clearinghouse.operations.key_sets import KeySet, NotProved, read_key_set
from clearinghouse.operations.verifying import Proved, verify_file
from tests.operations.signed_files import FILES, House

HOUSE, OTHER = House(1), House(2)
KEYS = HOUSE.keys()


@pytest.fixture
def month(tmp_path: Path) -> Path:
    return HOUSE.publish(tmp_path / "out")


def why_not(path: Path, keys: KeySet = KEYS) -> str:
    with pytest.raises(NotProved) as refused:
        verify_file(path, keys)
    assert refused.value.zh
    return refused.value.en


def sig(path: Path) -> Path:
    return path.with_name(f"{path.name}.sig")


@pytest.mark.parametrize("path", [*FILES, "manifest.json"])
def test_what_was_published_is_proved(month: Path, path: str) -> None:
    proved = verify_file(month / path, KEYS)
    party = FILES.get(path, ("OPERATOR",))[0]
    assert (proved.claims.period, proved.claims.party, proved.claims.path) == (
        "2026-10",
        party,
        path,
    )
    assert (proved.key.kid, proved.by_manifest) == (HOUSE.kid, False)


def test_a_signature_is_a_jws_that_every_library_reads(month: Path) -> None:
    text = sig(month / "statements/AUR.pdf").read_bytes()
    read = jws.deserialize_compact(text, jwk.import_key(HOUSE.jwk()), algorithms=["Ed25519"])
    claims = json.loads(read.payload)
    content = (month / "statements/AUR.pdf").read_bytes()
    assert claims["sha256"] == sha256(content).hexdigest()
    assert claims.keys() == {"period", "path", "party", "sha256", "size"}


def test_signing_again_gives_the_same_bytes(month: Path) -> None:
    content = (month / "statements/AUR.pdf").read_bytes()
    assert (
        HOUSE.sign("statements/AUR.pdf", content) == sig(month / "statements/AUR.pdf").read_bytes()
    )


@pytest.mark.parametrize(
    "name", ["AUR-2026-10.pdf", "statement.pdf", "AUR-2026-10 (1).pdf", "十月 from AUR.pdf"]
)
def test_a_downloaded_file_may_lie_anywhere(month: Path, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "2026-11" / "in"
    elsewhere.mkdir(parents=True)
    shutil.copy(month / "statements/AUR.pdf", elsewhere / name)
    shutil.copy(sig(month / "statements/AUR.pdf"), elsewhere / f"{name}.sig")
    assert verify_file(elsewhere / name, KEYS).claims.party == "AUR"


def test_a_file_without_a_signature_is_proved_by_the_manifest(month: Path) -> None:
    for path, (party, _) in FILES.items():
        sig(month / path).unlink()
        proved = verify_file(month / path, KEYS)
        assert (proved.claims.path, proved.claims.party, proved.by_manifest) == (path, party, True)


def _flip(path: Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("at", [0, 3, -1])
@pytest.mark.parametrize("signed", [True, False])
def test_a_tampered_file_is_found(month: Path, at: int, signed: bool) -> None:
    file = month / "statements/AUR.pdf"
    if not signed:
        sig(file).unlink()
    _flip(file, at)
    assert "the content is not what was signed" in why_not(file)
    file.write_bytes(b"")
    assert "the content is not what was signed" in why_not(file)


def test_a_tampered_manifest_proves_nothing(month: Path) -> None:
    file = month / "statements/AUR.pdf"
    sig(file).unlink()
    file.write_bytes(b"forged")
    manifest = json.loads((month / "manifest.json").read_bytes())
    entry = manifest["files"]["statements/AUR.pdf"]
    entry |= {"sha256": sha256(b"forged").hexdigest(), "size": 6}
    (month / "manifest.json").write_text(json.dumps(manifest))
    assert "manifest.json: the content is not what was signed" in why_not(file)
    assert "the content is not what was signed" in why_not(month / "manifest.json")


def test_a_signature_of_another_file_or_month_proves_nothing(month: Path, tmp_path: Path) -> None:
    file = month / "statements/AUR.pdf"
    for other in (month / "statements/BAM.pdf", month / "manifest.json"):
        shutil.copy(sig(other), sig(file))
        assert "not" in why_not(file)
    september = HOUSE.publish(tmp_path / "out", "2026-09")
    shutil.copy(sig(september / "statements/AUR.pdf"), sig(file))
    assert "2026-09" in why_not(file)
    # The file with its own signature, put where another belongs.
    shutil.copy(september / "statements/AUR.pdf", file)
    assert why_not(file) == "the signature is of 2026-09, not of 2026-10"
    renamed = tmp_path / "AUR-2026-10.pdf"
    for target, source in ((renamed, file), (sig(renamed), sig(file))):
        shutil.copy(source, target)
    assert "2026-09" in why_not(renamed)


def test_a_statement_of_another_party_is_not_ones_own(month: Path, tmp_path: Path) -> None:
    for name in ("statements/AUR.pdf", "AUR-2026-10.pdf"):
        target = month / name
        shutil.copy(month / "statements/BAM.pdf", target)
        shutil.copy(sig(month / "statements/BAM.pdf"), sig(target))
        assert "statements/BAM.pdf" in why_not(target)


def test_a_manifest_of_another_month_proves_nothing(month: Path, tmp_path: Path) -> None:
    file = month / "statements/AUR.pdf"
    sig(file).unlink()
    september = HOUSE.publish(tmp_path / "other", "2026-09")
    for name in ("manifest.json", "manifest.json.sig"):
        shutil.copy(september / name, month / name)
    assert "2026-09" in why_not(file)
    shutil.copy(sig(september / "statements/AUR.pdf"), month / "manifest.json.sig")
    assert why_not(file) == "manifest.json: the signature is of statements/AUR.pdf"


def test_an_unlisted_or_unsigned_file_is_not_proved(month: Path, tmp_path: Path) -> None:
    (month / "statements/NEW.pdf").write_bytes(b"x")
    assert "does not list statements/NEW.pdf" in why_not(month / "statements/NEW.pdf")
    (tmp_path / "lone.pdf").write_bytes(b"x")
    assert "there is no lone.pdf.sig" in why_not(tmp_path / "lone.pdf")
    sig(month / "manifest.json").unlink()
    assert "it has no signature" in why_not(month / "manifest.json")
    assert why_not(month / "statements/NEW.pdf") == "manifest.json has no signature"


def test_another_key_proves_nothing(month: Path) -> None:
    file = month / "statements/AUR.pdf"
    assert f"key {HOUSE.kid} is not among" in why_not(file, OTHER.keys())
    # Signed by another key in the name of ours.
    signed, _, _ = sig(file).read_bytes().rpartition(b".")
    forged = OTHER.private.sign(signed)
    sig(file).write_bytes(signed + b"." + urlsafe_b64encode(forged).rstrip(b"="))
    assert why_not(file) == "the signature is not one of the key that it names"


def test_a_compromised_key_proves_nothing(month: Path) -> None:
    revoked = HOUSE.keys(revoked={"revoked_at": 1, "reason": "compromised"})
    for file in (month / "statements/AUR.pdf", month / "manifest.json"):
        assert "was compromised and proves nothing" in why_not(file, revoked)
    sig(month / "statements/AUR.pdf").unlink()
    assert "was compromised" in why_not(month / "statements/AUR.pdf", revoked)


def test_only_files_are_read(month: Path, tmp_path: Path) -> None:
    file = month / "statements/AUR.pdf"
    link = month / "statements/LINK.pdf"
    link.symlink_to(file)
    shutil.copy(sig(file), sig(link))
    assert "LINK.pdf is a symbolic link" in why_not(link)
    sig(file).rename(month / "signature")
    sig(file).symlink_to(month / "signature")
    assert "AUR.pdf.sig is a symbolic link" in why_not(file)
    assert "no regular file" in why_not(month)
    os.mkfifo(tmp_path / "pipe")
    assert "no regular file" in why_not(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        assert "can't be read" in why_not(tmp_path / "socket")
    assert why_not(month / "gone.pdf") == "there is no such file"
    assert why_not(tmp_path / "a\0b").endswith("can't be read: not a name of a file")
    assert "can't be read" in why_not(file / "below")


def test_a_manifest_that_is_a_link_is_not_followed(month: Path) -> None:
    sig(month / "statements/AUR.pdf").unlink()
    (month / "manifest.json").rename(month / "real.json")
    (month / "manifest.json").symlink_to(month / "real.json")
    assert "manifest.json is a symbolic link" in why_not(month / "statements/AUR.pdf")


def test_a_huge_file_is_streamed_or_not_read_at_all(
    month: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = tmp_path / "big.csv"
    with big.open("wb") as file:
        file.truncate(40 << 20)
    content_digest = sha256(bytes(40 << 20)).hexdigest()
    sig(big).write_bytes(HOUSE.sign("statements/AUR.csv", bytes(40 << 20)))
    asked: list[int] = []
    monkeypatch.setattr("clearinghouse.operations.verifying.sha256", _Counting(asked))
    assert verify_file(big, KEYS).claims.sha256 == content_digest
    assert max(asked) <= 1 << 20
    # A file of another size than was signed is refused unread, whatever it holds.
    asked.clear()
    with big.open("r+b") as file:
        file.truncate(1 << 38)
    assert "the content is not what was signed" in why_not(big)
    assert asked == []


class _Counting:
    """Hashes as SHA-256 does, and notes how much it is given at once."""

    def __init__(self, asked: list[int]) -> None:
        self.asked = asked

    def __call__(self, content: bytes = b"") -> Any:
        asked, digest = self.asked, sha256(content)

        class Hash:
            def update(self, block: bytes) -> None:
                asked.append(len(block))
                digest.update(block)

            def hexdigest(self) -> str:
                return digest.hexdigest()

        return Hash()


def _encoded(document: Any) -> bytes:
    return urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode()).rstrip(b"=")


GOOD = HOUSE.sign("statements/AUR.pdf", b"x")
HEADER, PAYLOAD, SIGNATURE = GOOD.split(b".")
CLAIMS = {"party": "AUR", "path": "a", "period": "2026-10", "sha256": "0" * 64, "size": 1}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"..",
        b"a.b.c.d",
        b'{"sha256": "0"}',
        GOOD[:-1],
        GOOD + b"A",
        GOOD + b"=",
        GOOD * 20,
        b".".join((HEADER, PAYLOAD, b"")),
        b".".join((b"", PAYLOAD, SIGNATURE)),
        b".".join((_encoded({"alg": "none", "kid": HOUSE.kid}), PAYLOAD, SIGNATURE)),
        b".".join((_encoded({"alg": "HS256", "kid": HOUSE.kid, "typ": "JWT"}), PAYLOAD, SIGNATURE)),
        b".".join(
            (_encoded({"alg": "Ed25519", "crit": ["x"], "kid": HOUSE.kid}), PAYLOAD, SIGNATURE)
        ),
        b".".join((_encoded([]), PAYLOAD, SIGNATURE)),
        b".".join((_encoded({"kid": 1}), PAYLOAD, SIGNATURE)),
        *(
            b".".join((HEADER, _encoded(CLAIMS | change), SIGNATURE))
            for change in (
                {"path": "../../etc/passwd"},
                {"path": "/a"},
                {"path": "a//b"},
                {"path": "a\n"},
                {"party": ""},
                {"party": "\x1b[2J"},
                {"period": "2026-13"},
                {"period": "2026-1"},
                {"sha256": "0" * 63},
                {"sha256": "G" * 64},
                {"size": -1},
                {"size": True},
                {"size": 1.0},
                {"size": "1"},
                {"more": 1},
            )
        ),
        b".".join((HEADER, urlsafe_b64encode(b"[" * 2000).rstrip(b"="), SIGNATURE)),
    ],
)
def test_what_is_no_signature_of_ours_is_not_read(month: Path, text: bytes) -> None:
    with pytest.raises(Unreadable):
        opened(text)
    file = month / "statements/AUR.pdf"
    sig(file).write_bytes(text)
    assert "AUR.pdf.sig: " in why_not(file)


def test_a_line_feed_behind_a_signature_is_no_harm(month: Path) -> None:
    file = month / "statements/AUR.pdf"
    sig(file).write_bytes(sig(file).read_bytes() + b"\n")
    assert isinstance(verify_file(file, KEYS), Proved)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([], "no key"),
        ([OTHER.jwk(purpose="token")], "no key of published files"),
        ([{"kty": "RSA", "n": "x", "e": "AQAB"}], "no key of published files"),
        ([HOUSE.jwk() | {"kid": OTHER.kid}], "not the one that its kid names"),
        ([HOUSE.jwk() | {"x": "AA"}], "no Ed25519 key"),
        ([HOUSE.jwk() | {"x": 1}], "base64url|no Ed25519 key"),
        ([1], "no JWK set"),
        ({}, "no JWK set"),
    ],
)
def test_what_holds_no_keys_is_refused(keys: object, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_key_set(json.dumps({"keys": keys}).encode())


def test_a_key_set_is_read_as_it_is_published() -> None:
    text = json.dumps(
        {"keys": [OTHER.jwk(purpose="token"), HOUSE.jwk(purpose="statement", alg="Ed25519")]}
    )
    found = read_key_set(text.encode())
    assert list(found) == [HOUSE.kid]
    for broken in (b"", b"[]", b"{", b" " * (2 << 20), b"\xff"):
        with pytest.raises(Unreadable):
            read_key_set(broken)
