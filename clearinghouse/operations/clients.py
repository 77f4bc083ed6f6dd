"""Clients of the API: the operator makes, rotates and revokes them; they prove who they are (RFC 6749, RFC 7523).

A secret is 256 random bits, so one SHA-256 keeps it: there is nothing to guess that a slow hash would protect.
It is shown once, when it is made. A client may have a public key in place of a secret.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b32encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.errors import ClientRefused, NotFound, OperatorRefused
from clearinghouse.domain.scopes import in_order, scopes_for
from clearinghouse.operations.assertions import (
    check_assertion,
    claimed_client,
    fit_public_key,
)
from clearinghouse.operations.changing import Authority, fit, fit_authority, log
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs import fields
from clearinghouse.operations.packs.showing import shown
from clearinghouse.store import clients
from clearinghouse.store.clients import StoredClient
from clearinghouse.store.database import Session

_NAME_MAX = 100
_MAX_OVERLAP = timedelta(days=30)
_NOBODY = bytes(32)
_NOT_PROVEN = "the client is unknown, or does not prove who it is"


@dataclass(frozen=True, slots=True)
class Issued:
    """A client and its new secret, which is told here and never again; ``None`` for one with a public key."""

    client_id: str
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """A client as the operator sees it; ``hotels`` are codes, ``None`` for all of its system."""

    client_id: str
    system_code: str | None
    name: str
    proof: str
    scopes: tuple[str, ...]
    hotels: tuple[str, ...] | None
    created_at: datetime
    former_until: datetime | None
    revoked_at: datetime | None


def create_client(
    context: Context,
    system_code: str | None,
    name: str,
    authority: Authority,
    *,
    scopes: Collection[str] | None = None,
    hotels: Collection[str] | None = None,
    public_key: str | None = None,
) -> Issued:
    """Make a client of a member system, or of the operator where ``system_code`` is ``None``.

    ``scopes`` are all that it can hold where none are given (for a member; the operator's must be named), ``hotels``
    all of its system. With a public key (PEM or a JWK) it has no secret.

    Raises:
        NotFound: there is no such system or hotel.
        OperatorRefused: a scope, hotel, name or key does not fit.
    """
    authority, now = fit_authority(authority), context.clock()
    name = fit("name", fields.prose(_NAME_MAX), name)
    if not name:
        raise OperatorRefused("a name is needed: what will use it, for example the till of a hotel")
    granted = _fit_scopes(scopes, system_code is None)
    key = None if public_key is None else fit_public_key(public_key)
    client_id = f"client_{b32encode(secrets.token_bytes(15)).decode().lower()}"
    secret = None if key is not None else _new_secret()
    with context.database.office() as session:
        system, numbers = _belongs(context, session, system_code, hotels, now)
        clients.add(
            session, client_id, system, name, granted, numbers, now,
            secret_hash=None if secret is None else _hash(secret), public_key=key,
        )  # fmt: skip
        told = {
            "system": system_code,
            "name": name,
            "scopes": granted,
            "hotels": hotels and sorted(hotels),
        }
        log(session, now, authority, "client.create", f"client {client_id}", told)
    return Issued(client_id, secret)


def rotate_client(
    context: Context,
    client_id: str,
    overlap: timedelta,
    authority: Authority,
    *,
    public_key: str | None = None,
) -> Issued:
    """Give a client another secret or public key; the one it had is good for the ``overlap``.

    An overlap of zero ends it at once. Tokens that were given out are good until they expire.

    Raises:
        NotFound: there is no such client.
        OperatorRefused: it is revoked, the key does not fit or is missing, or the overlap is too long.
    """
    authority, now = fit_authority(authority), context.clock()
    if not timedelta() <= overlap <= _MAX_OVERLAP:
        raise OperatorRefused(f"the overlap can't be longer than {_MAX_OVERLAP.days} days")
    until = now + overlap if overlap else None
    with context.database.office() as session:
        client = _existing(session, client_id)
        if (client.public_keys is None) != (public_key is None):
            raise OperatorRefused(
                f"client {client_id} has a secret, not a public key; without a key it gets another secret"
                if client.public_keys is None
                else f"client {client_id} has a public key; its next one is needed"
            )
        secret = None
        if public_key is not None:
            clients.replace_key(session, client.number, fit_public_key(public_key), until)
        else:
            secret = _new_secret()
            clients.replace_secret(session, client.number, _hash(secret), until)
        told = {"former_until": until}
        log(session, now, authority, "client.rotate", f"client {client_id}", told)
    return Issued(client_id, secret)


def revoke_client(context: Context, client_id: str, authority: Authority) -> None:
    """End a client at once: no more tokens, and those it has are refused within seconds.

    Raises:
        NotFound: there is no such client.
        OperatorRefused: it is revoked already.
    """
    authority, now = fit_authority(authority), context.clock()
    with context.database.office() as session:
        client = _existing(session, client_id)
        clients.revoke(session, client.number, now)
        log(session, now, authority, "client.revoke", f"client {client_id}", {"name": client.name})


def list_clients(context: Context, system_code: str | None = None) -> list[ClientEntry]:
    """Return all clients, or those of one system, revoked ones too.

    Raises:
        NotFound: there is no such system.
    """
    with context.database.office() as session:
        directory = context.directory.current(session)
        if system_code is not None and system_code not in directory.system_by_code:
            raise NotFound(f"there is no system {shown(system_code)}")
        return [
            ClientEntry(
                client_id=client.client_id,
                system_code=client.system_code,
                name=client.name,
                proof="secret" if client.public_keys is None else "public key",
                scopes=tuple(in_order(client.scopes)),
                hotels=None
                if client.hotels is None
                else tuple(sorted(directory.hotels[hotel].code for hotel in client.hotels)),
                created_at=client.created_at,
                former_until=client.former_until,
                revoked_at=client.revoked_at,
            )
            for client in clients.every(session)
            if system_code in (None, client.system_code)
        ]


def prove_by_secret(context: Context, client_id: str, secret: str) -> StoredClient:
    """Return the client that this is the secret of.

    Raises:
        ClientRefused: there is none; the answer does not say whether the client exists.
    """
    now, given = context.clock(), _hash(secret)
    with context.database.posting() as session:
        client = clients.find(session, client_id)
    current, former = _NOBODY, _NOBODY
    if client is not None and client.revoked_at is None:
        current = client.secret_hash or _NOBODY
        if client.former_until is not None and now < client.former_until:
            former = client.former_secret_hash or _NOBODY
    # Both are compared, always, each in constant time.
    proven = hmac.compare_digest(given, current) | hmac.compare_digest(given, former)
    if client is None or not proven:
        raise ClientRefused(_NOT_PROVEN)
    return client


def prove_by_assertion(
    context: Context, assertion: str, audiences: Collection[str]
) -> StoredClient:
    """Return the client that signed this assertion, which must name one of ``audiences`` and is good once.

    Raises:
        ClientRefused: no client of ours signed it, it is over, meant for another, or was used before.
    """
    now, client_id = context.clock(), claimed_client(assertion)
    with context.database.posting() as session:
        client = clients.find(session, client_id)
        if client is None or client.revoked_at is not None or client.public_keys is None:
            raise ClientRefused(_NOT_PROVEN)
        keys = [client.public_keys["current"]]
        if "former" in client.public_keys and client.former_until and now < client.former_until:
            keys.append(client.public_keys["former"])
        used = check_assertion(assertion, keys, client_id, audiences, now)
        # Only now: whoever can't sign must not be able to fill the table.
        if not clients.use_assertion(session, used.jti_hash, used.expires_at, now):
            raise ClientRefused("the assertion was used before")
    return client


def _existing(session: Session, client_id: str) -> StoredClient:
    client = clients.find(session, client_id)
    if client is None:
        raise NotFound(f"there is no client {shown(client_id)}")
    if client.revoked_at is not None:
        raise OperatorRefused(f"client {client_id} is revoked")
    return client


def _fit_scopes(scopes: Collection[str] | None, operator: bool) -> list[str]:
    possible = scopes_for(operator)
    if scopes is None and not operator:
        return in_order(possible)
    unfit = sorted(set(scopes or ()) - possible)
    if unfit:
        whose = "the operator's clients" if operator else "clients of a member"
        raise OperatorRefused(f"{whose} can't have the scope {shown(unfit[0])}")
    if not scopes:
        raise OperatorRefused(f"at least one scope is needed: {', '.join(in_order(possible))}")
    return in_order(scopes)


def _belongs(
    context: Context,
    session: Session,
    system_code: str | None,
    hotels: Collection[str] | None,
    now: datetime,
) -> tuple[int | None, list[int] | None]:
    """Return the numbers of a client's system and of the hotels that it is bound to."""
    directory = context.directory.current(session)
    if system_code is None:
        if hotels is not None:
            raise OperatorRefused("a client of the operator speaks for no hotel")
        return None, None
    system = directory.system_by_code.get(system_code)
    if system is None:
        raise NotFound(f"there is no system {shown(system_code)}")
    if hotels is None:
        return system.number, None
    today, numbers = business_day(directory, now), []
    for code in hotels:
        hotel = directory.hotel_by_code.get(code)
        if hotel is None or directory.system_of(hotel.number, today) != system.number:
            raise NotFound(f"system {shown(system_code)} has no hotel {shown(code)} today")
        numbers.append(hotel.number)
    if not numbers:
        raise OperatorRefused("name at least one hotel, or none for all hotels of the system")
    return system.number, numbers


def _new_secret() -> str:
    return f"chs_{secrets.token_urlsafe(32)}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
