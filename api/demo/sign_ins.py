"""Who may sign in to the demo's pages: sample users with their secrets, in a file beside the demo's books."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

import pyotp

from clearinghouse.config import Settings
from clearinghouse.domain.users import Role
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.passwords import new_password
from clearinghouse.operations.sign_in import Passed, begin_set_up, finish_set_up, sign_in
from clearinghouse.operations.users import create_user

_FILE = "sign-ins.json"
_AUTHORITY = Authority("demo", "a sample user")
_HERE = "127.0.0.1"
#: System (``None``: the clearing house), name and role; two people of the desk, since some steps need two.
_STAFF = (
    ("SPRUCE", "finance", Role.FINANCE),
    ("SPRUCE", "admin", Role.ADMIN),
    ("BIRCH", "finance", Role.FINANCE),
    (None, "maker", Role.FINANCE),
    (None, "checker", Role.ADMIN),
)


@dataclass(frozen=True, slots=True)
class StaffSignIn:
    """A user of a member system, or of the clearing house."""

    where: str
    login: str
    password: str
    totp_secret: str

    def code_now(self) -> str:
        """Return the code that an authenticator app would show at this moment."""
        return pyotp.TOTP(self.totp_secret).now()


@dataclass(frozen=True, slots=True)
class SignIns:
    """All of them; the traveller signs in by a code to a phone, and their name."""

    staff: tuple[StaffSignIn, ...]
    traveller_phone: str
    traveller_name: str


def make_sign_ins(context: Context, traveller_phone: str, traveller_name: str) -> SignIns:
    """Make the sample users, each with a password and a second factor of its own, as a person would set them up."""
    staff = tuple(_made(context, *each) for each in _STAFF)
    return SignIns(staff, traveller_phone, traveller_name)


def _made(context: Context, system: str | None, name: str, role: Role) -> StaffSignIn:
    invited = create_user(context, system, name, role, _AUTHORITY)
    operator = system is None
    began = sign_in(
        context, invited.login, invited.initial_password, operator=operator, address=_HERE
    )
    setting_up = begin_set_up(context, began.token) if isinstance(began, Passed) else None
    if not isinstance(began, Passed) or setting_up is None:
        raise RuntimeError("a new user can't sign in")
    password = new_password()
    code = pyotp.TOTP(setting_up.secret).at(context.clock())
    finish_set_up(context, began.token, password, code, _HERE)
    where = "/desk" if operator else "/console"
    return StaffSignIn(where, invited.login, password, setting_up.secret)


def keep_sign_ins(demo: Settings, found: SignIns) -> None:
    """Write them beside the demo's books, for nobody else to read."""
    path = demo.data_dir / _FILE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(found), file, ensure_ascii=False, indent=1)


def kept_sign_ins(demo: Settings) -> SignIns:
    """Return those of the demo with these settings; none if it was made by an earlier version."""
    try:
        kept = json.loads((demo.data_dir / _FILE).read_text())
        staff = tuple(StaffSignIn(**each) for each in kept["staff"])
        return SignIns(staff, kept["traveller_phone"], kept["traveller_name"])
    except (OSError, ValueError, TypeError, KeyError):
        return SignIns((), "", "")
