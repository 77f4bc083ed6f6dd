"""Signing in through the pages, as a person does: an initial password, the set-up, then password and code."""

from dataclasses import dataclass
from datetime import timedelta

import pyotp

from clearinghouse.operations.users import Invited, create_user
from tests.web.site import AUTHORITY, Browser, Site
from web.frame.staff import Role

PASSWORD = "three sample words here"  # noqa: S105  a sample


@dataclass
class Person:
    """Somebody with a sign-in: what they know and what their phone has."""

    site: Site
    area: str
    user: int
    login: str
    password: str
    secret: str = ""
    recovery_codes: tuple[str, ...] = ()

    def code(self) -> str:
        """The code that the app shows now; the next one, since each is taken once."""
        self.site.alliance.clock.now += timedelta(seconds=30)
        return pyotp.TOTP(self.secret).at(self.site.alliance.clock.now)

    def give_password(self, browser: Browser, password: str | None = None) -> Browser:
        form = {"login": self.login, "password": password or self.password}
        return browser.post(f"/{self.area}/sign-in", form)

    def give_code(self, browser: Browser, code: str | None = None) -> Browser:
        return browser.post(f"/{self.area}/sign-in/second", {"code": code or self.code()})

    def sign_in(self, browser: Browser | None = None) -> Browser:
        """Sign in and be on the first page."""
        found = browser or self.site.stranger()
        assert self.give_password(found).location == f"/{self.area}/sign-in/second"
        assert self.give_code(found).location == f"/{self.area}/"
        return found


def invited(
    site: Site, system: str | None, role: Role = Role.FINANCE, name: str = "sample1"
) -> Invited:
    return create_user(site.context, system, name, role, AUTHORITY)


def person(
    site: Site, system: str | None, role: Role = Role.FINANCE, name: str = "sample1"
) -> Person:
    """Somebody who has set up the own sign-in, and is not signed in."""
    made = invited(site, system, role, name)
    area = "desk" if system is None else "console"
    found = Person(site, area, made.user, made.login, made.initial_password)
    set_up(found).post(f"/{area}/sign-out")
    return found


def set_up(found: Person) -> Browser:
    """Go through the first sign-in; the browser is on the page with the recovery codes."""
    browser = found.site.stranger()
    assert found.give_password(browser).location == f"/{found.area}/sign-in/set-up"
    browser.follow()
    found.secret = "".join(browser.words('//code[@class="secret"]').split())
    found.password = PASSWORD
    form = {"password": PASSWORD, "again": PASSWORD, "code": found.code()}
    assert browser.post(f"/{found.area}/sign-in/set-up", form).status == 200, browser.words()
    found.recovery_codes = tuple(
        code.text_content() for code in browser.page.xpath('//ul[@class="codes"]//code')
    )
    return browser


def actions(site: Site, *beginnings: str) -> list[tuple[str, str]]:
    """Who did what, of actions that begin so."""
    found = site.alliance.rows("SELECT actor, action FROM audit_log ORDER BY number")
    return [(actor, action) for actor, action in found if action.startswith(beginnings)]
