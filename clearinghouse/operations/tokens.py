"""Access tokens: one-hour JWTs signed with Ed25519 (RFC 9068), checked without asking the database each time.

A ``TokenDesk`` remembers the tokens it has checked. Who was revoked, and which keys there are, is read anew
every two seconds at most, so a revocation is noticed by every process within about that time.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import Any

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from clearinghouse.domain.errors import ScopeRefused, TokenRefused
from clearinghouse.domain.scopes import in_order
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.operations.signing_keys import TOKENS, make_key, opened_key, published
from clearinghouse.store import clients, keys
from clearinghouse.store.clients import StoredClient
from clearinghouse.store.database import Session
from clearinghouse.store.keys import PublicKey

TOKEN_SECONDS = 3600
_ALGORITHM = "Ed25519"
_TYPE = "at+jwt"
#: A process may sign with a key for some seconds after another one retired it.
_LAGGING = timedelta(seconds=60)
_LOOK_EVERY_SECONDS = 2.0
#: A token with a key that is not known may be new, or made up to keep the database busy.
_LOOK_AGAIN_SECONDS = 0.05
#: Beyond this nobody goes on with what was read before, however long the reading takes.
_STALE_SECONDS = 10.0
_REMEMBERED = 8192
_MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token and what it allows."""

    token: str
    scopes: tuple[str, ...]


class TokenDesk:
    """Gives out access tokens and tells whose a token is; one per process and books, safe to share."""

    def __init__(self, context: Context, issuer: str) -> None:
        self._context = context
        self._issuer = issuer
        self._keys: dict[str, tuple[PublicKey, jwk.Key]] = {}
        self._private: dict[str, jwk.Key] = {}
        self._revoked: frozenset[int] = frozenset()
        self._looked_at = float("-inf")
        self._looking = Lock()
        self._checked: OrderedDict[bytes, tuple[float, Party, str]] = OrderedDict()
        self._lock = Lock()

    def issue(self, client: StoredClient, asked: Collection[str] | None) -> Issued:
        """Give a client a token for the scopes it asks for, or for all it has where it asks for none.

        Raises:
            ScopeRefused: it asks for more than it has.
        """
        beyond = sorted(set(asked or ()) - client.scopes)
        if beyond:
            raise ScopeRefused(f"the client does not have the scope {beyond[0][:40]!r}")
        scopes = in_order(asked or client.scopes)
        now = int(self._context.clock().timestamp())
        with self._context.database.posting() as session:
            directory = self._context.directory.current(session)
            codes = client.hotels and sorted(directory.hotels[n].code for n in client.hotels)
            kid, key = self._signing_key(session)
        claims = {
            "iss": self._issuer, "aud": self._issuer, "sub": client.client_id, "client_id": client.client_id,
            "system": client.system_code, "hotels": codes, "scope": " ".join(scopes),
            "iat": now, "exp": now + TOKEN_SECONDS, "jti": secrets.token_hex(16),
        }  # fmt: skip
        header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": kid}
        return Issued(jwt.encode(header, claims, key, algorithms=[_ALGORITHM]), tuple(scopes))

    def party(self, token: str) -> Party:
        """Return for whom a token speaks.

        Raises:
            TokenRefused: it is not ours, not for us, over, or its client was revoked.
        """
        self._look()
        name = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            known = self._checked.get(name)
            if known is not None:
                self._checked.move_to_end(name)
        if known is None:
            known = self._check(token)
            with self._lock:
                self._checked[name] = known
                if len(self._checked) > _REMEMBERED:
                    self._checked.popitem(last=False)
        expires_at, party, kid = known
        if self._context.clock().timestamp() >= expires_at:
            raise TokenRefused("the token has expired; ask for another one")
        if party.client in self._revoked:
            raise TokenRefused("the client of this token was revoked")
        if kid not in self._keys:
            raise TokenRefused("the key of this token was withdrawn; ask for another one")
        return party

    def published_keys(self) -> list[dict[str, Any]]:
        """Return the public keys (JWK) of all tokens that may still be good."""
        with self._context.database.posting() as session:
            self._signing_key(session)
        self._look(at_once=True)
        return [published(found, TOKENS) for found, _ in self._keys.values()]

    def _check(self, token: str) -> tuple[float, Party, str]:
        """Verify a token that was not seen before; tells its end, its party and its key."""
        claims, kid = self._verified(token)
        expires_at = claims.get("exp")
        if (claims.get("iss"), claims.get("aud")) != (self._issuer, self._issuer):
            raise TokenRefused("the token is meant for another service")
        if not isinstance(expires_at, int):
            raise TokenRefused("the token says no end")
        with self._context.database.posting() as session:
            client = clients.find(session, str(claims.get("sub")))
        if client is None:
            raise TokenRefused("the client of this token was revoked")
        if client.revoked_at is not None:
            self._revoked |= {client.number}
        scopes = client.scopes.intersection(str(claims.get("scope")).split())
        return expires_at, Party(client.number, client.system, client.hotels, scopes), kid

    def _verified(self, token: str) -> tuple[dict[str, Any], str]:
        refused = TokenRefused("the token is not one of ours")
        if len(token) > _MAX_BYTES:
            raise refused
        try:
            header = jws.extract_compact(token.encode()).headers()
            kid = header.get("kid")
            # The header chooses among our own keys and nothing else: the algorithm is ours.
            if header.get("alg") != _ALGORITHM or header.get("typ") != _TYPE:
                raise refused
            if kid not in self._keys:
                self._look(at_once=True)
            if kid not in self._keys:
                raise refused
            claims = jwt.decode(token, self._keys[kid][1], algorithms=[_ALGORITHM]).claims
            return dict(claims), str(kid)
        except (JoseError, ValueError, TypeError, RecursionError):
            raise refused from None

    def _look(self, *, at_once: bool = False) -> None:
        """Read anew who was revoked and which keys there are, if that is some time ago."""
        age = time.monotonic() - self._looked_at
        if age < (_LOOK_AGAIN_SECONDS if at_once else _LOOK_EVERY_SECONDS):
            return
        # One thread reads and the others go on, unless what they would go on with is too old.
        if self._looking.acquire(blocking=at_once or age > _STALE_SECONDS):
            try:
                if time.monotonic() - self._looked_at < age:
                    return  # another thread has read it meanwhile
                began = time.monotonic()
                with self._context.database.posting() as session:
                    self._read_keys(session)
                    self._revoked = clients.revoked(session)
                # How long the answer took on its way is part of its age.
                self._looked_at = began
            finally:
                self._looking.release()

    def _read_keys(self, session: Session) -> None:
        good_since = self._context.clock() - timedelta(seconds=TOKEN_SECONDS) - _LAGGING
        self._keys = {
            found.kid: (found, jwk.import_key(found.public_key))
            for found in keys.public_keys(session, TOKENS)
            if found.compromised_at is None
            and (found.retired_at is None or found.retired_at > good_since)
        }

    def _signing_key(self, session: Session) -> tuple[str, jwk.Key]:
        """Return the key to sign with, made at first use."""
        kid = next((kid for kid, (k, _) in self._keys.items() if k.retired_at is None), None)
        if kid is None:
            keys.hold_keys(session)
            self._read_keys(session)
            kid = next((kid for kid, (k, _) in self._keys.items() if k.retired_at is None), None)
        if kid is None:
            kid = make_key(self._context, session, TOKENS, self._context.clock())
            self._read_keys(session)
        if kid not in self._private:
            self._private[kid] = jwk.import_key(opened_key(self._context, session, kid))
        return kid, self._private[kid]
