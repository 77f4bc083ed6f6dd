"""Signatures and keys over HTTP: one's own, as they are stored, and a statement that verifies after its download."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.verify import verify
from clearinghouse.config import Settings
from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.signing import opened
from clearinghouse.operations.signing_keys import STATEMENTS, rotate
from settlement.run import signatures_of
from tests.api.service import AUTHORITY, Service

PERIOD = parse_period("2026-10")
KEYS = "/.well-known/jwks.json"


@pytest.fixture
def settled(service: Service) -> Service:
    service.alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    service.alliance.settle("2026-10")
    return service


@pytest.mark.parametrize("suffix", ["pdf", "xlsx", "csv", "json", "xml"])
def test_a_downloaded_statement_verifies(settled: Service, tmp_path: Path, suffix: str) -> None:
    bam = settled.client("BAM")
    path = f"/v1/periods/2026-10/statement.{suffix}"
    content, signature = bam.get(path), bam.get(f"{path}.sig")
    assert (signature.status_code, signature.content_type) == (200, "application/jose")
    assert signature.headers["Cache-Control"] == "private, no-cache"
    claims = opened(signature.get_data()).claims
    assert claims.party == "BAM"
    assert signature.get_data() == signatures_of(settled.context, PERIOD)[claims.path]
    name = content.headers["Content-Disposition"].partition("filename=")[2]
    (tmp_path / name).write_bytes(content.get_data())
    (tmp_path / f"{name}.sig").write_bytes(signature.get_data())
    (tmp_path / "keys.json").write_bytes(settled.http.get(KEYS).get_data())
    words = ["--keys", str(tmp_path / "keys.json"), str(tmp_path / name)]
    result = CliRunner().invoke(verify, words, obj=Settings(tmp_path))
    assert (result.exit_code, "OK · 2026-10 · BAM" in result.stdout) == (0, True), result.output


def test_a_debit_note_has_its_signature_too(settled: Service) -> None:
    signature = settled.client("BAM").get("/v1/periods/2026-10/debit-note.pdf.sig")
    claims = opened(signature.get_data()).claims
    assert (signature.status_code, claims.party) == (200, "BAM")
    answer = settled.client("AUR").get("/v1/periods/2026-10/debit-note.pdf.sig")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_everybody_gets_the_own_signature_and_no_other(settled: Service) -> None:
    path = "/v1/periods/2026-10/statement.pdf.sig"
    parties = {
        opened(caller.get(path).get_data()).claims.party
        for caller in (settled.client("AUR"), settled.client("BAM"), settled.operator())
    }
    assert parties == {"AUR", "BAM", "OPERATOR"}
    desk = settled.client("AUR", hotels=["AUR-BJ"]).get(path)
    assert (desk.status_code, desk.json["code"]) == (403, "system_client_needed")
    aur = settled.client("AUR")
    for unknown in (
        "2026-11/statement.pdf.sig",
        "2026-13/statement.pdf.sig",
        "x/statement.pdf.sig",
        "2026-10/statement.exe.sig",
        "2026-10/statement.camt053.sig",
        "2026-10/statement.pdf.sig.sig",
        "2026-10/statement..sig",
        "2026-10/statement.%2e%2e%2fBAM.pdf.sig",
    ):
        answer = aur.get(f"/v1/periods/{unknown}")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), unknown


def test_a_signature_is_not_there_before_its_statement(
    settled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settlement.published.PUBLISHED", ("settled",))
    assert settled.client("BAM").get("/v1/periods/2026-10/statement.pdf.sig").status_code == 404


def test_keys_of_statements_stay_published_and_say_what_became_of_them(settled: Service) -> None:
    def keys() -> list[dict[str, object]]:
        found = settled.http.get(KEYS).json["keys"]
        return [key for key in found if key["purpose"] == "statement"]

    (first,) = keys()
    assert "d" not in first
    second = rotate(settled.context, STATEMENTS, AUTHORITY, compromised=False)
    third = rotate(settled.context, STATEMENTS, AUTHORITY, compromised=True)
    clock = settled.alliance.clock
    clock.pass_to(clock.now.replace(year=2030))
    found = {key["kid"]: key for key in keys()}
    assert list(found) == [third, second, first["kid"]]
    assert found[str(first["kid"])] == first
    revoked = found[second]["revoked"]
    assert isinstance(revoked, dict)
    assert revoked["reason"] == "compromised"
    assert "revoked" not in found[third]
