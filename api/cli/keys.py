"""``clearinghouse keys``: what signs tokens and published files, and the public halves for whoever verifies."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from api.cli.authority import signed
from api.cli.common import books, progress_bar, settings, write_file
from api.cli.tables import FORMAT, print_json, print_table
from api.cli.verify import KNOWN_KEYS, keys_in
from clearinghouse.domain.calendar import format_period
from clearinghouse.operations import signing, signing_keys
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context

#: What the commands call the purposes of keys.
_PURPOSES = {
    "statements": signing_keys.STATEMENTS,
    "tokens": signing_keys.TOKENS,
    "cards": signing_keys.CARDS,
}


@click.group("keys")
def keys_commands() -> None:
    """Keys that sign published files, access tokens and codes of cards; their public halves for whoever verifies."""


@keys_commands.command("list")
@FORMAT
def list_keys(format_name: str) -> None:
    """List the keys, the newest of each purpose first; no private ones."""
    with books() as context:
        found = [
            {"purpose": name, "fingerprint": shown.fingerprint, **key._asdict()}
            for name, purpose in _PURPOSES.items()
            for key in signing_keys.all_keys(context, purpose)
            for shown in [signing_keys.shown(key.kid, key.public_key)]
        ]
    if format_name == "json":
        print_json(found)
        return
    print_table(
        "签名密钥 Signing keys",
        ("用途 Signs", "密钥 Key", "指纹 Fingerprint", "启用 Since", "停用 Retired", "泄露 Compromised"),
        [
            [
                key[name]
                for name in ("purpose", "kid", "fingerprint", "created_at", "retired_at", "compromised_at")
            ]
            for key in found
        ],
    )  # fmt: skip


@keys_commands.command("rotate")
@click.argument("purpose", type=click.Choice(list(_PURPOSES)))
@click.option("--compromised", is_flag=True, help="Somebody else may have the former key.")
@signed
def rotate_key(purpose: str, authority: Authority, compromised: bool) -> None:
    """Sign tokens, codes of cards, or the statements of later months, with a new key.

    A former key of statements stays published for ever, so everything that it signed is still proved; a month that
    is closing already keeps its key. With --compromised nothing that the former key signed counts any more: its
    tokens are refused, and published files are signed anew. Then give everybody the keys again (keys export).
    """
    with books() as context:
        kid = signing_keys.rotate(context, _PURPOSES[purpose], authority, compromised=compromised)
        click.echo(f"{purpose} are signed with key {kid} from now on")
        if compromised and purpose == "statements":
            _sign_anew(context, authority)


# A key's id is base64url and may begin with a hyphen; click would take it for an option.
@keys_commands.command("withdraw", context_settings={"ignore_unknown_options": True})
@click.argument("kid")
@signed
def withdraw_key(kid: str, authority: Authority) -> None:
    """Say of the key KID, a former one too, that somebody else may have it: nothing that it signed counts any more.

    If it signs now, another key takes its place. See rotate --compromised.
    """
    with books() as context:
        purpose = signing_keys.withdraw(context, kid, authority)
        click.echo(f"key {kid} is withdrawn")
        if purpose == signing_keys.STATEMENTS:
            _sign_anew(context, authority)


@keys_commands.command("resign")
@signed
def sign_anew(authority: Authority) -> None:
    """Sign published files anew whose key was compromised, where that was interrupted."""
    with books() as context:
        _sign_anew(context, authority)


@keys_commands.command("export")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
def export_keys(out: Path | None) -> None:
    """Write the public keys of published files and of codes of cards, for whoever verifies offline.

    "verify --keys" and "verify-card --keys" take them.

    All of them, the former ones too. Without --out they are printed.
    """
    with books() as context:
        content = jwks(context)
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        write_file(out, [content])
        click.echo(out)


@keys_commands.command("trust")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="The fingerprints are compared already; do not ask.")
def trust_keys(file: Path, yes: bool) -> None:
    """Let "verify" on this machine use the public keys in FILE, instead of those it has used.

    Compare the fingerprints with those that the clearing house tells you by another way first: whoever can give you
    keys can give you files that they prove.
    """
    content, found = keys_in(file)
    for known in found.values():
        gone = "  已泄露作废 compromised" if known.revoked else ""
        click.echo(f"{known.key.kid}  {known.key.fingerprint}{gone}")
    if not yes:
        click.confirm("信任这些公钥？Trust these keys?", abort=True)
    target = settings().data_dir / KNOWN_KEYS
    write_file(target, [content])
    click.echo(target)


def jwks(context: Context) -> bytes:
    """Return the public keys of all published files, and of codes of cards, as a JWK set."""
    return as_jwks(signing_keys.published_keys(context))


def as_jwks(keys: Sequence[dict[str, Any]]) -> bytes:
    """Write public keys as a JWK set (RFC 7517)."""
    return (json.dumps({"keys": keys}, ensure_ascii=False, indent=1) + "\n").encode()


def _sign_anew(context: Context, authority: Authority) -> None:
    with progress_bar() as show:
        months = signing.sign_anew(
            context, authority, lambda done, of: show("签名 signing", done, of)
        )
    for month in months:
        click.echo(f"the files of {format_period(month)} are signed anew")
