"""Verifying published files where they lie, offline: nothing but the file, its signature and the published keys.

A file is proved by ``FILE.sig`` beside it, or by the signed manifest of its period up the folder. It is read as a
stream, never followed through a symbolic link, and nothing that is not yet proved decides anything.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from clearinghouse.domain.compact_jws import MAX_BYTES, Unreadable
from clearinghouse.domain.signing import (
    SUFFIX,
    Claims,
    SigningKey,
    opened,
)
from clearinghouse.operations.key_sets import KeySet, NotProved, Remedy, proving_key

MANIFEST = "manifest.json"
#: Folders in which a file is called by its party.
_BY_PARTY = ("statements", "debit_notes")
_MANIFEST_MAX = 64 << 20
_BLOCK = 1 << 20
#: How far up a manifest is looked for: a statement lies one folder below it.
_FOLDERS_UP = 3
_MONTH = re.compile(r"(?<![0-9])[0-9]{4}-(?:0[1-9]|1[0-2])(?![0-9]|-[0-9])")
#: What a downloaded statement is called.
_DOWNLOADED = re.compile(r"(?P<party>\w[\w.-]*?)-[0-9]{4}-[0-9]{2}(?:-debit-note)?\.")
_SIGNATURE_AGAIN = Remedy("请重新下载签名", "fetch the signature again")


@dataclass(frozen=True, slots=True)
class Proved:
    """What is proved of a file: what it is, and by which key; ``by_manifest`` where the manifest says so."""

    claims: Claims
    key: SigningKey
    by_manifest: bool


def verify_file(path: Path, keys: KeySet) -> Proved:
    """Prove one file.

    Raises:
        NotProved: it is not; says why.
    """
    with _regular(path) as file:
        beside = path.with_name(path.name + SUFFIX)
        if os.path.lexists(beside):
            proved = Proved(*_signed(beside, keys), by_manifest=False)
        else:
            proved = _in_manifest(path, keys)
        _must_be_named_so(path, proved.claims)
        _must_be(file, proved.claims)
    return proved


def _signed(signature: Path, keys: KeySet) -> tuple[Claims, SigningKey]:
    """Return what a signature file says and which key says so, once that is proved."""
    with _regular(signature) as file:
        text = file.read(MAX_BYTES + 1)
    try:
        envelope = opened(text)
    except Unreadable as reason:
        raise NotProved(f"{signature.name} 不是签名", f"{signature.name}: {reason}") from None
    return envelope.claims, proving_key(keys, envelope, _SIGNATURE_AGAIN)


def _in_manifest(path: Path, keys: KeySet) -> Proved:
    """Find what the signed manifest of the file's period says of it."""
    place = Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow symbolic links
    folder = next(
        (up for up in [*place.parents][:_FOLDERS_UP] if os.path.lexists(up / MANIFEST)), None
    )
    if folder is None or path.name == MANIFEST:
        raise NotProved(
            f"没有签名：找不到 {path.name}{SUFFIX}"
            + ("" if folder else f"，上层也没有 {MANIFEST}"),
            f"it has no signature: there is no {path.name}{SUFFIX}"
            + ("" if folder else f" and no {MANIFEST} up the folder"),
        )
    if not os.path.lexists(folder / (MANIFEST + SUFFIX)):
        raise NotProved(f"{MANIFEST} 没有签名", f"{MANIFEST} has no signature")
    try:
        claims, key = _signed(folder / (MANIFEST + SUFFIX), keys)
        document = _manifest(folder / MANIFEST, claims)
    except NotProved as reason:
        raise NotProved(f"{MANIFEST}：{reason.zh}", f"{MANIFEST}: {reason.en}") from None
    name = place.relative_to(folder).as_posix()
    listed = document["files"].get(name)
    if listed is None:
        raise NotProved(
            f"{claims.period} 的 {MANIFEST} 里没有 {name}", f"the {MANIFEST} of {claims.period} does not list {name}"
        )  # fmt: skip
    said = Claims(claims.period, name, listed["party"], listed["sha256"], listed["size"])
    return Proved(said, key, by_manifest=True)


def _manifest(path: Path, claims: Claims) -> dict[str, Any]:
    if claims.path != MANIFEST:
        raise NotProved(f"签名属于 {claims.path}", f"the signature is of {claims.path}")
    with _regular(path) as file:
        if claims.size > _MANIFEST_MAX:
            raise NotProved("太大", "it is too large for a manifest")
        text = file.read(_MANIFEST_MAX)
        if sha256(text).hexdigest() != claims.sha256:
            raise _changed(claims)
    document: dict[str, Any] = json.loads(text)
    return document


def _must_be(file: BinaryIO, claims: Claims) -> None:
    """Compare a file with what was signed; one of another size is not read at all."""
    if os.fstat(file.fileno()).st_size != claims.size:
        raise _changed(claims)
    digest = sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    if digest.hexdigest() != claims.sha256:
        raise _changed(claims)


def _must_be_named_so(path: Path, claims: Claims) -> None:
    """Refuse a name that says another month or party than what was signed: people go by it."""
    place = Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow symbolic links
    depth = claims.path.count("/")
    root = place.parents[depth].name if len(place.parents) > depth else ""
    # Only the folders that we write ourselves say a month: others keep October's files in November's folder.
    in_place = place.parts[-depth - 1 :] == tuple(claims.path.split("/"))
    months = _MONTH.findall(place.name) or (_MONTH.findall(root) if in_place else [])
    if months and claims.period not in months:
        raise NotProved(
            f"签名属于 {claims.period}，不是 {months[0]}",
            f"the signature is of {claims.period}, not of {months[0]}",
        )
    downloaded = _DOWNLOADED.match(place.name)
    other_party = downloaded is not None and downloaded["party"] != claims.party
    if other_party or (place.parent.name in _BY_PARTY and not in_place):
        raise NotProved(
            f"签名属于 {claims.path}，不是 {place.name}",
            f"the signature is of {claims.path}, not of {place.name}",
        )


def _changed(claims: Claims) -> NotProved:
    return NotProved(
        f"内容不是签名时的 {claims.period} {claims.path}",
        f"the content is not what was signed as {claims.path} of {claims.period}",
    )


@contextmanager
def _regular(path: Path) -> Iterator[BinaryIO]:
    """Open a file that is one: no symbolic link, folder, pipe or device, also if it becomes one meanwhile."""
    try:
        # O_NONBLOCK: to open a pipe would wait for somebody to write into it.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotProved("没有这个文件", "there is no such file") from None
    except (OSError, ValueError) as error:
        if path.is_symlink():
            raise NotProved(
                f"{path.name} 是符号链接", f"{path.name} is a symbolic link; name the file itself"
            ) from None
        why = getattr(error, "strerror", None) or "not a name of a file"
        raise NotProved(f"{path.name} 读不了", f"{path.name} can't be read: {why}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotProved(f"{path.name} 不是普通文件", f"{path.name} is no regular file")
    with open(handle, "rb", buffering=0) as file:  # noqa: PTH123  the file is open already
        yield file
