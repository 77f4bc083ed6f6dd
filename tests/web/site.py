"""The pages as a person in a browser meets them: the site on a small alliance, and browsers with or without sign-in.

browser = site.staff("AUR", Role.FINANCE)
browser.get("/console/disputes")
assert browser.status == 200 and "..." in browser.words()
browser.post("/console/disputes", {"reason": "..."}).follow()
"""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from lxml import html
from lxml.html import HtmlElement
from werkzeug.test import TestResponse

from api.http.catalogue import CATALOGUE
from api.http.frame import frame
from api.http.options import Options
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.user_sessions import Level, begin_in
from clearinghouse.operations.users import create_user
from tests.alliances import MiniAlliance
from web.frame.shared import Site as Shared
from web.frame.staff import CONSOLE, DESK, Role
from web.site import make_site

AUTHORITY = Authority("tests", "a test's user")
URL = "http://clearing.test"
_RAW_CSRF = "a test's form"
_names = count(1)


class Browser:
    """A browser: it keeps cookies, and the last answer until the next. Methods return the browser itself."""

    def __init__(self, app: Flask, address: str = "127.0.0.1", origin: str = URL) -> None:
        self.app = app
        self.http: FlaskClient = app.test_client()
        self.address = address
        self._origin = origin
        self.answer: TestResponse | None = None
        #: The user's number and login, where somebody is signed in by :meth:`Site.staff`.
        self.user = 0
        self.login = ""

    def get(self, path: str, **headers: str) -> "Browser":
        """Look at a page; redirects are not followed. Headers as ``accept_language="en"``."""
        return self._send("GET", path, headers)

    def post(
        self, path: str, data: Mapping[str, Any] | None = None, *, csrf: bool = True
    ) -> "Browser":
        """Send a form, with the token that its page has; a file is ``(BytesIO(...), name)``."""
        form = dict(data or {})
        if csrf:
            form.setdefault("csrf_token", self._csrf_token())
        return self._send("POST", path, {}, data=form)

    def follow(self) -> "Browser":
        """Go where the last answer sends to, as often as it does."""
        for _ in range(5):
            if self.status not in (301, 302, 303, 307, 308):
                return self
            self.get(self.location)
        raise AssertionError(f"sent from page to page, at last to {self.location}")

    @property
    def status(self) -> int:
        return self._last.status_code

    @property
    def text(self) -> str:
        return self._last.text

    @property
    def headers(self) -> Any:
        return self._last.headers

    @property
    def location(self) -> str:
        """The path and query to which the last answer sends, empty if it sends nowhere."""
        there = urlsplit(self._last.headers.get("Location", ""))
        return f"{there.path}?{there.query}" if there.query else there.path

    @property
    def page(self) -> HtmlElement:
        """The last page, parsed."""
        return html.fromstring(self._last.data)

    def words(self, path: str = "//main") -> str:
        """What a part of the page says, with single blanks."""
        return " ".join(" ".join(part.text_content() for part in self.page.xpath(path)).split())

    @property
    def _last(self) -> TestResponse:
        assert self.answer is not None, "look at a page first"
        return self.answer

    def _send(self, method: str, path: str, headers: Mapping[str, str], **body: Any) -> "Browser":
        self.answer = self.http.open(
            path,
            method=method,
            base_url=self._origin,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            environ_overrides={"REMOTE_ADDR": self.address},
            **body,
        )
        return self

    def _csrf_token(self) -> str:
        with self.http.session_transaction(base_url=self._origin) as kept:
            raw = kept.setdefault("csrf_token", _RAW_CSRF)
        secret = self.app.config["SECRET_KEY"]
        return str(URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(raw))


class Site:
    """The pages on the books of a :class:`MiniAlliance`, which is ``alliance`` and has the clock.

    Attributes:
        codes: What was handed over for sending: where to, the code, for how many minutes.
        failures: What no page expected; a test that leaves one here has found a fault.
    """

    def __init__(self, context: Context, folder: Path, public_url: str = URL) -> None:
        self.alliance = MiniAlliance(context, folder)
        self.context = self.alliance.context
        self.codes: list[tuple[str, str, int]] = []
        self.failures: list[BaseException] = []
        self.public_url = public_url
        titles = {code: kind.zh for code, kind in CATALOGUE.items()}
        self.app = make_site(
            Shared(
                self.context,
                public_url,
                lambda *sent: self.codes.append(sent),
                titles,
                self.failures.append,
            )
        )
        frame(self.app, Options(public_url=public_url))

    def stranger(self, address: str = "127.0.0.1") -> Browser:
        """Somebody who is not signed in."""
        return Browser(self.app, address, self.public_url)

    def staff(self, system: str | None, role: Role, name: str | None = None) -> Browser:
        """A new user of a system, or of the operator (``None``), signed in.

        Tell the alliance's story first: a session is over once the clock has passed half an hour.
        """
        chosen = name or f"{role.value}{next(_names)}"
        made = create_user(self.context, system, chosen, role, AUTHORITY)
        with self.context.database.posting() as session:
            token = begin_in(session, self.context.clock(), made.user, Level.FULL)
        browser = self.stranger()
        browser.user, browser.login = made.user, made.login
        with browser.http.session_transaction(base_url=self.public_url) as kept:
            kept[DESK if system is None else CONSOLE] = token
        return browser
