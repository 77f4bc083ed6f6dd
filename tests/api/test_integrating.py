"""``docs/integrating.md``: what it shows is what happens, block by block, against the service behind a socket."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import click
import pytest
from joserfc import jwk

from api.app import create_app
from api.cli import cli
from api.dispatching import Dispatcher
from api.http.options import Options
from api.outgoing import HttpPoster
from clearinghouse.domain.rulebook import Rulebook
from clearinghouse.operations.batches import run_batches
from clearinghouse.operations.card_codes import print_card
from clearinghouse.operations.clients import create_client
from clearinghouse.operations.context import Context
from clearinghouse.operations.keeping import ANSWERS_KEPT
from clearinghouse.operations.prove import prove
from tests.alliances import CARDS, MiniAlliance
from tests.api.documents import Examples, blocks
from tests.api.service import AUTHORITY
from tests.api.wire import served
from tests.receiver import Receiver, receiving

DOCUMENT = Path(__file__).parents[2] / "docs" / "integrating.md"
HOME = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def alliance(founded: object, context: Context, tmp_path: Path) -> MiniAlliance:
    """T1 has 1,200 points of AUR-SH, which expire first, and 1,333 of BAM-HZ; an earlier month is settled."""
    alliance = MiniAlliance(context, tmp_path / "books")
    today = datetime.now(HOME).date()
    earlier, before, yesterday = (today - timedelta(days=days) for days in (124, 62, 1))
    alliance.accept("spend", "BAM-HZ", "E1", "T2", earlier, amount=88_888)
    alliance.settle(f"{earlier:%Y-%m}")
    alliance.accept("spend", "AUR-SH", "E2", "T1", before, amount=120_000)
    alliance.accept("spend", "BAM-HZ", "E3", "T1", yesterday, amount=88_888)
    return alliance


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """The hotel's own server, which takes webhooks."""
    with receiving() as found:
        yield found


@pytest.fixture
def examples(
    alliance: MiniAlliance, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Examples]:
    """What runs examples against the service, whose clock is the machine's, as a client of BAM."""
    context = replace(alliance.context, clock=lambda: datetime.now(UTC))
    key = jwk.OKPKey.generate_key("Ed25519")
    (tmp_path / "client.pem").write_bytes(key.as_pem(private=True))
    (tmp_path / "client.pub.pem").write_bytes(key.as_pem(private=False))
    by_secret = create_client(context, "BAM", "PMS", AUTHORITY)
    public = json.dumps(key.as_dict(private=False))
    by_key = create_client(context, "BAM", "PMS", AUTHORITY, public_key=public)
    assert by_secret.secret

    def application(url: str) -> Any:
        return create_app(context, Options(public_url=url, webhook_private=True))

    stop = Signal()
    worker = Thread(target=run_batches, args=(context, stop), daemon=True)
    worker.start()
    now = datetime.now(HOME).replace(microsecond=0)
    index = context.vault.blind_index("card", CARDS["T1"])
    ((card,),) = alliance.rows("SELECT number FROM cards WHERE number_index = %s", index)
    code = print_card(context, card, CARDS["T1"][-4:]).text
    (tmp_path / "card.txt").write_text(f"{code}\n")
    variables = {
        "CARD_CODE": code,
        "CLIENT_ID": by_secret.client_id,
        "CLIENT_SECRET": by_secret.secret,
        "TODAY": now.date().isoformat(),
        "NOW": now.isoformat(),
    }
    with served(application) as url:
        monkeypatch.chdir(tmp_path)
        for name, value in {
            "CLEARINGHOUSE_URL": url,
            "CLEARINGHOUSE_CLIENT_ID": by_secret.client_id,
            "CLEARINGHOUSE_CLIENT_SECRET": by_secret.secret,
            "KEY_CLIENT_ID": by_key.client_id,
            "HOOK_URL": receiver.url,
        }.items():
            monkeypatch.setenv(name, value)
        yield Examples(url, variables)
    stop.set()
    worker.join(20)


def test_every_example_does_what_it_says(
    alliance: MiniAlliance, receiver: Receiver, examples: Examples
) -> None:
    assert examples.run(DOCUMENT) >= 20
    # The document's own handler takes what the service sends, and nothing else.
    client, take = (examples.namespace[name] for name in ("client", "take"))
    client.webhooks.test(examples.namespace["hook"].id)
    context = replace(alliance.context, clock=lambda: datetime.now(UTC))
    dispatcher = Dispatcher(context, HttpPoster(private=True))
    while any(dispatcher.round()):
        pass
    dispatcher.stop()
    assert receiver.messages
    for message in receiver.messages:
        assert take(message.headers, message.body) == 204
        assert take(message.headers, message.body) == 204
        assert take(message.headers, message.body + b" ") == 400
        assert take({**message.headers, "webhook-id": "evt_other"}, message.body) == 400
    assert examples.namespace["done"] == set(receiver.ids)
    assert all(proof.holds for proof in prove(alliance.context))


def test_what_it_says_of_keys_and_late_lines_is_so() -> None:
    text, rulebook = DOCUMENT.read_text(encoding="utf-8"), Rulebook("v", datetime.now(HOME).date())
    assert f"键保留 {ANSWERS_KEPT.days} 天" in text
    assert f"默认 {rulebook.presentment_days_max} 天" in text


TOKEN = next(blocks(DOCUMENT.read_text(encoding="utf-8"), "http")).text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("python", "print(1 + 1)  # → 3\n"),
        ("python", "print(1)\n"),
        ("python", "# → 1\n"),
        ("python", "1 / 0\n"),
        ("http", TOKEN.replace("200 OK", "201 Created")),
        ("http", TOKEN.replace("3600", "3599")),
        ("http", TOKEN.replace("Bearer", "bearer")),
        ("http", TOKEN.replace('"token_type"', '"type"')),
        ("http", TOKEN.replace("200 OK\n", "200 OK\nIdempotent-Replayed: true\n")),
        ("http", TOKEN.replace("$TOKEN", "$TODAY")),
        ("http", TOKEN.partition("HTTP/1.1 200")[0]),
    ],
)
def test_an_example_that_says_something_else_is_noticed(
    examples: Examples, kind: str, text: str
) -> None:
    assert examples.run(f"```http\n{TOKEN}```\n") == 1
    examples.variables.pop("TOKEN")
    with pytest.raises(AssertionError, match=f"the {kind} block at line 2"):
        examples.run(f"```{kind}\n{text}```\n")


@pytest.mark.usefixtures("examples")
def test_every_command_that_it_shows_is_one() -> None:
    shown = [
        shlex.split(line)[1:]
        for block in blocks(DOCUMENT.read_text(encoding="utf-8"), "sh")
        for line in block.text.splitlines()
        if line.startswith("clearinghouse ")
    ]
    assert shown
    for words in shown:
        command: click.Command | None = cli
        while isinstance(command, click.Group):
            _, command, words = command.resolve_command(click.Context(command), words)  # noqa: PLW2901  each word goes one command deeper
        assert command
        command.make_context(command.name, words)
