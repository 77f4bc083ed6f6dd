"""A member's terms: where its money goes and how far into debt it may run. Two people change them (decision 0033).

A proposal keeps bank accounts sealed: it stays for ever, whereas a member's row holds only the account of today. Pages,
listings and the audit log have the end of it. Whoever confirms types the account again, from the member's own paper:
an end that looks right is no check of the rest.
"""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from clearinghouse.domain.errors import ConfigError, OperatorRefused
from clearinghouse.operations import govern, profiles
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.registry import end_of
from clearinghouse.store.vault import Vault

#: The deed's name in ``operations.two_people``, the values of its proposal, and which of them nobody is told.
DEED = "system.change"
NAMES = ("system", "seen", "changes", "sealed")
UNTOLD = ("sealed",)
#: What the one who confirms a change of the account types again.
AGAIN = "bank_account_again"

_ACCOUNT = "bank_account"


def values_of(
    vault: Vault, code: str, seen: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values of a proposal that puts ``changes`` in the place of what is ``seen`` on record now."""
    sealed = None
    if _ACCOUNT in changes:
        accounts = json.dumps([seen[_ACCOUNT], changes[_ACCOUNT]])
        sealed = base64.b64encode(vault.seal(accounts.encode(), _place(code))).decode()
    told = {"seen": profiles.told(seen), "changes": profiles.told(changes)}
    return {"system": code, **told, "sealed": sealed}


def carry_out(context: Context, values: Mapping[str, Any], by: Authority) -> None:
    """Change a member's terms as they were proposed; ``values`` has :data:`AGAIN` too where the account changes.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: another account was typed, what is replaced is not what was seen, or the proposal was made
            under another master key.
    """
    code, seen, changes = values["system"], dict(values["seen"]), dict(values["changes"])
    if values["sealed"] is not None:
        seen[_ACCOUNT], changes[_ACCOUNT] = _accounts(context.vault, code, values["sealed"])
        _must_be_typed(values.get(AGAIN, ""), changes[_ACCOUNT])
    govern.change_system(context, code, changes, by, seen=seen)


def _accounts(vault: Vault, code: str, sealed: str) -> tuple[str | None, str | None]:
    """Return the former and the new account of a proposal for a member."""
    try:
        seen, proposed = json.loads(vault.unseal(base64.b64decode(sealed), _place(code)))
    except (ConfigError, ValueError):
        raise OperatorRefused(
            "the bank account of this proposal can't be opened with the master key of today;"
            " withdraw it and propose it anew"
        ) from None
    return seen, proposed


def _must_be_typed(typed: str, account: str | None) -> None:
    if _plain(typed) != _plain(account or ""):
        raise OperatorRefused(
            f"the bank account typed again is not the one that was proposed, which ends in {end_of(account)};"
            " compare it with what the member has sent"
        )


def _plain(account: str) -> str:
    """Return an account as one reads it aloud: people group its digits by blanks, or type wide ones."""
    return "".join(unicodedata.normalize("NFKC", account).split())


def _place(code: str) -> str:
    return f"terms of {code}"
