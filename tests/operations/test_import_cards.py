"""An import keeps the cards it has looked up; forgetting them while sequences are under way disturbs none."""

from pathlib import Path

import pytest

from clearinghouse.operations import importing
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack
from clearinghouse.store.card_file import CardFile
from tests.conftest import Server
from tests.histories.books import books
from tests.operations.bulk_pack import write_bulk_pack
from tests.operations.dumping import Dump, differing, meaning


def imported(server: Server, pack: Path) -> Dump:
    """The books after an import."""
    with books(server) as context:
        import_pack(context, pack, lanes=2)
        return meaning(url_of(context))


def url_of(context: Context) -> str:
    """Where the books are."""
    return context.database.owner_url


def test_more_cards_than_are_kept(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = write_bulk_pack(tmp_path / "bulk", travellers=40, lines=600)
    monkeypatch.setattr(importing, "LINES_EACH", 10)
    usual = imported(server, pack)
    monkeypatch.setattr(CardFile, "KEEP", 1)
    assert differing(usual, imported(server, pack)) == {}
