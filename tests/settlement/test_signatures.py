"""Every published file is signed by the key of its period, whatever becomes of that key, and proved without books."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner

from api.cli.books import settle_period, statement
from api.cli.keys import keys_commands
from api.cli.verify import verify
from clearinghouse.config import Settings
from clearinghouse.domain.errors import BooksDoNotBalance, ConfigError
from clearinghouse.domain.signing import opened
from clearinghouse.operations import signing, signing_keys
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.signing_keys import STATEMENTS, TOKENS, rotate
from clearinghouse.store import signatures
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from settlement.frozen_run import read_run
from settlement.netting import net_period
from settlement.publishing import publish
from settlement.run import files_of, read_file, settle, signatures_of
from settlement.stages import make_period_files, make_statement
from tests.alliances import TestClock
from tests.conftest import Server
from tests.settlement.signed_books import NOVEMBER, NOW, OCTOBER, SEPTEMBER, WHY, Books, all_files


def test_all_files_of_a_month_are_written_with_their_signatures_and_verify(books: Books) -> None:
    books.office.run(settle_period, "2026-09", "--out", books.out)
    folder = books.out / "2026-09"
    files = all_files(folder)
    published = {file.path for file in files_of(books.context, SEPTEMBER)}
    assert {file.relative_to(folder).as_posix() for file in files} == published
    code, lines = books.verified(*files)
    assert code == 0, lines
    assert len(lines) == len(published)
    kid = books.key_of(SEPTEMBER)
    for file, line in zip(files, lines, strict=True):
        party = (
            file.stem.split(".")[0]
            if file.parent.name in ("statements", "debit_notes")
            else "OPERATOR"
        )
        assert line.startswith(f"{file}: 有效 OK · 2026-09 · {party} · ")
        assert f"key {kid} · 指纹 fingerprint " in line
    # A signature among the arguments stands for its file, which is proved once.
    everything = sorted((folder / "statements").iterdir())
    assert len(books.verified(*everything)[1]) == len(everything) // 2
    assert books.failing() == []


def test_one_statement_is_written_with_its_signature(books: Books, tmp_path: Path) -> None:
    out = tmp_path / "mine.pdf"
    books.office.run(statement, "2026-09", "BAM", "--out", out)
    keys = tmp_path / "keys.json"
    books.office.run(keys_commands, "export", "--out", keys)
    code, (line,) = books.verified("--keys", keys, out)
    assert (code, "2026-09 · BAM · statements/BAM.pdf" in line) == (0, True)
    books.office.run(statement, "2026-09", "BAM", "--out", os.devnull)
    assert not Path(f"{os.devnull}.sig").exists()
    for wanted in (["--period", "2026-10"], ["--party", "AUR"]):
        code, (line,) = books.verified("--keys", keys, *wanted, out)
        assert (code, "无效 FAILED" in line) == (1, True)
    assert books.verified("--keys", keys, "--period", "2026-09", "--party", "BAM", out)[0] == 0


def test_one_bad_file_fails_the_command_and_hides_no_other(books: Books) -> None:
    books.office.run(settle_period, "2026-09", "--out", books.out)
    folder = books.out / "2026-09"
    (folder / "positions.csv").write_bytes(b"forged")
    escape = books.out / "a\x1b[2Jb\nc.pdf"
    code, lines = books.verified(folder / "positions.csv", folder / "manifest.json", escape)
    assert code == 1
    assert ["FAILED" in line for line in lines] == [True, False, True]
    assert all(line.isprintable() for line in lines)


def test_keys_that_lie_beside_the_files_are_told_and_trusted_ones_win(
    books: Books, tmp_path: Path
) -> None:
    books.office.run(settle_period, "2026-09", "--out", books.out)
    file = books.out / "2026-09" / "positions.csv"
    own = Settings(tmp_path / "reader")
    beside = CliRunner().invoke(verify, [str(file)], obj=own)
    assert (beside.exit_code, "compare the fingerprint" in beside.stderr) == (0, True)
    trusted = CliRunner().invoke(
        keys_commands, ["trust", "--yes", str(books.out / "jwks.json")], obj=own
    )
    assert (trusted.exit_code, str(books.key_of(SEPTEMBER)) in trusted.output) == (0, True)
    known = CliRunner().invoke(verify, [str(file)], obj=own)
    assert (known.exit_code, known.stderr) == (0, "")
    # Whoever makes files can make keys to lie beside them: those that are trusted win.
    forged = json.loads((books.out / "jwks.json").read_text())
    other = signing_keys.all_keys(books.context, STATEMENTS)[0].public_key
    assert forged["keys"][0]["x"] == other["x"]
    (books.out / "jwks.json").write_text('{"keys": []}')
    assert CliRunner().invoke(verify, [str(file)], obj=own).exit_code == 0
    refused = CliRunner().invoke(keys_commands, ["trust", str(file)], obj=own)
    assert "can't be used" in str(refused.exception)
    (books.out / "jwks.json").unlink()
    code, (line,) = books.verified(file)
    assert (code, "there are no keys" in line) == (1, True)


def test_the_key_is_fixed_when_the_month_is_closing(books: Books) -> None:
    close(books.context, OCTOBER)
    former = books.key_of(OCTOBER)
    newer = books.rotate()
    assert former == books.key_of(SEPTEMBER) != newer
    settle(books.context, OCTOBER)
    assert books.key_of(OCTOBER) == former
    run = read_run(books.context, OCTOBER)
    document = json.loads(b"".join(read_file(books.context, OCTOBER, "manifest.json")))
    assert run.key
    assert document["signing_key"] == {"kid": former, "fingerprint": run.key.fingerprint}
    text = b"".join(read_file(books.context, OCTOBER, "statements/AUR.json")).decode()
    assert run.key.fingerprint in text
    books.context.clock.pass_to(datetime(2026, 12, 8, tzinfo=UTC))  # type: ignore[attr-defined]  a TestClock
    settle(books.context, NOVEMBER)
    assert books.key_of(NOVEMBER) == newer
    published = signing_keys.published_keys(books.context)
    assert [key["kid"] for key in published] == [newer, former]
    for month in ("2026-09", "2026-10", "2026-11"):
        books.office.run(settle_period, month, "--out", books.out)
    files = all_files(books.out)
    files.remove(books.out / "jwks.json")
    code, lines = books.verified(*files)
    assert (code, {line.split("key ")[1].split(" ")[0] for line in lines}) == (0, {former, newer})
    assert books.failing() == []


def test_a_run_that_is_resumed_signs_to_the_same_bytes(
    server: Server, books: Books, signed_template: str
) -> None:
    settle(books.context, OCTOBER)
    name = server.new_database(template=signed_template)
    database = Database(server.url(name))
    clock = TestClock(NOW)
    context = Context(database, Vault(bytes(32)), clock)
    close(context, OCTOBER)
    clock.pass_to(NOW + timedelta(days=9))
    rotate(context, STATEMENTS, WHY, compromised=False)
    settle(context, OCTOBER)
    assert signatures_of(context, OCTOBER) == signatures_of(books.context, OCTOBER)
    assert files_of(context, OCTOBER) == files_of(books.context, OCTOBER)
    database.close()
    server.drop(name)


def test_a_compromised_key_proves_nothing_and_everything_is_signed_anew(books: Books) -> None:
    books.office.run(settle_period, "2026-09", "--out", books.out)
    former = books.key_of(SEPTEMBER)
    before = signatures_of(books.context, SEPTEMBER)
    contents = {file.path: file.sha256 for file in files_of(books.context, SEPTEMBER)}
    close(books.context, OCTOBER)
    kid = books.rotate(compromised=True)
    assert (books.key_of(OCTOBER), books.key_of(SEPTEMBER)) == (kid, None)
    assert books.failing() == ["7.5"]
    assert signing.sign_anew(books.context, WHY) == [SEPTEMBER]
    assert signing.sign_anew(books.context, WHY) == []
    assert (books.key_of(SEPTEMBER), books.named(SEPTEMBER)) == (kid, former)
    assert books.failing() == []
    assert books.differing(SEPTEMBER) == []
    settle(books.context, OCTOBER)
    assert (books.named(OCTOBER), books.differing(OCTOBER)) == (kid, [])
    keys = books.out / "new.json"
    books.office.run(keys_commands, "export", "--out", keys)
    files = all_files(books.out / "2026-09")
    code, lines = books.verified("--keys", keys, *files)
    assert code == 1
    assert all(f"key {former} was compromised" in line for line in lines)
    assert {file.path: file.sha256 for file in files_of(books.context, SEPTEMBER)} == contents
    assert not set(signatures_of(books.context, SEPTEMBER).values()) & set(before.values())
    for month in ("2026-09", "2026-10"):
        books.office.run(settle_period, month, "--out", books.out)
    code, lines = books.verified(
        "--keys", keys, *all_files(books.out / "2026-09"), *all_files(books.out / "2026-10")
    )
    assert (code, {f"key {kid} " in line for line in lines}) == (0, {True})


def test_a_key_of_long_ago_may_be_withdrawn(books: Books) -> None:
    former = books.key_of(SEPTEMBER)
    close(books.context, OCTOBER)
    newer = books.rotate()
    told = books.office.run(keys_commands, "withdraw", former, "--reason", "test")
    assert told.splitlines() == [
        f"key {former} is withdrawn",
        "the files of 2026-09 are signed anew",
    ]
    assert books.key_of(SEPTEMBER) == books.key_of(OCTOBER) == newer
    assert books.failing() == []
    again = books.office.run(keys_commands, "withdraw", newer, "--reason", "test")
    assert "2026-09 are signed anew" in again
    assert books.key_of(OCTOBER) not in (former, newer, None)
    settle(books.context, OCTOBER)
    assert books.failing() == []
    assert "no signing key x" in books.office.refusal(
        keys_commands, "withdraw", "x", "--reason", "test"
    )


def test_a_key_that_is_compromised_in_the_middle_of_a_run_signs_nothing(books: Books) -> None:
    close(books.context, OCTOBER)
    net_period(books.context, OCTOBER)
    run = read_run(books.context, OCTOBER)
    for whose in (*run.positions, None):
        make_statement(books.context, run, whose, wait=True)
    make_period_files(books.context, run)
    kid = books.rotate(compromised=True)
    publish(books.context, run)
    # What is made stays: it names the former key, and another one has signed it.
    former = books.named(OCTOBER)
    document = json.loads(b"".join(read_file(books.context, OCTOBER, "manifest.json")))
    assert document["signing_key"]["kid"] == former == books.named(SEPTEMBER) != kid
    signed = {opened(text).kid for text in signatures_of(books.context, OCTOBER).values()}
    assert signed == {kid}
    assert books.differing(OCTOBER) == []
    assert signing.sign_anew(books.context, WHY) == [SEPTEMBER]
    assert books.failing() == []


def test_what_was_changed_in_the_books_is_not_signed_anew(books: Books) -> None:
    books.rotate(compromised=True)
    books.tamper(
        "UPDATE period_file_chunks SET bytes = bytes || 'x' WHERE path = 'statements/AUR.pdf'"
    )
    with pytest.raises(BooksDoNotBalance, match=r"statements/AUR.pdf of 2026-09 is not what was"):
        signing.sign_anew(books.context, WHY)
    assert books.key_of(SEPTEMBER) is None


def test_a_token_key_that_is_compromised_is_out_at_once(books: Books) -> None:
    for compromised in (False, True):
        kid = books.rotate(purpose=TOKENS, compromised=compromised)
    found = {key.kid: key for key in signing_keys.all_keys(books.context, TOKENS)}
    assert len(found) == 2
    (former,) = [key for key in found.values() if key.kid != kid]
    assert former.compromised_at
    assert former.retired_at
    assert books.key_of(SEPTEMBER)
    assert books.failing() == []


def test_without_the_master_key_a_month_is_not_even_closed(books: Books) -> None:
    other = replace(books.context, vault=Vault(bytes([1]) * 32))
    with pytest.raises(ConfigError):
        close(other, OCTOBER)
    with books.context.database.office() as session:
        assert session.row("SELECT state FROM periods WHERE period = %s", [OCTOBER]) == ("open",)


@pytest.mark.parametrize("role", ["clearinghouse_poster", None])
@pytest.mark.parametrize(
    "deed",
    [
        "DELETE FROM signing_keys",
        "UPDATE signing_keys SET public_key = '{}'",
        "UPDATE signing_keys SET retired_at = '2026-01-01' WHERE retired_at IS NOT NULL",
        "UPDATE signing_keys SET compromised_at = NULL WHERE compromised_at IS NOT NULL",
        "UPDATE file_signatures SET signature = 'x'",
        "DELETE FROM file_signatures",
        "DELETE FROM period_keys",
        "TRUNCATE file_signatures",
        "TRUNCATE signing_keys CASCADE",
    ],
)
def test_the_database_keeps_keys_and_signatures(books: Books, deed: str, role: str | None) -> None:
    books.rotate(compromised=True)
    url = books.context.database.owner_url.replace("+psycopg2", "", 1)
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        if role:
            cursor.execute(f"SET ROLE {role}")
        with pytest.raises(
            (psycopg2.errors.RestrictViolation, psycopg2.errors.InsufficientPrivilege)
        ):
            cursor.execute(deed)
    connection.close()


def test_a_system_sees_its_own_signatures_and_nobody_elses(books: Books) -> None:
    with books.context.database.office() as session:
        ((aur,),) = session.rows("SELECT number FROM systems WHERE code = 'AUR'")
    with books.context.database.reading(aur) as session:
        assert session.rows("SELECT DISTINCT system FROM file_signatures") == [(aur,)]
        assert signatures.signature_of(session, SEPTEMBER, "statements/BAM.pdf") is None
        assert signatures.signature_of(session, SEPTEMBER, "manifest.json") is None
        assert signatures.signature_of(session, SEPTEMBER, "statements/AUR.pdf")
