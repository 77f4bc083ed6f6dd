"""``clearinghouse verify``: proving downloaded files with the published keys, without books and without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from api.cli.common import PERIOD, settings
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.compact_jws import Unreadable
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.signing import SUFFIX
from clearinghouse.operations.key_sets import MAX_BYTES, KeySet, NotProved, read_key_set
from clearinghouse.operations.signing_keys import STATEMENTS
from clearinghouse.operations.verifying import Proved, verify_file

#: The keys that this machine trusts, in the data folder; ``keys trust`` writes them.
KNOWN_KEYS = "known-keys.json"
#: What ``settle --out`` puts beside the folders of the months.
KEYS_BESIDE = "jwks.json"
_FOLDERS_UP = 3


@click.command("verify")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--keys",
    "keys_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Public keys as a JWK set: from /.well-known/jwks.json, or keys export.",
)
@click.option("--period", type=PERIOD, help="The month (YYYY-MM) that all files must be of.")
@click.option("--party", metavar="CODE", help="The system that all files must be for.")
def verify(
    files: tuple[Path, ...], keys_file: Path | None, period: int | None, party: str | None
) -> None:
    """Verify FILES: published statements and other files of a month, each with its FILE.sig beside it.

    Without a signature of its own, a file is proved by the signed manifest.json up its folder. It works offline and
    without a database. The keys are those of --keys, else those that this machine trusts (keys trust), else those of
    jwks.json beside the files, which prove only that whoever made the files also made those keys.

    One line a file: what it is, which key has signed it, or why it is not proved; exit code 1 if one is not.
    """
    told: set[Path] = set()
    known = _keys_at(keys_file) if keys_file else _known_keys()
    month = None if period is None else format_period(period)
    failed = False
    for file in _each_once(files):
        name = printable(str(file))
        try:
            keys = known or _keys_beside(file, told)
            proved = verify_file(file, keys)
            _must_be_wanted(proved, month, party)
        except NotProved as reason:
            failed = True
            click.echo(f"{name}: 无效 FAILED · {printable(reason.zh)} · {printable(reason.en)}")
        else:
            click.echo(f"{name}: {_said(proved)}")
    if failed:
        raise click.exceptions.Exit(1)


def _each_once(files: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the files; a signature among them, as from ``statements/*``, stands for its file."""
    done: set[Path] = set()
    for file in files:
        signed = file.with_suffix("") if file.suffix == SUFFIX else file
        if signed not in done:
            done.add(signed)
            yield signed


def _said(proved: Proved) -> str:
    claims, key = proved.claims, proved.key
    parts = [
        "有效 OK",
        claims.period,
        claims.party,
        claims.path + (" (据清单 by the manifest)" if proved.by_manifest else ""),
        f"密钥 key {key.kid}",
        f"指纹 fingerprint {key.fingerprint}",
    ]
    return " · ".join(parts)


def _must_be_wanted(proved: Proved, month: str | None, party: str | None) -> None:
    claims = proved.claims
    if month is not None and claims.period != month:
        raise NotProved(f"属于 {claims.period}", f"it is of {claims.period}")
    if party is not None and claims.party != party:
        raise NotProved(f"属于 {claims.party}", f"it is for {claims.party}")


def _known_keys() -> KeySet | None:
    file = settings().data_dir / KNOWN_KEYS
    return _keys_at(file) if file.exists() else None


def _keys_beside(file: Path, told: set[Path]) -> KeySet:
    for folder in [*file.absolute().parents][:_FOLDERS_UP]:
        found = folder / KEYS_BESIDE
        if found.is_file():
            if found not in told:
                told.add(found)
                click.echo(
                    f"note: the keys are those of {printable(str(found))}, beside the files; compare the fingerprint"
                    " with one that you have from the clearing house, then run: clearinghouse keys trust FILE",
                    err=True,
                )
            return _keys_at(found)
    raise NotProved(
        "没有公钥，请用 --keys", "there are no keys to verify it with; name them with --keys"
    )


def keys_in(file: Path, purpose: str = STATEMENTS) -> tuple[bytes, KeySet]:
    """Return a file of public keys: its bytes, and the keys of published files in it, or of another purpose.

    Raises:
        OperatorRefused: it can't be read, or has none.
    """
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
        return text, read_key_set(text, purpose)
    except OSError as error:
        raise OperatorRefused(f"{printable(str(file))} can't be read: {error.strerror}") from None
    except Unreadable as reason:
        raise OperatorRefused(f"{printable(str(file))} can't be used: {reason}") from None


def _keys_at(file: Path) -> KeySet:
    return keys_in(file)[1]


def printable(text: str) -> str:
    """Return a text that can do nothing to a terminal: a file's name may hold anything."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
