"""The second factor: codes of an authenticator app (TOTP, RFC 6238), each good once; or recovery codes."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp

from clearinghouse.operations.context import Context
from clearinghouse.operations.passwords import new_recovery_code
from clearinghouse.store import users as store
from clearinghouse.store.database import Session
from clearinghouse.store.users import StoredUser
from clearinghouse.store.vault import Vault

RECOVERY_CODES = 10
_SECONDS, _DIGITS = 30, 6
#: Clocks of telephones are a little fast or slow: one step on either side (RFC 6238 §5.2).
_AROUND = (-1, 0, 1)
_ISSUER = "Hotel Clearing House"


def new_secret() -> str:
    """Make a secret: 160 bits in base32."""
    return pyotp.random_base32()


def seal_secret(vault: Vault, user: int, secret: str) -> bytes:
    """Encrypt a user's secret for the database."""
    return vault.seal(secret.encode(), _place(user))


def unseal_secret(vault: Vault, user: int, sealed: bytes) -> str:
    """Return the secret that was sealed for a user."""
    return vault.unseal(sealed, _place(user)).decode()


def enrolment_uri(login: str, secret: str) -> str:
    """Return what an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER)


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """Return the time step that a code is of, near a moment; ``None`` if it is none. All are compared, always."""
    given = "".join(code.split())
    now, found = int(at.timestamp()) // _SECONDS, None
    app = pyotp.TOTP(secret)
    for step in (now + around for around in _AROUND):
        right = hmac.compare_digest(
            app.generate_otp(step).encode(), given.encode("utf-8", "replace")
        )
        if right and len(given) == _DIGITS:
            found = step
    return found


def take_code(context: Context, session: Session, user: StoredUser, code: str) -> str | None:
    """Use up a code of the app or a recovery code; return which it was, ``None`` if it is none or was used before."""
    if user.totp_sealed is None:
        return None
    secret = unseal_secret(context.vault, user.number, user.totp_sealed)
    step = step_of(secret, code, context.clock())
    if step is not None:
        return "app" if store.use_step(session, user.number, step) else None
    hashed = _recovery_hash(context.vault, user.number, code)
    return "recovery code" if store.use_recovery_code(session, user.number, hashed) else None


def new_recovery_codes(context: Context, session: Session, user: int) -> tuple[str, ...]:
    """Give a user other recovery codes; they are told here and never again."""
    codes = tuple(new_recovery_code() for _ in range(RECOVERY_CODES))
    hashes = [_recovery_hash(context.vault, user, code) for code in codes]
    store.replace_recovery_codes(session, user, hashes)
    return codes


def _recovery_hash(vault: Vault, user: int, code: str) -> bytes:
    # Keyed: who has only the database can't try all 59 bits of it.
    plain = "".join(c for c in code.casefold() if c.isalnum())
    return vault.blind_index("recovery code", f"{user} {plain}")


def _place(user: int) -> str:
    return f"second factor of user {user}"
