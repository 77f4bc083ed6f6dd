"""The vault: personal data encrypted under a key per person, found again by blind index (architecture.md).

Throwing a person's key away erases the person. Every ciphertext says which master key protects it, so that
master keys can be rotated. Nothing here is ever logged.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import struct
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clearinghouse.config import MASTER_KEY_BYTES, Settings
from clearinghouse.domain.errors import ConfigError

_NONCE = 12
_KEY_FILE = "master.key"
_CARD_ID = "card_"
_CARD_ID_CHARS = 26


class Vault:
    """Encrypts and finds personal data with one master key."""

    def __init__(self, master_key: bytes) -> None:
        self._master_key = master_key
        self._index_key = _derive(master_key, b"blind index")
        self._wrapping = AESGCM(_derive(master_key, b"person keys"))
        self._house = AESGCM(_derive(master_key, b"house secrets"))
        self.key_id = _derive(master_key, b"key id").hex()[:16]
        self._block_ciphers: dict[str, Cipher[modes.ECB]] = {}

    def __reduce__(self) -> tuple[type[Vault], tuple[bytes]]:
        """Hand the vault to another process of ours, as its key."""
        return Vault, (self._master_key,)

    @classmethod
    def open(cls, settings: Settings) -> Vault:
        """Open the vault with the configured key, else with the key file, made at first use.

        Raises:
            ConfigError: the key file can't be read, or is no key.
        """
        return cls(settings.master_key or _key_file(settings.data_dir / _KEY_FILE))

    def secret_for(self, what: str) -> bytes:
        """Return 32 bytes for one use of the service, the same in all its processes; ``what`` names the use."""
        return _derive(self._master_key, f"use {what}".encode())

    def blind_index(self, what: str, value: str) -> bytes:
        """Return the keyed hash by which ``value`` is looked up; ``what`` keeps kinds of value apart."""
        return hmac.digest(self._index_key, f"{what}\x00{value}".encode(), "sha256")[:16]

    def seal(self, secret: bytes, what: str) -> bytes:
        """Encrypt a secret of the clearing house itself; ``what`` binds the ciphertext to its place."""
        return _seal(self._house, secret, f"{self.key_id} {what}".encode())

    def unseal(self, sealed: bytes, what: str) -> bytes:
        """Return the secret that :meth:`seal` sealed for the same place.

        Raises:
            ConfigError: it was protected by another master key.
        """
        return _unseal(self._house, sealed, f"{self.key_id} {what}".encode())

    def card_id(self, card: int, system: int | None) -> str:
        """Return the id by which a system (``None``: the operator) names a card, by the card's number in the tables.

        Each system knows a card by another id, so two of them can't put together what they know of it.
        """
        block = card.to_bytes(6) + (system or 0).to_bytes(4) + bytes(6)
        hidden = base64.b32encode(self.hide("card id", block)).decode()
        return _CARD_ID + hidden.lower().rstrip("=")

    def lot_id(self, lot: int, system: int | None) -> str:
        """Return what a system calls a lot: another name for each, that does not tell how many lots there are."""
        hidden = self.hide("lot", struct.pack(">QQ", lot, system or 0))
        return "lot_" + base64.b32encode(hidden).decode().rstrip("=").lower()

    def card_of(self, card_id: str, system: int | None) -> int | None:
        """Return the card that a system names by an id; ``None`` if :meth:`card_id` never gave it that id."""
        text = card_id.removeprefix(_CARD_ID)
        if len(card_id) != len(_CARD_ID) + _CARD_ID_CHARS or len(text) != _CARD_ID_CHARS:
            return None
        try:
            hidden = base64.b32decode(f"{text.upper()}======")
        except (binascii.Error, ValueError):
            return None
        card = int.from_bytes(self.reveal("card id", hidden)[:6])
        # The last character has bits to spare: another spelling of an id is no id.
        return card if self.card_id(card, system) == card_id else None

    def new_person_key(self) -> tuple[bytes, bytes]:
        """Make a key for one person; return it, and as it is stored: encrypted with the master key."""
        key = os.urandom(32)
        return key, _seal(self._wrapping, key, self.key_id.encode())

    def person_key(self, wrapped: bytes) -> bytes:
        """Return a person's key from its stored form.

        Raises:
            ConfigError: it was protected by another master key.
        """
        return _unseal(self._wrapping, wrapped, self.key_id.encode())

    def hide(self, what: str, block: bytes) -> bytes:
        """Turn 16 bytes into 16 others that tell nothing, one to one; ``what`` keeps kinds of value apart.

        Nothing is authenticated by this: whoever reveals a made-up block gets noise and must look it up.
        """
        return self._block_cipher(what).encryptor().update(block)

    def reveal(self, what: str, hidden: bytes) -> bytes:
        """Return the 16 bytes that :meth:`hide` turned into these."""
        return self._block_cipher(what).decryptor().update(hidden)

    def _block_cipher(self, what: str) -> Cipher[modes.ECB]:
        known = self._block_ciphers.get(what)
        if known is None:
            # One block alone, and a key for each kind of value: the mode chains nothing that could be told apart.
            key = _derive(self._master_key, f"block {what}".encode())
            known = self._block_ciphers[what] = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  as said above
        return known


def encrypt_text(person_key: bytes, value: str, what: str) -> bytes:
    """Encrypt one value of a person; ``what`` binds the ciphertext to its place."""
    return _seal(AESGCM(person_key), value.encode(), what.encode())


def decrypt_text(person_key: bytes, sealed: bytes, what: str) -> str:
    """Return the value that :func:`encrypt_text` sealed for the same place."""
    return _unseal(AESGCM(person_key), sealed, what.encode()).decode()


def encrypt_personal(person_key: bytes, values: dict[str, str]) -> bytes:
    """Encrypt a person's data as one text."""
    return encrypt_text(person_key, json.dumps(values, ensure_ascii=False), "personal")


def decrypt_personal(person_key: bytes, sealed: bytes) -> dict[str, str]:
    """Return what :func:`encrypt_personal` sealed."""
    values: dict[str, str] = json.loads(decrypt_text(person_key, sealed, "personal"))
    return values


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(master_key, purpose, hashlib.sha256)


def _seal(cipher: AESGCM, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, plain, bound_to)


def _unseal(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
    except InvalidTag:
        raise ConfigError("the master key is not the one that protects this data") from None


def _key_file(path: Path) -> bytes:
    """Read the key file, or make it; of two processes that make it at once, one wins and both use its key."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.{os.getpid()}")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(os.urandom(MASTER_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                path.hardlink_to(fresh)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        key = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the key file {path} can't be used: {error.strerror}") from error
    if len(key) != MASTER_KEY_BYTES:
        raise ConfigError(f"the key file {path} does not hold a key of {MASTER_KEY_BYTES} bytes")
    return key
