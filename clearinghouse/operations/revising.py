"""A member's profile as the desk changes it: part of it at once, part of it proposed for a second person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.operations import member_terms, profiles, two_people
from clearinghouse.operations.changing import Authority, changing
from clearinghouse.operations.context import Context
from clearinghouse.store.proposals import Proposal


class Revised(NamedTuple):
    """What became of what was typed: the fields that are changed, and the proposal of what needs two people."""

    changed: tuple[str, ...]
    proposal: Proposal | None


def revise(
    context: Context, code: str, changes: Mapping[str, Any], authority: Authority
) -> Revised:
    """Change a member's profile, and propose what of it is among ``profiles.TERMS``; all of it or nothing.

    ``changes`` has values by the names of ``SystemProfile``; those that are on record already are passed over.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: nothing changes, a value does not fit, a settlement that would show it is under way, or other
            terms of the member are proposed already.
    """
    with changing(context, authority) as change:
        before, after = profiles.compared(change, code, changes)
        names = [name for name in changes if getattr(before, name) != getattr(after, name)]
        if not names:
            raise OperatorRefused(f'system "{code}" is like that already')
        plain = tuple(name for name in names if name not in profiles.TERMS)
        terms = [name for name in names if name in profiles.TERMS]
        if plain:
            profiles.put(change, code, before, {name: getattr(after, name) for name in plain})
        if not terms:
            return Revised(plain, None)
        values = member_terms.values_of(
            context.vault,
            code,
            {name: getattr(before, name) for name in terms},
            {name: getattr(after, name) for name in terms},
        )
        made = two_people.propose_in(
            change.session, change.now, member_terms.DEED, values, change.authority
        )
        return Revised(plain, made)
