"""Workers that never come, and faults in them: the importing process says what it would say of its own."""

import pickle
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from clearinghouse.domain.errors import ClearinghouseError, DatabaseUnavailable, PackFault
from clearinghouse.operations import crews
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from tests.operations.bulk_pack import write_bulk_pack


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small pack that is posted by workers all the same."""
    monkeypatch.setattr(crews, "WORTH_WORKERS", 0)
    return write_bulk_pack(tmp_path / "bulk", travellers=3, lines=20)


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (
            "/nowhere/python",
            "can't be started: No such file or directory; set CLEARINGHOUSE_IMPORT_",
        ),
        ("/bin/false", "a process of this import was ended"),
    ],
)
def test_a_worker_cannot_start(
    context: Context, pack: Path, monkeypatch: pytest.MonkeyPatch, program: str, sentence: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(ClearinghouseError, match=sentence):
        import_pack(context, pack, lanes=2)


def test_a_worker_cannot_reach_the_database(
    context: Context, pack: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    elsewhere = make_url(context.database.poster_url).set(database="none")
    url = elsewhere.render_as_string(hide_password=False)
    monkeypatch.setattr(context.database, "poster_url", url)
    with pytest.raises(DatabaseUnavailable, match="the database can't be reached"):
        import_pack(context, pack, lanes=2)
    assert capfd.readouterr().err == ""


class _Unsendable(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(one + two)


@pytest.mark.parametrize(
    ("error", "arrives"),
    [
        (PackFault("is wrong", "cards.csv", 7), PackFault),
        (DatabaseUnavailable("gone"), DatabaseUnavailable),
        (_Unsendable(1, 2), RuntimeError),
    ],
)
def test_an_error_arrives_as_what_it_was(error: Exception, arrives: type[Exception]) -> None:
    told, where = pickle.loads(pickle.dumps(crews._sendable(error)))  # noqa: S301  what the test pickled itself
    assert type(told) is arrives
    assert type(error).__name__ in where
    if arrives is not RuntimeError:
        assert (str(told), vars(told)) == (str(error), vars(error))
