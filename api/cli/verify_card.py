"""``clearinghouse verify-card``: proving a guest's printed card with the published keys, without a network."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from api.cli.common import settings
from api.cli.verify import KNOWN_KEYS, keys_in, printable
from clearinghouse.domain.card_codes import PrintedCard
from clearinghouse.domain.compact_jws import MAX_BYTES
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.money import yuan
from clearinghouse.operations.key_sets import KeySet, NotProved
from clearinghouse.operations.signing_keys import CARDS
from clearinghouse.operations.verifying_cards import ProvedCard, verify_card

_NOTE = (
    "离线无法得知：此卡打印后是否已挂失、补卡或变更等级，余额多少。"
    " Offline nobody knows whether the card was lost, replaced or given another tier since, nor its balance."
)


class _Moment(click.ParamType[datetime]):
    """A moment with its offset, as ISO 8601 has it."""

    name = "time"

    def convert(
        self,
        value: str | datetime,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Read it."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time like 2026-11-22T18:00:00+08:00", param, ctx)
        if found.tzinfo is None:
            self.fail("say the offset too, as in 2026-11-22T18:00:00+08:00", param, ctx)
        return found


@click.command("verify-card")
@click.argument("code", metavar="TEXT|FILE")
@click.option(
    "--keys",
    "keys_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Public keys as a JWK set: from /.well-known/jwks.json, or keys export.",
)
@click.option(
    "--at", type=_Moment(), metavar="TIME", help="The moment it must be good at.  [default: now]"
)
def verify_card_command(code: str, keys_file: Path | None, at: datetime | None) -> None:
    """Verify a guest's printed card, offline and without a database: TEXT is what the QR code says, or a FILE with it.

    Points may be given to a card that is proved; spending is for so much a day as it says, by the rulebook's offline
    floor. The keys are those of --keys, else those that this machine trusts (keys trust). Exit code 1 if it is not
    proved.
    """
    keys = _keys(keys_file)
    try:
        proved = verify_card(_text(code), keys, at or datetime.now(UTC))
    except NotProved as reason:
        click.echo(f"无效 FAILED · {printable(reason.zh)} · {printable(reason.en)}")
        raise click.exceptions.Exit(1) from None
    click.echo(_said(proved))
    click.echo(_NOTE, err=True)


def _keys(file: Path | None) -> KeySet:
    found = file or settings().data_dir / KNOWN_KEYS
    if file is None and not found.exists():
        raise OperatorRefused("there are no keys to verify it with; name them with --keys")
    return keys_in(found, CARDS)[1]


def _text(code: str) -> str:
    """Return the code that was given, or that stands in the file that was named."""
    # A name of a file is short; a code never has a folder in it.
    try:
        file = Path(code)
        if not file.is_file():
            return code
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1).decode()
    except UnicodeDecodeError:
        return ""
    except (OSError, ValueError):
        return code


def _said(proved: ProvedCard) -> str:
    card = proved.card
    until = f"至 until {card.expires_at.astimezone():%Y-%m-%d %H:%M}"
    key = f"密钥 key {proved.key.kid}"
    if not isinstance(card, PrintedCard):
        return f"有效 OK · 动态会员码，须联网查卡 a code from a phone: look it up online · {until} · {key}"
    spend = (
        f"离线消费每日至多 spend offline at most {yuan(card.floor_minor)} 元 CNY a day"
        if card.floor_minor
        else "不可离线消费 nothing may be spent offline"
    )
    return " · ".join(
        [
            "有效 OK",
            f"会员卡 card ****{card.last_digits}",
            f"联盟级别 level {card.level}",
            until,
            "可离线积分 earn offline",
            spend,
            key,
        ]
    )
