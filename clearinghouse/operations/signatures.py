"""Signing what is sent to a webhook, as the Standard Webhooks specification has it.

A webhook has two secrets: one that it shares with the service (HMAC, ``v1``), and a key pair of which it
knows the public half (Ed25519, ``v1a``). Every message carries both signatures, and during a rotation those
of the former secrets too: a receiver checks whichever it can.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook as SharedSecret

from clearinghouse.store.vault import Vault
from clearinghouse.store.webhooks import Keys

_PLACE = "webhook secrets"
_SIZE = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    """The two secrets of a webhook."""

    shared: bytes = field(repr=False)
    signing: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Secrets:
        """Make secrets that nobody knows."""
        return cls(os.urandom(_SIZE), os.urandom(_SIZE))

    @classmethod
    def unsealed(cls, vault: Vault, sealed: bytes) -> Secrets:
        """Return secrets from their stored form.

        Raises:
            ConfigError: they were protected by another master key.
        """
        both = vault.unseal(sealed, _PLACE)
        return cls(both[:_SIZE], both[_SIZE:])

    def keys(self, vault: Vault) -> Keys:
        """Return the secrets as they are stored."""
        public = Ed25519PrivateKey.from_private_bytes(self.signing).public_key()
        return Keys(vault.seal(self.shared + self.signing, _PLACE), public.public_bytes_raw())

    @property
    def shown(self) -> str:
        """Return the shared secret as its owner is shown it, once."""
        return "whsec_" + base64.b64encode(self.shared).decode()

    def sign(self, message: str, at: datetime, body: str) -> str:
        """Return both signatures of a message."""
        # The library takes the wall clock of an aware datetime for UTC, whatever its zone.
        moment = at.astimezone(UTC)
        shared = SharedSecret(self.shared).sign(message, moment, body)
        signed = f"{message}.{int(moment.timestamp())}.{body}".encode()
        signature = Ed25519PrivateKey.from_private_bytes(self.signing).sign(signed)
        return f"{shared} v1a,{base64.b64encode(signature).decode()}"


def show_public_key(public_key: bytes) -> str:
    """Return a public key as receivers are given it."""
    return "whpk_" + base64.b64encode(public_key).decode()


def signed_headers(
    secrets: Sequence[Secrets], message: str, at: datetime, body: str
) -> dict[str, str]:
    """Return the headers that prove a message; ``at`` is the moment of this attempt."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(secret.sign(message, at, body) for secret in secrets),
    }
