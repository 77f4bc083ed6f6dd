"""Hashing of passwords (argon2id, RFC 9106), the same work whether there is anything to compare with or not."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: The first of those that OWASP recommends: 46 MiB, one pass; one lane, since tills share the machine.
_HASHER = PasswordHasher(time_cost=1, memory_cost=46 << 10, parallelism=1)
#: Hashing many at once would take the memory of the whole service.
_AT_ONCE = BoundedSemaphore(2)
#: Without letters and digits that are read as others.
_PLAIN = "abcdefghjkmnpqrstuvwxyz23456789"


def hash_password(password: str) -> str:
    """Return the hash of a password, with a salt of its own."""
    with _AT_ONCE:
        return _HASHER.hash(_composed(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Tell whether a password is the one of a hash; without a hash it takes as long and is not."""
    given = password_hash if password_hash is not None else _of_nobody()
    with _AT_ONCE:
        try:
            _HASHER.verify(given, _composed(password))
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def new_password() -> str:
    """Make an initial password: sixteen characters, easily read and typed, 79 bits."""
    return "-".join("".join(secrets.choice(_PLAIN) for _ in range(4)) for _ in range(4))


def new_recovery_code() -> str:
    """Make a recovery code: twelve characters, 59 bits."""
    return "-".join("".join(secrets.choice(_PLAIN) for _ in range(4)) for _ in range(3))


@cache
def _of_nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe())


def _composed(password: str) -> bytes:
    # Keyboards compose the same character in different ways (NIST SP 800-63B 3.1.1.2).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
