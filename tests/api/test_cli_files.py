"""Where commands write their files: devices, pipes, links, and places that two commands want or that are taken."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from api.cli.common import write_file
from api.cli.imports import import_pack_command
from api.cli.journal import export_journal
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.operations.context import Context
from tests.alliances import PACK, RULEBOOK, MiniAlliance, write_rows
from tests.api.office import Office

ROOT = Path(__file__).parents[2]
#: Writes two lines to where it is told, as a process of its own.
WRITER = (
    "import sys; from pathlib import Path; from api.cli.common import write_file;"
    " write_file(Path(sys.argv[1]), [b'one\\n', b'two\\n'])"
)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    return Office(database_url, tmp_path)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "pack", PACK, RULEBOOK)


def written_by_shell(redirection: str, folder: Path) -> bytes:
    """What comes out of a shell that runs the writer with its output redirected."""
    done = subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", sys.executable, "-c", WRITER, "/dev/stdout"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return done.stdout


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder; none may be left that was only half written."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_standard_output_may_be_a_pipe(tmp_path: Path) -> None:
    assert written_by_shell("| cat", tmp_path) == b"one\ntwo\n"


def test_standard_output_goes_on_in_the_file_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "all").write_bytes(b"zero\n")
    assert written_by_shell(">> all", tmp_path) == b""
    assert contents(tmp_path) == {"all": b"zero\none\ntwo\n"}


def test_a_device_stays_one(tmp_path: Path) -> None:
    write_file(Path(os.devnull), [b"one\n"])
    assert Path(os.devnull).is_char_device()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(fifo.read_bytes)
        write_file(fifo, [b"one\n", b"two\n"])
        assert read.result(timeout=30) == b"one\ntwo\n"
    assert fifo.is_fifo()


def test_a_link_stays_one_and_its_file_is_replaced(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    (there / "file").write_bytes(b"zero\n")
    (here / "link").symlink_to(there / "file")
    (here / "to nothing").symlink_to(there / "new")
    for name in ("link", "to nothing"):
        write_file(here / name, [b"one\n"])
        assert (here / name).is_symlink()
    assert contents(there) == {"file": b"one\n", "new": b"one\n"}


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield b"one\n"
        raise ClearinghouseError("no more")

    (tmp_path / "file").write_bytes(b"zero\n")
    with pytest.raises(ClearinghouseError, match="no more"):
        write_file(tmp_path / "file", failing())
    assert contents(tmp_path) == {"file": b"zero\n"}


def test_two_commands_write_one_file_at_once(tmp_path: Path) -> None:
    together = Barrier(2)

    def lines(name: str) -> Iterator[bytes]:
        for number in range(50):
            together.wait(timeout=30)
            yield f"{name} {number}\n".encode() * 100

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write_file, tmp_path / "file", lines(name)) for name in "ab"]:
            done.result(timeout=60)
    whole = [b"".join(f"{name} {n}\n".encode() * 100 for n in range(50)) for name in "ab"]
    assert list(contents(tmp_path)) == ["file"]
    assert (tmp_path / "file").read_bytes() in whole


def test_a_new_file_has_the_rights_that_the_user_asks_for(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "file", [b"one\n"])
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_a_place_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ClearinghouseError, match="file/below can't be written: "):
        write_file(tmp_path / "file" / "below", [b"one\n"])


def test_a_journal_and_rejections_go_through_links(
    office: Office, context: Context, pack: Path, tmp_path: Path
) -> None:
    alliance = MiniAlliance(context, tmp_path / "packs")
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-01", amount=10_000)
    for name in ("journal", "rejections"):
        (tmp_path / f"{name} link").symlink_to(tmp_path / f"{name} file")
    office.run(export_journal, "2026-10", "--out", tmp_path / "journal link")
    office.run(import_pack_command, pack, "--rejections", tmp_path / "rejections link")
    assert b"2026-10-01 (txn_" in (tmp_path / "journal file").read_bytes()
    assert (tmp_path / "rejections file").read_bytes().startswith(b"file,line,host_hotel")


def test_rejections_never_overwrite_the_pack(office: Office, pack: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(pack / "cards.csv")
    (tmp_path / "folder").symlink_to(pack)
    elsewhere = (pack / "tiers.csv").rename(tmp_path / "tiers elsewhere")
    (pack / "tiers.csv").symlink_to(elsewhere)
    before = contents(pack)
    for target in (
        pack / "cards.csv",
        tmp_path / "link",
        tmp_path / "folder" / "rulebook.json",
        pack / ".." / "pack" / "hotels.csv",
        pack / "tiers.csv",
        elsewhere,
        # Not there yet, but the next import of the pack would take it for a part of it.
        pack / "transactions-2026-11.csv",
    ):
        said = office.misuse(import_pack_command, pack, "--rejections", target)
        assert "belongs to the pack" in said
    assert contents(pack) == before


def test_rejections_may_lie_in_the_pack_under_any_other_name(office: Office, pack: Path) -> None:
    for target in (None, pack / "refused.csv", pack / "refused.csv"):
        arguments = [] if target is None else ["--rejections", target]
        office.run(import_pack_command, pack, *arguments)
    assert (pack / "refused.csv").read_bytes() == (pack / "rejections.csv").read_bytes()
