"""What a person does in the console is on record as that user's doing, beside what clients of the API do."""

from dataclasses import replace

import psycopg2
import pytest

from clearinghouse.domain.users import Role
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.evidence import NewFile, add_evidence
from clearinghouse.operations.party import Party
from clearinghouse.operations.users import create_user
from tests.operations.court import Court


def person(court: Court, code: str, like: Party) -> Party:
    why = Authority("tests", "a test's user")
    made = create_user(court.context, code, "caiwu1", Role.FINANCE, why)
    return replace(like, client=None, user=made.user)


def test_a_dispute_between_two_people_names_them(court: Court) -> None:
    aur, cld = person(court, "AUR", court.aur), person(court, "CLD", court.cld)
    found = court.open(aur)
    assert court.open(court.aur).dispute_id == found.dispute_id
    court.answer(found, who=cld)
    add_evidence(court.context, aur, found.dispute_id, NewFile("a.txt", "text/plain", b"sample"))
    court.decide(found, 0)
    court.escalate(found, aur)
    rows = court.alliance.rows
    assert rows("SELECT client, by_user FROM disputes") == [(None, aur.user)]
    assert rows("SELECT client, by_user FROM dispute_evidence") == [(None, aur.user)]
    trail = rows(
        "SELECT actor, action, system FROM audit_log WHERE system IS NOT NULL AND actor <> 'tests' ORDER BY number"
    )
    assert trail == [
        ("caiwu1@AUR", "dispute.open", aur.system),
        ("caiwu1@CLD", "dispute.answer", cld.system),
        ("caiwu1@AUR", "evidence.add", aur.system),
        ("caiwu1@AUR", "dispute.escalate", aur.system),
    ]
    steps = rows("SELECT client, by_user FROM dispute_steps ORDER BY step")
    assert steps == [(None, aur.user), (None, cld.user), (None, None), (None, aur.user)]


def test_what_is_accepted_in_the_console_is_upheld_at_once(court: Court) -> None:
    found = court.open()
    cld = person(court, "CLD", court.cld)
    assert court.answer(found, "accept", cld).state == "upheld"
    assert court.alliance.rows("SELECT client, by_user FROM dispute_steps ORDER BY step") == [
        (court.aur.client, None),
        (None, cld.user),
        (None, cld.user),
    ]


def test_a_dispute_is_of_one_who_stays(court: Court) -> None:
    aur = person(court, "AUR", court.aur)
    court.open(aur)
    for change in ("by_user = NULL", f"client = {court.aur.client}", "by_user = 99"):
        with pytest.raises(psycopg2.Error), court.context.database.office() as session:
            session.run(f"UPDATE disputes SET {change}, overdue_at = now()")


def test_what_only_clients_do_no_user_does(court: Court) -> None:
    with pytest.raises(RuntimeError):
        person(court, "AUR", court.aur).of_a_client()
