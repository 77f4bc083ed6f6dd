"""What an independent reader broke once: each of these must stay mended."""

import json
from pathlib import Path

import pytest

from api.demo import write_sample_packs
from clearinghouse.config import Settings
from clearinghouse.domain.errors import ConfigError, PackFault
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.operations.opening import opened


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs")
    write_sample_packs(folder, travellers=200, lines=1_000)
    return folder


def test_no_system_may_take_the_clearing_houses_name(context: Context, tmp_path: Path) -> None:
    (tmp_path / "systems.csv").write_text(
        "system_code,name_zh,name_en,uscc,bank_account,net_debit_cap_minor,collateral_minor\n"
        "Operator,示例,Sample,,,,0\n",
        encoding="utf-8",
    )
    with pytest.raises(PackFault, match="clearing house's own"):
        import_pack(context, tmp_path)


def test_another_master_key_is_refused_before_any_line_is(
    context: Context, database_url: str, packs: Path, tmp_path: Path
) -> None:
    import_pack(context, packs / "2025-10")
    right = Settings(data_dir=tmp_path, database_url=database_url, master_key=bytes(32))
    with opened(right):
        pass
    wrong = Settings(data_dir=tmp_path, database_url=database_url, master_key=bytes(31) + b"x")
    with pytest.raises(ConfigError, match="master key"), opened(wrong):
        pass


def test_a_repeated_pack_accepts_for_nobody_who_joined_since(
    context: Context, packs: Path, tmp_path: Path
) -> None:
    def acceptances() -> int:
        with context.database.office() as session:
            return int(session.rows("SELECT count(*) FROM acceptances")[0][0])

    import_pack(context, packs / "2025-10")
    before = acceptances()
    assert before > 0
    (tmp_path / "systems.csv").write_text(
        "system_code,name_zh,name_en,uscc,bank_account,net_debit_cap_minor,collateral_minor\n"
        "NEWCOMER,示例新成员,Sample Newcomer,,,,0\n",
        encoding="utf-8",
    )
    import_pack(context, tmp_path)
    import_pack(context, packs / "2025-10")
    assert acceptances() == before


def test_the_payer_of_a_fee_is_the_host_and_nobody_else(context: Context, tmp_path: Path) -> None:
    document = {
        "version": "v",
        "effective_from": "2026-01-01",
        "fees": {"spend": {"payer": "issuer"}},
    }
    (tmp_path / "rulebook.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(PackFault, match="payer must be host"):
        import_pack(context, tmp_path)
    document["fees"] = {"spend": {"payer": "host"}}
    (tmp_path / "rulebook.json").write_text(json.dumps(document), encoding="utf-8")
    import_pack(context, tmp_path)
