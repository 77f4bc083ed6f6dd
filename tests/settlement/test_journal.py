"""The journal as a ledger: hledger accepts it, and what hledger adds up is what the books hold."""

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from clearinghouse.domain.accounts import AccountKind, kind_of, owner_of
from clearinghouse.domain.calendar import first_day, last_day, parse_period
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.collateral import post_collateral
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from settlement.journal import export_journal
from tests.alliances import CARDS, PACK, MiniAlliance, live_a_while
from tests.conftest import Server
from tests.operations.shared_alliance import shared_alliance
from tests.payments.lived import pay_a_while

NASTY = "a;b | c (d) %3B =x  * ! date:[2026-13-99] 收据№1 #"
CJK_HOTEL = "京-1.甲"
NAMES = {
    AccountKind.TRAVELLER_POINTS: "traveller:{}:points",
    AccountKind.TRAVELLER_STORED_VALUE: "traveller:{}:stored-value",
    AccountKind.TRAVELLER_DEBT: "traveller:{}:debt",
    AccountKind.POINTS_ISSUED: "hotel:{}:points:issued",
    AccountKind.POINTS_REDEEMED: "hotel:{}:points:redeemed",
    AccountKind.POINTS_EXPIRED: "hotel:{}:points:expired",
    AccountKind.POINTS_REVERSED: "hotel:{}:points:reversed",
    AccountKind.POINTS_DEBTS: "hotel:{}:points:debts",
    AccountKind.STORED_VALUE_ISSUED: "hotel:{}:stored-value:issued",
    AccountKind.STORED_VALUE_USED: "hotel:{}:stored-value:used",
    AccountKind.POSITION: "system:{}:position",
    AccountKind.FEES: "clearing-house:fees",
    AccountKind.VAT: "clearing-house:vat",
    AccountKind.COLLATERAL: "system:{}:collateral",
    AccountKind.BANK: "clearing-house:bank",
    AccountKind.UNALLOCATED: "clearing-house:unallocated",
}
#: Also where no UTF-8 locale is set, as in many containers.
BARE = {"PATH": "/usr/bin:/bin:/usr/local/bin", "LANG": "C"}


@pytest.fixture(scope="session")
def hledger() -> str:
    found = shutil.which("hledger")
    if found is None:
        pytest.skip("hledger is not installed; `make tools` installs it where that is possible")
    return found


@pytest.fixture(scope="module")
def lived(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniAlliance]:
    """Three months of everything, October and November settled, with a hotel and references that need care.

    Tests may post more to December; whatever they compare is read then.
    """
    hotels = (*PACK["hotels.csv"], (CJK_HOTEL, "AUR", "京城酒店", "Capital", "北京市"))
    with shared_alliance(
        server,
        tmp_path_factory.mktemp("lived"),
        rulebook={"points_expiry_months": 1, "restore_grace_days": 5},
        files={"hotels.csv": hotels},
    ) as alliance:
        live_a_while(alliance)
        alliance.accept("award", CJK_HOTEL, NASTY, "T1", "2026-12-09", points=7)
        alliance.accept("refund", CJK_HOTEL, "; |", "T1", "2026-12-10", points=2, original=NASTY)
        pay_a_while(alliance.context, tmp_path_factory.mktemp("bank"), parse_period("2026-10"))
        by = Authority("treasurer", "pledge", "controller")
        post_collateral(alliance.context, "AUR", 50_000, "C-1", by)
        yield alliance


def written(context: Context, month: str, folder: Path) -> Path:
    path = folder / f"{month}.journal"
    with path.open("wb") as file:
        file.writelines(export_journal(context, parse_period(month)))
    return path


def ask(hledger: str, journal: Path, *arguments: str) -> str:
    result = subprocess.run(
        [hledger, "-f", str(journal), *arguments],
        capture_output=True, text=True, check=False, env=BARE,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


def balances(hledger: str, journal: Path) -> dict[str, int]:
    """What hledger adds up for every account that is not at zero, in points or fen."""
    out = ask(hledger, journal, "balance", "--flat", "--no-total", "-O", "csv")
    found = {}
    for row in csv.DictReader(io.StringIO(out)):
        amount, commodity = row["balance"].split()
        assert commodity in ("POINT", "CNY")
        found[unquote(row["account"])] = int(amount.replace(".", ""))
        assert ("." in amount) == (commodity == "CNY")
    return found


def books(context: Context, month: str) -> dict[str, int]:
    """What the postings add up to by the end of a month, debits positive."""
    with context.database.office() as session:
        hotels: dict[int, str] = dict(session.rows("SELECT number, code FROM hotels"))
        systems: dict[int, str] = dict(session.rows("SELECT number, code FROM systems"))
        rows = session.rows(
            "SELECT account, sum(amount)::bigint FROM ("
            " SELECT debit AS account, amount FROM postings WHERE period <= %s"
            " UNION ALL SELECT credit, -amount FROM postings WHERE period <= %s) AS sides"
            " GROUP BY 1 HAVING sum(amount) <> 0",
            [parse_period(month), parse_period(month)],
        )
    found = {}
    for account, amount in rows:
        kind, owner = kind_of(account), owner_of(account)
        if AccountKind.POINTS_ISSUED <= kind < AccountKind.POSITION:
            whose = hotels[owner]
        else:
            whose = systems[owner] if AccountKind.POSITION <= kind < AccountKind.FEES else owner
        found[NAMES[kind].format(whose)] = amount
    return found


def entries(hledger: str, journal: Path) -> Iterator[dict[str, Any]]:
    for entry in json.loads(ask(hledger, journal, "print", "-O", "json")):
        yield {
            "date": entry["tdate"],
            "date2": entry["tdate2"],
            "code": entry["tcode"],
            "description": entry["tdescription"],
            "tags": entry["ttags"],
        }


@pytest.mark.parametrize("month", ["2026-10", "2026-11", "2026-12", "2027-01"])
def test_hledger_accepts_it_and_adds_up_to_our_balances(
    lived: MiniAlliance, hledger: str, tmp_path: Path, month: str
) -> None:
    journal = written(lived.context, month, tmp_path)
    ask(hledger, journal, "check", "--strict", "ordereddates", "payees")
    assert balances(hledger, journal) == books(lived.context, month)


def test_the_sample_has_every_kind_of_entry_and_account(lived: MiniAlliance) -> None:
    kinds = lived.rows("SELECT kind FROM transactions UNION SELECT kind FROM entries")
    assert {kind for (kind,) in kinds} == {
        "award", "bank_line", "collateral_posted", "expiry", "load", "payment_corrected", "payment_in",
        "payment_out", "payment_returned", "redeem", "refund", "spend", "stored_value_spend", "vat",
    }  # fmt: skip
    accounts = lived.rows("SELECT debit FROM postings UNION SELECT credit FROM postings")
    # What is borne for a defaulter has tests of its own (test_default.py).
    borne = {AccountKind.CLAIM, AccountKind.GUARANTEE_FUND}
    assert {kind_of(number) for (number,) in accounts} == set(AccountKind) - borne


def test_a_month_can_be_read_from_the_entries(
    lived: MiniAlliance, hledger: str, tmp_path: Path
) -> None:
    month = "2026-11"
    found = list(entries(hledger, written(lived.context, month, tmp_path)))
    assert found[0]["description"] == "clearing-house | balances of earlier months"
    assert found[0]["date"] == str(first_day(parse_period(month)))
    assert found[-1]["description"] == "clearing-house | balances at the end of the month"
    assert found[-1]["date"] == str(last_day(parse_period(month)))
    told = [entry["description"] for entry in found[1:-1]]
    assert "CLD-GZ | redeem 18" in told
    assert "AUR-SH | refund 19 of 16" in told
    assert {"clearing-house | expiry", "clearing-house | vat"} <= set(told)
    assert all(entry["code"].startswith(("txn_", "entry_")) for entry in found[1:-1])


def test_a_late_line_keeps_its_business_date_beside_a_date_of_the_month(
    lived: MiniAlliance, hledger: str, tmp_path: Path
) -> None:
    found = list(entries(hledger, written(lived.context, "2026-11", tmp_path)))
    late = [entry for entry in found if entry["date2"] is not None]
    assert [(e["date"], e["date2"], e["description"], e["tags"]) for e in late] == [
        ("2026-11-01", "2026-10-31", "BAM-HZ | spend 15", [["late", ""]])
    ]


def test_references_that_hledger_would_take_for_syntax_come_back_as_they_were(
    lived: MiniAlliance, hledger: str, tmp_path: Path
) -> None:
    journal = written(lived.context, "2026-12", tmp_path)
    journal.read_bytes().decode("ascii")
    found = list(entries(hledger, journal))
    tags = {unquote(entry["description"]): entry["tags"] for entry in found}
    assert tags[f"{CJK_HOTEL} | award {NASTY}"] == []
    assert tags[f"{CJK_HOTEL} | refund ; | of {NASTY}"] == []
    assert CJK_HOTEL in map(unquote, ask(hledger, journal, "payees").splitlines())


def test_lots_can_be_followed(lived: MiniAlliance, hledger: str, tmp_path: Path) -> None:
    number, remaining = lived.rows(
        "SELECT number, remaining FROM lots WHERE remaining > 0 AND asset = 1 ORDER BY number DESC LIMIT 1"
    )[0]
    journal = written(lived.context, "2026-12", tmp_path)
    out = ask(
        hledger, journal, "balance", "acct:^traveller", f"tag:lot=^{number}$", "-N", "-O", "csv"
    )
    assert out.splitlines()[1].split('"')[3] == f"-{remaining} POINT"


def test_a_published_month_is_the_same_for_ever_and_an_open_one_says_that_it_is_open(
    lived: MiniAlliance,
) -> None:
    october, december = parse_period("2026-10"), parse_period("2026-12")
    before = b"".join(export_journal(lived.context, october))
    told = b"".join(export_journal(lived.context, december)).decode()
    lived.accept("spend", "CLD-GZ", "late", "T1", "2026-10-30", amount=100_000)
    assert b"".join(export_journal(lived.context, october)) == before
    assert b"Not final" not in before
    assert "; Not final, as of " in told
    assert "; 2026-12 is still open; entries may follow.\n" in told
    assert "2026-11 is" not in told
    assert b"".join(export_journal(lived.context, december)).decode() != told


def test_it_has_no_personal_data_and_no_card_numbers(lived: MiniAlliance) -> None:
    text = b"".join(export_journal(lived.context, parse_period("2026-12"))).decode()
    for secret in (*CARDS.values(), "13800138", "李芳", "%E6%9D%8E", "T1"):
        assert secret not in text


def test_hledger_notices_an_entry_that_is_missing(
    lived: MiniAlliance, hledger: str, tmp_path: Path
) -> None:
    journal = written(lived.context, "2026-10", tmp_path)
    parts = journal.read_text(encoding="ascii").split("\n\n")
    number = next(n for n, part in enumerate(parts) if "redeem 12" in part)
    journal.write_text("\n\n".join(parts[:number] + parts[number + 1 :]), encoding="ascii")
    result = subprocess.run(
        [hledger, "-f", str(journal), "check"],
        capture_output=True,
        text=True,
        check=False,
        env=BARE,
    )
    assert result.returncode != 0
    assert "balance assertion" in result.stderr


def test_a_month_without_postings_is_refused_before_anything_is_written(
    lived: MiniAlliance,
) -> None:
    with pytest.raises(NotFound, match="nothing is posted in 2027-05"):
        export_journal(lived.context, parse_period("2027-05"))


def test_what_is_posted_meanwhile_does_not_tear_it(
    lived: MiniAlliance, hledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts are declared at the beginning of the stream, balances asserted at its end."""
    monkeypatch.setattr("settlement.journal._BLOCK_CHARACTERS", 1)
    stream = export_journal(lived.context, parse_period("2026-12"))
    path = tmp_path / "torn.journal"
    with path.open("wb") as file:
        file.write(next(stream))
        lived.accept("spend", "AUR-SH", "meanwhile", "T2", "2026-12-20", amount=999_900)
        file.writelines(stream)
    ask(hledger, path, "check", "--strict")
    assert "meanwhile" not in path.read_text(encoding="ascii")
    after = written(lived.context, "2026-12", tmp_path)
    assert "meanwhile" in after.read_text(encoding="ascii")


def test_the_real_months(
    context: Context, shared_folder: Path, hledger: str, tmp_path: Path
) -> None:
    folder = shared_folder / "data/alliance"
    net: dict[str, int] = {}
    for month in ("2017-01", "2017-02"):
        import_pack(context, folder / month)
        with (folder / "expected" / month / "positions.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                code = row["system_code"]
                net[code] = net.get(code, 0) + int(row["net_minor"])
        journal = written(context, month, tmp_path)
        ask(hledger, journal, "check", "--strict", "ordereddates", "payees")
        found = balances(hledger, journal)
        assert found == books(context, month)
        # A credit is what a system receives.
        positions = {code: -found.get(f"system:{code}:position", 0) for code in net}
        assert positions == net


def test_the_moment_of_an_unfinished_export_is_told_in_utc(lived: MiniAlliance) -> None:
    lived.clock.now = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    text = b"".join(export_journal(lived.context, parse_period("2026-12"))).decode()
    assert "as of 2027-01-02T03:04:05Z" in text


def test_payments_are_in_it_with_their_references(
    lived: MiniAlliance, hledger: str, tmp_path: Path
) -> None:
    found = [
        entry["description"]
        for entry in entries(hledger, written(lived.context, "2027-01", tmp_path))
    ]
    assert "clearing-house | bank_line P1" in found
    assert "clearing-house | payment_returned CH-202610-BAM-1" in found
    assert "clearing-house | collateral_posted C-1" in found
