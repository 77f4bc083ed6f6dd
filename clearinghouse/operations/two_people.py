"""Four eyes on the desk: what one of the operator's people proposes and another confirms (docs/decisions/0031).

A command is told the name of whoever approves. On the desk both sign in themselves: a proposal is kept beside those of
decisions and corrections (``operations.confirming``) and changes nothing until somebody else confirms it. Then the same
operation runs that the command runs, with the proposer as who does it and the other as who approves; the proposal ends
in its transaction. It is judged anew by what the books say then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.errors import NotFound, OperatorRefused
from clearinghouse.domain.people import same_person
from clearinghouse.operations import (
    card_transfers,
    collateral,
    contributing,
    defaulting,
    member_terms,
    standing_changes,
)
from clearinghouse.operations.changing import Authority, fit_authority, log
from clearinghouse.operations.context import Context
from clearinghouse.operations.proposers import must_be_there
from clearinghouse.store import proposals as store
from clearinghouse.store.database import Session
from clearinghouse.store.proposals import Proposal

Values = Mapping[str, Any]


class Deed(NamedTuple):
    """Something that two people do: how it is done with the values of a proposal, and what these are called.

    ``about`` is the value that names what it concerns. What takes several transactions is ``in_parts``: it is safe to
    run again, and its proposal ends behind it. ``untold`` values are for the deed alone, not for logs and pages. Of
    what is ``alone`` one proposal waits at a time about the same. ``asked`` is what the one who confirms has to say.
    """

    do: Callable[[Context, Values, Authority], object]
    names: tuple[str, ...]
    about: str = "system"
    in_parts: bool = False
    untold: tuple[str, ...] = ()
    alone: bool = False
    asked: tuple[str, ...] = ()


def _withdraw(context: Context, values: Values, by: Authority) -> object:
    return standing_changes.withdraw(
        context,
        values["system"],
        date.fromisoformat(values["withdrawn_on"]),
        by,
        uncovered=values["uncovered"],
    )


#: What needs two people, by the name that the audit log has it under.
DEEDS: Mapping[str, Deed] = {
    "system.suspend": Deed(
        lambda context, v, by: standing_changes.suspend(context, v["system"], by), ("system",)
    ),
    "system.reinstate": Deed(
        lambda context, v, by: standing_changes.reinstate(context, v["system"], by), ("system",)
    ),
    "system.withdraw": Deed(_withdraw, ("system", "withdrawn_on", "uncovered")),
    "system.end-run-off": Deed(
        lambda context, v, by: standing_changes.end_run_off(context, v["system"], by),
        ("system",),
        in_parts=True,
    ),
    member_terms.DEED: Deed(
        member_terms.carry_out,
        member_terms.NAMES,
        untold=member_terms.UNTOLD,
        alone=True,
        asked=(member_terms.AGAIN,),
    ),
    "card.transfer": Deed(
        lambda context, v, by: card_transfers.transfer(
            context, card_transfers.Transfer(v["card"], v["hotel"], v["tier"]), by
        ),
        ("card", "card_masked", "hotel", "tier"),
        "card_masked",
    ),
    "collateral.post": Deed(
        lambda context, v, by: collateral.post_collateral(
            context, v["system"], v["amount_minor"], v["reference"], by
        ),
        ("system", "amount_minor", "reference"),
    ),
    "collateral.release": Deed(
        lambda context, v, by: collateral.release_collateral(
            context, v["system"], v["amount_minor"], v["reference"], by
        ),
        ("system", "amount_minor", "reference"),
    ),
    "risk.default": Deed(
        lambda context, v, by: defaulting.declare_default(
            context, v["system"], parse_period(v["period"]), by, seen=v["seen"]
        ),
        ("system", "period", "seen"),
    ),
    "risk.recover": Deed(
        lambda context, v, by: defaulting.recover(
            context, v["system"], parse_period(v["period"]), by, seen=v["seen"]
        ),
        ("system", "period", "seen"),
    ),
    "risk.contributions": Deed(
        lambda context, v, by: contributing.contribute(
            context, parse_period(v["period"]), by, seen=v["seen"]
        ),
        ("period", "seen"),
        "period",
    ),
}


def propose(context: Context, what: str, values: Values, authority: Authority) -> Proposal:
    """Propose a deed of :data:`DEEDS`; ``values`` are kept as they are, so no secret in the clear and no personal data.

    Raises:
        OperatorRefused: the same is proposed already and waits, or who or why is missing.
    """
    by = fit_authority(authority)
    with context.database.posting() as session:
        return propose_in(session, context.clock(), what, values, by)


def propose_in(
    session: Session, at: datetime, what: str, values: Values, by: Authority
) -> Proposal:
    """Propose a deed in a transaction that does more; see :func:`propose`.

    Raises:
        OperatorRefused: as there.
    """
    deed = DEEDS[what]
    if set(values) != set(deed.names):
        raise ValueError(f"{what} takes {', '.join(deed.names)}")
    document = {"what": what, **values}
    # Asked first: it keeps others from proposing until this transaction ends.
    same = store.same_waits(session, document)
    made = None if same else store.add(session, None, document, by.actor, by.reason, at)
    if made is None:
        raise OperatorRefused("the same is proposed already and waits for a second person")
    if deed.alone and any(
        row.number != made.number and row.document["what"] == what and _about(row) == _about(made)
        for row in store.waiting(session)
    ):
        raise OperatorRefused(
            f"another proposal of the kind waits for {_about(made)}; confirm or withdraw that first"
        )
    told = {name: value for name, value in values.items() if name not in deed.untold}
    log(session, at, by, f"{what}.propose", _subject(made), {"proposal": made.number, **told})
    return made


def confirm(
    context: Context, number: int, authority: Authority, said: Mapping[str, str] | None = None
) -> object:
    """Carry out what another person has proposed, and return what the operation does.

    ``said`` is what the deed asks the one who confirms for, by name.

    Raises:
        NotFound: there is no such proposal, or what it is about is gone.
        OperatorRefused: it is ended, it is one's own, whoever has proposed it may no longer act, or the operation
            refuses it now.
    """
    who = fit_authority(authority).actor
    found = _waiting(context, number)
    if same_person(who, found.proposed_by):
        raise OperatorRefused("another person than the one who has proposed it has to confirm it")
    deed = DEEDS[found.document["what"]]
    values = {name: found.document[name] for name in deed.names}
    values |= {name: (said or {}).get(name, "") for name in deed.asked}
    by = Authority(found.proposed_by, found.reason, who, number)
    if not deed.in_parts:
        return deed.do(context, values, by)
    with context.database.office() as session:
        must_be_there(session, found.proposed_by)
    done = deed.do(context, values, replace(by, proposal=None))
    with context.database.posting() as session:
        held = store.hold(session, number)
        # Sent twice at once both come so far; the first has ended it.
        if held is not None and held.state == "waiting":
            store.end(session, number, "confirmed", who, context.clock())
    return done


def withdraw(context: Context, number: int, authority: Authority) -> None:
    """End a proposal without carrying it out; its author may do that too.

    Raises:
        NotFound: there is no such proposal.
        OperatorRefused: it is ended.
    """
    by = fit_authority(authority)
    found = _waiting(context, number)
    with context.database.posting() as session:
        held, at = store.hold(session, number), context.clock()
        if held is None or held.state != "waiting":
            raise OperatorRefused(f"proposal {number} is ended already")
        store.end(session, number, "withdrawn", by.actor, at)
        action = f"{found.document['what']}.withdraw"
        log(session, at, by, action, _subject(found), {"proposal": number})


def waiting(context: Context, about: str | None = None) -> list[Proposal]:
    """Return the proposals of deeds that wait for a second person, the oldest first; of what is named, if it is."""
    with context.database.office() as session:
        found = [row for row in store.waiting(session) if row.document["what"] in DEEDS]
    return [row for row in found if about is None or _about(row) == about]


def _waiting(context: Context, number: int) -> Proposal:
    with context.database.office() as session:
        found = store.hold(session, number)
    if found is None or found.document["what"] not in DEEDS:
        raise NotFound(f"there is no proposal {number}")
    if found.state != "waiting":
        raise OperatorRefused(f"proposal {number} is {found.state} already, by {found.ended_by}")
    return found


def _about(found: Proposal) -> str:
    return str(found.document[DEEDS[found.document["what"]].about])


def _subject(found: Proposal) -> str:
    about = DEEDS[found.document["what"]].about
    return f"{about.partition('_')[0]} {_about(found)}"
